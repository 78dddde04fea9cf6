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
@testable import SEED
@testable import Tokenizers
@testable import UnCLIP

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
    /// `config.json` of the networks and schedulers, `soundstorm.json`, `seed_config.json`, and the tokenizer's JSON: a byte
    /// says which, then comes the file.
    case configuration
    /// Opus packets in a row, as a client sends them, with losses.
    case opus
    /// JSON messages of clients and their binary ones, data URIs.
    case messages

    /// The target of this process.
    nonisolated(unsafe) static var chosen = FuzzTarget.pickle

    /// A file in memory that inputs are written to, since checkpoints are mapped files. It has no name in any folder, so
    /// nothing is left behind by a crash.
    private static let descriptor = cfuzzer_memory_file()
    private static let scratch = URL(filePath: "/proc/self/fd/\(descriptor)")
    /// The file's memory: to copy into it takes no call of the system.
    nonisolated(unsafe) private static let memory = cfuzzer_map(descriptor, largest)
    private static let largest = 1 << 20
    nonisolated(unsafe) private static var fileSize = -1

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
        guard let choice = bytes.first, let reader = ConfigurationReader(rawValue: choice) else { return }
        let file = UnsafeRawBufferPointer(rebasing: bytes.dropFirst())
        Self.store(file)
        switch reader {
        case .llama: _ = try? JSONDecoder().decode(LlamaConfiguration.self, from: Data(file))
        case .speechTokenizer: _ = try? SpeechTokenizerConfiguration(contentsOf: Self.scratch)
        case .soundStorm: _ = try? SoundStormDescription(contentsOf: Self.scratch)
        case .encodec: _ = try? EncodecConfiguration(contentsOf: Self.scratch)
        case .seed: _ = try? SEEDConfiguration(contentsOf: Self.scratch)
        case .unet: _ = try? UNetConfiguration(contentsOf: Self.scratch)
        case .vae: _ = try? VAEConfiguration(contentsOf: Self.scratch)
        case .text: _ = try? TextConfiguration(contentsOf: Self.scratch)
        case .scheduler: _ = try? PNDMScheduler(contentsOf: Self.scratch)
        case .noise: _ = try? ImageEmbedding.schedule(Self.scratch)
        case .normalizer: _ = try? ImageEmbedding.size(Self.scratch)
        case .tokens:
            if case .object(let object)? = try? JSONReader.read(Array(file)) {
                for member in object.members { _ = AddedToken(member.value) }
            }
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
        // A WebSocket tells text and binary messages apart; here the first byte does, which is no JSON's in the latter.
        switch bytes.first {
        case ClientAudioFrame.kind: _ = try? ClientAudioFrame(parsing: Array(bytes))
        case ServerAudioFrame.kind: _ = try? ServerAudioFrame(parsing: Array(bytes))
        case ClientUploadFrame.kind: _ = try? ClientUploadFrame(parsing: Array(bytes))
        case UInt8(ascii: "d"): _ = DataURI(String(decoding: bytes, as: UTF8.self))
        default: _ = try? ClientMessage(parsing: Array(bytes))
        }
    }

    private static func store(_ bytes: UnsafeRawBufferPointer) {
        guard let memory, bytes.count <= largest else { fatalError("cannot write the input to memory") }
        if bytes.count != fileSize {
            guard ftruncate(descriptor, bytes.count) == 0 else { fatalError("cannot resize the file in memory") }
            fileSize = bytes.count
        }
        if let start = bytes.baseAddress { memory.copyMemory(from: start, byteCount: bytes.count) }
    }
}

/// What reads a configuration, by the first byte of an input.
enum ConfigurationReader: UInt8, CaseIterable {
    case llama = 0x30
    case speechTokenizer, soundStorm, encodec, tokens, seed, unet, vae, text, scheduler, noise, normalizer
}
