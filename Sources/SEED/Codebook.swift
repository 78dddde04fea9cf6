import Checkpoints
import Tensors

/// The codes that a picture's tokens stand for.
struct Codebook: Sendable {
    /// `[codes, dimension]`
    let embedding: Tensor
    /// `[codes]`: |e|²
    private let squares: Tensor

    init(_ weights: Weights) throws(CheckpointError) {
        let codes = try weights.size("embedding.weight", axis: 0, of: 2)
        let dimension = try weights.size("embedding.weight", axis: 1, of: 2)
        let embedding = try weights.tensor("embedding.weight", [codes, dimension])
        self.embedding = embedding
        squares = Tensor(generating: [codes]) { target in
            embedding.read { e in
                for code in 0..<codes {
                    target[code] = kernels.dot_f32(e + code * dimension, e + code * dimension, dimension)
                }
            }
        }
    }

    var codes: Int { embedding.shape[0] }
    var dimension: Int { embedding.shape[1] }

    /// The nearest code of each row, `[rows, dimension]`: the smallest |z|² + |e|² - 2 z·e, the first of equals.
    func nearest(_ z: UnsafePointer<Float>, rows: Int) -> [Int32] {
        (0..<rows).map { row in
            let z = z + row * dimension
            let square = kernels.dot_f32(z, z, dimension)
            var best: (distance: Float, code: Int32) = (.infinity, 0)
            let products = embedding.read { e in
                [Float](unsafeUninitializedCapacity: codes) { target, count in
                    if let target = target.baseAddress { kernels.gemv_f32(target, e, z, nil, codes, dimension) }
                    count = codes
                }
            }
            squares.read { squares in
                for code in 0..<codes {
                    let distance = square + squares[code] - 2 * products[code]
                    if distance < best.distance { best = (distance, Int32(code)) }
                }
            }
            return best.code
        }
    }

    /// Copies the rows of these ids, which must be there, `[ids.count, dimension]`.
    func copy(_ ids: [Int32], to target: UnsafeMutablePointer<Float>) {
        embedding.read { e in
            for (row, id) in ids.enumerated() {
                (target + row * dimension).update(from: e + Int(id) * dimension, count: dimension)
            }
        }
    }
}
