import CKernels
import Foundation
import TestSupport
import Testing

/// The products and the softmax of the backbone: right, and to the last bit the same however the rows are cut.
@Suite("Kernels of the backbone") struct BackboneKernelTests {
    private func table(_ name: String) throws -> ck_table {
        try #require(KernelTests.tables.first { $0.name == name }).table.pointee
    }

    /// Sizes on both sides of every tile's edge.
    private func sizes(_ random: inout TestGenerator) -> (m: Int, n: Int, k: Int) {
        (.random(in: 1...13, using: &random), .random(in: 1...70, using: &random), .random(in: 1...150, using: &random))
    }

    private enum Weights: CaseIterable { case float32, float16, bfloat16 }

    @Test("x · Wᵀ + b for weights in each type they are stored in", arguments: KernelTests.names)
    func linear(_ name: String) throws {
        let t = try table(name)
        for seed in UInt64(1)...60 {
            var random = TestGenerator(seed: seed)
            let (m, n, k) = sizes(&random)
            let (x, bias, start) = (random.normal(m * k), random.normal(n), random.normal(m * n))
            let adding = seed % 2 == 0
            let halves = random.normal(n * k).map { Float16($0) }
            for type in Weights.allCases {
                let w = halves.map {
                    type == .bfloat16 ? Float(bitPattern: Float($0).bitPattern & 0xFFFF_0000) : Float($0)
                }
                let words = w.map { type == .bfloat16 ? UInt16($0.bitPattern >> 16) : Float16($0).bitPattern }
                /// Rows r and outputs j of y.
                func run(_ y: inout [Float], _ rows: Range<Int>, _ outputs: Range<Int>) {
                    y.withUnsafeMutableBufferPointer { y in
                        x.withUnsafeBufferPointer { x in
                            bias.withUnsafeBufferPointer { bias in
                                let y = y.baseAddress! + rows.lowerBound * n + outputs.lowerBound
                                let x = x.baseAddress! + rows.lowerBound * k
                                let b = bias.baseAddress! + outputs.lowerBound
                                let (m, p, first) = (rows.count, outputs.count, outputs.lowerBound * k)
                                switch type {
                                case .float32:
                                    w.withUnsafeBufferPointer {
                                        t.linear_f32(y, n, x, k, $0.baseAddress! + first, b, m, p, k, adding)
                                    }
                                case .float16:
                                    words.withUnsafeBufferPointer {
                                        t.linear_f16(y, n, x, k, $0.baseAddress! + first, b, m, p, k, adding)
                                    }
                                case .bfloat16:
                                    words.withUnsafeBufferPointer {
                                        t.linear_bf16(y, n, x, k, $0.baseAddress! + first, b, m, p, k, adding)
                                    }
                                }
                            }
                        }
                    }
                }
                var (whole, parts) = (start, start)
                run(&whole, 0..<m, 0..<n)
                for r in 0..<m { for j in 0..<n { run(&parts, r..<(r + 1), j..<(j + 1)) } }
                #expect(whole == parts, "seed \(seed), \(type): bits depend on the cut")
                for r in 0..<m {
                    for j in 0..<n {
                        let truth = (0..<k).reduce(Double(bias[j]) + (adding ? Double(start[r * n + j]) : 0)) {
                            $0 + Double(x[r * k + $1]) * Double(w[j * k + $1])
                        }
                        #expect(abs(Double(whole[r * n + j]) - truth) < 1e-4, "seed \(seed), \(type), \((m, n, k))")
                    }
                }
            }
        }
    }

    @Test("every half-precision number is widened exactly, at odd addresses too", arguments: KernelTests.names)
    func widening(_ name: String) throws {
        let t = try table(name)
        for isHalf in [true, false] {
            for bits in UInt16.min...UInt16.max {
                let expected = isHalf ? Float(Float16(bitPattern: bits)) : Float(bitPattern: UInt32(bits) << 16)
                let bytes = [0, UInt8(bits & 0xFF), UInt8(bits >> 8)]
                let y = bytes.withUnsafeBytes { bytes -> Float in
                    var y: Float = 0
                    let w = (bytes.baseAddress! + 1).assumingMemoryBound(to: UInt16.self)
                    (isHalf ? t.linear_f16 : t.linear_bf16)!(&y, 1, [1], 1, w, nil, 1, 1, 1, false)
                    return y
                }
                guard y != expected else { continue }
                // Infinities meet the zeros that fill the vector up, as NaN · 0 does.
                #expect(!expected.isFinite && !y.isFinite, "\(bits): \(y) for \(expected)")
            }
        }
    }

    @Test("a · b", arguments: KernelTests.names) func matmul(_ name: String) throws {
        let t = try table(name)
        for seed in UInt64(1)...60 {
            var random = TestGenerator(seed: seed)
            let (m, n, k) = sizes(&random)
            let (a, b, start) = (random.normal(m * k), random.normal(k * n), random.normal(m * n))
            let adding = seed % 2 == 0
            var whole = start
            t.matmul_f32(&whole, n, a, k, b, n, m, n, k, adding)
            for r in 0..<m {
                var row = Array(start[(r * n)..<((r + 1) * n)])
                t.matmul_f32(&row, n, Array(a[(r * k)...]), k, b, n, 1, n, k, adding)
                #expect(row == Array(whole[(r * n)..<((r + 1) * n)]), "seed \(seed): bits depend on the cut")
                for j in 0..<n {
                    let truth = (0..<k).reduce(adding ? Double(start[r * n + j]) : 0) {
                        $0 + Double(a[r * k + $1]) * Double(b[$1 * n + j])
                    }
                    #expect(abs(Double(row[j]) - truth) < 1e-4, "seed \(seed)")
                }
            }
        }
    }

    @Test("a softmax page by page is the softmax of the whole", arguments: KernelTests.names)
    func onlineSoftmax(_ name: String) throws {
        let t = try table(name)
        for seed in UInt64(1)...40 {
            var random = TestGenerator(seed: seed)
            let rows = Int.random(in: 1...8, using: &random)
            let pages = Int.random(in: 1...4, using: &random)
            let step = Int.random(in: 0...1, using: &random)
            let n = 64
            // The first row sees this much of the last page.
            let visible = Int.random(in: 1...(n - rows), using: &random)
            let scores = random.normal(rows * pages * n).map { $0 * 30 }
            let values = random.normal(pages * n)
            let scale: Float = 0.37
            var y = [Float](repeating: 0, count: rows)
            var (top, sum) = ([Float](repeating: -.infinity, count: rows), [Float](repeating: 0, count: rows))
            for page in 0..<pages {
                var x = (0..<rows).flatMap { r in scores[((r * pages + page) * n)...].prefix(n) }
                let seen = (pages - 1 - page) * n + visible
                t.online_softmax_f32(&x, n, &y, 1, &top, &sum, rows, n, seen, step, scale, 1)
                t.matmul_f32(&y, 1, x, n, Array(values[(page * n)...].prefix(n)), 1, rows, 1, n, true)
                for r in 0..<rows {
                    let masked = x[(r * n)..<((r + 1) * n)].dropFirst(seen + r * step)
                    #expect(masked.allSatisfy { $0 == 0 }, "seed \(seed): the future is seen")
                }
            }
            for r in 0..<rows {
                let count = (pages - 1) * n + visible + r * step
                let x = scores[(r * pages * n)...].prefix(count).map { Double($0) * Double(scale) }
                let highest = x.max()!
                let weights = x.map { exp($0 - highest) }
                let truth = zip(weights, values).reduce(0) { $0 + $1.0 * Double($1.1) } / weights.reduce(0, +)
                #expect(abs(Double(y[r] / sum[r]) - truth) < 1e-5, "seed \(seed)")
            }
        }
    }

    @Test("log Σ eˣ", arguments: KernelTests.names) func logSumExp(_ name: String) throws {
        let t = try table(name)
        for seed in UInt64(1)...20 {
            var random = TestGenerator(seed: seed)
            let x = random.normal(Int.random(in: 1...3000, using: &random)).map { $0 * Float(seed) + 500 }
            let highest = Double(x.max()!)
            let truth = highest + log(x.reduce(0) { $0 + exp(Double($1) - highest) })
            #expect(abs(Double(t.log_sum_exp_f32(x, x.count)) - truth) < 1e-4, "seed \(seed)")
        }
    }
}
