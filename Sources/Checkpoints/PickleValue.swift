/// What a pickle describes, as plain data: nothing was called to make it.
enum PickleValue: Sendable {
    case none
    case bool(Bool)
    case integer(Int)
    /// Two's complement, little-endian, more than 64 bits.
    case wideInteger([UInt8])
    case real(Double)
    case text(String)
    case bytes([UInt8])
    case global(PickleGlobal)
    /// An index into `PickleTree.objects`. Pickles can share objects and make cycles of them; indices in a flat table
    /// make both harmless, to memory as to the depth of the call stack.
    case object(Int)

    /// What an error shows of it.
    var shown: String {
        switch self {
        case .none: "None"
        case .bool(let flag): flag ? "True" : "False"
        case .integer(let integer): String(integer)
        case .wideInteger(let bytes): "an integer of \(bytes.count) bytes"
        case .real(let real): String(real)
        case .text(let text): "\"\(text.shortened)\""
        case .bytes: "bytes"
        case .global, .object: "an object"
        }
    }
}

/// The containers, and the calls that were written down instead of being made.
enum PickleObject: Sendable {
    case list([PickleValue])
    case tuple([PickleValue])
    /// Keys and values in turn, in the order of insertion; a later entry replaces an earlier one of the same key.
    case dictionary([PickleValue])
    case call(PickleGlobal, [PickleValue])
    /// A reference to something that the pickle does not hold: torch's storages.
    case persistent(PickleValue)
}

/// A pickle, read.
struct PickleTree: Sendable {
    var root: PickleValue
    var objects: [PickleObject]
    /// The length of the pickle, by which what is made of it is limited.
    var byteCount: Int

    /// The elements of a tuple or list, nil for anything else.
    func elements(_ value: PickleValue) -> [PickleValue]? {
        guard case .object(let index) = value else { return nil }
        switch objects[index] {
        case .list(let items), .tuple(let items): return items
        default: return nil
        }
    }

    /// The entries of a dictionary, the last one of each key; nil for anything else.
    func entries(_ value: PickleValue) throws(FormatFault) -> [(key: String, value: PickleValue)]? {
        guard case .object(let index) = value, case .dictionary(let flat) = objects[index] else { return nil }
        var entries: [(key: String, value: PickleValue)] = []
        var places: [String: (entry: Int, isText: Bool)] = [:]
        for start in stride(from: 0, to: flat.count, by: 2) {
            let (key, isText) = try Self.key(flat[start])
            if let place = places[key] {
                guard place.isText == isText else {
                    throw FormatFault("has two keys that are both written \(key.shortened)")
                }
                entries[place.entry].value = flat[start + 1]
            } else {
                places[key] = (entries.count, isText)
                entries.append((key, flat[start + 1]))
            }
        }
        return entries
    }

    /// Checkpoints have text for keys, optimizer states have integers.
    private static func key(_ value: PickleValue) throws(FormatFault) -> (text: String, isText: Bool) {
        switch value {
        case .text(let text): return (text, true)
        case .integer, .real, .bool, .none: return (value.shown, false)
        default: throw FormatFault("has a dictionary whose keys are neither text nor numbers")
        }
    }
}

/// Everything that a checkpoint's pickle may name. A pickle that names anything else is refused when it does so.
enum PickleGlobal: Sendable, Equatable {
    /// `collections.OrderedDict` and its like: read as dictionaries.
    case dictionary
    /// `set` and `frozenset`: read as lists.
    case list
    /// `_codecs.encode`: how bytes are written before protocol 3.
    case encode
    /// `torch._utils._rebuild_tensor` and `_v2`: a view of a typed storage.
    case tensor
    /// `torch._utils._rebuild_tensor_v3`: a view of an untyped storage, with the number type.
    case tensorOfType
    /// `torch._utils._rebuild_parameter`, with or without state: a tensor that was trained.
    case parameter
    /// `torch._tensor._rebuild_from_type_v2`: a tensor with attributes.
    case tensorWithAttributes
    /// The classes `torch.Tensor` and `torch.nn.Parameter`.
    case tensorClass
    /// A typed storage's class.
    case storage(DType)
    /// `torch.storage.UntypedStorage`: bytes.
    case untypedStorage
    case size
    case device
    case dtype(DType)

    private static let byName: [String: PickleGlobal] = {
        var table: [String: PickleGlobal] = [
            "collections.OrderedDict": .dictionary,
            "collections.Counter": .dictionary,
            "_codecs.encode": .encode,
            "torch._utils._rebuild_tensor": .tensor,
            "torch._utils._rebuild_tensor_v2": .tensor,
            "torch._utils._rebuild_tensor_v3": .tensorOfType,
            "torch._utils._rebuild_parameter": .parameter,
            "torch._utils._rebuild_parameter_with_state": .parameter,
            "torch._tensor._rebuild_from_type_v2": .tensorWithAttributes,
            "torch.Tensor": .tensorClass,
            "torch.nn.parameter.Parameter": .tensorClass,
            "torch.storage.UntypedStorage": .untypedStorage,
            "torch.UntypedStorage": .untypedStorage,
            "torch.Size": .size,
            "torch.device": .device,
        ]
        for module in ["builtins", "__builtin__"] {
            table["\(module).set"] = .list
            table["\(module).frozenset"] = .list
        }
        let storages: [(String, DType)] = [
            ("Double", .float64), ("Float", .float32), ("Half", .float16), ("BFloat16", .bfloat16),
            ("Long", .int64), ("Int", .int32), ("Short", .int16), ("Char", .int8), ("Byte", .uint8),
            ("Bool", .bool),
        ]
        for (name, dtype) in storages { table["torch.\(name)Storage"] = .storage(dtype) }
        for dtype in DType.allCases { table["torch.\(dtype)"] = .dtype(dtype) }
        return table
    }()

    /// What stands in a plain value where the pickle names something: the safetensors name of a number type.
    var shown: String {
        switch self {
        case .dtype(let dtype), .storage(let dtype): dtype.rawValue
        default: "\(self)"
        }
    }

    /// What a name stands for.
    static func named(_ module: String, _ name: String) throws(FormatFault) -> PickleGlobal {
        guard let global = byName["\(module).\(name)"] else {
            throw FormatFault(
                "names \("\(module).\(name)".shortened), which a checkpoint has no use for: nothing was run")
        }
        return global
    }
}
