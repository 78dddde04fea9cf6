import Checkpoints
import Tensors

/// Residual vector quantisation: each level's code is the nearest to what the levels before have left over.
public struct ResidualVectorQuantizer: Sendable {
    /// One level: its code vectors, and the same as a matrix that scores a residual against all of them.
    private struct Level: Sendable {
        /// `[codes, dimension]`
        let embed: Tensor
        /// x · e − |e|²/2, whose largest value is the nearest code: −|x − e|²/2 without the part that all share.
        let scores: PackedMatrix
        let halfNorms: Tensor

        init(_ embed: Tensor) {
            self.embed = embed
            scores = PackedMatrix(linear: embed)
            let (codes, dimension) = (embed.rows, embed.rowCount)
            halfNorms = Tensor(generating: [codes]) { target in
                embed.read { e in
                    for code in 0..<codes {
                        let row = e + code * dimension
                        target[code] = -0.5 * kernels.dot_f32(row, row, dimension)
                    }
                }
            }
        }
    }

    private let levels: [Level]
    /// Values of a vector.
    public let dimension: Int
    /// Codes of a level.
    public let codebookSize: Int
    /// The number of levels.
    public var levelCount: Int { levels.count }

    /// Reads `embed`, `[codebookSize, dimension]`, of each level's codebook.
    public init(codebooks: [Weights], codebookSize: Int, dimension: Int) throws {
        self.dimension = dimension
        self.codebookSize = codebookSize
        levels = try codebooks.map { Level(try $0.tensor("embed", [codebookSize, dimension])) }
    }

    /// The codes of `[frames, dimension]` at the first `count` levels, as one row of frames for each level.
    public func encode(_ x: Tensor, levels count: Int? = nil) -> [[Int32]] {
        var residual = x
        let count = count ?? levels.count
        return levels.prefix(count).enumerated().map { index, level in
            let codes = nearest(residual, level)
            if index + 1 < count {
                residual.mutate { residual in
                    level.embed.read { embed in
                        for (frame, code) in codes.enumerated() {
                            kernels.axpy_f32(
                                residual + frame * dimension, -1, embed + Int(code) * dimension, dimension)
                        }
                    }
                }
            }
            return codes
        }
    }

    private func nearest(_ x: Tensor, _ level: Level) -> [Int32] {
        let scores = level.scores(x, bias: level.halfNorms)
        return scores.read { scores in
            (0..<x.rows).map { frame in
                let row = scores + frame * codebookSize
                var best = 0
                for code in 1..<codebookSize where row[code] > row[best] { best = code }
                return Int32(best)
            }
        }
    }

    /// The sum of the code vectors: `codes[level][frame]`, the first row being level `start`. Every code must be below
    /// `codebookSize`: who takes codes from outside checks that first.
    public func decode(_ codes: [[Int32]], from start: Int = 0) -> Tensor {
        precondition(start >= 0 && start + codes.count <= levels.count)
        let frames = codes.first?.count ?? 0
        var sum = Tensor(zeros: [frames, dimension])
        sum.mutate { sum in
            for (level, row) in zip(levels[start...], codes) {
                precondition(row.count == frames)
                level.embed.read { embed in
                    for (frame, code) in row.enumerated() {
                        precondition(code >= 0 && code < codebookSize, "code \(code) of \(codebookSize)")
                        kernels.add_f32(sum + frame * dimension, embed + Int(code) * dimension, dimension)
                    }
                }
            }
        }
        return sum
    }
}
