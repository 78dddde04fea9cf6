import Checkpoints
import Tensors

/// A stack of bidirectional LSTM layers whose input, repeated for both directions, is added to its output
/// (`SLSTM(bidirectional=True)` of the reference): `[frames, channels]` → `[frames, 2 · channels]`.
///
/// Every output depends on every input, so a stream of it is a sequence that is *revised*: see `Progress`.
public struct BidirectionalLSTM: Sendable {
    struct Layer {
        let forward: LSTMCell
        let backward: LSTMCell
        let inputs: Int
    }

    let layers: [Layer]
    let channels: Int

    /// Reads `lstm.*_l…` and `lstm.*_l…_reverse` below `weights`.
    public init(_ weights: Weights, channels: Int, layers: Int) throws {
        self.channels = channels
        self.layers = try (0..<layers).map { index in
            let inputs = index == 0 ? channels : 2 * channels
            return Layer(
                forward: try LSTMCell(weights["lstm"], inputs: inputs, hidden: channels, suffix: "l\(index)"),
                backward: try LSTMCell(weights["lstm"], inputs: inputs, hidden: channels, suffix: "l\(index)_reverse"),
                inputs: inputs)
        }
    }

    /// The whole sequence at once.
    public func callAsFunction(_ x: Tensor) -> Tensor {
        var progress = Progress(self)
        progress.append(x)
        return progress.output(0..<x.rows)
    }

    /// A sequence that grows: after each `append` its outputs are, to the last bit, those of the offline call on all
    /// frames so far.
    ///
    /// New frames change the backward direction of earlier ones. It is recomputed from the new end until its state is
    /// bit for bit what it was before: everything further left then stays as it is. How far that goes is the memory
    /// that the network really uses; forgetting makes it a bounded number of frames in practice, and never wrong.
    public struct Progress {
        private let network: BidirectionalLSTM
        private var inputs: Rows
        /// Per layer: hidden states (the output) and cell states of both directions for every frame.
        private var forwardH: [Rows]
        private var forwardC: [Rows]
        private var backwardH: [Rows]
        private var backwardC: [Rows]
        /// Backward steps that were needed so far: what a benchmark divides by the frames.
        public private(set) var backwardSteps = 0

        /// An empty sequence.
        public init(_ network: BidirectionalLSTM) {
            self.network = network
            inputs = Rows(network.channels)
            let states = network.layers.map { _ in Rows(network.channels) }
            (forwardH, forwardC, backwardH, backwardC) = (states, states, states, states)
        }

        /// Frames so far.
        public var count: Int { inputs.count }

        /// Adds frames at the end. Returns the first frame whose output changed (the new ones always do).
        @discardableResult
        public mutating func append(_ x: Tensor) -> Int {
            guard x.rows > 0 else { return count }
            var changed = count
            inputs.append(x)
            for index in network.layers.indices { changed = advance(layer: index, from: changed) }
            return changed
        }

        /// The outputs of a range of frames: `[frames, 2 · channels]`.
        public func output(_ range: Range<Int>) -> Tensor {
            let n = network.channels
            return Tensor(generating: [range.count, 2 * n]) { target in
                for (row, frame) in range.enumerated() {
                    let y = target + row * 2 * n
                    // Without layers the reference has no LSTM at all, and nobody builds this type.
                    forwardH[forwardH.count - 1].read(frame) { y.update(from: $0, count: n) }
                    backwardH[backwardH.count - 1].read(frame) { (y + n).update(from: $0, count: n) }
                    inputs.read(frame) { x in
                        kernels.add_f32(y, x, n)
                        kernels.add_f32(y + n, x, n)
                    }
                }
            }
        }

        /// What layer `index` sees of a range of frames.
        private func layerInput(_ index: Int, _ range: Range<Int>) -> Tensor {
            guard index > 0 else { return inputs[range] }
            let n = network.channels
            return Tensor(generating: [range.count, 2 * n]) { target in
                for (row, frame) in range.enumerated() {
                    forwardH[index - 1].read(frame) { (target + row * 2 * n).update(from: $0, count: n) }
                    backwardH[index - 1].read(frame) { (target + row * 2 * n + n).update(from: $0, count: n) }
                }
            }
        }

        /// Recomputes a layer whose inputs changed from frame `start` on; returns where its outputs begin to differ.
        private mutating func advance(layer index: Int, from start: Int) -> Int {
            let layer = network.layers[index]
            let n = network.channels
            let end = count
            let known = backwardH[index].count
            var gates = layer.forward.inputGates(layerInput(index, start..<end))
            forwardH[index].resize(end)
            forwardC[index].resize(end)
            var state = State(n)
            if start > 0 { state.load(forwardH[index], forwardC[index], start - 1) }
            gates.mutate { gates in
                for frame in start..<end {
                    state.step(layer.forward, gates + (frame - start) * 4 * n)
                    state.store(&forwardH[index], &forwardC[index], frame)
                }
            }

            backwardH[index].resize(end)
            backwardC[index].resize(end)
            state = State(n)
            var first = end
            // Earlier frames come in blocks, since nobody knows how far back the change will reach.
            var block = start..<end
            while !block.isEmpty {
                gates = layer.backward.inputGates(layerInput(index, block))
                let settled = gates.mutate { gates in
                    for frame in block.reversed() {
                        state.step(layer.backward, gates + (frame - block.lowerBound) * 4 * n)
                        backwardSteps += 1
                        if frame < start, frame < known, state.equals(backwardH[index], backwardC[index], frame) {
                            return true
                        }
                        state.store(&backwardH[index], &backwardC[index], frame)
                        first = frame
                    }
                    return false
                }
                if settled { break }
                block = max(0, block.lowerBound - 16)..<block.lowerBound
            }
            return min(first, start)
        }
    }

    /// The running state of one direction.
    private struct State {
        private var h: Tensor
        private var c: Tensor
        private let n: Int

        init(_ n: Int) {
            self.n = n
            h = Tensor(zeros: [n])
            c = Tensor(zeros: [n])
        }

        mutating func step(_ cell: LSTMCell, _ gates: UnsafeMutablePointer<Float>) {
            h.mutate { h in c.mutate { c in cell.step(gates: gates, h: h, c: c) } }
        }

        mutating func load(_ hs: Rows, _ cs: Rows, _ frame: Int) {
            h.mutate { h in hs.read(frame) { h.update(from: $0, count: n) } }
            c.mutate { c in cs.read(frame) { c.update(from: $0, count: n) } }
        }

        func store(_ hs: inout Rows, _ cs: inout Rows, _ frame: Int) {
            h.read { hs.write(frame, $0) }
            c.read { cs.write(frame, $0) }
        }

        func equals(_ hs: Rows, _ cs: Rows, _ frame: Int) -> Bool {
            h.read { h in hs.read(frame) { same(h, $0) } } && c.read { c in cs.read(frame) { same(c, $0) } }
        }

        private func same(_ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>) -> Bool {
            for index in 0..<n where a[index].bitPattern != b[index].bitPattern { return false }
            return true
        }
    }
}
