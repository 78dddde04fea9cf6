/// A value that stands beside the tensors of a `torch.save` file: a step count, a learning rate, a configuration.
public enum PlainValue: Sendable, Equatable {
    /// Python's None.
    case none
    /// True or False.
    case bool(Bool)
    /// An integer of up to 64 bits.
    case integer(Int)
    /// An integer of more than 64 bits: two's complement, little-endian.
    case wideInteger([UInt8])
    /// A floating-point number.
    case real(Double)
    /// Text; also the names of number types.
    case text(String)
    /// Bytes of no encoding.
    case bytes([UInt8])
    /// Lists, tuples and sets.
    case list([PlainValue])
    /// Entries in the order of the file; keys that were numbers are written out.
    case dictionary([DictionaryEntry])
    /// There is a tensor here; ask for it by its name.
    case tensor

    /// One entry of a dictionary.
    public struct DictionaryEntry: Sendable, Equatable {
        /// The key.
        public let key: String
        /// What it stands for.
        public let value: PlainValue
    }

    /// The value of a dictionary's entry; nil when this is no dictionary or has no such entry.
    public subscript(key: String) -> PlainValue? {
        guard case .dictionary(let entries) = self else { return nil }
        return entries.first { $0.key == key }?.value
    }
}

extension PickleTree {
    /// The value with this name, names of nested containers being joined by dots; nil when there is none.
    func value(named name: String) throws(FormatFault) -> PlainValue? {
        guard let found = try find(name[...], in: root) else { return nil }
        var budget = Limits.slack + 2 * Limits.pickleGrowth * byteCount
        return try plain(found, depth: 0, &budget)
    }

    private func find(_ path: Substring, in value: PickleValue) throws(FormatFault) -> PickleValue? {
        if path.isEmpty { return value }
        var children = try entries(value)
        if children == nil {
            children = elements(value)?.enumerated().map { (String($0.offset), $0.element) }
        }
        for (key, child) in children ?? [] {
            if path == key { return child }
            // Keys may hold dots themselves, as the names in state dicts do.
            if path.hasPrefix(key + "."), let found = try find(path.dropFirst(key.count + 1), in: child) {
                return found
            }
        }
        return nil
    }

    private func plain(_ value: PickleValue, depth: Int, _ budget: inout Int) throws(FormatFault) -> PlainValue {
        budget -= 64
        guard budget >= 0, depth <= Limits.depth else { throw FormatFault("holds containers that hold each other") }
        switch value {
        case .none: return .none
        case .bool(let flag): return .bool(flag)
        case .integer(let integer): return .integer(integer)
        case .wideInteger(let bytes): return .wideInteger(bytes)
        case .real(let real): return .real(real)
        case .text(let text): return .text(text)
        case .bytes(let bytes): return .bytes(bytes)
        case .global(let global): return .text(global.shown)
        case .object(let index):
            switch objects[index] {
            case .list(let items), .tuple(let items): return .list(try plain(items, depth, &budget))
            case .dictionary:
                var converted: [PlainValue.DictionaryEntry] = []
                for (key, item) in try entries(value) ?? [] {
                    converted.append(.init(key: key, value: try plain(item, depth: depth + 1, &budget)))
                }
                return .dictionary(converted)
            case .call(.encode, let arguments): return .bytes(try Self.encoded(arguments))
            case .call(let global, _) where global.makesTensor: return .tensor
            case .call(_, let arguments):
                // torch.Size and torch.device: what they were made of says what they are.
                if arguments.count == 1 { return try plain(arguments[0], depth: depth + 1, &budget) }
                return .list(try plain(arguments, depth, &budget))
            case .persistent: return .tensor
            }
        }
    }

    private func plain(
        _ values: [PickleValue], _ depth: Int, _ budget: inout Int
    ) throws(FormatFault) -> [PlainValue] {
        var converted: [PlainValue] = []
        for value in values { converted.append(try plain(value, depth: depth + 1, &budget)) }
        return converted
    }

    /// `_codecs.encode(text, 'latin1')` is how protocol 2 writes bytes.
    private static func encoded(_ arguments: [PickleValue]) throws(FormatFault) -> [UInt8] {
        guard arguments.count == 2, case .text(let text) = arguments[0], case .text("latin1") = arguments[1] else {
            throw FormatFault("holds bytes written in a way that is not read")
        }
        var bytes: [UInt8] = []
        for scalar in text.unicodeScalars {
            guard let byte = UInt8(exactly: scalar.value) else { throw FormatFault("holds bytes beyond 255") }
            bytes.append(byte)
        }
        return bytes
    }
}
