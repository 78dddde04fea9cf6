import Tensors

/// A chain whose members work at different rates: each takes the whole sequence before the next begins, in pieces that
/// stay in a core's cache, so that what passes between the layers of a member never goes out to memory.
///
/// The pieces change no bit of the result, as in any stream.
public struct Stages: SequenceLayer {
    /// Layers at about one rate.
    public struct Stage: Sendable {
        let chain: Sequential
        /// Frames that go in at a time.
        let rows: Int

        /// Layers whose busiest sequence has `channels` channels and `rate` frames for each frame that goes in.
        ///
        /// A piece of it takes 128 KiB, or more where the layers' weights, which are read once for each piece, weigh
        /// more than that.
        public init(_ layers: [any SequenceLayer], channels: Int, rate: Int = 1) {
            chain = Sequential(layers)
            rows = max(1, max((32 << 10) / channels, 4 * channels) / rate)
        }
    }

    private let stages: [Stage]

    /// A chain of these members.
    public init(_ stages: [Stage]) { self.stages = stages }

    /// All layers, first to last.
    public var layers: [any SequenceLayer] { stages.flatMap(\.chain.layers) }

    public func callAsFunction(_ x: Tensor) -> Tensor { stages.reduce(x) { Self.run($1, $0) } }

    public func makeStream() -> any LayerStream { Sequential(stages.map(\.chain)).makeStream() }

    private static func run(_ stage: Stage, _ x: Tensor) -> Tensor {
        guard x.rows > stage.rows else { return stage.chain(x) }
        var stream = stage.chain.makeStream()
        var parts: [Tensor] = []
        for start in stride(from: 0, to: x.rows, by: stage.rows) {
            parts.append(stream.step(x[rows: start..<min(x.rows, start + stage.rows)]))
        }
        parts.append(stream.finish())
        return .concatenated(parts)
    }
}
