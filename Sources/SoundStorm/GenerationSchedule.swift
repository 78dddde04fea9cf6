import Foundation

/// How a generation is to be done.
public struct GenerationOptions: Sendable, Equatable {
    /// Refinements of the first acoustic level; the run makes steps + levels passes. AnyGPT's scripts use 3.
    public var steps: Int
    /// Whether the most likely ids are taken wherever the reference takes them when greedy. Even then all but the last
    /// pass of the first level draw with noise, at a temperature that rises from 0.
    public var greedy: Bool

    /// The reference's choices unless told otherwise.
    public init(steps: Int = 3, greedy: Bool = true) {
        self.steps = steps
        self.greedy = greedy
    }

    /// More steps than this mean a mistake.
    static let mostSteps = 1024

    func validate() throws(SoundStormError) {
        guard 1...Self.mostSteps ~= steps else {
            throw SoundStormError("generate", "speech", "steps is \(steps), allowed are 1...\(Self.mostSteps)")
        }
    }
}

/// How many positions stay open after each pass of the first level.
enum GenerationSchedule {
    /// floor(frames · cos(πt/2)) at steps + 1 times t from 0 to 1, rounded as the reference rounds: in fp32, each half of
    /// the times counted from its own end.
    static func openCounts(frames: Int, steps: Int) -> [Int] {
        let stride = 1 / Float(steps)
        return (0...steps).map { index in
            let time = index < (steps + 1) / 2 ? stride * Float(index) : 1 - stride * Float(steps - index)
            return Int(cosf(time * Float.pi / 2) * Float(frames))
        }
    }

    /// Logits that sampling keeps: the reference's top 30 %, with its rounding.
    static func kept(of codes: Int) -> Int {
        min(Int(((1 - 0.7) * Double(codes)).rounded(.up)), codes)
    }

    /// The `count` positions with the highest scores, the first of equal ones.
    static func highest(_ scores: [Float], _ count: Int) -> [Int] {
        let ranked = scores.indices.sorted { a, b in
            scores[a] == scores[b] ? a < b : scores[a] > scores[b]
        }
        return Array(ranked.prefix(count))
    }
}
