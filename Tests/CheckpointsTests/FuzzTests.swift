import Checkpoints
import Foundation
import TestSupport
import Testing

/// Damaged golden files: each must be read or refused, and neither crash, hang nor take more memory than it justifies.
@Suite("Damaged files", .timeLimit(.minutes(5)))
struct FuzzTests {
    static let files =
        TorchFileTests.files.map { Golden.file("torch-file", $0) } + [
            Golden.file("torch-file", "expected.safetensors"), Golden.file("llama-hf", "inputs.safetensors"),
        ]

    @Test("Cut off anywhere, a file is refused", arguments: files)
    func truncation(file: URL) throws {
        let bytes = try [UInt8](Data(contentsOf: file))
        let folder = try TemporaryFolder()
        var generator = TestGenerator(seed: 11)
        let ends = (0..<200).map { _ in Int.random(in: 0..<bytes.count, using: &generator) }
        for end in ends + Array(0..<64) + Array((bytes.count - 64)..<bytes.count) {
            let url = try folder.write(bytes[..<end])
            #expect(throws: CheckpointError.self, "\(file.lastPathComponent) cut at \(end)") { try readAll(url) }
        }
    }

    @Test("With bytes changed anywhere, a file is read or refused", arguments: files, [21, 22, 23] as [UInt64])
    func flips(file: URL, seed: UInt64) throws {
        let original = try [UInt8](Data(contentsOf: file))
        let folder = try TemporaryFolder()
        var generator = TestGenerator(seed: seed)
        var (read, refused) = (0, 0)
        for _ in 0..<400 {
            var bytes = original
            // Half of the damage goes where the structure is: pickles and headers at the start, directories at the end.
            let window = min(bytes.count, 1500)
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let place =
                    switch Int.random(in: 0..<4, using: &generator) {
                    case 0: Int.random(in: 0..<window, using: &generator)
                    case 1: Int.random(in: (bytes.count - window)..<bytes.count, using: &generator)
                    default: Int.random(in: 0..<bytes.count, using: &generator)
                    }
                bytes[place] =
                    Bool.random(using: &generator)
                    ? bytes[place] ^ (1 << UInt8.random(in: 0..<8, using: &generator))
                    : [0, 0xFF, 0x7F, 0x80, UInt8.random(in: 0...255, using: &generator)].randomElement(
                        using: &generator)!
            }
            do {
                try readAll(try folder.write(bytes))
                read += 1
            } catch let error as CheckpointError {
                #expect(!error.reason.isEmpty && !error.description.contains("\n"))
                refused += 1
            }
        }
        #expect(read > 0 && refused > 0, "seed \(seed): \(read) read, \(refused) refused")
    }

    @Test("Random pickles are read or refused", arguments: [31, 32, 33] as [UInt64])
    func randomPickles(seed: UInt64) throws {
        var generator = TestGenerator(seed: seed)
        let folder = try TemporaryFolder()
        let opcodes = Array("(.012BCGJKMNQRTUX]abcdehjlqrstu})".utf8) + Array(0x80...0x96)
        let names = [
            "torch._utils\n_rebuild_tensor_v2\n", "collections\nOrderedDict\n", "torch\nFloatStorage\n",
            "torch\nSize\n",
        ]
        for _ in 0..<2000 {
            var pickle: [UInt8] = [0x80, 2]
            for _ in 0..<Int.random(in: 1..<60, using: &generator) {
                let opcode = opcodes.randomElement(using: &generator)!
                pickle.append(opcode)
                if opcode == UInt8(ascii: "c") { pickle += Array(names.randomElement(using: &generator)!.utf8) }
                if "KqhCU".utf8.contains(opcode) { pickle.append(UInt8.random(in: 0..<6, using: &generator)) }
            }
            pickle.append(UInt8(ascii: "."))
            do { try readAll(try folder.write(ZipBytes.torch(pickle).bytes)) } catch is CheckpointError {}
        }
    }

    @Test("Hostile claims take no memory")
    func memory() async throws {
        await #expect(processExitsWith: .success) {
            let folder = try TemporaryFolder()
            typealias P = PickleBytes
            let one = P.integer(1)
            // 64 MB of zeros in 64 KB, as a storage and as the pickle itself.
            let zeros = [UInt8](repeating: 0, count: 64 << 20)
            let tensor = P.whole(P.dictionary([("w", P.tensor(storage: 16 << 20, shape: [one], strides: [one]))]))
            var bombs: [[UInt8]] = []
            for place in [0, 2] {
                var archive = ZipBytes.torch(tensor)
                archive.entries[place].content = zeros
                archive.entries[place].isDeflated = true
                bombs.append(archive.bytes)
            }
            bombs.append(ZipBytes.torch(P.whole(P.tensor(shape: [P.integer(1 << 34)], strides: [P.integer(0)]))).bytes)
            bombs.append(ZipBytes.torch(P.whole([0x8D] + P.little(Int64.max))).bytes)
            bombs.append(P.little(UInt64(100_000_000)) + Array("{\"a\"".utf8))
            let before = try residentPeak(reset: true)
            for bomb in bombs {
                let url = try folder.write(bomb)
                do { try readAll(url) } catch is CheckpointError { continue }
                fatalError("a bomb was read")
            }
            let grown = try residentPeak() - before
            precondition(grown < 16 << 20, "\(grown) bytes more than before")
        }
    }
}

/// The most memory that this process has used so far, or since it was last reset.
private func residentPeak(reset: Bool = false) throws -> Int {
    if reset { try "5".write(toFile: "/proc/self/clear_refs", atomically: false, encoding: .utf8) }
    let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") } ?? ""
    return (line.split(separator: " ").dropLast().last.flatMap { Int($0) } ?? 0) << 10
}
