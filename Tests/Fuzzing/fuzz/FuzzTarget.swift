import Audio
import CFuzzer
import Encodec
import Foundation
import Llama
import SoundStorm
import SpeechTokenizer
import Tensors
import Wire

@testable import Checkpoints
@testable import Tokenizers

/// What is fed with arbitrary bytes: everything that reads files or messages from outside. An input is read or refused by
/// an error; a crash, a hang or a sanitizer's complaint is a fault.
enum FuzzTarget: String, CaseIterable {
    /// The unpickler alone.
    case pickle
    /// Zip archives alone: the directory, and each entry unpacked.
    case zip
    /// Zip archives and legacy files of torch.save, with all tensors read.
    case torch
    /// Safetensors files, with all tensors read.
    case safetensors
    /// SentencePiece models: our reader of pieces, and the library's loading and encoding.
    case sentencepiece
    /// `config.json` of the networks, `soundstorm.json`, and the tokenizer's JSON.
    case configuration
    /// Opus packets in a row, as a client sends them, with losses.
    case opus
    /// JSON messages of clients, and Opus frames.
    case messages

    /// The target of this process.
    nonisolated(unsafe) static var chosen = FuzzTarget.pickle

    /// A file in memory that inputs are written to, since checkpoints are mapped files. It has no name in any folder, so
    /// nothing is left behind by a crash.
    private static let descriptor = cfuzzer_memory_file()
    private static let scratch = URL(filePath: "/proc/self/fd/\(descriptor)")

    func run(_ bytes: UnsafeRawBufferPointer) {
        switch self {
        case .pickle:
            var position = 0
            _ = try? PickleMachine.read(Array(bytes), at: &position)
        case .zip: readArchive(bytes)
        case .torch, .safetensors: readCheckpoint(bytes)
        case .sentencepiece: readSentencePiece(bytes)
        case .configuration: readConfigurations(bytes)
        case .opus: decodePackets(bytes)
        case .messages: parseMessages(bytes)
        }
    }

    private func readArchive(_ bytes: UnsafeRawBufferPointer) {
        Self.store(bytes)
        guard let file = try? MappedFile(path: Self.scratch.path), let directory = try? ZipDirectory(file) else {
            return
        }
        for entry in directory.entries.values { _ = try? entry.read(from: file) }
    }

    private func readCheckpoint(_ bytes: UnsafeRawBufferPointer) {
        Self.store(bytes)
        guard let checkpoint = try? Checkpoint.open(Self.scratch) else { return }
        // What is read of one tensor is read of all: a few small ones keep an execution short.
        for name in checkpoint.names.prefix(8) {
            guard let info = checkpoint.info(name), info.byteCount < 1 << 14 else { continue }
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
        _ = try? EncodecConfiguration(contentsOf: url)
        if case .object(let object)? = try? JSONReader.read(Array(bytes)) {
            for member in object.members { _ = AddedToken(member.value) }
        }
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
        guard ftruncate(descriptor, 0) == 0, pwrite(descriptor, bytes.baseAddress, bytes.count, 0) == bytes.count else {
            fatalError("cannot write the input to memory")
        }
    }
}
