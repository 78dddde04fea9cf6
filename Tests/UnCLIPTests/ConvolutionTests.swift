import Compute
import Foundation
import Tensors
import TestSupport
import Testing

@testable import UnCLIP

@Suite("Convolutions") struct ConvolutionTests {
    /// One convolution's parameters.
    private struct Given: ParameterSource {
        let weight: Tensor
        let bias: Tensor
        func scope(_ name: String) -> any ParameterSource { self }
        func contains(_ name: String) -> Bool { true }
        func tensor(_ name: String, _ shape: [Int]) -> Tensor { name == "bias" ? bias : weight }
        func matrix(_ name: String, outputs: Int, inputs: Int) -> Tensor { weight }
    }

    @Test(
        "are sums over nine taps, directly and by Winograd's algorithm, whatever the size",
        arguments: [
            (64, 96, 5, 9, 1, true), (80, 64, 8, 4, 1, true), (144, 320, 13, 30, 1, true), (3, 40, 7, 6, 1, false),
            (20, 33, 9, 8, 2, false), (16, 16, 1, 1, 2, false), (64, 64, 1, 1, 1, true),
        ])
    func sums(inputs: Int, outputs: Int, height: Int, width: Int, stride: Int, winograd: Bool) throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = TestGenerator(seed: seed)
        let weight = Tensor(random.normal(outputs * inputs * 9), shape: [outputs, inputs, 3, 3])
        let bias = Tensor(random.normal(outputs), shape: [outputs])
        let convolution = try Convolution(
            Given(weight: weight, bias: bias), inputs: inputs, outputs: outputs, pixels: winograd ? .max : 0)
        let x = random.normal(2 * inputs * height * width)
        var b = PlanBuilder()
        let input = b.map(2, height, width, inputs)
        let output = convolution.plan(&b, .plain(input), stride: stride)
        let run = PlanRun(b.plan)
        run.write(x, to: input)
        run.advance(for: .seconds(1000))
        #expect(output.height == (height + stride - 1) / stride && output.width == (width + stride - 1) / stride)
        let y = run.picture(output).values

        // Some outputs, in double precision.
        let (w, start) = (weight.values, bias.values)
        var (worst, largest) = (0.0, 0.0)
        for _ in 0..<300 {
            let (image, o) = (Int.random(in: 0..<2, using: &random), Int.random(in: 0..<outputs, using: &random))
            let row = Int.random(in: 0..<output.height, using: &random)
            let column = Int.random(in: 0..<output.width, using: &random)
            var sum = Double(start[o])
            for i in 0..<inputs {
                for tap in 0..<9 {
                    let (v, h) = (row * stride + tap / 3 - 1, column * stride + tap % 3 - 1)
                    guard (0..<height).contains(v), (0..<width).contains(h) else { continue }
                    sum +=
                        Double(w[(o * inputs + i) * 9 + tap])
                        * Double(x[((image * inputs + i) * height + v) * width + h])
                }
            }
            let place = ((image * outputs + o) * output.height + row) * output.width + column
            worst = max(worst, abs(sum - Double(y[place])))
            largest = max(largest, abs(sum))
        }
        #expect(worst < (winograd ? 2e-5 : 3e-6) * largest, "seed \(seed)")
    }

    @Test("activation, another size and what the sums start from are taken on the way")
    func inputs() throws {
        var random = TestGenerator(seed: 9)
        for pixels in [0, Int.max] {
            let (channels, height, width) = (64, 5, 6)
            let convolution = try Convolution(
                Given(
                    weight: Tensor(random.normal(channels * channels * 9), shape: [channels, channels, 3, 3]),
                    bias: Tensor(random.normal(channels), shape: [channels])),
                inputs: channels, outputs: channels, pixels: pixels)
            var b = PlanBuilder()
            let x = b.map(1, height, width, channels)
            let affine = b.rows(1, 2 * channels)
            let large = b.map(1, 2 * height - 1, 2 * width - 1, channels)
            let active = b.map(like: x)
            let added = b.map(like: x)
            let first = convolution.plan(&b, .activated(x, affine: affine), start: .features(added))
            let second = convolution.plan(&b, .plain(active))
            let third = convolution.plan(&b, .resized(x, height: large.height, width: large.width))
            let fourth = convolution.plan(&b, .plain(large))
            let run = PlanRun(b.plan)
            let values = random.normal(x.count)
            let (factor, offset, more) = (random.normal(channels), random.normal(channels), random.normal(x.count))
            run.write(values, to: x)
            run.write(factor + offset, to: affine)
            run.write(more, to: added)
            run.write(
                values.indices.map { index in
                    let channel = index / (height * width)
                    let v = values[index] * factor[channel] + offset[channel]
                    return v / (1 + exp(-v))
                }, to: active)
            var enlarged: [Float] = []
            for channel in 0..<channels {
                for row in 0..<large.height {
                    for column in 0..<large.width {
                        // 9 from 5 and 11 from 6: PyTorch's nearest is floor(index · from / to).
                        let (y, z) = (row * height / large.height, column * width / large.width)
                        enlarged.append(values[(channel * height + y) * width + z])
                    }
                }
            }
            run.write(enlarged, to: large)
            run.advance(for: .seconds(1000))
            let sums = zip(run.picture(second).values, more).map { $0 + $1 }
            let worst = zip(run.picture(first).values, sums).map { abs($0 - $1) }.max() ?? .nan
            #expect(worst < 2e-3)
            #expect(run.picture(third).values == run.picture(fourth).values)
        }
    }
}
