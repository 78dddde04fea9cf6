import Audio
import Foundation
import TestSupport
import Testing

/// The detector on sound: WebRTC's decisions, the level, and the state machine together.
struct SpeechDetectorTests {
    private static let clips = [
        ("chain", "question.wav"), ("chain", "voice.wav"),
        ("speechtokenizer-snake", "clip0.wav"), ("speechtokenizer-snake", "clip1.wav"),
        ("speechtokenizer-snake", "clip2.wav"),
    ]

    private func events(
        _ samples: [Float], _ settings: SpeechDetectionSettings = SpeechDetectionSettings()
    ) -> [SpeechEvent] {
        let detector = SpeechDetector(settings)
        return detector.hear(samples) + (detector.finish().map { [$0] } ?? [])
    }

    /// The first 10 ms and the end of the last 10 ms that are within 30 dB of the clip's level.
    private func extent(_ samples: [Float]) throws -> Range<Int> {
        let loud = stride(from: 0, to: samples.count - 159, by: 160).filter {
            decibels(samples[$0..<$0 + 160]) > decibels(samples) - 30
        }
        return try #require(loud.first)..<(try #require(loud.last)) + 160
    }

    @Test("A sentence in silence is found whole, and its end is seen after the silence", arguments: clips)
    func sentence(folder: String, file: String) throws {
        let speech = try recording(folder, file)
        let silence = [Float](repeating: 0, count: 16_000)
        let settings = SpeechDetectionSettings(silenceMS: 900)
        let events = events(silence + speech + silence + silence, settings)
        #expect(events.count == 2, "\(events)")
        guard case .speechStarted(let start) = events.first, case .speechStopped(let stop, let last) = events.last
        else {
            Issue.record("\(events)")
            return
        }
        let truth = try extent(speech)
        #expect(start <= 16_000 + truth.lowerBound && start > 16_000 + truth.lowerBound - 8000, "\(start)")
        #expect(abs(last - 16_000 - truth.upperBound) < 3200, "\(last) for \(16_000 + truth.upperBound)")
        #expect(stop == last + 900 * 16)
    }

    @Test("Speech that begins with the stream is found", arguments: clips)
    func fromTheStart(folder: String, file: String) throws {
        let speech = try recording(folder, file)
        let detector = SpeechDetector()
        let heard = detector.hear(speech.prefix(8000))
        #expect(heard.first == .speechStarted(at: 0), "\(heard)")
    }

    @Test("Speech 20 dB over white noise is found, and its end too", arguments: clips, UInt64(1)...3)
    func noisy(clip: (String, String), seed: UInt64) throws {
        var generator = TestGenerator(seed: seed)
        let speech = try recording(clip.0, clip.1)
        let quiet = [Float](repeating: 0, count: 24_000)
        let signal = quiet + speech + quiet
        let background = noise(dBFS: decibels(speech) - 20, count: signal.count, using: &generator)
        // The pause inside one clip, its faint edges lost in the noise, lasts almost a second.
        let events = events(zip(signal, background).map { $0 + $1 }, SpeechDetectionSettings(silenceMS: 1200))
        #expect(events.count == 2, "seed \(seed): \(events)")
        let truth = try extent(speech)
        if case .speechStarted(let start) = events.first {
            #expect(abs(start + 4800 - 24_000 - truth.lowerBound) < 6400, "seed \(seed): \(start)")
        }
        if case .speechStopped(_, let last) = events.last {
            #expect(abs(last - 24_000 - truth.upperBound) < 6400, "seed \(seed): \(last)")
        }
    }

    @Test("Silence is no speech, digital or with the last bit flickering")
    func silence() {
        var generator = TestGenerator(seed: 3)
        #expect(events([Float](repeating: 0, count: 160_000)).isEmpty)
        #expect(events(generator.normal(160_000).map { $0 / 32_768 }).isEmpty)
    }

    @Test("White noise is no speech", arguments: [-60.0, -50, -40, -30, -20], UInt64(1)...3)
    func whiteNoise(level: Double, seed: UInt64) {
        var generator = TestGenerator(seed: seed)
        let steady = noise(dBFS: level, count: 160_000, using: &generator)
        #expect(events(steady).isEmpty, "seed \(seed)")
        guard level <= -50 else { return }
        #expect(events([Float](repeating: 0, count: 32_000) + steady).isEmpty, "after silence, seed \(seed)")
    }

    @Test("A tone is no speech", arguments: [100.0, 220, 440, 1000, 2000, 3500])
    func tones(hertz: Double) {
        let steady = tone(hertz, amplitude: 0.2, count: 160_000)
        #expect(events(steady).isEmpty)
        for onset in [32_000, 32_001, 32_080] {
            #expect(events([Float](repeating: 0, count: onset) + steady).isEmpty, "after \(onset)")
        }
    }

    @Test("Two sentences are two stretches; where a pause is short they are one")
    func twoSentences() throws {
        let speech = try question()
        func pause(_ ms: Int) -> [Float] { [Float](repeating: 0, count: ms * 16) }
        #expect(events(pause(500) + speech + pause(1000) + speech + pause(1000)).count == 4)
        let settings = SpeechDetectionSettings(silenceMS: 1000)
        #expect(events(pause(500) + speech + pause(500) + speech + pause(1500), settings).count == 2)
    }

    @Test("Louder demands find less: the threshold is monotonous on a fading voice")
    func threshold() throws {
        let speech = try question()
        let found = [0.0, 0.5, 1.0].map { threshold in
            [-15.0, -25, -35, -45, -55].filter { level in
                let gain = Float(pow(10, (level - decibels(speech)) / 20))
                let faint = [Float](repeating: 0, count: 16_000) + speech.map { $0 * gain }
                return !events(faint, SpeechDetectionSettings(threshold: threshold)).isEmpty
            }.count
        }
        #expect(found == found.sorted(by: >), "\(found)")
        #expect(found[0] > found[2] && found[2] >= 1, "\(found)")
    }

    @Test("How the stream is cut makes no difference", arguments: UInt64(1)...10)
    func cutAnywhere(seed: UInt64) throws {
        var generator = TestGenerator(seed: seed)
        let silence = [Float](repeating: 0, count: 12_345)
        let stream = try silence + question() + silence + recording("speechtokenizer-snake", "clip1.wav") + silence
        let whole = SpeechDetector()
        let expected = whole.hear(stream)
        let cut = SpeechDetector()
        var events: [SpeechEvent] = []
        for piece in pieces(stream, longest: seed < 3 ? 40 : 2000, using: &generator) { events += cut.hear(piece) }
        #expect(events == expected, "seed \(seed)")
        #expect(expected.count >= 4)
        #expect(cut.position == stream.count && whole.position == stream.count)
        #expect(cut.finish() == whole.finish())
    }

    @Test("After a reset it is as new", arguments: UInt64(1)...5)
    func resetIsFresh(seed: UInt64) throws {
        var generator = TestGenerator(seed: seed)
        let stream = try [Float](repeating: 0, count: 8000) + question() + [Float](repeating: 0, count: 16_000)
        let expected = SpeechDetector().hear(stream)
        let detector = SpeechDetector()
        _ = detector.hear(noise(dBFS: -15, count: Int.random(in: 1...50_000, using: &generator), using: &generator))
        _ = detector.hear(stream.prefix(Int.random(in: 0...stream.count, using: &generator)))
        detector.reset()
        #expect(detector.position == 0 && !detector.isSpeaking)
        #expect(detector.hear(stream) == expected, "seed \(seed)")
        detector.reset(position: 1000)
        let shifted = SpeechDetector(position: 1000).hear(stream)
        #expect(detector.hear(stream) == shifted, "seed \(seed)")
    }
}
