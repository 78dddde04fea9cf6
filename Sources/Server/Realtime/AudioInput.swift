import Audio
import Wire

/// A client's sound on its way to the listener: decoded to 16 kHz, cut into turns by voice activity or by the client.
///
/// Bounded: it keeps as much of the past as a turn's beginning may reach back, and nothing else.
struct AudioInput {
    /// What came of some sound.
    enum Event: Equatable {
        /// A turn begins, with this many milliseconds of all sound before it.
        case opened(atMS: Int)
        /// Samples of the open turn, at 16 kHz.
        case samples([Float])
        /// The open turn is over by itself, at this many milliseconds of all sound; `lastVoice` is the last sample in it
        /// that was voice.
        case ended(atMS: Int, lastVoice: Int)
    }

    /// Samples a second of everything behind the decoders.
    static let sampleRate = 16_000

    /// Malformed packets that were concealed so far.
    private(set) var concealedPackets = 0
    /// Samples that came in so far.
    private(set) var position = 0
    /// Whether a turn is open.
    var isOpen: Bool { fed != nil }
    /// Samples of the open turn.
    var turnSamples: Int { fed.map { $0 - opened } ?? 0 }

    private let decoder: OpusDecoder
    private var resampler: Resampler?
    private var detector: SpeechDetector?
    private let maximumTurn: Int
    /// The last samples, the first of which is number `pastStart`.
    private var past: [Float] = []
    private var pastStart = 0
    private var pastNeeded: Int
    /// The first sample that the open turn has not been given yet.
    private var fed: Int?
    private var opened = 0

    /// - Parameters:
    ///   - detection: how turns are found; nil leaves their ends to the client.
    ///   - maximumTurn: samples after which a turn ends in any case.
    init(detection: SpeechDetectionSettings?, maximumTurn: Int) throws {
        decoder = try OpusDecoder(sampleRate: Self.sampleRate)
        self.maximumTurn = maximumTurn
        pastNeeded = 0
        detect(with: detection)
    }

    /// Changes how turns are found; an open turn stays open.
    mutating func detect(with detection: SpeechDetectionSettings?) {
        detector = detection.map { SpeechDetector($0, position: position) }
        // The start is told after the minimum of speech, and reaches back by the padding before that.
        let reach = detection.map { $0.prefixPaddingMS + 3 * $0.minimumSpeechMS + 1000 } ?? 0
        pastNeeded = reach * Self.sampleRate / 1000
    }

    // MARK: Sound

    /// One Opus packet. A malformed one is counted, and sound is made up in its place.
    mutating func hear(opus packet: [UInt8]) throws -> [Event] {
        do {
            return hear(try decoder.decode(packet))
        } catch {
            concealedPackets += 1
            return hear(try decoder.conceal())
        }
    }

    /// Bytes of a JSON event, in the session's format.
    mutating func hear(_ bytes: [UInt8], format: AudioFormat) throws -> [Event] {
        let samples = format.samples(bytes)
        if resampler?.inputRate != format.sampleRate {
            resampler = try Resampler(from: format.sampleRate, to: Self.sampleRate)
        }
        return hear(try resampler?.process(samples) ?? [])
    }

    /// Samples at 16 kHz.
    mutating func hear(_ samples: [Float]) -> [Event] {
        guard !samples.isEmpty else { return [] }
        past += samples
        position += samples.count
        var events: [Event] = []
        if let detector {
            for event in detector.hear(samples) {
                switch event {
                case .speechStarted(let start) where fed == nil: open(at: max(start, pastStart), &events)
                case .speechStopped(let end, let lastVoice) where fed != nil:
                    close(at: end, lastVoice: lastVoice, &events)
                default: break
                }
            }
        } else if fed == nil {
            open(at: position - samples.count, &events)
        }
        give(to: position, &events)
        if turnSamples >= maximumTurn {
            close(at: position, lastVoice: position, &events)
            detector?.reset(position: position)
        }
        forget()
        return events
    }

    // MARK: Turns

    /// The client ends the open turn, or throws it away: what comes next belongs to another.
    mutating func endTurn() {
        fed = nil
        detector?.reset(position: position)
        past.removeAll(keepingCapacity: true)
        pastStart = position
    }

    private mutating func open(at start: Int, _ events: inout [Event]) {
        opened = start
        fed = start
        events.append(.opened(atMS: start * 1000 / Self.sampleRate))
    }

    private mutating func close(at end: Int, lastVoice: Int, _ events: inout [Event]) {
        give(to: min(end, position), &events)
        fed = nil
        events.append(.ended(atMS: end * 1000 / Self.sampleRate, lastVoice: lastVoice))
    }

    private mutating func give(to end: Int, _ events: inout [Event]) {
        guard let start = fed, end > start else { return }
        events.append(.samples(Array(past[start - pastStart..<end - pastStart])))
        fed = end
    }

    private mutating func forget() {
        let unneeded = min(fed ?? position, position - pastNeeded) - pastStart
        // Moved together now and then, not for every packet.
        guard unneeded > pastNeeded / 2 else { return }
        past.removeFirst(unneeded)
        pastStart += unneeded
    }
}
