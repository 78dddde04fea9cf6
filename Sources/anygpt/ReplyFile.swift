import Audio
import Client
import Foundation
import Synchronization

/// The file that all replies of a conversation go into, one after the other. It comes into being with the first sound.
final class ReplyFile: Sendable {
    private struct State {
        var writer: AudioFileWriter?
        var failure: AudioFileError?
    }

    /// Where it lies, or will.
    let path: String
    private let state = Mutex(State())

    /// A file at this path: FLAC when it is called so, else WAV. Nothing is written yet.
    init(_ path: String) { self.path = path }

    /// Why nothing could be written there; nil when it seems possible.
    var obstacle: String? {
        var isFolder: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
        if isFolder.boolValue { return "\(path) is a folder" }
        if exists { return access(path, W_OK) == 0 ? nil : "\(path) may not be written" }
        let folder = URL(filePath: path).deletingLastPathComponent().path
        guard FileManager.default.fileExists(atPath: folder) else { return "there is no folder \(folder)" }
        return access(folder, W_OK) == 0 ? nil : "nothing may be written to \(folder)"
    }

    /// Appends sound. The first failure is kept for `close`.
    func append(_ samples: [Float]) {
        guard !samples.isEmpty else { return }
        state.withLock { state in
            guard state.failure == nil else { return }
            do throws(AudioFileError) {
                if state.writer == nil { state.writer = try create() }
                try state.writer?.write(samples)
            } catch {
                state.failure = error
            }
        }
    }

    /// Completes the file. Returns whether there is one.
    @discardableResult
    func close() throws(AudioFileError) -> Bool {
        try state.withLock { state throws(AudioFileError) in
            defer { state.writer = nil }
            try state.writer?.close()
            if let failure = state.failure { throw failure }
            return state.writer != nil
        }
    }

    private func create() throws(AudioFileError) -> AudioFileWriter {
        try AudioFileWriter(
            path, sampleRate: ReplySound.sampleRate, format: path.lowercased().hasSuffix(".flac") ? .flac : .wav)
    }
}
