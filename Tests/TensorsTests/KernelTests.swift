import CKernels
import Foundation
import TestSupport
import Testing

/// Every table that this processor can run, against the same maths in double precision.
@Suite("Kernels") struct KernelTests {
    static var tables: [(name: String, table: UnsafePointer<ck_table>)] {
        [ck_scalar(), ck_avx2(), ck_avx512(), ck_avx512vnni()].compactMap { $0 }
            .map { (String(cString: $0.pointee.name), $0) }
    }

    static var names: [String] { tables.map(\.name) }

    private func table(_ name: String) throws -> ck_table {
        try #require(Self.tables.first { $0.name == name }).table.pointee
    }

    @Test("the best table is one of those that can run") func best() {
        #expect(Self.names.contains(String(cString: ck_best().pointee.name)))
        #expect(Self.names.contains("scalar"))
    }

    @Test("activations agree with libm", arguments: names) func activations(_ name: String) throws {
        let k = try table(name)
        // Where each function bends, far out on both sides, and denormals.
        let x: [Float] =
            stride(from: Float(-30), through: 30, by: 0.0137).map { $0 } + [
                0, -0.0, 1e-8, -1e-8, .leastNonzeroMagnitude, -.leastNonzeroMagnitude, 0.49999, -0.5, -0.50001, 88, -88,
                200, -200,
            ]
        var y = [Float](repeating: 0, count: x.count)
        func worst(_ truth: (Double) -> Double) -> Double {
            zip(x, y).map { abs(Double($1) - truth(Double($0))) / max(1, abs(truth(Double($0)))) }.max()!
        }
        k.elu_f32(&y, x, x.count)
        #expect(worst { $0 > 0 ? $0 : expm1($0) } < 3e-7)
        k.silu_f32(&y, x, x.count)
        #expect(worst { $0 / (1 + exp(-$0)) } < 5e-7)
        k.gelu_f32(&y, x, x.count)
        #expect(worst { $0 * (1 + erf($0 / 2.0.squareRoot())) / 2 } < 1e-6)
        for alpha: Float in [0.01, 0.5, 1, 3.7, 20] {
            k.snake_f32(&y, x, [Float](repeating: alpha, count: x.count), 1, x.count)
            let a = Double(alpha)
            // The sine's argument is rounded to a float first: half an ulp of it is part of the truth here.
            #expect(worst { $0 + pow(sin(a * $0), 2) / (a + 1e-9) } < 4e-7 + 4e-6 * a)
        }
    }

    @Test("moments of channels, and what is made of them", arguments: names) func channels(_ name: String) throws {
        let k = try table(name)
        let seed: UInt64 = 12
        var random = TestGenerator(seed: seed)
        for (rows, n) in [(1, 3), (7, 16), (128, 40)] {
            // Far from zero: the distances, not the squares, must be summed.
            let x = random.normal(rows * n).map { $0 + 1000 }
            var (mean, squares) = ([Float](repeating: 0, count: n), [Float](repeating: 0, count: n))
            k.channel_moments_f32(&mean, &squares, x, rows, n)
            for channel in 0..<n {
                let values = (0..<rows).map { Double(x[$0 * n + channel]) }
                let truth = values.reduce(0, +) / Double(rows)
                let distances = values.map { ($0 - truth) * ($0 - truth) }.reduce(0, +)
                #expect(abs(Double(mean[channel]) - truth) < 1e-3)
                #expect(abs(Double(squares[channel]) - distances) < 1e-3 * max(1, distances))
            }
            let (factor, offset) = (random.normal(n), random.normal(n).map { $0 - 1000 })
            var y = [Float](repeating: 0, count: rows * n)
            k.channel_affine_f32(&y, x, factor, offset, rows, n, false)
            for index in y.indices {
                let truth = Double(x[index]) * Double(factor[index % n]) + Double(offset[index % n])
                #expect(abs(Double(y[index]) - truth) < 3e-4 * max(1, abs(truth)))
            }
            var gated = [Float](repeating: 0, count: rows * n)
            let wide = random.normal(2 * rows * n)
            k.geglu_f32(&gated, wide, rows, n)
            for index in gated.indices {
                let place = index / n * 2 * n + index % n
                let gate = Double(wide[place + n])
                let truth = Double(wide[place]) * gate * (1 + erf(gate / 2.0.squareRoot())) / 2
                #expect(abs(Double(gated[index]) - truth) < 1e-5)
            }
        }
    }

    @Test("one LSTM step agrees with double precision", arguments: names) func lstm(_ name: String) throws {
        let k = try table(name)
        let seed: UInt64 = 11
        var random = TestGenerator(seed: seed)
        for n in [1, 3, 16, 65] {
            let gates = random.normal(4 * n).map { $0 * 3 }
            let before = random.normal(n)
            var (g, c, h) = (gates, before, [Float](repeating: 0, count: n))
            k.lstm_gates_f32(&g, &c, &h, n)
            func sigmoid(_ x: Float) -> Double { 1 / (1 + exp(-Double(x))) }
            for i in 0..<n {
                let cell =
                    sigmoid(gates[n + i]) * Double(before[i]) + sigmoid(gates[i]) * tanh(Double(gates[2 * n + i]))
                #expect(abs(Double(c[i]) - cell) < 1e-6, "seed \(seed)")
                #expect(abs(Double(h[i]) - sigmoid(gates[3 * n + i]) * tanh(cell)) < 1e-6, "seed \(seed)")
            }
        }
    }

    @Test("norms and softmax agree with double precision", arguments: names) func norms(_ name: String) throws {
        let k = try table(name)
        var random = TestGenerator(seed: 5)
        for n in [1, 7, 64, 1000] {
            let x = random.normal(2 * n).map { $0 * 2 + 0.7 }
            let (w, b) = (random.normal(n), random.normal(n))
            var y = [Float](repeating: 0, count: 2 * n)
            for row in 0..<2 {
                let r = x[row * n..<(row + 1) * n].map(Double.init)
                let mean = r.reduce(0, +) / Double(n)
                let variance = r.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / Double(n)
                let square = r.map { $0 * $0 }.reduce(0, +) / Double(n)
                k.rms_norm_f32(&y, x, w, 2, n, 1e-5)
                for i in 0..<n {
                    #expect(abs(Double(y[row * n + i]) - r[i] / sqrt(square + 1e-5) * Double(w[i])) < 1e-5)
                }
                k.layer_norm_f32(&y, x, w, b, 2, n, 1e-5)
                for i in 0..<n {
                    let truth = (r[i] - mean) / sqrt(variance + 1e-5) * Double(w[i]) + Double(b[i])
                    #expect(abs(Double(y[row * n + i]) - truth) < 2e-5)
                }
                k.clamped_norm_f32(&y, x, w, 2, n, 1e-6)
                for i in 0..<n {
                    let truth = (r[i] - mean) / sqrt(max(variance, 1e-6)) * Double(w[i])
                    #expect(abs(Double(y[row * n + i]) - truth) < 2e-5)
                }
            }
            var s = x
            s[0] = -.infinity
            if n > 1 { k.softmax_f32(&s, 2, n) }
            if n > 1 {
                #expect(s[0] == 0)
                #expect(abs(s[0..<n].reduce(0, +) - 1) < 1e-5)
            }
        }
    }

    @Test("packed products agree with double precision, and their bits don't depend on the cut", arguments: names)
    func packed(_ name: String) throws {
        let k = try table(name)
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = TestGenerator(seed: seed)
        for (m, n, depth) in [(1, 1, 1), (5, 31, 7), (17, 33, 64), (40, 300, 129), (3, 512, 96)] {
            let (a, b, bias) = (random.normal(m * depth), random.normal(depth * n), random.normal(n))
            var panels = [Float](repeating: 0, count: ck_packed_count(depth, n))
            ck_pack_f32(&panels, b, n, 1, depth, n)
            var whole = [Float](repeating: 0, count: m * n)
            k.gemm_packed_f32(&whole, n, a, depth, panels, bias, m, n, depth, false)
            for i in 0..<m {
                for j in 0..<n {
                    let truth = (0..<depth).reduce(Double(bias[j])) {
                        $0 + Double(a[i * depth + $1]) * Double(b[$1 * n + j])
                    }
                    #expect(abs(Double(whole[i * n + j]) - truth) < 1e-4, "seed \(seed)")
                }
            }
            for cut in 1...m {
                var pieces = [Float](repeating: 0, count: m * n)
                for start in stride(from: 0, to: m, by: cut) {
                    pieces.withUnsafeMutableBufferPointer { target in
                        a.withUnsafeBufferPointer { source in
                            k.gemm_packed_f32(
                                target.baseAddress! + start * n, n, source.baseAddress! + start * depth, depth, panels,
                                bias, min(cut, m - start), n, depth, false)
                        }
                    }
                }
                #expect(pieces.map(\.bitPattern) == whole.map(\.bitPattern), "seed \(seed), \(cut) rows at a time")
            }
        }
    }

    @Test("a row by a packed matrix agrees with double precision, also with odd numbers of inputs", arguments: names)
    func packedRow(_ name: String) throws {
        let k = try table(name)
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = TestGenerator(seed: seed)
        for (n, depth) in [(1, 1), (32, 2), (31, 7), (300, 129), (512, 96)] {
            let (a, b, start) = (random.normal(depth), random.normal(depth * n), random.normal(n))
            var panels = [Float](repeating: 0, count: ck_packed_count(depth, n))
            ck_pack_f32(&panels, b, n, 1, depth, n)
            var c = start
            k.gemv_packed_f32(&c, a, panels, n, depth)
            for j in 0..<n {
                let truth = (0..<depth).reduce(Double(start[j])) { $0 + Double(a[$1]) * Double(b[$1 * n + j]) }
                #expect(abs(Double(c[j]) - truth) < 1e-4, "seed \(seed)")
            }
        }
    }

    @Test("half precision is widened exactly, all 65,536 values", arguments: names) func half(_ name: String) throws {
        let k = try table(name)
        let bits = (0...UInt16.max).map { $0 }
        var y = [Float](repeating: 0, count: bits.count)
        k.f16_to_f32(&y, bits, bits.count)
        for (value, pattern) in zip(y, bits) {
            let truth = Float(Float16(bitPattern: pattern))
            #expect(truth.isNaN ? value.isNaN : value.bitPattern == truth.bitPattern)
        }
        k.bf16_to_f32(&y, bits, bits.count)
        for (value, pattern) in zip(y, bits) { #expect(value.bitPattern == UInt32(pattern) << 16) }
    }

    @Test("rotary positions and depthwise convolution agree with double precision", arguments: names)
    func ropeAndDepthwise(_ name: String) throws {
        let k = try table(name)
        var random = TestGenerator(seed: 8)
        let (heads, n) = (3, 14)
        let x = random.normal(heads * n)
        let angles = random.normal(n / 2)
        var y = x
        k.rope_f32(&y, angles.map { cos($0) }, angles.map { sin($0) }, heads, n)
        for head in 0..<heads {
            for i in 0..<n / 2 {
                let (a, b, t) = (Double(x[head * n + i]), Double(x[head * n + n / 2 + i]), Double(angles[i]))
                #expect(abs(Double(y[head * n + i]) - (a * cos(t) - b * sin(t))) < 1e-5)
                #expect(abs(Double(y[head * n + n / 2 + i]) - (b * cos(t) + a * sin(t))) < 1e-5)
            }
        }
        let (rows, taps, channels) = (9, 5, 11)
        let (input, w, bias) = (
            random.normal((rows + taps - 1) * channels), random.normal(taps * channels), random.normal(channels)
        )
        var out = [Float](repeating: 0, count: rows * channels)
        k.depthwise_f32(&out, input, w, bias, rows, taps, channels)
        for t in 0..<rows {
            for c in 0..<channels {
                let truth = (0..<taps).reduce(Double(bias[c])) {
                    $0 + Double(input[(t + $1) * channels + c]) * Double(w[$1 * channels + c])
                }
                #expect(abs(Double(out[t * channels + c]) - truth) < 1e-5)
            }
        }
    }
}
