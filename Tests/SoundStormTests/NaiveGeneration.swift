import Foundation
import SoundStorm
import Tensors

/// The generation once more: every logit of every pass, whole sorts, one case after the other as the reference has them.
struct NaiveGeneration {
    let model: SoundStormModel
    let options: GenerationOptions
    let noise: any NoiseSource
    var passes: [TokenGrid] = []
    var noiseCalls = 0

    init(_ model: SoundStormModel, _ options: GenerationOptions, _ noise: any NoiseSource) {
        (self.model, self.options, self.noise) = (model, options, noise)
    }

    /// ids of all positions, and the scores of those ids.
    private mutating func sampled(_ logits: [Float], temperature: Float) -> (ids: [Int], scores: [Float]) {
        let codes = model.configuration.codes
        let kept = Int((Double(codes) * (1 - 0.7)).rounded(.up))
        var (ids, scores): ([Int], [Float]) = ([], [])
        for position in 0..<logits.count / codes {
            let row = Array(logits[position * codes..<(position + 1) * codes])
            let best = row.indices.sorted { (row[$1], $0) < (row[$0], $1) }.prefix(kept).sorted()
            var numbers = Array(repeating: Float(0), count: codes)
            numbers.withUnsafeMutableBufferPointer { noise.uniforms(call: noiseCalls, position: position, into: $0) }
            let lifted = best.map { row[$0] / max(temperature, 1e-10) - logf(-logf(numbers[$0] + 1e-10) + 1e-10) }
            let winner = lifted.indices.max { (lifted[$0], $1) < (lifted[$1], $0) } ?? 0
            let top = row.max() ?? 0
            let total = best.reduce(Double(0)) { $0 + exp(Double(row[$1] - top)) }
            ids.append(best[winner])
            scores.append(Float(1 - exp(Double(row[best[winner]] - top)) / total))
        }
        noiseCalls += 1
        return (ids, scores)
    }

    private func largest(_ logits: [Float]) -> [Int] {
        let codes = model.configuration.codes
        return (0..<logits.count / codes).map { position in
            let row = logits[position * codes..<(position + 1) * codes]
            return (row.indices.max { (row[$0], $1) < (row[$1], $0) } ?? 0) - position * codes
        }
    }

    mutating func run(_ semantic: [Int], prompt: TokenGrid?) throws -> TokenGrid {
        let (levels, mask) = (model.configuration.levels, model.configuration.maskID)
        let before = prompt?.frames ?? 0
        let frames = before + semantic.count
        let condition = (0..<before).map { prompt?[$0, 0] ?? 0 } + semantic
        var grid = TokenGrid(frames: frames, levels: levels, repeating: mask)
        for frame in 0..<before { for level in 0..<levels { grid[frame, level] = prompt?[frame, level + 1] ?? 0 } }
        let isNew = (0..<frames * levels).map { $0 >= before * levels }
        var open = isNew
        for level in 0..<levels {
            let stride = 1 / Float(options.steps)
            for iteration in 0..<(level == 0 ? options.steps + 1 : 1) {
                let time =
                    2 * iteration < options.steps
                    ? Float(iteration) * stride : 1 - Float(options.steps - iteration) * stride
                let count = level == 0 ? Int(cosf(time * Float.pi / 2) * Float(frames)) : 0
                passes.append(grid)
                let logits = try model.forward(tokens: grid, condition: condition).values
                var (ids, scores): ([Int], [Float]) = (largest(logits), [])
                if !options.greedy || count > 0 {
                    (ids, scores) = sampled(logits, temperature: Float(Double(iteration) / Double(options.steps)))
                }
                for position in 0..<frames * levels {
                    let (frame, other) = (position / levels, position % levels)
                    if level > 0 ? other >= level : open[position] { grid[frame, other] = ids[position] }
                }
                guard count > 0 else { continue }
                let ranked = scores.indices.sorted { (scores[$1], $0) < (scores[$0], $1) }.prefix(count)
                for position in 0..<frames * levels {
                    open[position] = (position % levels > 0 || ranked.contains(position)) && isNew[position]
                    if open[position] { grid[position / levels, position % levels] = mask }
                }
            }
        }
        var values: [Int] = []
        for frame in before..<frames { values += [condition[frame]] + (0..<levels).map { grid[frame, $0] } }
        return TokenGrid(levels: levels + 1, values: values)
    }
}
