import Checkpoints
import Checksums
public import Foundation
import Llama

/// Brings the backbone of a Hugging Face folder to a smaller precision: a folder that `LlamaModel` loads, with everything
/// beside the weights copied.
///
/// One pass over the source, file by file of the result. A file gets its name when it is complete and durable, and the
/// index (or the only file) comes last: a folder that is not whole has no weights. What a run that was interrupted has
/// finished is recognised by its digest and kept.
public struct Conversion {
    /// What a run did.
    public struct Summary: Sendable, Equatable {
        /// Files of weights in all, and those found finished.
        public let files: Int
        public let kept: Int
        /// The size of the weights before and after.
        public let sourceBytes: Int
        public let bytes: Int
    }

    private let source: URL
    private let target: URL
    private let checkpoint: Checkpoint
    private let plan: ConversionPlan

    /// Opens the source and checks that it is a backbone, whole, and that the target is empty or part of this conversion.
    public init(
        from source: URL, to target: URL, precision: Precision, shardBytes: Int = 4 << 30
    ) throws {
        let (source, target) = (source.standardizedFileURL, target.standardizedFileURL)
        guard source.resolvingSymlinksInPath().path != target.resolvingSymlinksInPath().path else {
            throw ConversionError(target.path, "is the source itself; give another folder to write to")
        }
        let configuration = try LlamaConfiguration(contentsOf: source.appending(path: "config.json"))
        checkpoint = try Checkpoint.open(source)
        // Loading maps the weights without reading them, and proves that every tensor is there in its shape.
        _ = try LlamaModel(configuration, checkpoint)
        guard !checkpoint.names.contains(where: { $0.hasSuffix(".weight_scale") }) else {
            throw ConversionError(source.path, "is quantised already; convert the original")
        }
        plan = try ConversionPlan(
            checkpoint, tied: configuration.tie_word_embeddings, precision: precision, shardBytes: shardBytes)
        (self.source, self.target) = (source, target)
        try checkTarget()
    }

    /// Writes what is missing.
    ///
    /// - Parameter progress: is told often; what it throws ends the run, which can be taken up again later.
    public func run(_ progress: (FileProgress) throws -> Void) throws -> Summary {
        try FileManager.default.createDirectory(at: target, withIntermediateDirectories: true)
        try copyCompanions()
        let total = plan.shards.reduce(0) { $0 + $1.byteCount }
        var (done, kept) = (0, 0)
        try withoutActuallyEscaping(progress) { progress in
            for shard in plan.shards {
                let start = done
                if try isFinished(
                    shard, { try progress(FileProgress(file: shard.file, done: start + $0, total: total)) })
                {
                    kept += 1
                } else {
                    var written = 0
                    try ShardWriter.write(shard, of: plan, from: checkpoint, in: target) {
                        written += $0
                        try progress(FileProgress(file: shard.file, done: start + written, total: total))
                    }
                }
                done = start + shard.byteCount
            }
        }
        if plan.shards.count > 1 { try writeIndex(total) }
        let sourceBytes = checkpoint.names.reduce(0) { $0 + (checkpoint.info($1)?.byteCount ?? 0) }
        return Summary(files: plan.shards.count, kept: kept, sourceBytes: sourceBytes, bytes: total)
    }

    // MARK: What is there already

    private func checkTarget() throws {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: target.path)) ?? []
        for file in files where file.hasSuffix(".safetensors") || file.hasSuffix(".bin") {
            let part = try? Checkpoint.open(target.appending(path: file))
            guard plan.shards.contains(where: { $0.file == file }),
                part?.metadata["anygpt.source"] == plan.fingerprint
            else {
                throw ConversionError(
                    target.path, "holds other weights (\(file)); give an empty folder, or remove them first")
            }
        }
    }

    /// Whether a shard lies in the target, to the last bit as it was written.
    private func isFinished(_ shard: ConversionPlan.Shard, _ progress: (Int) throws -> Void) throws -> Bool {
        let url = target.appending(path: shard.file)
        guard FileManager.default.fileExists(atPath: url.path), let part = try? Checkpoint.open(url) else {
            return false
        }
        guard part.names == shard.entries.map(\.name), let expected = part.metadata["sha256"] else { return false }
        // The elements are what the file ends with.
        let size = try FileManager.default.attributesOfItem(atPath: url.path)[.size] as? Int ?? 0
        guard size >= shard.byteCount else { return false }
        return try SHA256.hex(ofFile: url, from: size - shard.byteCount, progress: progress) == expected
    }

    // MARK: What stands beside the weights

    /// Copies the tokenizer, generation settings, licence and the like: small files, and no weights.
    private func copyCompanions() throws {
        let weights = [".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".h5", ".msgpack", ".onnx", ".gguf", ".partial"]
        let files = try FileManager.default.contentsOfDirectory(
            at: source, includingPropertiesForKeys: nil, options: .skipsHiddenFiles)
        for file in files {
            let name = file.lastPathComponent
            // What cannot be looked at, as a link to nowhere, is no file that the result needs.
            guard let facts = try? FileManager.default.attributesOfItem(atPath: file.resolvingSymlinksInPath().path),
                facts[.type] as? FileAttributeType == .typeRegular, (facts[.size] as? Int ?? 0) < 64 << 20,
                !weights.contains(where: name.hasSuffix), !name.hasSuffix(".index.json")
            else { continue }
            var data = try Data(contentsOf: file)
            if name == "config.json" { data = try configuration(data) }
            try data.write(to: target.appending(path: name), options: .atomic)
        }
    }

    /// `config.json` with what is true of the result: other software must not take its weights for something else.
    private func configuration(_ data: Data) throws -> Data {
        guard var object = try JSONSerialization.jsonObject(with: data) as? [String: Any] else { return data }
        object["torch_dtype"] = "bfloat16"
        if plan.precision != .bf16 {
            object["quantization_config"] = [
                "quant_method": "anygpt", "bits": plan.precision == .int8 ? 8 : 4, "group_size": 32,
            ]
        }
        return try JSONSerialization.data(
            withJSONObject: object, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
    }

    private func writeIndex(_ total: Int) throws {
        var map: [String: String] = [:]
        for shard in plan.shards { for entry in shard.entries { map[entry.name] = shard.file } }
        let index: [String: Any] = ["metadata": ["total_size": total], "weight_map": map]
        let data = try JSONSerialization.data(
            withJSONObject: index, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
        try data.write(to: target.appending(path: "model.safetensors.index.json"), options: .atomic)
    }
}

/// Why a conversion can't be made.
public struct ConversionError: Error, CustomStringConvertible, Equatable {
    /// The folder that is at fault.
    public let path: String
    /// The rest of a sentence that the path begins.
    public let reason: String

    init(_ path: String, _ reason: String) { (self.path, self.reason) = (path, reason) }

    /// One line for a person.
    public var description: String { "\(path) \(reason)" }
}
