import Checkpoints
import Foundation
import Tensors
import TestSupport
import Testing

@Suite("Files of torch.save")
struct TorchFileTests {
    static let files = ["plain.pt", "views.pt", "parameters.pt", "ckpt.dev", "nested.pt", "many.pt", "legacy.pt"]

    /// The reference's tensors of one file, by the names that they have in it; `legacy.pt` holds those of `plain.pt`.
    static func expected(_ file: String) throws -> Checkpoint {
        let stem = file == "legacy.pt" ? "plain" : String(file.prefix { $0 != "." })
        return try Checkpoint.open(Golden.file("torch-file", "expected.safetensors")).under(stem, separator: "/")
    }

    @Test("Every tensor of every golden file is the reference's, bit by bit, and there are no others", arguments: files)
    func golden(file: String) throws {
        let expected = try Self.expected(file)
        let checkpoint = try Checkpoint.open(Golden.file("torch-file", file))
        #expect(checkpoint.names.sorted() == expected.names.sorted())
        for name in expected.names {
            #expect(try checkpoint.array(name) == expected.array(name), "\(name)")
            #expect(
                try checkpoint.tensor(name).values.map(\.bitPattern) == expected.array(name).floats.map(\.bitPattern))
            #expect(try checkpoint.tensor(name).shape == expected.info(name)?.shape)
        }
    }

    @Test("Plain values stand beside the tensors")
    func plainValues() throws {
        let checkpoint = try Checkpoint.open(Golden.file("torch-file", "nested.pt"))
        let expected: [(String, PlainValue)] = [
            ("step", .integer(1205)), ("lr", .real(0.0001)), ("name", .text("tiny – naïve")), ("none", .none),
            ("flag", .bool(true)), ("big", .integer(1_099_511_627_781)), ("neg", .integer(-7)),
            ("betas", .list([.real(0.9), .real(0.99)])), ("betas.1", .real(0.99)),
            ("config.activation", .text("Snake")),
            ("config.dim", .list([.integer(8), .integer(5), .integer(4), .integer(2)])), ("config.dim.3", .integer(2)),
            ("list", .list([.integer(1), .integer(2), .tensor])), ("model.weight", .tensor),
        ]
        for (name, value) in expected { #expect(try checkpoint.value(name) == value, "\(name)") }
        #expect(try checkpoint.value("config")?["activation"] == .text("Snake"))
        #expect(try checkpoint.value("nothing") == nil)
        #expect(try checkpoint.value("step.deeper") == nil)
    }

    @Test("A root makes the names of a nested state dict its own")
    func root() throws {
        let url = Golden.file("torch-file", "nested.pt")
        let model = try Checkpoint.open(url, root: "model")
        #expect(model.names == ["weight", "bias"])
        #expect(try model.array("bias") == Self.expected("nested.pt").array("model.bias"))
        let error = #expect(throws: CheckpointError.self) { try Checkpoint.open(url, root: "mode") }
        #expect(error?.description == "\(url.path): has no tensors under mode")
    }

    @Test("Contiguous fp32 is used in place, other tensors are converted")
    func mapping() throws {
        let checkpoint = try Checkpoint.open(Golden.file("torch-file", "plain.pt"))
        #expect(checkpoint.info("half")?.dtype == .float16)
        #expect(checkpoint.info("half")?.byteCount == 30)
        #expect(checkpoint.info("scalar")?.shape == [])
        #expect(checkpoint.info("nothing") == nil)
        #expect(try checkpoint.integers("ids").shape == [8])
        #expect(try checkpoint.integers("flags").values == checkpoint.array("flags").bytes.map(Int.init))
        #expect(throws: CheckpointError.self) { try checkpoint.integers("half") }
        #expect(throws: CheckpointError.self) { try checkpoint.tensor("nothing") }
    }
}
