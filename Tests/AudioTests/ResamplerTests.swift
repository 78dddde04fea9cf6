import Audio
import TestSupport
import Testing

struct ResamplerTests {
    static let ratios = [
        (24_000, 16_000), (16_000, 24_000), (48_000, 16_000), (44_100, 16_000), (8_000, 16_000),
        (16_000, 44_100), (22_050, 48_000), (16_000, 16_000), (11_025, 16_001),
    ]

    @Test("In pieces of any length the result is that of the whole, to the last bit", arguments: ratios)
    func streamedIsOffline(from: Int, to: Int) throws {
        for quality in Resampler.Quality.allCases {
            for seed in UInt64(0)..<2 {
                var generator = TestGenerator(seed: seed)
                let input = noise(dBFS: -12, count: Int.random(in: 1...10_000, using: &generator), using: &generator)
                let whole = try Resampler.resample(input, from: from, to: to, quality: quality)
                let resampler = try Resampler(from: from, to: to, quality: quality)
                var streamed: [Float] = []
                for piece in pieces(input, longest: 700, using: &generator) {
                    streamed += try resampler.process(Array(piece))
                }
                streamed += try resampler.finish()
                #expect(streamed == whole, "seed \(seed), \(quality)")
                #expect(try resampler.process(input) + resampler.finish() == whole, "as new after finish, seed \(seed)")
            }
        }
    }

    @Test("The count is the ratio rounded up, for every length", arguments: ratios)
    func exactCounts(from: Int, to: Int) throws {
        for count in Array(0...50) + [159, 160, 161, 441, 4096, 4097] {
            let output = try Resampler.resample([Float](repeating: 0.5, count: count), from: from, to: to)
            #expect(output.count == (count * to + from - 1) / from)
        }
    }

    @Test("A tone keeps its pitch, its place in time and its purity", arguments: ratios)
    func tones(from: Int, to: Int) throws {
        for hertz in [50.0, 440, 3000] {
            let output = try Resampler.resample(
                tone(hertz, count: from, sampleRate: from), from: from, to: to, quality: .best)
            let expected = tone(hertz, count: to, sampleRate: to)
            let inside = to / 10..<to * 9 / 10
            #expect(signalToNoise(expected[inside], output[inside]) > 90, "\(hertz) Hz")
        }
    }

    @Test("What the lower rate cannot hold is gone")
    func aliasing() throws {
        let input = tone(11_000, count: 48_000, sampleRate: 48_000)
        for quality in Resampler.Quality.allCases {
            let output = try Resampler.resample(input, from: 48_000, to: 16_000, quality: quality)
            #expect(decibels(output[2000..<14_000]) < -80, "\(quality)")
        }
    }

    @Test("Up and down again is the speech")
    func roundTrip() throws {
        let speech = try question()
        let up = try Resampler.resample(speech, from: 16_000, to: 44_100, quality: .best)
        let back = try Resampler.resample(up, from: 44_100, to: 16_000, quality: .best)
        #expect(back.count >= speech.count)
        #expect(signalToNoise(speech, back) > 40)
    }

    @Test(
        "Ratios that nothing can convert are refused",
        arguments: [(0, 16_000), (16_000, 0), (-1, 5), (1, 257), (257, 1)])
    func refused(from: Int, to: Int) {
        let error = #expect(throws: ResamplerError.self) { try Resampler(from: from, to: to) }
        #expect(error?.description.hasPrefix("cannot resample \(from) Hz to \(to) Hz: ") == true)
    }
}
