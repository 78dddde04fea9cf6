import Audio
import Checkpoints
import Foundation

extension Verification {
    /// The samples of a sound file of the case; nil when it has none of this name. A file that is not mono or has
    /// another rate becomes a failed row.
    func audioFile(_ name: String, rate: Int) throws -> TypedArray? {
        guard golden.has(name) else { return nil }
        let clip = try AudioFile.read(golden.file(name).path)
        guard clip.channels == 1, clip.sampleRate == rate else {
            let form = "\(clip.channels) channels at \(clip.sampleRate) Hz, expected one at \(rate)"
            add(Row(name, shape: [clip.frames], rule: "–", outcome: .failed, note: form))
            return nil
        }
        return TypedArray(clip.interleaved, shape: [clip.frames])
    }

    /// Holds the sound file of a clip, when the case has it, against the clip's samples.
    func checkAudioFile(_ name: String, _ samples: [Float], rate: Int) throws {
        guard let read = try audioFile(name, rate: rate) else { return }
        check("\(name) (as read)", .exact, expected: TypedArray(samples, shape: [samples.count]), actual: read)
    }
}
