/// What is to be played, and what of it was heard. A pure value: it is told what the stream takes and how far the
/// listener is, and knows neither a server nor a clock.
///
/// Two counts run beside each other. The stream's counts every sample that it was given, silence included, and begins
/// anew with every stream. The track's counts the samples that were put in, whether they are heard in the end or thrown
/// away, and never begins anew: by it callers know what of theirs was heard.
struct PlaybackTrack {
    /// A run of samples that the stream was given.
    private struct Segment {
        var stream: Int
        var track: Int
        var count: Int
    }

    /// Samples that were put in.
    private(set) var total = 0
    /// Samples that wait to be given to the stream.
    var waiting: Int { samples.count - start }
    /// Samples of the track up to which everything was heard, or thrown away.
    private(set) var heard = 0

    private var samples: [Float] = []
    /// The first sample that waits.
    private var start = 0
    /// Samples that the stream was given.
    private var written = 0
    /// Samples of the stream that were heard.
    private var played = 0
    /// What the stream was given and what was not heard to its end.
    private var segments: [Segment] = []

    /// Puts samples in. Returns the place of the first one on the track.
    mutating func add(_ new: [Float]) -> Int {
        defer {
            samples += new
            total += new.count
        }
        return total
    }

    /// Fills a stream's buffer with what waits, and with silence after it.
    mutating func fill(_ buffer: UnsafeMutableBufferPointer<Float>) {
        let count = min(waiting, buffer.count)
        samples.withUnsafeBufferPointer { samples in
            for index in 0..<count { buffer[index] = samples[start + index] }
        }
        for index in count..<buffer.count { buffer[index] = 0 }
        if count > 0 {
            let place = total - waiting
            if let last = segments.last, last.stream + last.count == written, last.track + last.count == place {
                segments[segments.count - 1].count += count
            } else {
                segments.append(Segment(stream: written, track: place, count: count))
            }
        }
        written += buffer.count
        start += count
        // Moved together now and then, not for every request.
        if start >= 1 << 15 || start == samples.count {
            samples.removeFirst(start)
            start = 0
        }
    }

    /// The listener has heard all but the last `latency` samples that the stream was given.
    mutating func advance(latency: Int) {
        played = max(played, min(written, written - latency))
        while let first = segments.first {
            let count = min(first.count, played - first.stream)
            guard count > 0 else { break }
            heard = max(heard, first.track + count)
            guard count == first.count else { break }
            segments.removeFirst()
        }
    }

    /// Throws away what was not heard: it counts as passed. Returns up to where the track was heard.
    mutating func flush() -> Int {
        defer {
            samples.removeAll(keepingCapacity: true)
            start = 0
            segments.removeAll()
            written = played
            heard = total
        }
        return heard
    }

    /// The stream is gone, and with it what it was given: that counts as passed. What waits is the next one's.
    mutating func restart() {
        segments.removeAll()
        (written, played) = (0, 0)
        heard = total - waiting
    }
}
