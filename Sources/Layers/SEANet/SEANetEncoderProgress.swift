import Tensors

/// A waveform that is encoded while it is still being spoken.
///
/// After each `append` the latent is what the network says of the frames so far as if the sound ended with them: the
/// last few frames, and through the backward LSTM some before them, are revised by what comes later. After `finish` it
/// is, to the last bit, the offline latent.
public struct SEANetEncoderProgress {
    private let encoder: SEANetEncoder
    private var front: any LayerStream
    private var recurrence: Recurrence
    private var latentRows: Rows
    private var finished = false

    private enum Recurrence {
        case stream((any LayerStream)?, outputs: Rows)
        case bidirectional(BidirectionalLSTM.Progress)
    }

    /// A fresh start.
    public init(_ encoder: SEANetEncoder, dimension: Int) {
        self.encoder = encoder
        front = encoder.front.makeStream()
        latentRows = Rows(dimension)
        recurrence =
            switch encoder.recurrence {
            case .none: .stream(nil, outputs: Rows(encoder.tailInputs))
            case .forward(let lstm): .stream(lstm.makeStream(), outputs: Rows(encoder.tailInputs))
            case .bidirectional(let lstm): .bidirectional(BidirectionalLSTM.Progress(lstm))
            }
    }

    /// Frames that have a latent now.
    public var count: Int { latentRows.count }
    /// The latents of a range of frames.
    public func latent(_ range: Range<Int>) -> Tensor { latentRows[range] }

    /// Adds samples `[n, 1]`. Returns the first frame whose latent is new or revised.
    public mutating func append(_ wave: Tensor) -> Int {
        precondition(!finished, "the sound has ended")
        return take(front.step(wave))
    }

    /// The sound has ended: every latent is final afterwards. Returns the first frame that is new or revised.
    public mutating func finish() -> Int {
        precondition(!finished, "the sound has ended")
        finished = true
        return take(front.finish())
    }

    private mutating func take(_ frames: Tensor) -> Int {
        guard frames.rows > 0 else { return count }
        let old = count
        let changed: Int
        switch recurrence {
        case .bidirectional(var progress):
            // Taken out and put back so that its rows have one owner while they are written.
            recurrence = .stream(nil, outputs: Rows(1))
            changed = progress.append(frames)
            recurrence = .bidirectional(progress)
        case .stream(var stream, var outputs):
            recurrence = .stream(nil, outputs: Rows(1))
            changed = outputs.count
            outputs.append(stream?.step(frames) ?? frames)
            recurrence = .stream(stream, outputs: outputs)
        }
        let radius = encoder.tailRadius
        let total = old + frames.rows
        let first = max(0, changed - radius)
        let start = max(0, first - radius)
        let seen = encoder.tail(features(start..<total))
        latentRows.resize(total)
        seen.read { seen in
            for frame in first..<total {
                latentRows.write(frame, seen + (frame - start) * latentRows.width)
            }
        }
        return first
    }

    private func features(_ range: Range<Int>) -> Tensor {
        switch recurrence {
        case .bidirectional(let progress): progress.output(range)
        case .stream(_, let outputs): outputs[range]
        }
    }
}
