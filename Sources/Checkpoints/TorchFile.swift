import Tensors

/// Reads the files that `torch.save` writes: zip archives since torch 1.6, and the sequence of pickles from before.
enum TorchFile {
    /// A zip archive begins with a local header.
    static func isArchive(_ file: MappedFile) -> Bool {
        file.count >= 4 && file.copy(0..<4) == [0x50, 0x4B, 0x03, 0x04]
    }

    /// The old format begins with a pickle of a magic number, in a protocol of 2 or later.
    static func isLegacy(_ file: MappedFile) -> Bool {
        file.count >= 2 && file.bytes[0] == 0x80 && (2...5).contains(file.bytes[1])
    }

    /// Reads a zip archive: `PREFIX/data.pkl` describes the values, `PREFIX/data/KEY` is a storage.
    static func readArchive(_ file: MappedFile) throws(FormatFault) -> TorchContents {
        let directory = try ZipDirectory(file)
        let pickles = directory.entries.values.filter { $0.name == "data.pkl" || $0.name.hasSuffix("/data.pkl") }
        guard let pickle = pickles.first, pickles.count == 1 else {
            throw FormatFault("is a zip archive with \(pickles.count) entries data.pkl, not a torch.save file")
        }
        let prefix = String(pickle.name.dropLast("data.pkl".count))
        if let order = directory.entries[prefix + "byteorder"] {
            guard order.byteCount <= 16, try order.read(from: file).elementsEqual("little".utf8) else {
                throw FormatFault("was written on a big-endian machine; save it again on a little-endian one")
            }
        }
        guard pickle.byteCount <= Limits.pickleBytes else {
            throw FormatFault("has a data.pkl of \(pickle.byteCount) bytes; at most \(Limits.pickleBytes) are read")
        }
        var position = 0
        let tree = try PickleMachine.read(try pickle.read(from: file), at: &position)

        // One `Storage` per entry, so that deflated ones are unpacked once for all of their tensors.
        var storages: [String: Storage] = [:]
        return try TorchContents(tree, fileSize: file.count) { (reference) throws(FormatFault) -> Storage in
            let name = "\(prefix)data/\(reference.key)"
            guard let entry = directory.entries[name] else {
                throw FormatFault("has its numbers in entry \(name.shortened), which is missing")
            }
            guard reference.byteCount <= entry.byteCount else {
                throw FormatFault(
                    "has \(reference.byteCount) bytes in its storage, of which the file holds \(entry.byteCount)")
            }
            let storage = storages[name] ?? entry.storage(in: file)
            storages[name] = storage
            return try storage.part(reference)
        }
    }

    private static let magic: [UInt8] = [0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19]

    /// Reads the format before torch 1.6: pickles of a magic number, a version, facts about the machine, the values and
    /// the keys of the storages; then each storage's element count and bytes.
    static func readLegacy(_ file: MappedFile) throws(FormatFault) -> TorchContents {
        var start = 0
        func next() throws(FormatFault) -> PickleTree {
            let window = file.copy(start..<min(file.count, start + Limits.pickleBytes))
            var length = 0
            let tree = try PickleMachine.read(window, at: &length)
            start += length
            return tree
        }
        guard case .wideInteger(magic) = try next().root else {
            throw FormatFault("is a pickle, but not one that torch.save wrote")
        }
        guard case .integer(1001) = try next().root else { throw FormatFault("is of an unknown version") }
        let machine = try next()
        for (key, value) in try machine.entries(machine.root) ?? [] where key == "little_endian" {
            guard case .bool(true) = value else {
                throw FormatFault("was written on a big-endian machine; save it again on a little-endian one")
            }
        }
        let tree = try next()
        let keys = try next()
        let storages = try legacyStorages(file, from: start, keys: keys, of: tree)
        return try TorchContents(tree, fileSize: file.count) { (reference) throws(FormatFault) -> Storage in
            guard let range = storages[reference.key] else {
                throw FormatFault("has its numbers in storage \(reference.key.shortened), which is missing")
            }
            guard range.count == reference.byteCount else {
                throw FormatFault(
                    "has \(reference.byteCount) bytes in its storage, of which the file holds \(range.count)")
            }
            return try Storage.mapped(file, range).part(reference)
        }
    }

    /// Where each storage lies. The file states how many elements there are, the references of which type.
    private static func legacyStorages(
        _ file: MappedFile, from start: Int, keys: PickleTree, of tree: PickleTree
    ) throws(FormatFault) -> [String: Range<Int>] {
        var sizes: [String: Int] = [:]
        for object in tree.objects {
            guard case .persistent(let identity) = object else { continue }
            let reference = try StorageReference(identity, in: tree)
            let size = reference.dtype?.size ?? 1
            guard sizes.updateValue(size, forKey: reference.key) ?? size == size else {
                throw FormatFault("refers to storage \(reference.key.shortened) by two types")
            }
        }
        var ranges: [String: Range<Int>] = [:]
        var position = start
        for item in keys.elements(keys.root) ?? [] {
            guard case .text(let key) = item, let size = sizes[key] else {
                throw FormatFault("holds a storage that no tensor refers to")
            }
            guard position <= file.count - 8 else { throw FormatFault("ends before storage \(key.shortened)") }
            var header = ByteReader(file.copy(position..<(position + 8)))
            let count = try header.size(UInt64.self)
            position += 8
            guard count <= (file.count - position) / size else {
                throw FormatFault("claims \(count) elements in storage \(key.shortened), more than it holds")
            }
            guard ranges.updateValue(position..<(position + count * size), forKey: key) == nil else {
                throw FormatFault("holds storage \(key.shortened) twice")
            }
            position += count * size
        }
        return ranges
    }
}

extension Storage {
    /// The part of a storage that an old reference means; all of it for the others.
    fileprivate func part(_ reference: StorageReference) throws(FormatFault) -> Storage {
        guard let part = reference.part else { return self }
        guard case .mapped(let file, let range) = self else {
            throw FormatFault("is part of a deflated storage, which torch never wrote")
        }
        let size = reference.dtype?.size ?? 1
        let start = range.lowerBound + part.lowerBound * size
        return .mapped(file, start..<(start + part.count * size))
    }
}
