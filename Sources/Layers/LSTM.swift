import Checkpoints
import Tensors

/// A stack of one-directional LSTM layers whose input is added to its output (`SLSTM` of the reference).
public struct ResidualLSTM: SequenceLayer {
    private let cells: [LSTMCell]
    private let channels: Int

    /// Reads `lstm.*` below `weights` for `layers` layers of `channels` values.
    public init(_ weights: Weights, channels: Int, layers: Int) throws {
        self.channels = channels
        cells = try (0..<layers).map {
            try LSTMCell(weights["lstm"], inputs: channels, hidden: channels, suffix: "l\($0)")
        }
    }

    public func callAsFunction(_ x: Tensor) -> Tensor {
        var stream = Stream(cells: cells, channels: channels)
        return stream.step(x)
    }

    public func makeStream() -> any LayerStream { Stream(cells: cells, channels: channels) }

    struct Stream: LayerStream {
        private let cells: [LSTMCell]
        private let channels: Int
        private var h: [Tensor]
        private var c: [Tensor]

        init(cells: [LSTMCell], channels: Int) {
            self.cells = cells
            self.channels = channels
            h = cells.map { Tensor(zeros: [$0.hidden]) }
            c = h.map { Tensor(zeros: $0.shape) }
        }

        mutating func step(_ x: Tensor) -> Tensor {
            guard x.rows > 0 else { return Tensor(zeros: [0, channels]) }
            var y = x
            for (index, cell) in cells.enumerated() {
                var gates = cell.inputGates(y)
                let frames = y.rows
                var out = Tensor(uninitialized: [frames, cell.hidden])
                out.mutate { out in
                    gates.mutate { gates in
                        h[index].mutate { h in
                            c[index].mutate { c in
                                for frame in 0..<frames {
                                    cell.step(
                                        gates: gates + frame * 4 * cell.hidden, h: h, c: c, backwards: frame % 2 == 1)
                                    (out + frame * cell.hidden).update(from: h, count: cell.hidden)
                                }
                            }
                        }
                    }
                }
                y = out
            }
            return y + x
        }

        mutating func finish() -> Tensor { Tensor(zeros: [0, channels]) }
    }
}
