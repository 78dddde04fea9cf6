import CKernels
import Foundation
import TestSupport
import Testing

@testable import Tensors

/// Products with weights of 8 and 4 bits: packed as told, exact in their whole numbers, to the last bit the same however
/// the rows are cut.
@Suite("Quantised kernels") struct QuantizedKernelTests {
    private func table(_ name: String) throws -> ck_table {
        try #require(KernelTests.tables.first { $0.name == name }).table.pointee
    }

    /// A matrix as a table packs it.
    private struct Packed {
        let format: QuantizedFormat
        let (outputs, inputs): (Int, Int)
        var panels: [UInt8]
        var scales: [UInt16]

        init(_ w: [Float], _ outputs: Int, _ inputs: Int, _ format: QuantizedFormat, _ t: ck_table) {
            (self.format, self.outputs, self.inputs) = (format, outputs, inputs)
            let (count, lanes) = (QuantizedFormat.panels(outputs), QuantizedFormat.lanes)
            let scaleCount = inputs / QuantizedFormat.group * lanes
            panels = [UInt8](repeating: 0, count: count * format.panelBytes(inputs: inputs))
            scales = [UInt16](repeating: 0, count: count * scaleCount)
            for panel in 0..<count {
                panels.withUnsafeMutableBufferPointer { p in
                    scales.withUnsafeMutableBufferPointer { s in
                        w.withUnsafeBufferPointer { w in
                            let rows = min(lanes, outputs - panel * lanes)
                            let source = w.baseAddress! + panel * lanes * inputs
                            let target = p.baseAddress! + panel * format.panelBytes(inputs: inputs)
                            let scale = s.baseAddress! + panel * scaleCount
                            if format == .q8 {
                                t.pack_q8(target, scale, source, rows, inputs)
                            } else {
                                t.pack_q4(target, scale, source, rows, inputs)
                            }
                        }
                    }
                }
            }
        }

        /// [outputs, inputs], as embeddings are looked up.
        var values: [Float] {
            (0..<outputs * inputs).map { index in
                let (output, input) = (index / inputs, index % inputs)
                return format.scale(scales, output: output, input: input, inputs: inputs)
                    * Float(format.weight(panels, output: output, input: input, inputs: inputs))
            }
        }
    }

    @Test("what is packed is near what it stands for", arguments: KernelTests.names, QuantizedFormat.allCases)
    func packing(_ name: String, _ format: QuantizedFormat) throws {
        let t = try table(name)
        for seed in UInt64(1)...20 {
            var random = TestGenerator(seed: seed)
            let outputs = Int.random(in: 1...40, using: &random)
            let inputs = QuantizedFormat.group * Int.random(in: 1...5, using: &random)
            var w = random.normal(outputs * inputs)
            // Groups that are zero, tiny, huge, of one sign.
            for i in 0..<32 { w[i] = seed % 2 == 0 ? 0 : 1e-30 * w[i] }
            if outputs > 2 { for i in 0..<32 { w[inputs + i] = 1e20 * abs(w[inputs + i]) } }
            let packed = Packed(w, outputs, inputs, format, t)
            let values = packed.values
            for group in 0..<(w.count / 32) {
                let (range, top) = (group * 32..<group * 32 + 32, w[group * 32..<group * 32 + 32].map(abs).max()!)
                let error = zip(w[range], values[range]).map { Double($0 - $1) / Double(max(top, 1e-38)) }
                let worst = error.map(abs).max()!
                // Half a step of top / 127, widened by the rounding of the scale; of 4 bits the largest values may be cut
                // for the good of the others.
                let bound = format == .q8 ? 0.505 / 127 * 1.01 : 0.27
                #expect(worst <= bound, "seed \(seed), group \(group)")
                if format == .q4 {
                    #expect(error.map { $0 * $0 }.reduce(0, +) / 32 < 0.0026, "seed \(seed), group \(group)")
                }
            }
        }
    }

    @Test("products are those of the whole numbers", arguments: KernelTests.names, QuantizedFormat.allCases)
    func products(_ name: String, _ format: QuantizedFormat) throws {
        let t = try table(name)
        for seed in UInt64(1)...40 {
            var random = TestGenerator(seed: seed)
            let (m, n) = (Int.random(in: 1...11, using: &random), Int.random(in: 1...70, using: &random))
            let k = QuantizedFormat.group * Int.random(in: 1...6, using: &random)
            let groups = k / QuantizedFormat.group
            let packed = Packed(random.normal(n * k), n, k, format, t)
            var x = random.normal(m * k)
            if seed % 3 == 0 { for i in 0..<32 { x[i] = 0 } }
            let (bias, start, adding) = (random.normal(n), random.normal(m * n), seed % 2 == 0)
            var (q, xs, sums) = (
                [Int8](repeating: 0, count: m * k), [Float](repeating: 0, count: m * groups),
                [Int32](repeating: 0, count: m * groups)
            )
            t.quantize_rows(&q, &xs, &sums, x, m * k)
            for i in x.indices {
                #expect(abs(x[i] - Float(q[i]) * xs[i / 32]) <= xs[i / 32] * 0.501, "seed \(seed)")
            }
            func run(_ rows: Range<Int>, _ y: inout [Float]) {
                y.withUnsafeMutableBufferPointer { y in
                    q.withUnsafeBufferPointer { q in
                        xs.withUnsafeBufferPointer { xs in
                            sums.withUnsafeBufferPointer { sums in
                                let first = rows.lowerBound
                                let multiply = format == .q8 ? t.linear_q8 : t.linear_q4
                                multiply!(
                                    y.baseAddress! + first * n, n, q.baseAddress! + first * k,
                                    xs.baseAddress! + first * groups, sums.baseAddress! + first * groups,
                                    packed.panels, packed.scales, bias, rows.count, n, k, adding)
                            }
                        }
                    }
                }
            }
            var (whole, single) = (start, start)
            run(0..<m, &whole)
            for r in 0..<m { run(r..<(r + 1), &single) }
            #expect(whole == single, "seed \(seed): bits depend on the cut")
            let w = packed.values
            for r in 0..<m {
                for j in 0..<n {
                    let truth = (0..<k).reduce(Double(bias[j]) + (adding ? Double(start[r * n + j]) : 0)) {
                        $0 + Double(q[r * k + $1]) * Double(xs[(r * k + $1) / 32]) * Double(w[j * k + $1])
                    }
                    #expect(abs(Double(whole[r * n + j]) - truth) < 2e-4, "seed \(seed), \((m, n, k))")
                }
            }
        }
    }
}
