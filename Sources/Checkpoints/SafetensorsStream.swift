public import Foundation

/// Writes a large safetensors file piece by piece, in the order of its entries, with only the pieces in memory.
///
///     var stream = try SafetensorsStream(to: url, entries, metadata: ["format": "pt"])
///     for piece in pieces { try stream.append(piece) }
///     try stream.finish(metadata: ["sha256": digest])
///
/// Until `finish` the file has a temporary name, `….partial`: no reader meets half of it, and a crash leaves only that.
public struct SafetensorsStream: ~Copyable {
    /// What one tensor will be.
    public struct Entry: Sendable, Equatable {
        public let name: String
        public let dtype: DType
        public let shape: [Int]

        public init(_ name: String, _ dtype: DType, _ shape: [Int]) {
            (self.name, self.dtype, self.shape) = (name, dtype, shape)
        }

        /// The size of its elements.
        public var byteCount: Int { shape.reduce(dtype.size, *) }
    }

    /// Where the file will be.
    public let url: URL
    /// The bytes that the entries promise, and those written so far.
    public let byteCount: Int
    public private(set) var written = 0
    private let partial: URL
    private let file: FileHandle
    private let header: String

    /// Begins a file.
    ///
    /// - Parameters:
    ///   - entries: in the order in which their elements will come. Names must differ.
    ///   - metadata: free text for the header.
    ///   - promised: keys whose values only `finish` knows, and how many characters these have.
    public init(
        to url: URL, _ entries: [Entry], metadata: [String: String], promised: [String: Int] = [:]
    ) throws(CheckpointError) {
        let blanks = promised.mapValues { String(repeating: "0", count: $0) }
        let header = try Self.header(entries, metadata.merging(blanks) { $1 }, url)
        let partial = url.appendingPathExtension("partial")
        guard FileManager.default.createFile(atPath: partial.path, contents: nil),
            let file = FileHandle(forWritingAtPath: partial.path)
        else {
            throw CheckpointError(file: partial.path, reason: "cannot be written: \(String(cString: strerror(errno)))")
        }
        try Self.write(
            withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Data($0) } + Data(header.utf8), to: file,
            partial)
        (self.url, self.partial, self.file, self.header) = (url, partial, file, header)
        byteCount = entries.reduce(0) { $0 + $1.byteCount }
    }

    /// Writes the next elements, little-endian and row-major; a piece may end anywhere.
    public mutating func append(_ bytes: UnsafeRawBufferPointer) throws(CheckpointError) {
        precondition(written + bytes.count <= byteCount, "more elements than the entries of \(url.path) promise")
        guard let base = bytes.baseAddress, bytes.count > 0 else { return }
        let data = Data(
            bytesNoCopy: UnsafeMutableRawPointer(mutating: base), count: bytes.count, deallocator: .none)
        try Self.write(data, to: file, partial)
        written += bytes.count
    }

    /// Puts in the values that were promised, makes the file durable, and gives it its name.
    public consuming func finish(_ promised: [String: String] = [:]) throws(CheckpointError) {
        precondition(written == byteCount, "fewer elements than the entries of \(url.path) promise")
        do {
            for (key, value) in promised {
                let blank = "\(Self.quoted(key)):\"\(String(repeating: "0", count: value.utf8.count))\""
                guard let place = header.range(of: blank) else { preconditionFailure("\(key) was not promised") }
                let start = header.utf8.distance(from: header.startIndex, to: place.upperBound) - value.utf8.count - 1
                try file.seek(toOffset: UInt64(8 + start))
                try file.write(contentsOf: Data(value.utf8))
            }
            try file.synchronize()
            try file.close()
        } catch {
            throw CheckpointError(file: partial.path, reason: "cannot be written: \(error.localizedDescription)")
        }
        guard rename(partial.path, url.path) == 0 else {
            throw CheckpointError(file: url.path, reason: "cannot be written: \(String(cString: strerror(errno)))")
        }
    }

    private static func write(_ data: Data, to file: FileHandle, _ partial: URL) throws(CheckpointError) {
        do {
            try file.write(contentsOf: data)
        } catch {
            throw CheckpointError(file: partial.path, reason: "cannot be written: \(error.localizedDescription)")
        }
    }

    // MARK: The header

    /// The header's JSON, filled with spaces to a multiple of 8 bytes.
    static func header(
        _ entries: [Entry], _ metadata: [String: String], _ url: URL
    ) throws(CheckpointError) -> String {
        var members: [String] = []
        if !metadata.isEmpty {
            let texts = metadata.sorted { $0.key < $1.key }.map { "\(quoted($0.key)):\(quoted($0.value))" }
            members.append("\"__metadata__\":{\(texts.joined(separator: ","))}")
        }
        var names: Set<String> = ["__metadata__"]
        var start = 0
        for entry in entries {
            guard names.insert(entry.name).inserted else {
                throw CheckpointError(file: url.path, tensor: entry.name, reason: "has a name that is already used")
            }
            let end = start + entry.byteCount
            let shape = entry.shape.map(String.init).joined(separator: ",")
            members.append(
                "\(quoted(entry.name)):{\"dtype\":\"\(entry.dtype.rawValue)\",\"shape\":[\(shape)],"
                    + "\"data_offsets\":[\(start),\(end)]}")
            start = end
        }
        let header = "{\(members.joined(separator: ","))}"
        return header + String(repeating: " ", count: (8 - header.utf8.count % 8) % 8)
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
