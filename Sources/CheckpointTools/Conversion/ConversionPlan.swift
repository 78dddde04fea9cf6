import Checkpoints
import Checksums
import Foundation
import Llama
import Tensors

/// What a conversion will write: which tensors in which files. The same source and settings give the same plan, so that a
/// run that was interrupted finds out what is done.
struct ConversionPlan {
    /// One file of the result.
    struct Shard: Equatable {
        let file: String
        /// The source's tensors in it.
        let tensors: [String]
        /// The tensors as they will be, in the order of the file.
        let entries: [SafetensorsStream.Entry]
        let byteCount: Int
    }

    let precision: Precision
    let shards: [Shard]
    /// What the plan was made from: equal for equal sources and settings.
    let fingerprint: String

    /// The metadata that all shards begin with.
    var metadata: [String: String] {
        ["format": "pt", "anygpt.precision": precision.rawValue, "anygpt.source": fingerprint]
    }

    /// Plans shards of at most `shardBytes`, unless a tensor alone is larger.
    init(_ source: Checkpoint, tied: Bool, precision: Precision, shardBytes: Int) throws(CheckpointError) {
        self.precision = precision
        var groups: [[String]] = [[]]
        var size = 0
        for name in source.names where !Self.isLeftOut(name, tied: tied) {
            guard let info = source.info(name) else { continue }
            let bytes = precision.byteCount(name, shape: info.shape, dtype: info.dtype)
            if size > 0, size + bytes > shardBytes {
                groups.append([])
                size = 0
            }
            groups[groups.count - 1].append(name)
            size += bytes
        }
        shards = groups.enumerated().map { index, names in
            let entries = names.flatMap { Self.entries($0, source, precision) }
            return Shard(
                file: groups.count == 1 ? "model.safetensors" : Self.shardName(index + 1, of: groups.count),
                tensors: names, entries: entries, byteCount: entries.reduce(0) { $0 + $1.byteCount })
        }
        fingerprint = Self.fingerprint(source, precision, shardBytes)
    }

    /// What stands in official files and is in no network: see `LlamaModel.passedOver`.
    private static func isLeftOut(_ name: String, tied: Bool) -> Bool {
        LlamaModel.passedOver.contains { $0.matches(name) } || tied && name == "lm_head.weight"
    }

    private static func shardName(_ index: Int, of count: Int) -> String {
        String(format: "model-%05d-of-%05d.safetensors", index, count)
    }

    private static func entries(
        _ name: String, _ source: Checkpoint, _ precision: Precision
    ) -> [SafetensorsStream.Entry] {
        guard let info = source.info(name) else { return [] }
        switch precision.treatment(of: name, shape: info.shape) {
        case .copied: return [.init(name, info.dtype, info.shape)]
        case .bfloat16: return [.init(name, .bfloat16, info.shape)]
        case .quantized(let format):
            let (outputs, inputs) = (info.shape[0], info.shape[1])
            return [
                .init(name, .uint8, format.shape(outputs: outputs, inputs: inputs)),
                .init(name + "_scale", .bfloat16, QuantizedFormat.scaleShape(outputs: outputs, inputs: inputs)),
            ]
        }
    }

    /// A digest of the source's files (size and time of change), its tensors, and the settings.
    private static func fingerprint(_ source: Checkpoint, _ precision: Precision, _ shardBytes: Int) -> String {
        var text = "1 \(precision.rawValue) \(shardBytes)\n"
        var files: Set<String> = []
        for name in source.names {
            guard let info = source.info(name) else { continue }
            text += "\(name) \(info.dtype.rawValue) \(info.shape)\n"
            if files.insert(info.file).inserted {
                let facts = try? FileManager.default.attributesOfItem(
                    atPath: URL(filePath: info.file).resolvingSymlinksInPath().path)
                let changed = (facts?[.modificationDate] as? Date)?.timeIntervalSinceReferenceDate ?? 0
                text += "\(URL(filePath: info.file).lastPathComponent) \(facts?[.size] ?? 0) \(changed)\n"
            }
        }
        return SHA256.hex(of: Data(text.utf8))
    }
}
