import Checkpoints
import Foundation
import Tensors
import TestSupport
import Testing

@testable import UnCLIP

@Suite("Pictures") struct PictureRunTests {
    private let model: UnCLIPModel
    private let embedding: [Float]

    init() throws {
        model = try UnCLIPModel(folder: Golden.file("unclip", "stable-diffusion-2-1-unclip"))
        var random = TestGenerator(seed: 5)
        embedding = random.normal(model.embeddingSize)
    }

    @Test("the same seed draws the same picture, in whatever pieces; another seed another one")
    func seeds() throws {
        let size = PictureSize(width: 28, height: 44)
        let whole = try model.generate(embedding: embedding, seed: 3, steps: 3, size: size)
        #expect(whole.size == size)
        #expect(whole.pixels.count == 3 * 28 * 44)
        let run = try model.makeRun(embedding: embedding, seed: 3, steps: 3, size: size)
        var pieces = 0
        while run.advance(for: .zero) { pieces += 1 }
        #expect(pieces > 100)
        #expect(run.picture == whole)
        #expect(try model.generate(embedding: embedding, seed: 4, steps: 3, size: size) != whole)
    }

    @Test("progress counts every call and the decoding, and is checked between pieces")
    func progress() throws {
        var steps: [Int] = []
        _ = try model.generate(embedding: embedding, seed: 1, steps: 4, size: PictureSize(width: 16, height: 16)) {
            #expect($0.steps == 6)
            if steps.last != $0.step { steps.append($0.step) }
        }
        // Small pieces end together with the call that they belong to.
        #expect(steps.first == 0)
        #expect(steps == steps.sorted())
    }

    @Test("what a checkpoint throws ends the drawing")
    func cancelled() throws {
        struct Stopped: Error {}
        var checks = 0
        #expect(throws: Stopped.self) {
            _ = try model.generate(embedding: embedding, seed: 1) { _ in
                checks += 1
                if checks == 2 { throw Stopped() }
            }
        }
        #expect(checks == 2)
    }

    @Test("without guidance the network is given one picture")
    func unguided() throws {
        let size = PictureSize(width: 24, height: 24)
        #expect(try model.memory(size: size, guidance: 1) < model.memory(size: size, guidance: 10))
        _ = try model.generate(embedding: embedding, seed: 1, steps: 1, guidance: 1, size: size)
    }

    @Test("what can't be drawn is refused")
    func refused() throws {
        let size = PictureSize(width: 16, height: 16)
        func reason(
            _ embedding: [Float], steps: Int = 20, guidance: Float = 10, _ size: PictureSize
        ) -> String {
            do {
                _ = try model.makeRun(embedding: embedding, seed: 0, steps: steps, guidance: guidance, size: size)
                return ""
            } catch { return error.description }
        }
        #expect(reason([1, 2], size).contains("an embedding of 2 numbers, expected 24"))
        #expect(reason(embedding.map { _ in .nan }, size).contains("finite"))
        #expect(reason(embedding, steps: 0, size).contains("0 steps"))
        #expect(reason(embedding, steps: 1001, size).contains("1001 steps"))
        #expect(reason(embedding, guidance: .infinity, size).contains("guidance"))
        #expect(reason(embedding, PictureSize(width: 18, height: 16)).contains("multiples of 4"))
        #expect(reason(embedding, PictureSize(width: 0, height: 16)).contains("multiples of 4"))
        #expect(reason(embedding, PictureSize(width: 1 << 40, height: 16)).contains("up to 2048"))
        #expect(reason(embedding, size) == "")
    }
}
