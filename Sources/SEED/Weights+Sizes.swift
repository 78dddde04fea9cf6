import Checkpoints
import Foundation

extension Weights {
    /// An extent of a tensor that has `rank` of them, none of which is 0: networks here take their sizes from the weights.
    func size(_ name: String, axis: Int, of rank: Int) throws(CheckpointError) -> Int {
        guard let info = info(name) else {
            throw CheckpointError(file: checkpoint.url.path, tensor: fullName(name), reason: "is missing")
        }
        guard info.shape.count == rank, info.shape.allSatisfy({ (1...(1 << 24)).contains($0) }) else {
            throw CheckpointError(
                file: info.file, tensor: info.name, reason: "has shape \(info.shape), expected \(rank) sizes")
        }
        return info.shape[axis]
    }

    /// Throws unless so many heads share a size evenly.
    func requireHeads(_ heads: Int, share size: Int, of what: String) throws(CheckpointError) {
        guard heads > 0, size % heads == 0 else {
            throw CheckpointError(
                file: checkpoint.url.path,
                reason: "its \(what) has \(size) channels, which \(heads) heads can't share; another network needs a "
                    + "\(SEEDConfiguration.fileName) beside its weights")
        }
    }

    /// Throws unless the layers of a list are numbered 0, 1, 2 ….
    func requireConsecutive(_ indices: [Int]) throws(CheckpointError) {
        guard !indices.isEmpty, indices == Array(0..<indices.count) else {
            throw CheckpointError(file: checkpoint.url.path, reason: "its layers \(scope).0, 1, 2 … are not all there")
        }
    }
}

extension Float {
    /// tanh(x).
    init(hyperbolicTangent x: Float) { self = tanh(x) }
}
