import Audio
import TestSupport
import Testing

/// The state machine alone, with decisions made up.
struct SpeechSegmenterTests {
    private static let voice = SpeechSegmenter.Frame(isVoice: true, level: -20)
    private static let quiet = SpeechSegmenter.Frame(isVoice: false, level: -70)

    /// The events of frames drawn as text: `#` voice, `.` quiet. The level of voice moves as that of a voice does.
    private func events(
        _ drawing: String, _ settings: SpeechDetectionSettings = SpeechDetectionSettings(), position: Int = 0
    ) -> [SpeechEvent] {
        var segmenter = SpeechSegmenter(settings, position: position)
        return drawing.enumerated().compactMap { index, mark in
            segmenter.hear(mark == "#" ? .init(isVoice: true, level: index % 2 == 0 ? -20 : -24) : Self.quiet)
        }
    }

    private func frames(_ mark: String, _ count: Int) -> String { String(repeating: mark, count: count) }

    @Test("Speech starts with its prefix and stops after its silence, to the sample")
    func positions() {
        let drawing = frames(".", 100) + frames("#", 40) + frames(".", 60)
        #expect(
            events(drawing) == [
                .speechStarted(at: 1000 * 16 - 300 * 16),
                .speechStopped(at: (1400 + 500) * 16, lastVoice: 1400 * 16),
            ])
        let offset = events(drawing, position: 123_456)
        #expect(offset.first == .speechStarted(at: 123_456 + 700 * 16))
    }

    @Test("The prefix reaches neither before the stream nor into the speech before")
    func prefixIsBounded() {
        let settings = SpeechDetectionSettings(prefixPaddingMS: 300, silenceMS: 100)
        let drawing = frames(".", 5) + frames("#", 20) + frames(".", 15) + frames("#", 20)
        #expect(
            events(drawing, settings) == [
                .speechStarted(at: 0),
                .speechStopped(at: 350 * 16, lastVoice: 250 * 16),
                .speechStarted(at: 350 * 16),
            ])
    }

    @Test("The silence asked for is the silence waited for", arguments: [10, 200, 500, 505, 1000])
    func silence(ms: Int) {
        let drawing = frames(".", 50) + frames("#", 40) + frames(".", 120)
        let events = events(drawing, SpeechDetectionSettings(silenceMS: ms))
        // Decisions come every 10 ms.
        #expect(events.last == .speechStopped(at: 900 * 16 + (ms + 9) / 10 * 160, lastVoice: 900 * 16))
    }

    @Test("Sounds shorter than the minimum do not start speech; longer ones do", arguments: [30, 80, 200])
    func minimum(ms: Int) {
        let settings = SpeechDetectionSettings(minimumSpeechMS: ms)
        let short = frames(".", 50) + frames("#", ms / 10 - 1) + frames(".", 60)
        #expect(events(short + short, settings).isEmpty)
        #expect(events(frames(".", 50) + frames("#", ms / 10) + frames(".", 60), settings).count == 2)
    }

    @Test("A pause shorter than the silence does not end speech, a blip in the silence does not prolong it")
    func pausesAndBlips() {
        let pause = frames(".", 50) + frames("#", 30) + frames(".", 49) + frames("#", 30) + frames(".", 60)
        #expect(events(pause).count == 2)
        let blip = frames(".", 50) + frames("#", 30) + frames(".", 25) + "##" + frames(".", 40)
        #expect(events(blip).last == .speechStopped(at: (800 + 500) * 16, lastVoice: 800 * 16))
        let word = frames(".", 50) + frames("#", 30) + frames(".", 25) + "###" + frames(".", 60)
        #expect(events(word).last == .speechStopped(at: (1080 + 500) * 16, lastVoice: 1080 * 16))
    }

    @Test("A level that stands still is no speech, nor is one that the background has")
    func steadyLevels() {
        var steady = SpeechSegmenter()
        for _ in 0..<20 { #expect(steady.hear(Self.quiet) == nil) }
        var started = 0
        for _ in 0..<300 where steady.hear(.init(isVoice: true, level: -20)) != nil { started += 1 }
        #expect(started <= 2, "the first 100 ms cannot be told from a voice")
        #expect(!steady.isSpeaking)

        var loud = SpeechSegmenter()
        for index in 0..<500 {
            let level: Float = index % 3 == 0 ? -20 : -23
            #expect(loud.hear(.init(isVoice: true, level: level)) == nil)
        }
    }

    @Test("Trailing silence grows up to the end of speech; finish stops what goes on")
    func trailing() {
        var segmenter = SpeechSegmenter()
        #expect(segmenter.finish() == nil)
        for index in 0..<30 { _ = segmenter.hear(.init(isVoice: true, level: index % 2 == 0 ? -20 : -60)) }
        for index in 0..<30 { _ = segmenter.hear(.init(isVoice: true, level: index % 2 == 0 ? -20 : -24)) }
        #expect(segmenter.isSpeaking && segmenter.trailingSilence == 0)
        for frame in 1...10 {
            #expect(segmenter.hear(Self.quiet) == nil)
            #expect(segmenter.trailingSilence == frame * 160)
        }
        #expect(segmenter.finish() == .speechStopped(at: 700 * 16, lastVoice: 600 * 16))
        #expect(!segmenter.isSpeaking && segmenter.trailingSilence == 0)
    }

    @Test("Whatever comes, starts and stops alternate and never overlap", arguments: UInt64(0)..<50)
    func wellFormed(seed: UInt64) {
        var generator = TestGenerator(seed: seed)
        let settings = SpeechDetectionSettings(
            threshold: .random(in: 0...1, using: &generator),
            prefixPaddingMS: .random(in: 0...1000, using: &generator),
            silenceMS: .random(in: 10...800, using: &generator),
            minimumSpeechMS: .random(in: 10...300, using: &generator))
        var segmenter = SpeechSegmenter(settings)
        var lastStop = 0
        var start: Int?
        var isVoice = false
        for _ in 0..<5000 {
            if Int.random(in: 0..<20, using: &generator) == 0 { isVoice.toggle() }
            let level = Float.random(in: isVoice ? -40 ... -10 : -90 ... -50, using: &generator)
            switch segmenter.hear(.init(isVoice: isVoice, level: level)) {
            case .speechStarted(let at):
                #expect(start == nil && at >= lastStop && at < segmenter.position, "seed \(seed)")
                start = at
            case .speechStopped(let at, let lastVoice):
                #expect(start.map { $0 < lastVoice } == true && lastVoice < at, "seed \(seed)")
                #expect(at == segmenter.position, "seed \(seed)")
                start = nil
                lastStop = at
            case nil: break
            }
            #expect(segmenter.isSpeaking == (start != nil), "seed \(seed)")
        }
    }

    @Test("Settings out of range are brought to the nearest end")
    func clamping() {
        let high = SpeechDetectionSettings(
            threshold: 7, prefixPaddingMS: .max, silenceMS: .max, minimumSpeechMS: .max)
        #expect(
            high
                == SpeechDetectionSettings(
                    threshold: 1, prefixPaddingMS: 5000, silenceMS: 10_000, minimumSpeechMS: 2000))
        let low = SpeechDetectionSettings(threshold: -1, prefixPaddingMS: -1, silenceMS: .min, minimumSpeechMS: 0)
        #expect(low == SpeechDetectionSettings(threshold: 0, prefixPaddingMS: 0, silenceMS: 10, minimumSpeechMS: 10))
        #expect(SpeechDetectionSettings(threshold: .nan).threshold == 0.5)
        let middle = SpeechDetectionSettings()
        #expect(middle.leastLevel == -50 && middle.margin == 9 && middle.aggressiveness == .aggressive)
    }
}
