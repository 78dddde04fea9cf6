public import Tensors

/// Is told what passes between the parts of the network, by the names that the golden cases use: for `anygpt verify`.
public typealias SEEDTrace = (_ name: String, _ value: Tensor) -> Void

extension Pieces {
    /// Hands a copy of some values to whoever watches.
    func trace(
        _ trace: SEEDTrace?, _ name: String, _ values: UnsafePointer<Float>, _ shape: [Int]
    ) {
        guard let trace else { return }
        add { _ in trace(name, Tensor(generating: shape) { $0.update(from: values, count: shape.reduce(1, *)) }) }
    }
}
