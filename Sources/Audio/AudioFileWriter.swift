internal import CSndFile

/// A file of 16-bit samples, written as they come.
public final class AudioFileWriter {
    /// The kinds of file that are written.
    public enum Format: Sendable, CaseIterable {
        /// Uncompressed.
        case wav
        /// Compressed without loss.
        case flac
        /// Opus in an Ogg file: small, and as good as most can hear. Only at 8, 12, 16, 24 and 48 kHz.
        case opus

        /// What such a file is called at its end.
        public var suffix: String {
            switch self {
            case .wav: "wav"
            case .flac: "flac"
            case .opus: "opus"
            }
        }

        /// A rate that such a file takes, at least as high as this one where there is one.
        public func rate(near rate: Int) -> Int {
            guard self == .opus else { return rate }
            return [8000, 12_000, 16_000, 24_000, 48_000].first { $0 >= rate } ?? 48_000
        }

        var code: Int32 {
            switch self {
            case .wav: Int32(SF_FORMAT_WAV) | Int32(SF_FORMAT_PCM_16)
            case .flac: Int32(SF_FORMAT_FLAC) | Int32(SF_FORMAT_PCM_16)
            case .opus: Int32(SF_FORMAT_OGG) | Int32(SF_FORMAT_OPUS)
            }
        }
    }

    private let path: String
    private let channels: Int
    private var file: OpaquePointer?

    /// Creates the file, or empties the one that is there.
    public init(
        _ path: String, sampleRate: Int, channels: Int = 1, format: Format = .wav,
        tags: AudioFileTags = AudioFileTags()
    ) throws(AudioFileError) {
        precondition(sampleRate > 0 && channels > 0)
        var info = SF_INFO()
        info.samplerate = Int32(clamping: sampleRate)
        info.channels = Int32(clamping: channels)
        info.format = format.code
        guard let file = sf_open(path, Int32(SFM_WRITE), &info) else {
            throw AudioFileError(operation: .write, path: path, reason: String(cString: sf_strerror(nil)))
        }
        self.path = path
        self.channels = channels
        self.file = file
        // Tags stand before the sound. One that a kind of file has no room for is left out.
        for (kind, text) in [
            (SF_STR_TITLE, tags.title), (SF_STR_SOFTWARE, tags.software), (SF_STR_COMMENT, tags.comment),
        ] where !text.isEmpty {
            sf_set_string(file, Int32(kind), text)
        }
    }

    deinit {
        if let file { sf_close(file) }
    }

    /// Appends frames, `channels` samples each. What is beyond full scale is clipped.
    public func write(_ interleaved: some Collection<Float>) throws(AudioFileError) {
        precondition(interleaved.count.isMultiple(of: channels))
        guard let file else { throw AudioFileError(operation: .write, path: path, reason: "the file is closed") }
        let samples = interleaved.map(PCM16.int16)
        guard sf_write_short(file, samples, sf_count_t(samples.count)) == samples.count else {
            throw AudioFileError(operation: .write, path: path, reason: String(cString: sf_strerror(file)))
        }
    }

    /// Writes the header for good. A second call does nothing.
    public func close() throws(AudioFileError) {
        guard let file else { return }
        self.file = nil
        let code = sf_close(file)
        guard code == 0 else {
            throw AudioFileError(operation: .write, path: path, reason: String(cString: sf_error_number(code)))
        }
    }
}
