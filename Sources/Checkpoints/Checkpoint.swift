public import Foundation
public import Tensors

/// What a checkpoint says of a tensor, without reading it.
public struct TensorInfo: Sendable, Equatable {
    /// The full name.
    public let name: String
    /// The number type in the file.
    public let dtype: DType
    /// The extents, outermost first; empty for a scalar.
    public let shape: [Int]
    /// The size of the elements: their count times the size of the type.
    public let byteCount: Int
    /// The path of the file that holds it.
    public let file: String
}

/// A trained model's tensors by name, out of
/// - a safetensors file,
/// - a file that `torch.save` wrote (`.pt`, `.bin`, `ckpt.dev`: the zip format or the one before torch 1.6), or
/// - a Hugging Face folder, whose shards an index may name, or such an index (`….index.json`) itself.
///
/// Files are mapped, and all that they claim is checked when they are opened: what is wrong is thrown as a
/// `CheckpointError` that names file, tensor and reason. Nothing in a file is ever run. A file must not be written over or
/// cut short while a checkpoint, or a tensor out of one, is alive: replace it by renaming, as `SafetensorsWriter` does.
public struct Checkpoint: Sendable {
    /// The file or folder.
    public let url: URL
    /// The tensors' names: files in the order of the index, tensors in the order of their file.
    public private(set) var names: [String] = []

    private var tensors: [String: (tensor: StoredTensor, file: String)] = [:]
    /// The single file's values beside its tensors; nil for safetensors and for folders.
    private var plain: PickleTree?
    private var safetensorsMetadata: [String: String] = [:]
    private var root = ""

    /// Opens a file, a folder, or the index of shards in its folder.
    ///
    /// - Parameter root: where in a nested file the tensors lie, as `model` in `{"model": {…}, "step": 1205}`. Names
    ///   are then relative to it, and what lies elsewhere is not seen.
    public static func open(_ url: URL, root: String? = nil) throws(CheckpointError) -> Checkpoint {
        var isFolder: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder)
        guard exists else { throw CheckpointError(file: url.path, reason: "there is no such file or folder") }
        let checkpoint: Checkpoint
        if isFolder.boolValue {
            checkpoint = try Checkpoint(folder: url)
        } else if url.lastPathComponent.hasSuffix(".index.json") {
            checkpoint = try Checkpoint(index: url)
        } else {
            checkpoint = try Checkpoint(file: url)
        }
        guard let root else { return checkpoint }
        return try checkpoint.under(root)
    }

    /// The part of the checkpoint whose names begin with `root` and a separator, which they lose.
    public func under(_ root: String, separator: String = ".") throws(CheckpointError) -> Checkpoint {
        var part = self
        part.names = []
        part.tensors = [:]
        let prefix = root + separator
        for name in names where name.hasPrefix(prefix) {
            let short = String(name.dropFirst(prefix.count))
            part.names.append(short)
            part.tensors[short] = tensors[name]
        }
        guard !part.names.isEmpty else { throw CheckpointError(file: url.path, reason: "has no tensors under \(root)") }
        part.root = self.root.isEmpty ? root : "\(self.root).\(root)"
        return part
    }

    init(url: URL) {
        self.url = url
    }

    private init(file url: URL) throws(CheckpointError) {
        self.init(url: url)
        let content = try FileContent(url)
        for (name, tensor) in content.tensors {
            names.append(name)
            tensors[name] = (tensor, url.path)
        }
        plain = content.plain
        safetensorsMetadata = content.metadata
    }

    /// Adds a tensor, whose name must be new.
    mutating func add(_ name: String, _ tensor: StoredTensor, in file: String) throws(CheckpointError) {
        if let other = tensors.updateValue((tensor, file), forKey: name) {
            throw CheckpointError(file: file, tensor: name, reason: "is in \(other.file) too")
        }
        names.append(name)
    }

    // MARK: Tensors

    /// What the file says of a tensor; nil when there is none of this name.
    public func info(_ name: String) -> TensorInfo? {
        guard let (tensor, file) = tensors[name] else { return nil }
        return TensorInfo(
            name: name, dtype: tensor.dtype, shape: tensor.shape, byteCount: tensor.byteCount, file: file)
    }

    /// The tensor as fp32: in place when the file has it so, as a copy when it must be converted or gathered.
    public func tensor(_ name: String) throws(CheckpointError) -> Tensor {
        try reading(name) { (stored) throws(FormatFault) in
            if stored.dtype == .float32, stored.isContiguous, case .mapped(let file, let range) = stored.storage {
                let start = range.lowerBound + stored.offset * 4
                if start % 4 == 0, start <= file.count {
                    return Tensor(mapped: file, byteOffset: start, shape: stored.shape)
                }
            }
            return try stored.withDenseBytes { bytes in
                Tensor(generating: stored.shape) { bytes.convert(stored.dtype, to: $0, count: stored.count) }
            }
        }
    }

    /// The elements of an integer or boolean tensor, exact and in row-major order, and its shape.
    public func integers(_ name: String) throws(CheckpointError) -> (values: [Int], shape: [Int]) {
        try reading(name) { (stored) throws(FormatFault) in
            guard let values = try stored.withDenseBytes({ $0.integers(stored.dtype) }) else {
                throw FormatFault("is \(stored.dtype.rawValue), not integers below 2^63")
            }
            return (values, stored.shape)
        }
    }

    /// A copy of the tensor in the number type of the file.
    public func array(_ name: String) throws(CheckpointError) -> TypedArray {
        try reading(name) { (stored) throws(FormatFault) in
            TypedArray(dtype: stored.dtype, shape: stored.shape, bytes: try stored.withDenseBytes { [UInt8]($0) })
        }
    }

    /// The tensor in place, in the number type of the file; nil when the file does not hold it dense and unpacked.
    public func mapped(_ name: String) throws(CheckpointError) -> MappedArray? {
        try reading(name) { (stored) throws(FormatFault) in MappedArray(stored) }
    }

    private func reading<Result>(
        _ name: String, _ body: (StoredTensor) throws(FormatFault) -> Result
    ) throws(CheckpointError) -> Result {
        guard let (stored, file) = tensors[name] else {
            throw CheckpointError(file: url.path, tensor: name, reason: "is missing")
        }
        do {
            return try body(stored)
        } catch {
            throw CheckpointError(file: file, tensor: name, reason: error.reason)
        }
    }

    // MARK: What stands beside the tensors

    /// A plain value of a `torch.save` file, by its name relative to `root`: `step`, `config.dim`. An empty name is the
    /// whole. nil when there is no such value, and for other kinds of file.
    public func value(_ name: String) throws(CheckpointError) -> PlainValue? {
        let parts = [root, name].filter { !$0.isEmpty }
        return try blaming(url.path) { () throws(FormatFault) in
            try plain?.value(named: parts.joined(separator: "."))
        }
    }

    /// The free text in the header of a safetensors file (`__metadata__`); empty for other kinds of file.
    public var metadata: [String: String] { safetensorsMetadata }
}

/// What one file holds, whichever its kind.
struct FileContent {
    var tensors: [(name: String, tensor: StoredTensor)]
    var plain: PickleTree?
    var metadata: [String: String] = [:]

    init(_ url: URL) throws(CheckpointError) {
        let file = try MappedFile.opened(url.path)
        self = try blaming(url.path) { () throws(FormatFault) in try FileContent(file) }
    }

    private init(_ file: MappedFile) throws(FormatFault) {
        // Safetensors first: the length of a header may look like the start of anything.
        if SafetensorsFile.isLikely(file) {
            let contents = try SafetensorsFile(file)
            tensors = contents.tensors
            metadata = contents.metadata
        } else if TorchFile.isArchive(file) || TorchFile.isLegacy(file) {
            let contents = try TorchFile.isArchive(file) ? TorchFile.readArchive(file) : TorchFile.readLegacy(file)
            tensors = contents.tensors
            plain = contents.tree
        } else if file.count > 8, file.copy(0..<8).elementsEqual("version ".utf8) {
            throw FormatFault("is a Git LFS pointer; fetch the file that it stands for (git lfs pull)")
        } else {
            throw FormatFault("is neither a safetensors file nor one that torch.save wrote")
        }
    }
}
