import Tensors

/// Reads safetensors files: 8 bytes of header length, a JSON header, and the tensors' bytes without gaps or overlaps.
/// Format: https://github.com/huggingface/safetensors, "Format", with the checks of its reference implementation.
struct SafetensorsFile {
    /// Free text that the writer left beside the tensors.
    private(set) var metadata: [String: String] = [:]
    /// In the order of their bytes.
    private(set) var tensors: [(name: String, tensor: StoredTensor)] = []

    /// What the header says of one tensor.
    private struct Claim {
        var name: String
        var dtype: DType
        var shape: [Int]
        var offsets: Range<Int>
    }

    /// Whether the file could be one: a JSON object follows the header's length. Files of torch have other bytes there.
    static func isLikely(_ file: MappedFile) -> Bool {
        file.count > 8 && file.bytes[8] == UInt8(ascii: "{")
    }

    init(_ file: MappedFile) throws(FormatFault) {
        guard file.count >= 8 else { throw FormatFault("is too short for a safetensors file") }
        var prefix = ByteReader(file.copy(0..<8))
        let claimed = try prefix.little(UInt64.self)
        guard claimed <= UInt64(Limits.jsonBytes) else {
            throw FormatFault("claims a header of \(claimed) bytes; at most \(Limits.jsonBytes) are read")
        }
        let length = Int(claimed)
        guard length <= file.count - 8 else {
            throw FormatFault("claims a header of \(length) bytes and holds \(file.count - 8)")
        }
        let claims = try header(file.copy(8..<(8 + length)))
        try place(claims, in: file, after: 8 + length)
    }

    private mutating func header(_ bytes: [UInt8]) throws(FormatFault) -> [Claim] {
        guard bytes.first == UInt8(ascii: "{") else { throw FormatFault("has a header that is no JSON object") }
        var scanner = JSONScanner(bytes)
        var claims: [Claim] = []
        var metadata: [String: String] = [:]
        try scanner.object { (name, scanner) throws(FormatFault) in
            if name == "__metadata__" {
                try scanner.object { (key, scanner) throws(FormatFault) in metadata[key] = try scanner.string() }
            } else {
                do throws(FormatFault) {
                    claims.append(try Self.claim(name, &scanner))
                } catch {
                    throw FormatFault(error.reason, tensor: name)
                }
            }
        }
        try scanner.expectEnd()
        self.metadata = metadata
        return claims
    }

    private static func claim(_ name: String, _ scanner: inout JSONScanner) throws(FormatFault) -> Claim {
        var dtype: DType?
        var shape: [Int]?
        var offsets: [Int]?
        try scanner.object { (key, scanner) throws(FormatFault) in
            switch key {
            case "dtype":
                let type = try scanner.string()
                dtype = DType(rawValue: type)
                guard dtype != nil else {
                    throw FormatFault("is of number type \(type.shortened), which is not read")
                }
            case "shape": shape = try Self.sizes(&scanner, atMost: Limits.rank)
            case "data_offsets": offsets = try Self.sizes(&scanner, atMost: 2)
            default: throw FormatFault("has an unknown property \(key.shortened)")
            }
        }
        guard let dtype, let shape, let offsets, offsets.count == 2 else {
            throw FormatFault("lacks a dtype, a shape or two data_offsets")
        }
        guard offsets[0] <= offsets[1] else { throw FormatFault("ends before it begins: \(offsets)") }
        return Claim(name: name, dtype: dtype, shape: shape, offsets: offsets[0]..<offsets[1])
    }

    private static func sizes(_ scanner: inout JSONScanner, atMost limit: Int) throws(FormatFault) -> [Int] {
        var sizes: [Int] = []
        try scanner.array { (scanner) throws(FormatFault) in
            guard sizes.count < limit else { throw FormatFault("has more than \(limit) numbers in a list") }
            sizes.append(try scanner.size())
        }
        return sizes
    }

    /// Gives each tensor its bytes; together they must be all bytes after the header, each once.
    private mutating func place(_ claims: [Claim], in file: MappedFile, after start: Int) throws(FormatFault) {
        let size = file.count - start
        let sorted = claims.sorted {
            ($0.offsets.lowerBound, $0.offsets.upperBound) < ($1.offsets.lowerBound, $1.offsets.upperBound)
        }
        var end = 0
        for claim in sorted {
            let offsets = claim.offsets
            do throws(FormatFault) {
                guard offsets.upperBound <= size else {
                    throw FormatFault("lies at bytes \(offsets) of \(size): was the file cut off?")
                }
                guard offsets.lowerBound >= end else {
                    throw FormatFault("begins at byte \(offsets.lowerBound), inside another tensor")
                }
                guard offsets.lowerBound == end else {
                    throw FormatFault("begins at byte \(offsets.lowerBound), \(offsets.lowerBound - end) too late")
                }
                end = offsets.upperBound
                let bytes = (start + offsets.lowerBound)..<(start + offsets.upperBound)
                let tensor = try StoredTensor(dtype: claim.dtype, shape: claim.shape, filling: .mapped(file, bytes))
                tensors.append((claim.name, tensor))
            } catch {
                throw FormatFault(error.reason, tensor: claim.name)
            }
        }
        guard end == size else { throw FormatFault("has \(size - end) bytes after its last tensor") }
    }
}
