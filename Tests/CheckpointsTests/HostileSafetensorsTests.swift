import Checkpoints
import Foundation
import TestSupport
import Testing

@Suite("Hostile safetensors files", .timeLimit(.minutes(1)))
struct HostileSafetensorsTests {
    private func file(_ header: String, data: Int, length: UInt64? = nil) -> [UInt8] {
        PickleBytes.little(length ?? UInt64(header.utf8.count)) + Array(header.utf8)
            + [UInt8](repeating: 0, count: data)
    }

    private func expect(_ message: String, _ bytes: [UInt8], tensor: String? = nil) throws {
        let folder = try TemporaryFolder()
        let url = try folder.write(bytes)
        let error = #expect(throws: CheckpointError.self) { try readAll(url) }
        #expect(error?.reason.contains(message) == true, "\(String(describing: error))")
        #expect(error?.tensor == tensor)
        #expect(error?.file == url.path)
    }

    @Test(
        "Headers that claim what the file is too short for are refused",
        arguments: [1 << 63, UInt64.max, 1 << 40, 100_000_001, 3])
    func length(claimed: UInt64) throws {
        try expect("claims a header of", file("{}", data: 0, length: claimed))
    }

    @Test(
        "A tensor's claims are checked, and the error names it",
        arguments: [
            (#""dtype":"F32","shape":[2],"data_offsets":[0,4]"#, "takes 8 bytes, in 4"),
            (#""dtype":"F32","shape":[1],"data_offsets":[0,400]"#, "cut off"),
            (#""dtype":"F32","shape":[1],"data_offsets":[4,0]"#, "ends before it begins"),
            (#""dtype":"F32","shape":[1],"data_offsets":[0,9223372036854775808]"#, "more than 63 bits"),
            (#""dtype":"F32","shape":[1],"data_offsets":[0,9223372036854775807]"#, "cut off"),
            (#""dtype":"F32","shape":[4611686018427387904,2],"data_offsets":[0,4]"#, "more elements than any memory"),
            (#""dtype":"F32","shape":[0,4611686018427387904,4],"data_offsets":[0,0]"#, "more elements than any memory"),
            (#""dtype":"F32","shape":[-1],"data_offsets":[0,4]"#, "has -1 where a size belongs"),
            (#""dtype":"F32","shape":[NaN],"data_offsets":[0,4]"#, "has NaN where a size belongs"),
            (#""dtype":"F32","shape":[1.0],"data_offsets":[0,4]"#, "has 1.0 where a size belongs"),
            (#""dtype":"F32","shape":[1e0],"data_offsets":[0,4]"#, "has 1e0 where a size belongs"),
            (#""dtype":"F32","shape":[01],"data_offsets":[0,4]"#, "has 01 where a size belongs"),
            (#""dtype":"F32","shape":["1"],"data_offsets":[0,4]"#, "a whole number expected"),
            (#""dtype":"F32","shape":[[1]],"data_offsets":[0,4]"#, "a whole number expected"),
            (#""dtype":"F32","shape":[1],"data_offsets":[0,4,8]"#, "more than 2"),
            (#""dtype":"F32","shape":[1],"data_offsets":[0]"#, "lacks"),
            (#""dtype":"F32","shape":[1]"#, "lacks"), (#""dtype":"F32","data_offsets":[0,4]"#, "lacks"),
            (#""shape":[1],"data_offsets":[0,4]"#, "lacks"),
            (#""dtype":"F8_E4M3","shape":[4],"data_offsets":[0,4]"#, "number type F8_E4M3"),
            (#""dtype":"F32","shape":[1],"data_offsets":[0,4],"dtype":"I32""#, "twice"),
            (#""dtype":"F32","shape":[1],"data_offsets":[0,4],"strides":[1]"#, "unknown property"),
            (#""dtype":"F32","shape":[1,],"data_offsets":[0,4]"#, "a whole number expected"),
        ])
    func claims(claim: String, message: String) throws {
        try expect(message, file("{\"layer.w\":{\(claim)}}", data: 4), tensor: "layer.w")
    }

    @Test("Overlaps, holes, leftovers and equal names are refused")
    func layout() throws {
        func entry(_ name: String, _ start: Int, _ end: Int) -> String {
            "\"\(name)\":{\"dtype\":\"U8\",\"shape\":[\(end - start)],\"data_offsets\":[\(start),\(end)]}"
        }
        try expect("inside another", file("{\(entry("a", 0, 8)),\(entry("b", 4, 12))}", data: 12), tensor: "b")
        try expect("inside another", file("{\(entry("a", 0, 8)),\(entry("b", 0, 8))}", data: 8), tensor: "b")
        try expect("2 too late", file("{\(entry("a", 0, 4)),\(entry("b", 6, 8))}", data: 8), tensor: "b")
        try expect("1 bytes after its last", file("{\(entry("a", 0, 8))}", data: 9))
        try expect("key \"a\" twice", file("{\(entry("a", 0, 4)),\(entry("a", 4, 8))}", data: 8))
        try expect("key \"a\" twice", file("{\(entry("a", 0, 4)),\(entry("\\u0061", 4, 8))}", data: 8))
    }

    @Test(
        "A header that is not JSON is refused",
        arguments: [
            "{", "{\"", "{\"a", "{\"a\"", "{\"a\":", "{\"a\":{", "{}}", "{} x", "{,}", "{\"a\":1}", "{'a':{}}",
            "{\"\\x\":{}}",
            "{\"\\ud800\":{}}", "{\"\\ud800\\u0041\":{}}", "{\"\\u+123\":{}}", "{\"\\u12\":{}}", "{\"a\nb\":{}}",
            "{\"__metadata__\":{\"a\":1}}", "{\"__metadata__\":[]}",
        ])
    func json(header: String) throws {
        let folder = try TemporaryFolder()
        let url = try folder.write(file(header, data: 0))
        #expect(throws: CheckpointError.self) { try Checkpoint.open(url) }
    }

    @Test("Header nesting and number lists have bounds")
    func nesting() throws {
        let deep = String(repeating: "[", count: 1_000_000)
        try expect("a whole number", file("{\"a\":{\"shape\":\(deep)", data: 0), tensor: "a")
        let long = "[" + String(repeating: "1,", count: 1_000_000) + "1]"
        try expect("more than 64", file("{\"a\":{\"shape\":\(long)}}", data: 0), tensor: "a")
    }

    @Test("Files of other kinds are named for what they are")
    func others() throws {
        try expect("neither", [])
        try expect("neither", Array("hello world, this is text".utf8))
        try expect("Git LFS pointer", Array("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n".utf8))
        try expect("end", Array("PK\u{3}\u{4}".utf8) + [UInt8](repeating: 0, count: 100))
        try expect("not one that torch.save wrote", [0x80, 2] + Array("N.".utf8))
        let missing = URL(filePath: "/nonexistent/file")
        let error = #expect(throws: CheckpointError.self) { try Checkpoint.open(missing) }
        #expect(error?.description == "/nonexistent/file: there is no such file or folder")
    }
}
