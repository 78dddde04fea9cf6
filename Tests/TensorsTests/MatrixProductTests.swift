import Compute
import Foundation
import Tensors
import TestSupport
import Testing

@Suite("Matrix products") struct MatrixProductTests {
    private func truth(_ a: [Float], _ b: [Float], _ m: Int, _ n: Int, _ k: Int, transposed: Bool) -> [Double] {
        (0..<m * n).map { index in
            let (i, j) = (index / n, index % n)
            return (0..<k).reduce(0.0) {
                $0 + Double(a[i * k + $1]) * Double(transposed ? b[j * k + $1] : b[$1 * n + j])
            }
        }
    }

    @Test("OpenBLAS and the packed product agree with double precision, also where they are shared between threads")
    func agree() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = TestGenerator(seed: seed)
        // The last two are large enough to be shared.
        for (m, n, k) in [(1, 1, 1), (3, 5, 7), (17, 40, 33), (300, 200, 80), (40, 700, 160)] {
            let (a, b) = (random.normal(m * k), random.normal(n * k))
            let expected = truth(a, b, m, n, k, transposed: true)
            let x = Tensor(a, shape: [m, k])
            let weight = Tensor(b, shape: [n, k])
            for product in [x.linear(weight), PackedMatrix(linear: weight)(x)] {
                #expect(product.shape == [m, n])
                #expect(zip(product.values, expected).allSatisfy { abs(Double($0) - $1) < 2e-4 }, "seed \(seed)")
            }
            var c = [Float](repeating: 1, count: m * n)
            MatrixProduct.multiply(a, lda: k, b, ldb: n, into: &c, ldc: n, m: m, n: n, k: k, adding: true)
            let plain = truth(a, b, m, n, k, transposed: false)
            #expect(zip(c, plain).allSatisfy { abs(Double($0) - 1 - $1) < 2e-4 }, "seed \(seed)")
        }
    }

    @Test("a tensor is a value: writing to one leaves what shares its memory alone") func values() {
        let whole = Tensor((0..<12).map(Float.init), shape: [4, 3])
        var rows = whole[rows: 1..<3]
        rows.scale(10)
        #expect(whole.values == (0..<12).map(Float.init))
        #expect(rows.values == [30, 40, 50, 60, 70, 80])
        #expect(Tensor.concatenated([whole[rows: 0..<1], rows]).values == [0, 1, 2, 30, 40, 50, 60, 70, 80])
        #expect(whole.transposed.values == [0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11])
        #expect(whole.transposed.transposed.values == whole.values)
    }
}
