import Checkpoints
import Foundation
import TestSupport
import Testing

@Suite("Hostile torch files", .timeLimit(.minutes(1)))
struct HostilePickleTests {
    typealias P = PickleBytes

    /// Opens an archive with this pickle and reads all of it; the error that this gives.
    private func refusal(of archive: ZipBytes) throws -> CheckpointError? {
        let folder = try TemporaryFolder()
        let url = try folder.write(archive.bytes)
        return #expect(throws: CheckpointError.self) { try readAll(url) }
    }

    private func expect(_ message: String, of pickle: [UInt8], tensor: String? = nil) throws {
        let error = try refusal(of: .torch(pickle))
        #expect(error?.reason.contains(message) == true, "\(String(describing: error))")
        #expect(error?.tensor == tensor)
        #expect(error?.file.hasSuffix("/file") == true)
    }

    @Test("What the builder makes is read, so that refusals are for what they say")
    func honest() throws {
        let tensor = P.tensor(shape: [P.integer(2), P.integer(2)], strides: [P.integer(1), P.integer(2)])
        let pickle = P.whole(P.dictionary([("w", tensor), ("n", P.integer(-5))]))
        let folder = try TemporaryFolder()
        for deflated in [false, true] {
            for wide in [false, true] {
                var archive = ZipBytes.torch(pickle, deflated: deflated)
                archive.hasWideEnd = wide
                for index in archive.entries.indices { archive.entries[index].hasWideSizes = wide }
                let checkpoint = try Checkpoint.open(try folder.write(archive.bytes))
                #expect(try checkpoint.array("w") == TypedArray([1, 3, 2, 4] as [Float], shape: [2, 2]))
                #expect(try checkpoint.value("n") == .integer(-5))
            }
        }
    }

    @Test(
        "A pickle that names a function is refused by that name, whichever way it names it",
        arguments: [
            ("os", "system"), ("posix", "system"), ("nt", "system"), ("builtins", "eval"), ("__builtin__", "exec"),
            ("subprocess", "Popen"), ("torch", "load"), ("torch.storage", "_load_from_bytes"), ("collections", "deque"),
            ("numpy.core.multiarray", "scalar"), ("torch", "floatstorage"), ("", ""), ("torch._utils", ""),
        ])
    func functions(module: String, name: String) throws {
        let full = "\(module).\(name), which a checkpoint has no use for"
        try expect(full, of: P.whole(P.call(P.global(module, name), [P.text("touch /tmp/owned")])))
        let fromStack = P.text(module) + P.text(name) + [0x93]
        try expect(full, of: P.whole(P.dictionary([("w", P.call(fromStack, [P.text("1")]))])))
    }

    @Test("A hostile name does not write over the terminal or fill it")
    func longName() throws {
        let error = try refusal(of: .torch(P.whole(P.global("a\u{1B}[2J", String(repeating: "x", count: 100_000)))))
        #expect(error.map { $0.description.count < 500 && !$0.description.contains("\u{1B}") } == true)
    }

    @Test("A tensor's numbers must make sense, and the error names the tensor")
    func tensors() throws {
        let one = P.integer(1)
        let cases: [(message: String, tensor: [UInt8])] = [
            ("shape that is no 64-bit integer: nan", P.tensor(shape: [P.real(.nan)], strides: [one])),
            ("shape that is no 64-bit integer: 2.0", P.tensor(shape: [P.real(2)], strides: [one])),
            ("shape that is no 64-bit integer: None", P.tensor(shape: [Array("N".utf8)], strides: [one])),
            (
                "no 64-bit integer: an integer of 9 bytes",
                P.tensor(shape: [[0x8A, 9] + P.little(0) + [1]], strides: [one])
            ),
            ("negative size", P.tensor(shape: [P.integer(-4)], strides: [one])),
            ("more elements than any memory", P.tensor(shape: [P.integer(.max)], strides: [one])),
            (
                "more elements than any memory",
                P.tensor(shape: [P.integer(1 << 32), P.integer(1 << 31)], strides: [one, one])
            ),
            (
                "more elements than any memory",
                P.tensor(shape: [P.integer(0), P.integer(1 << 40), P.integer(1 << 40)], strides: [one, one, one])
            ),
            ("reaches element 4", P.tensor(shape: [P.integer(5)], strides: [one])),
            ("reaches element 4", P.tensor(offset: P.integer(1), shape: [P.integer(4)], strides: [one])),
            ("reaches element 6", P.tensor(shape: [P.integer(4)], strides: [P.integer(2)])),
            ("negative stride", P.tensor(shape: [P.integer(2)], strides: [P.integer(-1)])),
            ("negative stride or offset", P.tensor(offset: P.integer(-1), shape: [one], strides: [one])),
            ("strides that no memory has", P.tensor(shape: [P.integer(3)], strides: [P.integer(.max)])),
            ("2 strides for 1 dimensions", P.tensor(shape: [one], strides: [one, one])),
            ("offset that is no integer", P.tensor(offset: P.real(.nan), shape: [one], strides: [one])),
            ("repeats a storage", P.tensor(shape: [P.integer(1 << 40)], strides: [P.integer(0)])),
            ("dimensions", P.tensor(shape: [[UInt8]](repeating: one, count: 65), strides: [])),
            ("claims a storage of", P.tensor(storage: -1, shape: [one], strides: [one])),
            ("claims a storage of", P.tensor(storage: .max, shape: [one], strides: [one])),
            ("of which the file holds 16", P.tensor(storage: 5, shape: [one], strides: [one])),
            ("not described by what torch writes", P.call(P.global("torch._utils", "_rebuild_tensor_v2"), [one])),
            ("parameter without a tensor", P.call(P.global("torch._utils", "_rebuild_parameter"), [one])),
            ("bare storage", P.storage("0", 4)),
        ]
        for (message, tensor) in cases {
            try expect(message, of: P.whole(P.dictionary([("layer", P.list([tensor]))])), tensor: "layer.0")
        }
    }

    @Test("Where an empty tensor begins is not followed")
    func emptyTensorFarAway() throws {
        let tensor = P.tensor(offset: P.integer(.max), shape: [P.integer(0)], strides: [P.integer(1)])
        let folder = try TemporaryFolder()
        let checkpoint = try Checkpoint.open(try folder.write(ZipBytes.torch(P.whole(tensor)).bytes))
        _ = try checkpoint.tensor("")
        #expect(try checkpoint.mapped("")?.shape == [0])
    }

    @Test("Tensors that repeat a storage may not add up to much more than the file")
    func repetition() throws {
        // Each is within the bounds of its own; together they are not.
        let tensor = P.tensor(shape: [P.integer(1 << 15)], strides: [P.integer(0)])
        try expect(
            "repeats a storage", of: P.whole(P.list([[UInt8]](repeating: tensor, count: 64))), tensor: "9")
    }

    @Test("Two tensors of one joined name are refused")
    func sameName() throws {
        let tensor = P.tensor(shape: [], strides: [])
        let nested = P.dictionary([("a", P.dictionary([("b", tensor)])), ("a.b", tensor)])
        try expect("is there twice", of: P.whole(nested), tensor: "a.b")
        let keys = Array("}(".utf8) + P.integer(1) + tensor + P.text("1") + tensor + Array("u".utf8)
        try expect("two keys that are both written 1", of: P.whole(keys))
    }

    @Test("Containers that hold themselves or each other end in an error, not in a hang")
    func cycles() throws {
        try expect("nested deeper", of: P.whole(Array("]q\0h\0a".utf8)))
        try expect("nested deeper", of: P.whole(Array("}q\0X\u{1}\0\0\0ah\0s".utf8)))
        // Ten times ten times ten …: each list holds the one before ten times.
        var laughs = Array("](NNe".utf8)
        for level in 0..<40 {
            laughs += [UInt8(ascii: "q"), UInt8(level)] + Array("](".utf8)
            laughs += (0..<10).flatMap { _ in [UInt8(ascii: "h"), UInt8(level)] } + [UInt8(ascii: "e")]
        }
        try expect("hold each other over and over", of: P.whole(laughs))
    }

    @Test("Deep nesting overflows nothing")
    func nesting() throws {
        let depth = 200_000
        let nested = [UInt8](repeating: UInt8(ascii: "]"), count: depth)
        let closed = nested + [UInt8](repeating: UInt8(ascii: "a"), count: depth - 1)
        try expect("more memory than its length", of: P.whole(closed))
        let tuples = [UInt8](repeating: UInt8(ascii: ")"), count: 1) + [UInt8](repeating: 0x85, count: 9_000)
        try expect("nested deeper", of: P.whole(tuples))
        try expect("takes more than it has put", of: P.whole([UInt8](repeating: UInt8(ascii: "("), count: 1 << 20)))
        let copies = [UInt8](repeating: UInt8(ascii: "2"), count: 1 << 20)
        try expect("lacks a mark", of: P.whole(Array("N".utf8) + copies + Array("t".utf8)))
    }

    @Test("Opcodes that lie about sizes, stack or memo are refused")
    func opcodes() throws {
        let huge = P.little(UInt64(1) << 63)
        let cases: [(message: String, pickle: [UInt8])] = [
            ("takes more than it has put", []), ("takes more than it has put", Array("R".utf8)),
            ("takes more than it has put", Array("N(".utf8) + [0x85]), ("lacks a mark", Array("t".utf8)),
            ("remembers nothing", Array("q\0".utf8)), ("recalls what it never met", Array("h\0".utf8)),
            ("adds to something that is no container", Array("NNa".utf8)),
            ("adds to something that is no container", Array("]NNs".utf8)),
            ("adds to something that is no container", Array("}(Nu".utf8)),
            ("calls something that is no function", Array("N)R".utf8)),
            ("sets attributes", Array("]}b".utf8)), ("name that is no text", Array("NN".utf8) + [0x93]),
            ("claims 9223372036854775808 bytes", [0x8D] + huge), ("claims 9223372036854775808", [0x8E] + huge),
            ("ends too early", [0x8D] + P.little(Int64.max)),
            ("ends too early", Array("X".utf8) + P.little(UInt32.max)),
            ("ends too early", [0x8B] + P.little(Int32(-1))), ("ends too early", Array("T".utf8) + P.little(Int32.min)),
            ("not UTF-8", Array("X".utf8) + P.little(UInt32(1)) + [0xFF]), ("protocol 6", [0x80, 6]),
            ("of a class that checkpoints only name", P.global("torch", "FloatStorage") + Array(")R".utf8)),
            ("opcode 0x69", Array("ios\nsystem\n".utf8)), ("opcode 0x6f", Array("(o".utf8)), ("opcode 0x81", [0x81]),
            ("opcode 0x82", [0x82, 1]), ("opcode 0x50", Array("P0\n".utf8)), ("opcode 0x0", [0]),
            ("neither text nor numbers", Array("})Ns".utf8)),
        ]
        for (message, pickle) in cases { try expect(message, of: P.whole(pickle)) }
    }

    @Test("Archives that lie about their entries are refused")
    func archives() throws {
        let pickle = P.whole(P.dictionary([("w", P.tensor(shape: [P.integer(4)], strides: [P.integer(1)]))]))
        func check(_ message: String, _ change: (inout ZipBytes) -> Void) throws {
            var archive = ZipBytes.torch(pickle)
            change(&archive)
            let error = try refusal(of: archive)
            #expect(error?.reason.contains(message) == true, "\(String(describing: error))")
        }
        try check("lies outside") { $0.entries[2].claimedSize = 1 << 30 }
        try check("lies outside") {
            $0.entries[2].hasWideSizes = true; $0.entries[2].claimedSize = .max
        }
        try check("lies outside") {
            $0.entries[2].hasWideSizes = true; $0.entries[2].claimedOffset = .max
        }
        try check("claims 1") {
            $0.entries[2].hasWideSizes = true; $0.entries[2].claimedOffset = -1
        }
        try check("damaged header") { $0.entries[2].claimedOffset = 5 }
        try check("share bytes") {
            $0.entries[2].claimedOffset = 0; $0.entries[2].claimedSize = 16
        }
        try check("directory lies outside") { $0.claimedCount = 1000 }
        try check("more in it than entries") { $0.claimedCount = 3 }
        try check("directory lies outside") {
            $0.hasWideEnd = true; $0.claimedCount = .max
        }
        try check("two entries named") { $0.entries.append($0.entries[2]) }
        try check("which is missing") { $0.entries.remove(at: 2) }
        try check("0 entries data.pkl") { $0.entries.remove(at: 0) }
        try check("2 entries data.pkl") { $0.entries.append(.init(name: "b/data.pkl", content: pickle)) }
        try check("big-endian") { $0.entries[1].content = Array("big".utf8) }
        try check("unpack to its stated size") {
            $0.entries[2].isDeflated = true; $0.entries[2].claimedSize = 17
        }
        try check("of which the file holds 15") {
            $0.entries[2].isDeflated = true; $0.entries[2].claimedSize = 15
        }
        try check("unpack to more than") {
            $0.entries[2].isDeflated = true; $0.entries[2].claimedSize = 1 << 30
        }
    }

    @Test("Damaged deflated entries are noticed by their checksum")
    func checksum() throws {
        let values = (0..<1024).map { Float($0) }
        let pickle = P.whole(
            P.dictionary([("w", P.tensor(storage: 1024, shape: [P.integer(1024)], strides: [P.integer(1)]))]))
        var bytes = ZipBytes.torch(pickle, storage: values, deflated: true).bytes
        let folder = try TemporaryFolder()
        #expect(try Checkpoint.open(try folder.write(bytes)).array("w").floats == values)
        let middle = bytes.count / 2
        bytes[middle] ^= 0x10
        let url = try folder.write(bytes)
        #expect(throws: CheckpointError.self) { try Checkpoint.open(url).array("w") }
    }
}

/// Opens a checkpoint and reads everything that it holds.
@discardableResult
func readAll(_ url: URL) throws -> Int {
    let checkpoint = try Checkpoint.open(url)
    for name in checkpoint.names {
        _ = try checkpoint.array(name)
        _ = try checkpoint.tensor(name)
    }
    _ = try checkpoint.value("")
    return checkpoint.names.count
}
