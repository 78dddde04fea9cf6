import Tensors

/// y[t] = x[t] · A + x[t + 1] · B: what a convolution with twice as many taps as its stride is, and a transposed one.
///
/// Two neighbouring outputs are made of three products instead of four (Winograd's F(2, 2), "Arithmetic complexity of
/// computations", 1980):
///
///     y[t]     = (x[t] − x[t + 1]) · A + x[t + 1] · (A + B)
///     y[t + 1] = (x[t + 2] − x[t + 1]) · B + x[t + 1] · (A + B)
///
/// An output's bits depend on whether its t is even or odd, and on nothing else: a stream that gives its outputs in pairs
/// gives those of the whole. Rounding is about twice that of the plain product.
struct NeighbourProduct: Sendable {
    private let first: PackedMatrix
    private let second: PackedMatrix
    private let sum: PackedMatrix
    private let width: Int
    private let outputs: Int

    /// Takes weights `[2 · width, outputs]`: A's rows, then B's.
    init(_ weight: Tensor) {
        let width = weight.rows / 2
        let (a, b) = (weight[rows: 0..<width], weight[rows: width..<2 * width])
        first = PackedMatrix(transposed: a)
        second = PackedMatrix(transposed: b)
        sum = PackedMatrix(transposed: a + b)
        (self.width, outputs) = (width, weight.rowCount)
    }

    /// The outputs of `rows` neighbours, the first of which is x[0] and has an even t; x has `rows` + 1 dense rows, c `rows`.
    func multiply(
        _ x: UnsafePointer<Float>, rows: Int, into c: UnsafeMutablePointer<Float>, bias: UnsafePointer<Float>
    ) {
        let (pairs, evens) = (rows / 2, (rows + 1) / 2)
        // What both outputs of a pair share, at the place of the first; then a copy for the second.
        sum.multiply(x + width, lda: 2 * width, rows: evens, into: c, ldc: 2 * outputs, bias: bias)
        for pair in 0..<pairs {
            (c + (2 * pair + 1) * outputs).update(from: c + 2 * pair * outputs, count: outputs)
        }
        var differences = Tensor(uninitialized: [rows, width])
        differences.mutate { d in
            for row in 0..<rows {
                let (left, right) = (x + row * width, x + (row + 1) * width)
                let target = d + row * width
                if row % 2 == 0 {
                    for index in 0..<width { target[index] = left[index] - right[index] }
                } else {
                    for index in 0..<width { target[index] = right[index] - left[index] }
                }
            }
        }
        differences.read { d in
            first.multiply(d, lda: 2 * width, rows: evens, into: c, ldc: 2 * outputs, adding: true)
            second.multiply(
                d + width, lda: 2 * width, rows: pairs, into: c + outputs, ldc: 2 * outputs, adding: true)
        }
    }
}
