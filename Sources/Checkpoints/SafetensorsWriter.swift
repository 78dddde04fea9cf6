public import Foundation

/// Writes safetensors files: small ones from arrays, large ones tensor by tensor from closures. `SafetensorsStream` writes
/// those whose tensors are too large to be in memory.
public struct SafetensorsWriter {
    /// Free text for the header (`__metadata__`).
    public var metadata: [String: String]
    private var tensors: [(entry: SafetensorsStream.Entry, bytes: () throws -> [UInt8])] = []

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
        tensors.append((SafetensorsStream.Entry(name, dtype, shape), bytes))
    }

    /// Writes the file under a temporary name beside `url` and then gives it its own, so that no reader meets half of it.
    ///
    /// - Throws: `CheckpointError` when a name is used twice, an element count is wrong or the file cannot be written;
    ///   what a closure throws.
    public func write(to url: URL) throws {
        // The largest elements first: each tensor is then aligned to its elements. The reference orders them so too.
        let sorted = tensors.sorted { ($1.entry.dtype.size, $0.entry.name) < ($0.entry.dtype.size, $1.entry.name) }
        do {
            var stream = try SafetensorsStream(to: url, sorted.map(\.entry), metadata: metadata)
            for (entry, bytes) in sorted {
                let bytes = try bytes()
                guard bytes.count == entry.byteCount else {
                    throw CheckpointError(
                        file: url.path, tensor: entry.name,
                        reason: "came with \(bytes.count) bytes instead of \(entry.byteCount)")
                }
                try bytes.withUnsafeBytes { try stream.append($0) }
            }
            try stream.finish()
        } catch {
            try? FileManager.default.removeItem(at: url.appendingPathExtension("partial"))
            throw error
        }
    }
}
