import Encodec
import Foundation
import Layers
import TestSupport
import Testing

@Suite("Encodec configurations") struct EncodecConfigurationTests {
    /// What loading a golden model with a changed `config.json` says; empty when it loads.
    private func failure(_ change: (inout [String: Any]) -> Void) throws -> String {
        let folder = Golden.folder("encodec/encodec_32khz")
        let data = try Data(contentsOf: folder.appending(path: "config.json"))
        var json = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
        change(&json)
        let file = FileManager.default.temporaryDirectory.appending(path: "encodec-\(UUID().uuidString).json")
        defer { try? FileManager.default.removeItem(at: file) }
        try JSONSerialization.data(withJSONObject: json).write(to: file)
        do {
            _ = try EncodecModel(configuration: file, checkpoint: folder)
            return ""
        } catch { return "\(error)" }
    }

    @Test("a missing, a left-over and a wrongly shaped tensor are named") func strict() throws {
        #expect(try failure { $0["use_conv_shortcut"] = true }.contains("shortcut"))
        #expect(try failure { $0["num_lstm_layers"] = 3 }.contains("weight_ih_l2"))
        #expect(try failure { $0["num_lstm_layers"] = 1 }.contains("_l1"))
        #expect(try failure { ($0["hidden_size"], $0["codebook_dim"]) = (17, 17) }.contains("shape"))
        #expect(try failure { $0["norm_type"] = "time_group_norm" }.contains("norm_type"))
        #expect(try failure { $0["normalize"] = true }.contains("normalize"))
        #expect(try failure { ($0["chunk_length_s"], $0["overlap"]) = (1.0, 0.01) }.contains("chunk_length_s"))
        // More than there are is all of them, as in the reference.
        #expect(try failure { $0["target_bandwidths"] = [8.8] } == "")
    }

    @Test("values that make no sense are refused with their key") func ranges() throws {
        #expect(try failure { $0["upsampling_ratios"] = [8, 1 << 40] }.contains("ratio"))
        #expect(try failure { $0["upsampling_ratios"] = [] as [Int] }.contains("upsampling_ratios"))
        #expect(try failure { $0["pad_mode"] = "circular" }.contains("pad_mode"))
        #expect(try failure { $0["norm_type"] = "layer_norm" }.contains("norm_type"))
        #expect(try failure { $0["codebook_size"] = 2047 }.contains("power of two"))
        #expect(try failure { $0["codebook_dim"] = 8 }.contains("codebook_dim"))
        #expect(try failure { $0["trim_right_ratio"] = 0.5 }.contains("trim_right_ratio"))
        #expect(try failure { $0["sampling_rate"] = "high" }.contains("sampling_rate"))
        #expect(try failure { $0["model_type"] = "mimi" }.contains("model_type"))
    }

    @Test("what is left out has the defaults of the reference's class") func defaults() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "encodec-\(UUID().uuidString).json")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data("{}".utf8).write(to: file)
        let configuration = try EncodecConfiguration(contentsOf: file)
        #expect(configuration.sampleRate == 24_000)
        #expect(configuration.frameRate == 75)
        #expect(configuration.seanet.convolution.isCausal)
        #expect(configuration.seanet.hasShortcut)
    }
}
