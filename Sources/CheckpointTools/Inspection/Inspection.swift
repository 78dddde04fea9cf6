import Checkpoints
import Encodec
public import Foundation
import Layers
import Llama
import SoundStorm
import SpeechTokenizer
import UnCLIP

/// What a file or folder of weights is: read from its headers, without reading the weights.
public struct Inspection: Sendable, Encodable {
    /// The kinds of networks that are told apart.
    public enum Kind: String, Sendable, Encodable {
        case backbone = "backbone (LLaMA)"
        case speechTokenizer = "speech tokenizer (SpeechTokenizer)"
        case soundStorm = "speech decoder (SoundStorm)"
        case imageTokenizer = "image tokenizer (SEED)"
        case pictures = "picture decoder (Stable unCLIP)"
        case encodec = "music tokenizer (Encodec)"
        case other = "checkpoint of another kind"
    }

    /// One fact: what it is about, and a text for people.
    public struct Fact: Sendable, Encodable, Equatable {
        public let label: String
        public let text: String
    }

    /// One tensor.
    public struct TensorLine: Sendable, Encodable, Equatable {
        public let name: String
        public let dtype: String
        public let shape: [Int]
        public let bytes: Int
        public let file: String
    }

    /// The path as it was given.
    public let path: String
    public let kind: Kind
    public internal(set) var facts: [Fact] = []
    public private(set) var tensors: [TensorLine] = []
    /// Parameters in all.
    public private(set) var parameters = 0
    /// How many codes of each modality there are, by its name: what must be the same in all parts of one model.
    public internal(set) var codes: [String: Int] = [:]
    /// What keeps the daemon from using it: files, tensors; empty when it can be used as it is.
    public internal(set) var missing: [String] = []

    /// Looks at a file of weights, or at a folder.
    public init(_ url: URL) throws {
        path = url.path
        let folder = FileFacts(url)
        guard folder.exists else { throw CheckpointError(file: url.path, reason: "there is no such file or folder") }
        let checkpoint: Checkpoint?
        if folder.isFolder {
            kind = try Self.kind(ofFolder: url)
            switch kind {
            case .speechTokenizer: checkpoint = try Self.codec(in: url)
            case .pictures, .imageTokenizer: checkpoint = nil
            case .other: checkpoint = try Checkpoint.open(url)
            default: checkpoint = Self.weights(in: url, &missing)
            }
        } else {
            let file = try Checkpoint.open(url)
            kind = file.info("semantic_token_emb.weight") == nil ? .other : .soundStorm
            checkpoint = file
        }
        if let checkpoint { describe(checkpoint) }
        switch kind {
        case .backbone: try describeBackbone(url, checkpoint)
        case .speechTokenizer: describeCodec(url, checkpoint)
        case .soundStorm: describeSoundStorm(url)
        case .imageTokenizer: describeImageTokenizer(url)
        case .pictures: describePictures(url)
        case .encodec: describeEncodec(url)
        case .other: break
        }
    }

    private static func kind(ofFolder url: URL) throws -> Kind {
        if isImageTokenizer(url) { return .imageTokenizer }
        let file = url.appending(path: "config.json")
        guard FileFacts(file).exists else {
            if UnCLIPFolder.isPipeline(url) { return .pictures }
            return .other
        }
        let data = try ConfigurationFile.contents(of: file)
        guard let object = try? JSONSerialization.jsonObject(with: data) as? [String: Any] else {
            throw CheckpointError(file: file.path, reason: "is not a JSON object")
        }
        if object["model_type"] as? String == "llama" || object["num_hidden_layers"] != nil { return .backbone }
        if object["model_type"] as? String == "encodec" || object["upsampling_ratios"] != nil { return .encodec }
        return object["n_q"] != nil && object["semantic_dimension"] != nil ? .speechTokenizer : .other
    }

    /// SpeechTokenizer's weights, whatever the file is called.
    private static func codec(in folder: URL) throws -> Checkpoint? {
        let names = ["ckpt.dev", "SpeechTokenizer.pt"]
        return try names.map { folder.appending(path: $0) }.first { FileFacts($0).exists }.map {
            try Checkpoint.open($0)
        }
    }

    /// The weights of a Hugging Face folder; what is wrong with them goes to `missing`.
    private static func weights(in folder: URL, _ missing: inout [String]) -> Checkpoint? {
        do {
            return try Checkpoint.open(folder)
        } catch {
            missing.append("\(error)")
            return nil
        }
    }

    /// Counts a checkpoint's tensors; those of one component of several are named after it.
    mutating func describe(_ checkpoint: Checkpoint, as component: String? = nil) {
        let before = tensors.count
        var (bytes, files): ([String: Int], [String: Int]) = ([:], [:])
        for name in checkpoint.names {
            guard let info = checkpoint.info(name) else { continue }
            let file = URL(filePath: info.file).lastPathComponent
            tensors.append(
                TensorLine(
                    name: component.map { "\($0)/\(name)" } ?? name, dtype: info.dtype.rawValue, shape: info.shape,
                    bytes: info.byteCount, file: file))
            bytes[info.dtype.rawValue, default: 0] += info.byteCount
            files[file, default: 0] += info.byteCount
            let isScale = name.hasSuffix(".weight_scale")
            let perByte = info.dtype == .uint8 && info.shape.count == 4 ? packedPerByte(name, checkpoint) : 1
            if !isScale { parameters += info.shape.reduce(perByte, *) }
        }
        let types = bytes.sorted { $0.value > $1.value }.map { "\($0.key) \(Size.text($0.value))" }
        add(
            component ?? "weights",
            "\(tensors.count - before) tensors in \(files.count) \(files.count == 1 ? "file" : "files"): "
                + types.joined(separator: ", "))
        if component == nil { add("parameters", Size.count(parameters)) }
        if let precision = checkpoint.names.lazy.compactMap({ checkpoint.info($0) }).first.flatMap({
            try? Checkpoint.open(URL(filePath: $0.file)).metadata["anygpt.precision"]
        }) {
            add("converted", "by anygpt convert, to \(precision)")
        }
    }

    /// Weights of our 4 bits lie two in a byte: their scales tell, one for each 32 of them.
    private func packedPerByte(_ name: String, _ checkpoint: Checkpoint) -> Int {
        guard let info = checkpoint.info(name), let scale = checkpoint.info(name + "_scale") else { return 1 }
        return info.byteCount == scale.shape.reduce(32, *) ? 1 : 2
    }

    mutating func add(_ label: String, _ text: String) { facts.append(Fact(label: label, text: text)) }

    private mutating func describeCodec(_ url: URL, _ checkpoint: Checkpoint?) {
        do {
            let c = try SpeechTokenizerConfiguration(contentsOf: url.appending(path: "config.json"))
            let hop = c.strides.reduce(1, *)
            add("sound", "\(c.sampleRate) Hz, \(c.sampleRate / hop) frames a second (strides \(c.strides))")
            add("codes", "\(c.levels) levels of \(c.codebookSize)")
            codes["speech"] = c.codebookSize
            add("shape", "\(c.filters) filters, latent \(c.dimension), \(c.lstmLayers) LSTM layers, \(c.activation)")
            guard checkpoint != nil else {
                missing.append("the weights: ckpt.dev or SpeechTokenizer.pt")
                return
            }
            _ = try SpeechTokenizerModel(folder: url)
        } catch {
            missing.append("\(error)")
        }
    }

    private mutating func describeEncodec(_ url: URL) {
        do {
            let model = try EncodecModel(folder: url)
            let c = model.configuration
            add(
                "sound",
                "\(c.sampleRate) Hz, \(c.audioChannels == 1 ? "mono" : "stereo"), \(c.frameRate) frames a second")
            add("codes", "\(model.encodedLevels) levels of \(c.codebookSize)")
            codes["music"] = model.encodedLevels * c.codebookSize
            let shape = c.seanet
            add(
                "shape",
                "\(shape.filters) filters, latent \(shape.dimension), \(shape.lstmLayers) LSTM layers, strides \(shape.strides)"
            )
            add("memory", "\(Size.text(tensors.reduce(0) { $0 + $1.bytes })) at most, mapped as they are")
            if c.audioChannels != 1 {
                missing.append("one channel: it is an Encodec for stereo, and the daemon takes the one at 32 kHz")
            }
        } catch {
            missing.append("\(error)")
        }
    }

    private mutating func describeSoundStorm(_ url: URL) {
        do {
            let c = try SoundStormModel(contentsOf: url).configuration
            add("shape", "\(c.depth) Conformer blocks, \(c.dim) wide, \(c.heads) heads")
            add("codes", "\(c.levels) levels of \(c.codes), from \(c.semanticCodes) semantic ones")
        } catch {
            missing.append("\(error)")
        }
    }
}

/// Whether something is there.
struct FileFacts {
    let exists: Bool
    let isFolder: Bool

    init(_ url: URL) {
        var folder: ObjCBool = false
        exists = FileManager.default.fileExists(atPath: url.path, isDirectory: &folder)
        isFolder = folder.boolValue
    }
}

/// Sizes as people read them.
public enum Size {
    /// `13.1 GB`, in powers of 1000.
    public static func text(_ bytes: Int) -> String { scaled(bytes, ["B", "kB", "MB", "GB", "TB"]) }

    /// `6.2 million`.
    public static func count(_ count: Int) -> String {
        scaled(count, ["", "thousand", "million", "billion", "trillion"])
    }

    private static func scaled(_ count: Int, _ units: [String]) -> String {
        var (value, unit) = (Double(count), 0)
        while value >= 999.5, unit < units.count - 1 { (value, unit) = (value / 1000, unit + 1) }
        guard unit > 0 else { return units[0].isEmpty ? "\(count)" : "\(count) \(units[0])" }
        return String(format: value < 99.95 ? "%.1f %@" : "%.0f %@", value, units[unit])
    }
}
