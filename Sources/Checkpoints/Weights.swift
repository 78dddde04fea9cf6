import Foundation
import Synchronization
public import Tensors

/// A checkpoint as a network loads it: by scopes that follow the network's own structure, strictly. Every tensor must be
/// there in the shape that is asked for, and `requireAllUsed` tells whether any was left: a clean load proves the wiring.
///
///     let weights = Weights(try .open(url), passingOver: ["**.rotary_emb.inv_freq"])
///     let norm = try weights["model"]["norm"].tensor("weight", [4096])
///     try weights.requireAllUsed()
///
/// Scopes are values that share one ledger of what was used.
public struct Weights: Sendable {
    /// The checkpoint behind the scopes.
    public let checkpoint: Checkpoint
    /// The full name of this scope; empty at the top.
    public let scope: String
    /// What an official file holds beside the network, matched by the patterns given: read by nobody, and no fault.
    public let passedOver: [String]
    private let ledger: Ledger

    private final class Ledger: Sendable {
        let used = Mutex<Set<String>>([])
    }

    /// The top scope of a checkpoint.
    ///
    /// - Parameter passingOver: full names or patterns of what need not be used.
    public init(_ checkpoint: Checkpoint, passingOver patterns: [TensorPattern] = []) {
        self.checkpoint = checkpoint
        scope = ""
        passedOver = checkpoint.names.filter { name in patterns.contains { $0.matches(name) } }
        ledger = Ledger()
    }

    private init(_ parent: Weights, _ name: String) {
        checkpoint = parent.checkpoint
        scope = parent.fullName(name)
        passedOver = parent.passedOver
        ledger = parent.ledger
    }

    /// The scope below this one; `weights["encoder.model"]["0"]` is `weights["encoder.model.0"]`.
    public subscript(name: String) -> Weights { Weights(self, name) }

    /// A numbered scope, as of a layer in a list.
    public subscript(index: Int) -> Weights { Weights(self, String(index)) }

    /// The name of a tensor of this scope in the checkpoint.
    public func fullName(_ name: String) -> String { scope.isEmpty ? name : "\(scope).\(name)" }

    // MARK: Looking

    /// Whether the scope has a tensor of this name.
    public func contains(_ name: String) -> Bool { checkpoint.info(fullName(name)) != nil }

    /// What the file says of a tensor of this scope: for sizes that only the weights tell.
    public func info(_ name: String) -> TensorInfo? { checkpoint.info(fullName(name)) }

    /// The numbers among the names directly below this scope, in order: `layers.0`, `layers.1`, … are 0, 1, ….
    public var childIndices: [Int] {
        let prefix = scope.isEmpty ? "" : scope + "."
        var indices: Set<Int> = []
        for name in checkpoint.names where name.hasPrefix(prefix) {
            let component = name.dropFirst(prefix.count).prefix { $0 != "." }
            if let index = Int(component), index >= 0 { indices.insert(index) }
        }
        return indices.sorted()
    }

    // MARK: Taking

    /// The fp32 tensor of this name, in the file's shape.
    public func tensor(_ name: String) throws(CheckpointError) -> Tensor {
        let tensor = try checkpoint.tensor(fullName(name))
        markUsed(name)
        return tensor
    }

    /// The fp32 tensor of this name, which must have this shape.
    public func tensor(_ name: String, _ shape: [Int]) throws(CheckpointError) -> Tensor {
        try require(name, shape)
        return try tensor(name)
    }

    /// The integers of this name, exact and in row-major order, and their shape.
    public func integers(_ name: String) throws(CheckpointError) -> (values: [Int], shape: [Int]) {
        let integers = try checkpoint.integers(fullName(name))
        markUsed(name)
        return integers
    }

    /// The tensor of this name in the number type of the file.
    public func array(_ name: String) throws(CheckpointError) -> TypedArray {
        let array = try checkpoint.array(fullName(name))
        markUsed(name)
        return array
    }

    /// The tensor of this name in the number type of the file; it must have this shape.
    public func array(_ name: String, _ shape: [Int]) throws(CheckpointError) -> TypedArray {
        try require(name, shape)
        return try array(name)
    }

    /// The tensor of this name in place, which must have this shape; nil when the file does not hold it so.
    public func mapped(_ name: String, _ shape: [Int]) throws(CheckpointError) -> MappedArray? {
        try require(name, shape)
        guard let array = try checkpoint.mapped(fullName(name)) else { return nil }
        markUsed(name)
        return array
    }

    private func require(_ name: String, _ shape: [Int]) throws(CheckpointError) {
        guard let info = info(name), info.shape != shape else { return }
        throw CheckpointError(
            file: info.file, tensor: info.name, reason: "has shape \(info.shape); the network has \(shape)")
    }

    private func markUsed(_ name: String) {
        _ = ledger.used.withLock { $0.insert(fullName(name)) }
    }

    // MARK: Strictness

    /// The tensors of this scope that nobody has taken and that are not to be passed over, in the checkpoint's order.
    public var unused: [String] {
        let done = ledger.used.withLock { $0 }.union(passedOver)
        return checkpoint.names.filter { name in
            (scope.isEmpty || name == scope || name.hasPrefix(scope + ".")) && !done.contains(name)
        }
    }

    /// Throws when tensors of this scope are left over: the network is not the one that the file was made from.
    public func requireAllUsed() throws(CheckpointError) {
        let left = unused
        guard let first = left.first else { return }
        let shown = left.prefix(10).map(\.shortened).joined(separator: ", ")
        throw CheckpointError(
            file: checkpoint.info(first)?.file ?? checkpoint.url.path,
            reason: "holds \(left.count) tensors that the network has no place for: \(shown)"
                + (left.count > 10 ? ", …" : ""))
    }
}
