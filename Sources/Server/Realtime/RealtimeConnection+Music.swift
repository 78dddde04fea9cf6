import AnyGPT
import Audio
import Compute
import Encodec
import Foundation
import Logging
import Wire

/// A piece of music that is being made.
struct PieceInProgress {
    let artifact: MusicArtifact
    /// Frames that it will have at most.
    let frames: Int
    var samples = 0
    /// Steps that the client has been told of.
    var toldSteps = 0
}

extension RealtimeConnection {
    /// The tokens of a sound file that was sent; the file is then forgotten.
    func listen(toUpload number: UInt32) async throws -> [Int32] {
        guard let encodec = services.engine.encodec else { throw Self.unavailable }
        let path = try uploads.path(number)
        defer { uploads.forget(number) }
        let samples: [Float]
        do {
            samples = try await MusicReader.shared.read(
                path, sampleRate: encodec.configuration.sampleRate, seconds: services.configuration.music.input)
        } catch let error as AudioFileError {
            // Where the daemon keeps it is nobody's business.
            throw WireError(.invalidValue, "The file cannot be heard: \(error.reason)", param: "item.content.upload")
        } catch let error as ResamplerError {
            throw WireError(.invalidValue, "The file cannot be heard: \(error)", param: "item.content.upload")
        }
        return try await session.listen(toMusic: samples)
    }

    /// The rules of a piece of music that was asked for.
    func musicRules(_ request: ArtifactRequest) throws -> AnswerRules {
        guard services.engine.encodec != nil else { throw Self.unavailable }
        _ = try Self.format(request)
        let music = services.configuration.music
        if let seconds = request.seconds, !(seconds > 0 && seconds <= music.maxSeconds) {
            throw WireError(
                .invalidValue, "A piece of \(seconds) s was asked for; up to \(music.maxSeconds) s can be made.",
                param: "response.artifact.seconds")
        }
        return services.configuration.musicRules(seconds: request.seconds, engine: services.engine)
    }

    static func format(_ request: ArtifactRequest) throws -> AudioFileWriter.Format {
        let name = request.format ?? AudioFileWriter.Format.flac.suffix
        guard let format = AudioFileWriter.Format.allCases.first(where: { $0.suffix == name }) else {
            throw WireError(
                .invalidValue, "The format \"\(name.prefix(40))\" is none of flac, wav and opus.",
                param: "response.artifact.format")
        }
        return format
    }

    static let unavailable = WireError(
        .musicUnavailable, "This daemon has no music: its configuration names no Encodec ([model] encodec).")

    // MARK: Making

    /// Begins a file. A piece that nobody asked for in so many words, which the model found to be wanted, is FLAC.
    private func beginPiece() throws {
        guard let encodec = services.engine.encodec, let store = services.artifacts, response?.stopReason == nil
        else { return }
        let (request, prompt) = (response?.artifactRequest ?? ArtifactRequest(type: .music), artifactPrompt)
        var tags = AudioFileTags()
        tags.title = String(prompt.prefix(200))
        tags.software = "anygptd \(Daemon.version)"
        tags.comment = "prompt: \(prompt.prefix(1000)); model: \(services.artifactModelName); seed: \(seed)"
        piece = PieceInProgress(
            artifact: try MusicArtifact(
                in: store, format: try Self.format(request), sampleRate: encodec.configuration.sampleRate, tags: tags),
            frames: response?.musicFrames ?? 0)
    }

    /// More of a piece's sound; the first of it begins the file.
    func play(piece samples: [Float]) async throws {
        if piece == nil { try beginPiece() }
        guard let artifact = piece?.artifact, let encodec = services.engine.encodec else { return }
        try await artifact.append(samples)
        piece?.samples += samples.count
        // A step is half a second.
        guard let piece else { return }
        let step = encodec.configuration.sampleRate / 2
        let steps = max(1, (piece.frames * encodec.hop + step - 1) / step)
        let done = min(piece.samples / step, steps)
        guard done > piece.toldSteps else { return }
        self.piece?.toldSteps = done
        tell(.music, step: done, of: steps)
    }

    /// The piece is complete.
    func finishPiece() async throws {
        guard let artifact = piece?.artifact, response?.stopReason == nil else { return }
        piece = nil
        announce(try await artifact.finish())
    }

    /// A piece that nobody will get.
    func discardPiece() async {
        guard let artifact = piece?.artifact else { return }
        piece = nil
        await artifact.discard()
    }
}

/// Reads sound files on the compute threads.
actor MusicReader {
    static let shared = MusicReader()
    private let lane = ComputePool.shared.lane(.artifact)
    nonisolated var unownedExecutor: UnownedSerialExecutor { lane.asUnownedSerialExecutor() }

    func read(_ path: String, sampleRate: Int, seconds: Double) throws -> [Float] {
        try MusicFile.read(path, sampleRate: sampleRate, seconds: seconds)
    }
}
