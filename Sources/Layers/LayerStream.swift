import Tensors

/// A layer over sequences `[frames, channels]` that can also be fed piece by piece.
///
/// The offline call and the stream compute the same bits: streams go through `PackedMatrix`, whose sums do not depend on
/// how the rows are cut.
public protocol SequenceLayer: Sendable {
    /// The whole sequence at once.
    func callAsFunction(_ x: Tensor) -> Tensor
    /// A fresh stream. Resetting a stream is taking a fresh one: there is nothing to forget.
    func makeStream() -> any LayerStream
}

/// The state of one layer in the middle of a sequence.
public protocol LayerStream {
    /// Takes the next frames and returns those outputs that no later input can change; possibly none.
    mutating func step(_ x: Tensor) -> Tensor
    /// The sequence has ended: returns the outputs that are still owed. Nothing may be stepped afterwards.
    mutating func finish() -> Tensor
}

/// Layers one after the other.
public struct Sequential: SequenceLayer {
    /// The layers, first to last.
    public let layers: [any SequenceLayer]

    /// A chain of these layers.
    public init(_ layers: [any SequenceLayer]) { self.layers = layers }

    public func callAsFunction(_ x: Tensor) -> Tensor { layers.reduce(x) { $1($0) } }

    public func makeStream() -> any LayerStream { Stream(streams: layers.map { $0.makeStream() }) }

    struct Stream: LayerStream {
        var streams: [any LayerStream]

        mutating func step(_ x: Tensor) -> Tensor {
            var x = x
            for index in streams.indices { x = streams[index].step(x) }
            return x
        }

        mutating func finish() -> Tensor {
            guard !streams.isEmpty else { preconditionFailure("a chain without layers has no channel count") }
            var rest = streams[0].finish()
            for index in streams.indices.dropFirst() {
                let stepped = streams[index].step(rest)
                rest = .concatenated([stepped, streams[index].finish()])
            }
            return rest
        }
    }
}

/// A layer that treats every frame alone: its stream has no state.
public protocol FramewiseLayer: SequenceLayer {}

extension FramewiseLayer {
    public func makeStream() -> any LayerStream { FramewiseStream(layer: self) }
}

/// The stream of a layer that treats every frame alone.
struct FramewiseStream<Layer: SequenceLayer>: LayerStream {
    let layer: Layer
    private var channels = 0

    init(layer: Layer) { self.layer = layer }

    mutating func step(_ x: Tensor) -> Tensor {
        let y = layer(x)
        channels = y.rowCount
        return y
    }

    mutating func finish() -> Tensor { Tensor(zeros: [0, channels]) }
}
