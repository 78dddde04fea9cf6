internal import CSndFile
internal import Glibc

/// Reading audio files: WAV, FLAC, Ogg Vorbis and Opus, MP3, AIFF and whatever else libsndfile knows.
public enum AudioFile {
    /// What a file may ask for. A file that wants more is refused; its header's claims are never believed.
    public struct Limits: Sendable, Equatable {
        /// The longest duration.
        public var seconds = 600.0
        /// The most bytes that the file may have, and that its samples may take in memory.
        public var bytes = 256 << 20
        /// The most channels.
        public var channels = 16
        /// The highest rate, in frames a second.
        public var sampleRate = 384_000

        /// Ten minutes, 256 MiB, 16 channels.
        public init() {}
    }

    /// Reads a whole file, or its beginning. Throws when it is not a regular file, not audio that libsndfile knows, beyond
    /// a limit, or when what was read holds a value that is not a number.
    ///
    /// - Parameters:
    ///   - first: reads only so many seconds, however long the file is; nil reads all of it.
    ///   - mixed: makes one channel of all while it reads, as `AudioClip.mono()` does: eight channels at 192 kHz are 6 MB a
    ///     second.
    public static func read(
        _ path: String, first: Double? = nil, mixed: Bool = false, limits: Limits = Limits()
    ) throws(AudioFileError) -> AudioClip {
        func refuse(_ reason: String) -> AudioFileError {
            AudioFileError(operation: .read, path: path, reason: reason)
        }
        // Of a file that is only begun, the size does not matter.
        let descriptor = try openRegularFile(path, largest: first == nil ? limits.bytes : .max)
        var info = SF_INFO()
        // The descriptor is libsndfile's from here: when it cannot open the file it closes it, whether told to or not.
        guard let file = sf_open_fd(descriptor, Int32(SFM_READ), &info, 1) else {
            throw refuse(String(cString: sf_strerror(nil)))
        }
        defer { sf_close(file) }
        let channels = Int(info.channels)
        guard (1...limits.channels).contains(channels) else {
            throw refuse("\(channels) channels; 1 to \(limits.channels) are allowed")
        }
        guard (1...limits.sampleRate).contains(Int(info.samplerate)) else {
            throw refuse("\(info.samplerate) frames a second; 1 to \(limits.sampleRate) are allowed")
        }

        let kept = mixed ? 1 : channels
        let longest = Int(min(limits.seconds * Double(info.samplerate), Double(limits.bytes / 4 / kept)))
        let wanted = first.map { max(1, Int(($0 * Double(info.samplerate)).rounded())) } ?? .max
        var samples: [Float] = []
        var block = [Float](repeating: 0, count: 4096 * channels)
        while true {
            let left = wanted - samples.count / kept
            let frames = Int(sf_readf_float(file, &block, sf_count_t(min(4096, left))))
            if frames <= 0 { break }
            if mixed { Self.mix(&block, channels: channels, frames: frames) }
            samples += block[..<(frames * kept)]
            guard samples.count / kept <= longest else {
                throw refuse("longer than the \(limits.seconds) s or \(limits.bytes) bytes of samples allowed")
            }
        }
        guard sf_error(file) == 0 else { throw refuse(String(cString: sf_strerror(file))) }
        guard samples.allSatisfy(\.isFinite) else { throw refuse("it holds a sample that is not a number") }
        return AudioClip(sampleRate: Int(info.samplerate), channels: kept, interleaved: samples)
    }

    /// Puts the mean of each frame's channels at the front of the block.
    private static func mix(_ block: inout [Float], channels: Int, frames: Int) {
        guard channels > 1 else { return }
        block.withUnsafeMutableBufferPointer { block in
            for frame in 0..<frames {
                var sum: Float = 0
                for channel in 0..<channels { sum += block[frame * channels + channel] }
                block[frame] = sum / Float(channels)
            }
        }
    }

    /// A descriptor that the caller must close.
    private static func openRegularFile(_ path: String, largest: Int) throws(AudioFileError) -> Int32 {
        // A pipe without a writer would block the opening.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw AudioFileError(operation: .read, path: path, reason: String(cString: strerror(errno)))
        }
        var status = stat()
        var reason: String?
        if fstat(descriptor, &status) != 0 {
            reason = String(cString: strerror(errno))
        } else if status.st_mode & S_IFMT != S_IFREG {
            reason = "not a regular file"
        } else if status.st_size > largest {
            reason = "\(status.st_size) bytes are more than the \(largest) allowed"
        }
        guard let reason else { return descriptor }
        close(descriptor)
        throw AudioFileError(operation: .read, path: path, reason: reason)
    }

    /// Writes a whole file of 16-bit samples.
    public static func write(
        _ clip: AudioClip, to path: String, format: AudioFileWriter.Format = .wav
    ) throws(AudioFileError) {
        let writer = try AudioFileWriter(
            path, sampleRate: clip.sampleRate, channels: clip.channels, format: format)
        try writer.write(clip.interleaved)
        try writer.close()
    }
}
