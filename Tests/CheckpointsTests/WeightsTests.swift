import Checkpoints
import Foundation
import Tensors
import TestSupport
import Testing

@Suite("Strict weights")
struct WeightsTests {
    /// A checkpoint of tensors of one element each, whose value is their place.
    private func checkpoint(_ names: [String]) throws -> (folder: TemporaryFolder, checkpoint: Checkpoint) {
        let folder = try TemporaryFolder()
        var writer = SafetensorsWriter()
        for (place, name) in names.enumerated() { writer.add(name, TypedArray([Float(place)], shape: [1])) }
        try writer.write(to: folder.file("model.safetensors"))
        return (folder, try Checkpoint.open(folder.url))
    }

    @Test("Scopes join their names, and a load that uses everything is clean")
    func cleanLoad() throws {
        let (_, checkpoint) = try checkpoint(["encoder.model.0.weight", "encoder.model.0.bias", "scale"])
        let weights = Weights(checkpoint)
        let layer = weights["encoder.model"][0]
        #expect(layer.scope == "encoder.model.0")
        #expect(try layer.tensor("weight", [1]).values == [0])
        #expect(layer.contains("bias") && !layer.contains("gain"))
        #expect(weights.unused == ["encoder.model.0.bias", "scale"].filter { weights.unused.contains($0) })
        #expect(try weights["encoder"]["model.0"].array("bias", [1]).floats == [1])
        try weights["encoder"].requireAllUsed()
        #expect(weights.unused == ["scale"])
        #expect(try weights.tensor("scale").values == [2])
        try weights.requireAllUsed()
    }

    @Test("A missing or wrongly shaped tensor is named with both shapes and its file")
    func wrongTensors() throws {
        let (folder, checkpoint) = try checkpoint(["a.weight"])
        let weights = Weights(checkpoint)
        let missing = #expect(throws: CheckpointError.self) { try weights["a"].tensor("bias", [1]) }
        #expect(missing?.description == "\(folder.url.path): tensor \"a.bias\" is missing")
        let wrong = #expect(throws: CheckpointError.self) { try weights["a"].tensor("weight", [3, 4]) }
        let file = folder.file("model.safetensors").path
        #expect(wrong?.description == "\(file): tensor \"a.weight\" has shape [1]; the network has [3, 4]")
        #expect(weights.unused == ["a.weight"])
    }

    @Test("What is left over is listed, the first ten of it and how many there are")
    func leftOvers() throws {
        let (_, checkpoint) = try checkpoint((0..<12).map { "layers.\($0).w" } + ["norm"])
        let weights = Weights(checkpoint)
        _ = try weights.tensor("norm")
        let error = #expect(throws: CheckpointError.self) { try weights.requireAllUsed() }
        #expect(error?.reason.hasPrefix("holds 12 tensors that the network has no place for: layers.0.w, ") == true)
        #expect(error?.reason.hasSuffix(", …") == true)
        #expect(error?.reason.split(separator: "layers.").count == 11)
    }

    @Test("What an official file holds beside the network is passed over by name, and can be listed")
    func passingOver() throws {
        let (_, checkpoint) = try checkpoint(["layers.0.w", "layers.0.inv_freq", "layers.10.inv_freq", "ema.count"])
        let weights = Weights(checkpoint, passingOver: ["layers.*.inv_freq", "ema.count", "not.there"])
        _ = try weights["layers"]["0"].tensor("w")
        try weights.requireAllUsed()
        #expect(Set(weights.passedOver) == ["layers.0.inv_freq", "layers.10.inv_freq", "ema.count"])
    }

    @Test("Numbered scopes are listed in the order of their numbers")
    func childIndices() throws {
        let (_, checkpoint) = try checkpoint(["l.10.w", "l.2.w", "l.2.b", "l.0.w", "l.norm.w", "lm.7.w", "3"])
        let weights = Weights(checkpoint)
        #expect(weights["l"].childIndices == [0, 2, 10])
        #expect(weights.childIndices == [3])
        #expect(weights["l.norm"].childIndices == [])
    }
}
