import Checkpoints
import Foundation
import Tensors
import TestSupport
import Testing

@Suite("Safetensors files")
struct SafetensorsTests {
    @Test("What is written is read back, whatever types, shapes and names", arguments: [1, 2, 3, 4, 5, 6] as [UInt64])
    func roundTrip(seed: UInt64) throws {
        var generator = TestGenerator(seed: seed)
        let folder = try TemporaryFolder()
        let names = ["a", "model.w", "naïve – ü", "quote\"back\\slash", "tab\tand\u{1}", "😀", "", "__metadata"]
        for round in 0..<40 {
            var arrays: [String: TypedArray] = [:]
            for number in 0..<Int.random(in: 0..<12, using: &generator) {
                let dtype = DType.allCases.randomElement(using: &generator)!
                let rank = Int.random(in: 0..<5, using: &generator)
                let shape = (0..<rank).map { _ in Int.random(in: 0..<6, using: &generator) }
                let bytes = (0..<shape.reduce(dtype.size, *)).map { _ in UInt8.random(in: 0...255, using: &generator) }
                let name = names.randomElement(using: &generator)! + (number == 0 ? "" : String(number))
                arrays[name] = TypedArray(dtype: dtype, shape: shape, bytes: bytes)
            }
            let metadata = round % 2 == 0 ? [:] : ["format": "pt", "note": "line\nbreak \"and\" 😀"]
            var writer = SafetensorsWriter(metadata: metadata)
            for (name, array) in arrays { writer.add(name, array) }
            let url = folder.file("file.safetensors")
            try writer.write(to: url)
            let checkpoint = try Checkpoint.open(url)
            #expect(checkpoint.names.sorted() == arrays.keys.sorted(), "seed \(seed), round \(round)")
            #expect(checkpoint.metadata == metadata)
            for (name, array) in arrays {
                #expect(try checkpoint.array(name) == array)
                #expect(try checkpoint.tensor(name).values.map(\.bitPattern) == array.floats.map(\.bitPattern))
                if let integers = array.integers { #expect(try checkpoint.integers(name).values == integers) }
                #expect(checkpoint.info(name)?.byteCount == array.bytes.count)
            }
        }
    }

    @Test("The reference's files come out of the writer as they went in")
    func rewrite() throws {
        let folder = try TemporaryFolder()
        let original = try Checkpoint.open(Golden.file("torch-file", "expected.safetensors"))
        var writer = SafetensorsWriter()
        for name in original.names { writer.add(name, try original.array(name)) }
        try writer.write(to: folder.file("copy"))
        let copy = try Checkpoint.open(folder.file("copy"))
        #expect(copy.names.sorted() == original.names.sorted())
        for name in original.names { #expect(try copy.array(name) == original.array(name)) }
    }

    @Test("Tensors that are not aligned are copied, not refused: old writers did not pad")
    func unaligned() throws {
        let header =
            #"{"byte":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"w":{"dtype":"F32","shape":[2],"data_offsets":[1,9]}}"#
        let bytes = PickleBytes.little(UInt64(header.utf8.count)) + Array(header.utf8) + [7]
        let values: [Float] = [1.5, -2.25]
        let folder = try TemporaryFolder()
        let url = try folder.write(bytes + values.withUnsafeBytes { [UInt8]($0) })
        #expect(try Checkpoint.open(url).tensor("w").values == values)
        #expect(try Checkpoint.open(url).integers("byte").values == [7])
    }

    @Test("The writer refuses equal names and wrong lengths, and leaves nothing behind")
    func writerErrors() throws {
        let folder = try TemporaryFolder()
        var twice = SafetensorsWriter()
        twice.add("a", TypedArray([1], shape: [1]))
        twice.add("a", TypedArray([2], shape: [1]))
        #expect(throws: CheckpointError.self) { try twice.write(to: folder.file("twice")) }
        var short = SafetensorsWriter()
        short.add("a", .float32, [2]) { [0, 0, 0, 0] }
        let error = #expect(throws: CheckpointError.self) { try short.write(to: folder.file("short")) }
        #expect(error?.tensor == "a")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path).isEmpty)
    }

    @Test("All half-precision numbers are widened exactly")
    func halves() {
        let bytes = (0...UInt16.max).flatMap(PickleBytes.little)
        let floats = TypedArray(dtype: .float16, shape: [65536], bytes: bytes).floats
        for (bits, float) in zip(0...UInt16.max, floats) {
            let expected = Float(Float16(bitPattern: bits))
            let isRight = expected.isNaN ? float.isNaN : float.bitPattern == expected.bitPattern
            #expect(isRight, "\(bits) became \(float)")
        }
    }

    @Test("Numbers are converted by their type")
    func conversion() {
        func array(_ dtype: DType, _ bytes: [UInt8]) -> TypedArray {
            TypedArray(dtype: dtype, shape: [bytes.count / dtype.size], bytes: bytes)
        }
        #expect(array(.bfloat16, [0x80, 0x3F, 0x49, 0xC0]).floats == [1, -3.140625])
        #expect(array(.float16, [0x00, 0x3C, 0x01, 0x00]).floats == [1, 0x1p-24])
        #expect(array(.float64, PickleBytes.little((0.1).bitPattern)).floats == [0.1])
        #expect(array(.float64, PickleBytes.little((0.1).bitPattern)).doubles == [0.1])
        // 2^53 + 2^29 + 1: rounded to double first it would lie between two floats, and then go the wrong way.
        #expect(array(.int64, PickleBytes.little(0x2000_0020_0000_01)).floats == [Float(0x2000_0020_0000_01)])
        #expect(array(.uint64, PickleBytes.little(UInt64.max)).floats == [0x1p64])
        #expect(array(.uint64, PickleBytes.little(UInt64.max)).integers == nil)
        #expect(array(.int8, [0xFF, 0x80]).integers == [-1, -128])
        #expect(array(.uint16, [0xFF, 0xFF]).floats == [65535])
        #expect(array(.bool, [0, 1, 2]).floats == [0, 1, 1])
        #expect(array(.float32, [0, 0, 0, 0]).integers == nil)
    }
}
