/// Music as the reference reads it: `load_audio` in `anygpt/src/m_utils/read_modality.py`.
public enum MusicFile {
    /// The first `seconds` of a sound file of any kind that libsndfile knows, as mono samples at `sampleRate`: cut at the
    /// file's own rate, brought to the model's by the reference's resampler, the channels averaged.
    ///
    /// The reference takes a piece at a random place of a longer file; this always takes the beginning.
    public static func read(_ path: String, sampleRate: Int, seconds: Double) throws -> [Float] {
        let clip = try AudioFile.read(path, first: seconds, mixed: true)
        guard clip.frames > 0 else { throw AudioFileError(operation: .read, path: path, reason: "it holds no sound") }
        return try WindowedSincResampler(from: clip.sampleRate, to: sampleRate)(clip.interleaved)
    }
}
