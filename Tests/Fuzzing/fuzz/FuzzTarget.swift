import Audio
import Foundation
import Llama
import SoundStorm
import SpeechTokenizer
import Wire

@testable import Checkpoints
@testable import Tokenizers

/// What is fed with arbitrary bytes: everything that reads files or messages from outside. An input is read or refused by
/// an error; a crash, a hang or a sanitizer's complaint is a fault.
enum FuzzTarget: String, CaseIterable {
    /// The unpickler alone.
    case pickle
    /// Zip archives and legacy files of torch.save, with all tensors read.
    case torch
    /// Safetensors files, with all tensors read.
    case safetensors
    /// SentencePiece models: our reader of pieces, and the library's loading and encoding.
    case sentencepiece
    /// `config.json` of the networks and `soundstorm.json`.
    case configuration
    /// Opus packets in a row, as a client sends them, with losses.
    case opus
    /// JSON messages of clients, and Opus frames.
    case messages

    /// The target of this process.
    nonisolated(unsafe) static var chosen = FuzzTarget.pickle

    /// A file in memory that inputs are written to, since checkpoints are mapped files.
    private static let scratch = URL(filePath: "/dev/shm/anygpt-fuzz-\(getpid())")

    func run(_ bytes: UnsafeRawBufferPointer) {
        switch self {
        case .pickle:
            var position = 0
            _ = try? PickleMachine.read(Array(bytes), at: &position)
        case .torch, .safetensors: readCheckpoint(bytes)
        case .sentencepiece: readSentencePiece(bytes)
        case .configuration: readConfigurations(bytes)
        case .opus: decodePackets(bytes)
        case .messages: parseMessages(bytes)
        }
    }

    private func readCheckpoint(_ bytes: UnsafeRawBufferPointer) {
        Self.store(bytes)
        guard let checkpoint = try? Checkpoint.open(Self.scratch) else { return }
        for name in checkpoint.names.prefix(64) {
            guard let info = checkpoint.info(name), info.byteCount < 1 << 20 else { continue }
            _ = try? checkpoint.tensor(name)
            _ = try? checkpoint.integers(name)
            _ = try? checkpoint.mapped(name)
        }
        _ = try? checkpoint.value("step")
    }

    private func readSentencePiece(_ bytes: UnsafeRawBufferPointer) {
        let model = Array(bytes)
        guard (try? PieceTable(model)) != nil else { return }
        guard let processor = try? SentencePieceModel(model, file: "fuzz", dummyPrefix: true) else { return }
        _ = try? processor.encode("a b\u{2581}c \u{1F5E3}")
    }

    private func readConfigurations(_ bytes: UnsafeRawBufferPointer) {
        Self.store(bytes)
        let url = Self.scratch
        _ = try? JSONDecoder().decode(LlamaConfiguration.self, from: Data(bytes))
        _ = try? SpeechTokenizerConfiguration(contentsOf: url)
        _ = try? SoundStormDescription(contentsOf: url)
    }

    private func decodePackets(_ bytes: UnsafeRawBufferPointer) {
        guard let decoder = try? OpusDecoder() else { return }
        var rest = bytes[...]
        // Each packet: a byte for its length (0: lost), then its bytes.
        while let length = rest.first {
            rest = rest.dropFirst()
            if length == 0 {
                _ = try? decoder.conceal()
            } else {
                _ = try? decoder.decode(rest.prefix(Int(length)))
                rest = rest.dropFirst(Int(length))
            }
        }
    }

    private func parseMessages(_ bytes: UnsafeRawBufferPointer) {
        _ = try? ClientMessage(parsing: Array(bytes))
        _ = try? ClientAudioFrame(parsing: Array(bytes))
        _ = try? ServerAudioFrame(parsing: Array(bytes))
        _ = DataURI(String(decoding: bytes, as: UTF8.self))
    }

    private static func store(_ bytes: UnsafeRawBufferPointer) {
        let descriptor = open(scratch.path, O_CREAT | O_TRUNC | O_WRONLY, 0o600)
        guard descriptor >= 0 else { fatalError("cannot write \(scratch.path)") }
        _ = write(descriptor, bytes.baseAddress, bytes.count)
        close(descriptor)
    }
}
