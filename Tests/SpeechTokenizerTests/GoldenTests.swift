import Checkpoints
import Foundation
import SpeechTokenizer
import Tensors
import TestSupport
import Testing

/// The numbers of the reference implementation. `anygpt verify` compares the same by `compare.json`'s rules; here they
/// are the fast inner loop.
@Suite("SpeechTokenizer golden") struct GoldenTests {
    @Test(
        "latents and waves within 1e-4, codes exact where the margin says so",
        arguments: ["speechtokenizer-snake", "speechtokenizer-elu"])
    func golden(_ name: String) throws {
        let model = try SpeechTokenizerModel(folder: Golden.folder(name))
        let inputs = try Checkpoint.open(Golden.file(name, "inputs.safetensors"))
        let expected = try Checkpoint.open(Golden.file(name, "expected.safetensors"))
        for wave in inputs.names {
            let clip = String(wave.dropLast(".wave".count))
            let samples = try inputs.tensor(wave).values
            let latent = model.latent(samples).transposed
            let truth = try expected.tensor("\(clip).encoder_out")
            #expect(latent.shape == truth.shape)
            #expect(zip(latent.values, truth.values).allSatisfy { abs($0 - $1) < 1e-4 }, "\(clip)")
            let codes = try expected.integers("\(clip).codes")
            let margin = try expected.tensor("\(clip).margin").values
            let ours = model.encode(samples)
            let frames = codes.shape[1]
            for frame in 0..<frames {
                for level in 0..<8 {
                    if margin[level * frames + frame] < 1e-4 { break }
                    #expect(
                        Int(ours[level][frame]) == codes.values[level * frames + frame], "\(clip) \(level) \(frame)")
                }
            }
            let theirs = (0..<8).map { level in (0..<frames).map { Int32(codes.values[level * frames + $0]) } }
            let sound = try model.decode(theirs)
            let soundTruth = try expected.tensor("\(clip).wave_from_all_codes").values
            #expect(sound.count == soundTruth.count)
            #expect(zip(sound, soundTruth).allSatisfy { abs($0 - $1) < 1e-4 }, "\(clip)")
        }
    }

    @Test("a missing, a left-over and a wrongly shaped tensor are named") func strict() throws {
        let folder = Golden.folder("speechtokenizer-elu")
        let configuration = FileManager.default.temporaryDirectory.appending(path: "config-\(UUID().uuidString).json")
        defer { try? FileManager.default.removeItem(at: configuration) }
        var json = try #require(
            JSONSerialization.jsonObject(with: Data(contentsOf: folder.appending(path: "config.json")))
                as? [String: Any])
        func failure(_ change: (inout [String: Any]) -> Void) throws -> String {
            var changed = json
            change(&changed)
            try JSONSerialization.data(withJSONObject: changed).write(to: configuration)
            do {
                _ = try SpeechTokenizerModel(
                    configuration: configuration, checkpoint: folder.appending(path: "ckpt.dev"))
                return ""
            } catch { return "\(error)" }
        }
        #expect(try failure { $0["n_q"] = 9 }.contains("quantizer.vq.layers.8._codebook.embed"))
        #expect(try failure { $0["n_q"] = 7 }.contains("quantizer.vq.layers.7._codebook.embed"))
        #expect(try failure { $0["dimension"] = 25 }.contains("shape"))
        #expect(try failure { $0["lstm_layers"] = -1 }.contains("lstm_layers"))
        #expect(try failure { $0["strides"] = [8, 5, 4, 1 << 40] }.contains("stride"))
        #expect(try failure { $0["activation"] = "GELU" }.contains("activation"))
        json["n_filters"] = nil
        #expect(try failure { _ in }.contains("n_filters"))
    }
}
