import Audio
import Foundation

/// The first inputs of every target: real files and messages, small enough that a fuzzer changes what matters.
enum Seeds {
    private static let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    static func write(to folder: URL) throws {
        for target in FuzzTarget.allCases {
            let place = folder.appending(path: target.rawValue)
            try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
            let seeds = try inputs(target)
            for (index, seed) in seeds.enumerated() { try seed.write(to: place.appending(path: "seed-\(index)")) }
            print("\(target.rawValue): \(seeds.count) seeds")
        }
    }

    private static func inputs(_ target: FuzzTarget) throws -> [Data] {
        switch target {
        case .pickle: try files("Tests/Golden/torch-file", [".pt", ".bin", ".dev"]).compactMap(pickle)
        case .zip, .torch: try files("Tests/Golden/torch-file", [".pt", ".bin", ".dev"])
        case .safetensors: try files("Tests/Golden/torch-file", [".safetensors"]) + [Data(smallest)]
        case .sentencepiece:
            try
                (files("Tests/Golden/llama-hf", ["tokenizer.model"]) + files("Models/pocket/llama", ["tokenizer.model"]))
                .flatMap { [$0, fewPieces(of: $0)] }
        case .configuration: try configurations()
        case .opus: try packets()
        case .messages: messages
        }
    }

    /// Real files, each for every reader: what one wants is the other's bad input.
    private static func configurations() throws -> [Data] {
        let found =
            try files("Tests/Golden/llama-hf", ["config.json"]) + files("Models/pocket/llama", ["config.json"])
            + files("Models/pocket/speech", [".json"])
            + files("Tests/Golden/encodec/encodec_32khz", ["config.json"])
            + files("Tests/Golden/llama-hf/tokenizer-variants", [".json"])
            + files("Tests/Golden/speechtokenizer-snake", ["config.json"]) + files("Models/pocket/seed", [".json"])
            + ["unet", "vae", "text_encoder", "scheduler", "image_noising_scheduler", "image_normalizer"].flatMap {
                try files("Tests/Golden/unclip/stable-diffusion-2-1-unclip/\($0)", ["config.json"])
            }
        return found.flatMap { file in ConfigurationReader.allCases.map { Data([$0.rawValue]) + file } }
    }

    /// Files of a folder with these endings, up to 64 kB each.
    private static func files(_ folder: String, _ endings: [String]) throws -> [Data] {
        try FileManager.default.contentsOfDirectory(
            at: repository.appending(path: folder), includingPropertiesForKeys: nil
        )
        .filter { file in endings.contains { file.lastPathComponent.hasSuffix($0) } }
        .sorted { $0.path < $1.path }
        .map { try Data(contentsOf: $0) }
        .filter { $0.count <= 1 << 16 }
    }

    /// The pickle in a file of torch.save: from its first opcode to the last STOP.
    private static func pickle(_ file: Data) -> Data? {
        guard let start = file.firstRange(of: Data([0x80, 2])), let end = file.lastIndex(of: UInt8(ascii: ".")) else {
            return nil
        }
        return file[start.lowerBound...end]
    }

    /// A SentencePiece model with every hundredth of its pieces, which a fuzzer goes through faster.
    private static func fewPieces(of model: Data) -> Data {
        var few = Data()
        var position = 0
        var pieces = 0
        while position < model.count {
            let start = position
            let isPiece = model[position] >> 3 == 1
            position += 1
            var length = 0
            for shift in stride(from: 0, to: 28, by: 7) {
                let byte = model[position]
                position += 1
                length |= Int(byte & 0x7F) << shift
                if byte < 0x80 { break }
            }
            position += length
            if isPiece { pieces += 1 }
            if !isPiece || pieces <= 8 || pieces % 100 == 0 { few += model[start..<position] }
        }
        return few
    }

    private static var smallest: [UInt8] {
        let header = Array(#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"__metadata__":{"k":"v"}}"#.utf8)
        return withUnsafeBytes(of: UInt64(header.count).littleEndian) { Array($0) } + header
            + [UInt8](repeating: 1, count: 8)
    }

    /// A tone as packets of every frame size, each behind its length, with one lost.
    private static func packets() throws -> [Data] {
        try [120, 480, 960, 2880].map { frame48k in
            var settings = OpusEncoder.Settings()
            settings.frame48k = frame48k
            let encoder = try OpusEncoder(settings)
            var bytes: [UInt8] = []
            let tone = (0..<(frame48k * 2)).map { Float(sin(Double($0) * 0.2)) * 0.3 }
            for packet in try encoder.encode(tone) {
                bytes += [UInt8(min(packet.bytes.count, 255))] + packet.bytes.prefix(255)
            }
            return Data(bytes + [0])
        }
    }

    private static var messages: [Data] {
        [
            #"{"type":"session.update","session":{"type":"realtime","output_modalities":["audio"]}}"#,
            #"{"type":"input_audio_buffer.append","audio":"AAAA"}"#,
            #"{"type":"conversation.item.create","item":{"type":"message","role":"user","content":[{"type":"input_text","text":"hi \ud83d\ude00"}]}}"#,
            #"{"type":"conversation.item.truncate","item_id":"item_1","content_index":0,"audio_end_ms":1500}"#,
            #"{"type":"response.create","response":{"metadata":{"a":"b"}}}"#, "data:image/png;base64,iVBORw0KGgo=",
        ].map { Data($0.utf8) } + [
            Data([1, 0xFC, 0xFF, 0xFE]), Data([2, 3] + [UInt8](repeating: 0, count: 14) + [0xFC, 0xFF, 0xFE]),
            Data([3, 1, 0, 0, 0, 1, 0x52, 0x49]),
        ]
    }
}
