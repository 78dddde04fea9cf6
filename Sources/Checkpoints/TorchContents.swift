import Tensors

/// What a `torch.save` file holds: its tensors by name, and the plain values beside them.
struct TorchContents: Sendable {
    /// In the order of the file.
    var tensors: [(name: String, tensor: StoredTensor)] = []
    var tree: PickleTree

    /// Reads the tensors that a pickle describes.
    ///
    /// The names of nested containers are joined by dots: `model.weight`, `list.2`; a file that is a tensor and nothing
    /// else has one with an empty name.
    ///
    /// - Parameters:
    ///   - fileSize: what repeated views may add up to is measured by it.
    ///   - storage: finds the bytes that a reference means.
    init(
        _ tree: PickleTree, fileSize: Int, storage: (StorageReference) throws(FormatFault) -> Storage
    ) throws(FormatFault) {
        self.tree = tree
        var walk = Walk(
            tree: tree, byteBudget: Limits.unpacked(from: fileSize),
            visitBudget: Limits.slack + Limits.pickleGrowth * 2 * tree.byteCount)
        try walk.visit(tree.root, name: "", depth: 0, storage)
        tensors = walk.tensors
    }
}

/// The storage that a pickle refers to by `('storage', class, key, device, count)`.
struct StorageReference {
    var key: String
    /// nil for bytes of no type.
    var dtype: DType?
    /// In elements of the type, or in bytes.
    var count: Int
    /// The files before the zip format could refer to a part of a storage.
    var part: Range<Int>?

    /// The whole storage's bytes, as claimed.
    var byteCount: Int { count * (dtype?.size ?? 1) }

    init(_ value: PickleValue, in tree: PickleTree) throws(FormatFault) {
        guard let items = tree.elements(value), items.count == 5 || items.count == 6,
            case .text("storage") = items[0], case .global(let kind) = items[1], case .text(let key) = items[2],
            case .integer(let count) = items[4]
        else { throw FormatFault("refers to something that is no storage") }
        switch kind {
        case .storage(let type): dtype = type
        case .untypedStorage: dtype = nil
        default: throw FormatFault("refers to a storage of no type")
        }
        guard count >= 0, count <= Int.max / 8 else { throw FormatFault("claims a storage of \(count) elements") }
        self.key = key
        self.count = count
        if items.count == 6, let view = tree.elements(items[5]) {
            guard view.count == 3, case .integer(let offset) = view[1], case .integer(let size) = view[2],
                offset >= 0, size >= 0, offset <= count, size <= count - offset
            else { throw FormatFault("refers to a part of a storage that lies outside it") }
            part = offset..<(offset + size)
        }
    }
}

/// The way through a pickle's containers to its tensors. Shared containers are visited once for each of their names, so
/// both what is visited and what is found are counted.
private struct Walk {
    let tree: PickleTree
    var byteBudget: Int
    var visitBudget: Int
    var tensors: [(name: String, tensor: StoredTensor)] = []
    var names: Set<String> = []

    mutating func visit(
        _ value: PickleValue, name: String, depth: Int, _ storage: (StorageReference) throws(FormatFault) -> Storage
    ) throws(FormatFault) {
        guard case .object(let index) = value else { return }
        visitBudget -= 64 + name.utf8.count
        guard visitBudget >= 0 else { throw FormatFault("holds containers that hold each other over and over") }
        guard depth <= Limits.depth else {
            throw FormatFault("holds containers nested deeper than \(Limits.depth), at \(name.shortened)")
        }
        let prefix = name.isEmpty ? "" : name + "."
        switch tree.objects[index] {
        case .list(let items), .tuple(let items):
            visitBudget -= items.count
            for (number, item) in items.enumerated() {
                guard case .object = item else { continue }
                try visit(item, name: prefix + String(number), depth: depth + 1, storage)
            }
        case .dictionary(let flat):
            visitBudget -= flat.count
            for (key, item) in try tree.entries(value) ?? [] {
                guard case .object = item else { continue }
                try visit(item, name: prefix + key, depth: depth + 1, storage)
            }
        case .call(let function, let arguments):
            guard function.makesTensor else { return }
            let tensor: StoredTensor
            do throws(FormatFault) {
                tensor = try StoredTensor(function, arguments, in: tree, storage)
                guard tensor.byteCount <= byteBudget else {
                    throw FormatFault("repeats a storage until it is more than the file accounts for")
                }
            } catch {
                throw FormatFault(error.reason, tensor: name)
            }
            byteBudget -= tensor.byteCount
            guard names.insert(name).inserted else { throw FormatFault("is there twice", tensor: name) }
            tensors.append((name, tensor))
        case .persistent:
            throw FormatFault("is a bare storage, which has no shape", tensor: name)
        }
    }
}

extension PickleGlobal {
    /// Whether a call of this describes a tensor.
    var makesTensor: Bool {
        switch self {
        case .tensor, .tensorOfType, .parameter, .tensorWithAttributes: true
        default: false
        }
    }
}

extension StoredTensor {
    /// The tensor that a call of one of torch's `_rebuild` functions describes (`torch/_utils.py`).
    init(
        _ function: PickleGlobal, _ arguments: [PickleValue], in tree: PickleTree,
        depth: Int = 0, _ storage: (StorageReference) throws(FormatFault) -> Storage
    ) throws(FormatFault) {
        switch function {
        case .tensor where arguments.count >= 4:
            if arguments.count > 6, let metadata = try tree.entries(arguments[6]), !metadata.isEmpty {
                throw FormatFault("is a lazily negated or conjugated view, which is not read")
            }
            try self.init(view: arguments, dtype: nil, in: tree, storage)
        case .tensorOfType where arguments.count >= 7:
            guard case .global(.dtype(let dtype)) = arguments[6] else { throw FormatFault("has no number type") }
            try self.init(view: arguments, dtype: dtype, in: tree, storage)
        case .parameter where !arguments.isEmpty:
            // (tensor, requires_grad, hooks[, state])
            guard depth < 4, case .object(let index) = arguments[0],
                case .call(let inner, let innerArguments) = tree.objects[index]
            else { throw FormatFault("is a parameter without a tensor") }
            try self.init(inner, innerArguments, in: tree, depth: depth + 1, storage)
        case .tensorWithAttributes where arguments.count >= 3:
            // (function, class, arguments, state)
            guard depth < 4, case .global(let inner) = arguments[0], case .global(.tensorClass) = arguments[1],
                let innerArguments = tree.elements(arguments[2])
            else { throw FormatFault("is of a class that is not read") }
            try self.init(inner, innerArguments, in: tree, depth: depth + 1, storage)
        default:
            throw FormatFault("is not described by what torch writes")
        }
    }

    /// `(storage, offset, shape, strides, …)`.
    private init(
        view arguments: [PickleValue], dtype: DType?, in tree: PickleTree,
        _ storage: (StorageReference) throws(FormatFault) -> Storage
    ) throws(FormatFault) {
        guard case .object(let index) = arguments[0], case .persistent(let identity) = tree.objects[index] else {
            throw FormatFault("has no storage")
        }
        let reference = try StorageReference(identity, in: tree)
        guard let dtype = dtype ?? reference.dtype else { throw FormatFault("has no number type") }
        guard case .integer(let offset) = arguments[1] else { throw FormatFault("has an offset that is no integer") }
        let shape = try tree.integers(arguments[2], "shape")
        let strides = try tree.integers(arguments[3], "strides")
        try self.init(dtype: dtype, shape: shape, strides: strides, offset: offset, of: try storage(reference))
    }
}

extension PickleTree {
    /// A tuple of integers, as shapes and strides are; also inside `torch.Size`.
    fileprivate func integers(_ value: PickleValue, _ what: String) throws(FormatFault) -> [Int] {
        var tuple = value
        if case .object(let index) = value, case .call(.size, let arguments) = objects[index],
            let first = arguments.first
        {
            tuple = first
        }
        guard let items = elements(tuple) else { throw FormatFault("has a \(what) that is no list of integers") }
        var integers: [Int] = []
        integers.reserveCapacity(items.count)
        for item in items {
            guard case .integer(let integer) = item else {
                throw FormatFault("has a number in its \(what) that is no 64-bit integer: \(item.shown)")
            }
            integers.append(integer)
        }
        return integers
    }
}
