public import Foundation

/// Writes safetensors files: small ones from arrays, large ones tensor by tensor from closures.
public struct SafetensorsWriter {
    /// Free text for the header (`__metadata__`).
    public var metadata: [String: String]
    private var entries: [Entry] = []

    private struct Entry {
        let name: String
        let dtype: DType
        let shape: [Int]
        let bytes: () throws -> [UInt8]

        var byteCount: Int { shape.reduce(dtype.size, *) }
    }

    /// An empty file.
    public init(metadata: [String: String] = [:]) {
        self.metadata = metadata
    }

    /// Adds a tensor that is at hand.
    public mutating func add(_ name: String, _ array: TypedArray) {
        add(name, array.dtype, array.shape) { array.bytes }
    }

    /// Adds a tensor whose elements (little-endian, row-major) are asked for when their turn to be written comes.
    public mutating func add(_ name: String, _ dtype: DType, _ shape: [Int], bytes: @escaping () throws -> [UInt8]) {
        entries.append(Entry(name: name, dtype: dtype, shape: shape, bytes: bytes))
    }

    /// Writes the file under a temporary name beside `url` and then gives it its own, so that no reader meets half of it.
    ///
    /// - Throws: `CheckpointError` when a name is used twice, an element count is wrong or the file cannot be written;
    ///   what a closure throws.
    public func write(to url: URL) throws {
        // The largest elements first: each tensor is then aligned to its elements. The reference orders them so too.
        let sorted = entries.sorted { ($1.dtype.size, $0.name) < ($0.dtype.size, $1.name) }
        let header = try Self.padded(header(of: sorted, url))
        let partial = url.appendingPathExtension("partial")
        guard FileManager.default.createFile(atPath: partial.path, contents: nil) else {
            throw CheckpointError(file: partial.path, reason: "cannot be written")
        }
        do {
            let file = try FileHandle(forWritingTo: partial)
            try file.write(contentsOf: withUnsafeBytes(of: UInt64(header.count).littleEndian) { Data($0) })
            try file.write(contentsOf: Data(header))
            for entry in sorted {
                let bytes = try entry.bytes()
                guard bytes.count == entry.byteCount else {
                    throw CheckpointError(
                        file: url.path, tensor: entry.name,
                        reason: "came with \(bytes.count) bytes instead of \(entry.byteCount)")
                }
                try file.write(contentsOf: Data(bytes))
            }
            try file.close()
            guard rename(partial.path, url.path) == 0 else {
                throw CheckpointError(file: url.path, reason: "cannot be written: \(String(cString: strerror(errno)))")
            }
        } catch {
            try? FileManager.default.removeItem(at: partial)
            throw error
        }
    }

    private func header(of sorted: [Entry], _ url: URL) throws -> String {
        var members: [String] = []
        if !metadata.isEmpty {
            let texts = metadata.sorted { $0.key < $1.key }.map { "\(Self.quoted($0.key)):\(Self.quoted($0.value))" }
            members.append("\"__metadata__\":{\(texts.joined(separator: ","))}")
        }
        var names: Set<String> = ["__metadata__"]
        var start = 0
        for entry in sorted {
            guard names.insert(entry.name).inserted else {
                throw CheckpointError(file: url.path, tensor: entry.name, reason: "has a name that is already used")
            }
            let end = start + entry.byteCount
            let shape = entry.shape.map(String.init).joined(separator: ",")
            members.append(
                "\(Self.quoted(entry.name)):{\"dtype\":\"\(entry.dtype.rawValue)\",\"shape\":[\(shape)],"
                    + "\"data_offsets\":[\(start),\(end)]}")
            start = end
        }
        return "{\(members.joined(separator: ","))}"
    }

    /// The header's length is a multiple of 8, filled with spaces.
    private static func padded(_ header: String) -> [UInt8] {
        let bytes = Array(header.utf8)
        return bytes + [UInt8](repeating: 0x20, count: (8 - bytes.count % 8) % 8)
    }

    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\u{0}"..<"\u{20}": quoted += String(format: "\\u%04x", scalar.value)
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
