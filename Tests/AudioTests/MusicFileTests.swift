import Audio
import CSndFile
import Foundation
import TestSupport
import Testing

/// Every kind of file that music may be played to the model from, written by libsndfile.
struct MusicFileTests {
    private static let kinds = [
        ("wav", SF_FORMAT_WAV | SF_FORMAT_PCM_24), ("flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16),
        ("ogg", SF_FORMAT_OGG | SF_FORMAT_VORBIS), ("opus", SF_FORMAT_OGG | SF_FORMAT_OPUS),
        ("mp3", SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III),
    ]

    @Test("WAV, FLAC, Ogg Vorbis, Opus and MP3 give the sound that was written into them", arguments: kinds)
    func read(_ name: String, _ format: Int) throws {
        let (rate, seconds) = (48_000, 2.0)
        let path = temporaryPath("music.\(name)")
        defer { try? FileManager.default.removeItem(atPath: path) }
        // A chord that swells; both channels have it, so that their mean is it.
        let sound = (0..<Int(seconds * Double(rate))).map { index -> Float in
            let time = 2 * Double.pi * Double(index) / Double(rate)
            return Float((sin(220 * time) + sin(277 * time) + sin(330 * time)) * 0.1 * (1.2 + sin(1.7 * time)))
        }
        var info = SF_INFO()
        (info.samplerate, info.channels, info.format) = (Int32(rate), 2, Int32(format))
        let file = try #require(sf_open(path, Int32(SFM_WRITE), &info), "\(String(cString: sf_strerror(nil)))")
        let stereo = sound.flatMap { [$0, $0] }
        #expect(sf_writef_float(file, stereo, sf_count_t(sound.count)) == sf_count_t(sound.count))
        sf_close(file)

        let heard = try MusicFile.read(path, sampleRate: 32_000, seconds: 1.5)
        #expect(heard.count == 48_000, "the first second and a half")
        let expected = try WindowedSincResampler(from: rate, to: 32_000)(sound)
        // A lossy kind may give it some milliseconds late, as its encoder does.
        let latest = 2400
        let range = 4000..<40_000
        let power = range.reduce(0.0) { $0 + Double(expected[$1] * expected[$1]) }
        let errors = (-latest...latest).map { delay in
            range.reduce(0.0) { sum, place in
                // A quarter of the samples tells as much.
                guard place % 4 == 0 else { return sum }
                let difference = Double(heard[place + delay] - expected[place])
                return sum + 4 * difference * difference
            }
        }
        let least = try #require(errors.min())
        #expect(least < power / 100, "\(name): \(10 * log10(power / least)) dB")
    }
}
