import Foundation
import Tensors

extension Checkpoint {
    /// Opens a Hugging Face folder: one file, or shards that an index names; safetensors before pickles.
    init(folder: URL) throws(CheckpointError) {
        let candidates = [
            "model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json",
        ]
        let found = candidates.first {
            FileManager.default.fileExists(atPath: folder.appendingPathComponent($0).path)
        }
        guard let found else {
            throw CheckpointError(
                file: folder.path, reason: "has no weights: none of \(candidates.joined(separator: ", "))")
        }
        let file = folder.appendingPathComponent(found)
        self.init(url: folder)
        if found.hasSuffix(".json") {
            try addShards(of: try ShardIndex(file), in: folder)
        } else {
            for (name, tensor) in try FileContent(file).tensors { try add(name, tensor, in: file.path) }
        }
    }

    /// Opens the shards that an index names, which lie beside it.
    init(index file: URL) throws(CheckpointError) {
        self.init(url: file)
        try addShards(of: try ShardIndex(file), in: file.deletingLastPathComponent())
    }

    /// Maps every shard and holds index and shards against each other.
    private mutating func addShards(of index: ShardIndex, in folder: URL) throws(CheckpointError) {
        var files: [String] = []
        var expected: [String: Set<String>] = [:]
        for (tensor, file) in index.files {
            if expected[file, default: []].isEmpty { files.append(file) }
            expected[file, default: []].insert(tensor)
        }
        for file in files {
            let url = folder.appendingPathComponent(file)
            guard FileManager.default.fileExists(atPath: url.path) else {
                throw CheckpointError(file: url.path, reason: "is named by \(index.path) and is missing")
            }
            var missing = expected[file, default: []]
            for (name, tensor) in try FileContent(url).tensors {
                try add(name, tensor, in: url.path)
                guard missing.remove(name) != nil else {
                    throw CheckpointError(file: url.path, tensor: name, reason: "is not what \(index.path) names here")
                }
            }
            if let name = missing.min() {
                throw CheckpointError(file: url.path, tensor: name, reason: "is missing, and \(index.path) names it")
            }
        }
    }
}

/// The index of a folder of shards: `{"metadata": {…}, "weight_map": {TENSOR: FILE, …}}`.
private struct ShardIndex {
    let path: String
    private(set) var files: [(tensor: String, file: String)] = []

    init(_ url: URL) throws(CheckpointError) {
        path = url.path
        let file = try MappedFile.opened(path)
        guard file.count <= Limits.jsonBytes else {
            throw CheckpointError(file: path, reason: "is longer than \(Limits.jsonBytes) bytes")
        }
        let bytes = file.copy(0..<file.count)
        files = try blaming(path) { () throws(FormatFault) in try Self.parse(bytes) }
    }

    private static func parse(_ bytes: [UInt8]) throws(FormatFault) -> [(String, String)] {
        var files: [(String, String)]?
        var scanner = JSONScanner(bytes)
        try scanner.object { (key, scanner) throws(FormatFault) in
            guard key == "weight_map" else { return try scanner.skipValue() }
            var map: [(String, String)] = []
            try scanner.object { (tensor, scanner) throws(FormatFault) in
                let file = try scanner.string()
                // Links are followed, as the Hugging Face cache is made of them; paths out of the folder are not.
                let parts = file.split(separator: "/", omittingEmptySubsequences: false)
                guard parts.allSatisfy({ !["", ".", ".."].contains($0) }), !file.contains("\0") else {
                    throw FormatFault(
                        "is said to be in \"\(file.shortened)\", which is not in this folder", tensor: tensor)
                }
                map.append((tensor, file))
            }
            files = map
        }
        try scanner.expectEnd()
        guard let files, !files.isEmpty else { throw FormatFault("names no tensors (weight_map)") }
        return files
    }
}
