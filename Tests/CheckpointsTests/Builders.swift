import CZlib
import Foundation

/// Pickles, written opcode by opcode.
struct PickleBytes {
    var bytes: [UInt8] = [0x80, 2]

    static func text(_ text: String) -> [UInt8] { [UInt8(ascii: "X")] + little(UInt32(text.utf8.count)) + text.utf8 }
    static func global(_ module: String, _ name: String) -> [UInt8] { Array("c\(module)\n\(name)\n".utf8) }
    static func integer(_ value: Int) -> [UInt8] { [0x8A, 8] + little(Int64(value)) }
    static func real(_ value: Double) -> [UInt8] { [UInt8(ascii: "G")] + little(value.bitPattern.byteSwapped) }
    static func tuple(_ items: [[UInt8]]) -> [UInt8] { [UInt8(ascii: "(")] + items.joined() + [UInt8(ascii: "t")] }
    static func list(_ items: [[UInt8]]) -> [UInt8] { Array("](".utf8) + items.joined() + [UInt8(ascii: "e")] }
    static func call(_ function: [UInt8], _ arguments: [[UInt8]]) -> [UInt8] {
        function + tuple(arguments) + [UInt8(ascii: "R")]
    }
    static func dictionary(_ entries: [(String, [UInt8])]) -> [UInt8] {
        Array("}(".utf8) + entries.flatMap { text($0.0) + $0.1 } + [UInt8(ascii: "u")]
    }
    static func little(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { [UInt8]($0) }
    }

    /// A storage of floats.
    static func storage(_ key: String, _ count: Int, type: String = "FloatStorage") -> [UInt8] {
        tuple([text("storage"), global("torch", type), text(key), text("cpu"), integer(count)])
            + [UInt8(ascii: "Q")]
    }

    /// A call of `_rebuild_tensor_v2` on a storage `0`.
    static func tensor(
        storage count: Int = 4, offset: [UInt8] = integer(0), shape: [[UInt8]], strides: [[UInt8]]
    ) -> [UInt8] {
        call(
            global("torch._utils", "_rebuild_tensor_v2"),
            [
                storage("0", count), offset, tuple(shape), tuple(strides), [0x89],
                call(global("collections", "OrderedDict"), []),
            ])
    }

    /// A whole pickle of this value.
    static func whole(_ value: [UInt8]) -> [UInt8] { [0x80, 2] + value + [UInt8(ascii: ".")] }
}

/// Zip archives, honest and otherwise.
struct ZipBytes {
    struct Entry {
        var name: String
        var content: [UInt8]
        var isDeflated = false
        /// What the directory says in place of the truth.
        var claimedSize: Int?
        var claimedOffset: Int?
        var hasWideSizes = false
    }

    var entries: [Entry] = []
    var claimedCount: Int?
    var hasWideEnd = false

    /// The archive of a `torch.save` file with one storage of four floats.
    static func torch(_ pickle: [UInt8], storage: [Float] = [1, 2, 3, 4], deflated: Bool = false) -> ZipBytes {
        ZipBytes(entries: [
            Entry(name: "archive/data.pkl", content: pickle, isDeflated: deflated),
            Entry(name: "archive/byteorder", content: Array("little".utf8)),
            Entry(name: "archive/data/0", content: storage.withUnsafeBytes { [UInt8]($0) }, isDeflated: deflated),
            Entry(name: "archive/version", content: Array("3\n".utf8)),
        ])
    }

    var bytes: [UInt8] {
        let little16 = { (value: Int) in PickleBytes.little(UInt16(truncatingIfNeeded: value)) }
        let little32 = { (value: Int) in PickleBytes.little(UInt32(truncatingIfNeeded: value)) }
        let little64 = { (value: Int) in PickleBytes.little(Int64(value)) }
        var archive: [UInt8] = []
        var directory: [UInt8] = []
        for entry in entries {
            let packed = entry.isDeflated ? Self.deflated(entry.content) : entry.content
            let offset = entry.claimedOffset ?? archive.count
            let size = entry.claimedSize ?? entry.content.count
            let packedSize = entry.isDeflated ? packed.count : size
            let sum = Int(crc32(0, entry.content, UInt32(entry.content.count)))
            let method = little16(entry.isDeflated ? 8 : 0)
            let extra =
                entry.hasWideSizes ? little16(1) + little16(24) + [size, packedSize, offset].flatMap(little64) : []
            let common =
                little16(20) + little16(0x0800) + method + little32(0) + little32(sum)
                + little32(entry.hasWideSizes ? 0xFFFF_FFFF : packedSize)
                + little32(entry.hasWideSizes ? 0xFFFF_FFFF : size) + little16(entry.name.utf8.count)
            archive += [0x50, 0x4B, 3, 4] + common + little16(0) + Array(entry.name.utf8) + packed
            directory += [0x50, 0x4B, 1, 2] + little16(20) + common + little16(extra.count)
            directory += [UInt8](repeating: 0, count: 10)
            directory += little32(entry.hasWideSizes ? 0xFFFF_FFFF : offset) + Array(entry.name.utf8) + extra
        }
        let count = claimedCount ?? entries.count
        let start = archive.count
        archive += directory
        if hasWideEnd {
            let end = archive.count
            archive += [0x50, 0x4B, 6, 6] + little64(44) + little16(45) + little16(45) + little32(0) + little32(0)
            archive += little64(count) + little64(count) + little64(directory.count) + little64(start)
            archive += [0x50, 0x4B, 6, 7] + little32(0) + little64(end) + little32(1)
        }
        let (shownCount, shownStart) = hasWideEnd ? (0xFFFF, 0xFFFF_FFFF) : (count, start)
        archive += [0x50, 0x4B, 5, 6] + little16(0) + little16(0) + little16(shownCount) + little16(shownCount)
        return archive + little32(directory.count) + little32(shownStart) + little16(0)
    }

    /// A bare deflate stream: what zlib makes, without its frame.
    static func deflated(_ content: [UInt8]) -> [UInt8] {
        var packed = [UInt8](repeating: 0, count: Int(compressBound(UInt(content.count))))
        var size = UInt(packed.count)
        precondition(compress(&packed, &size, content, UInt(content.count)) == Z_OK)
        return Array(packed[2..<(Int(size) - 4)])
    }
}
