import Checkpoints
import Foundation
import SoundStorm
import Testing

@Suite("Loading")
struct LoadingTests {
    private func load(
        _ network: RandomNetwork, described: SoundStormDescription? = nil, json: String? = nil,
        change: (inout [(name: String, shape: [Int])]) -> Void = { _ in }
    ) throws -> SoundStormConfiguration {
        try TemporaryFolder.with { folder in
            let file = folder.appending(path: "network.safetensors")
            try network.write(to: file, seed: 1, change: change)
            if let json {
                try json.write(to: folder.appending(path: "soundstorm.json"), atomically: true, encoding: .utf8)
            }
            return try SoundStormModel(contentsOf: file, described: described).configuration
        }
    }

    @Test("all sizes but the split of the heads come from the tensors", arguments: ForwardTests.networks.indices)
    func sizes(index: Int) throws {
        let network = ForwardTests.networks[index]
        let c = try load(network, described: SoundStormDescription(headSize: network.headSize))
        #expect(c.dim == network.dim && c.depth == network.depth)
        #expect(c.heads == network.heads && c.headSize == network.headSize)
        #expect(c.feedForwardSize == network.feedForward)
        #expect(c.convolutionSize == network.channels && c.kernelSize == network.taps)
        #expect(c.levels == network.levels && c.codes == network.codes)
        #expect(c.semanticCodes == network.semanticCodes && c.maskID == network.codes)
        #expect(try load(network, described: SoundStormDescription(heads: network.heads)) == c)
    }

    @Test("undescribed heads are 128 wide where that divides, else 64, else refused")
    func usualHeads() throws {
        #expect(try load(RandomNetwork(heads: 2, headSize: 128)).headSize == 128)
        #expect(try load(RandomNetwork(heads: 3, headSize: 64)).headSize == 64)
        let error = #expect(throws: SoundStormError.self) { try load(RandomNetwork(heads: 5, headSize: 32)) }
        #expect(error?.description.contains("soundstorm.json") == true)
    }

    @Test("soundstorm.json beside the file describes it, flat or as the reference's arguments")
    func describedByFile() throws {
        let network = RandomNetwork()
        let flat = #"{"dim": 12, "depth": 2, "heads": 2, "dim_head": 6, "conv_kernel_size": 5, "schedule": "cosine"}"#
        #expect(try load(network, json: flat).heads == 2)
        let nested = #"{"codebook_size": 37, "num_quantizers": 3, "conformer": {"heads": 3, "attn_flash": false}}"#
        #expect(try load(network, json: nested).heads == 3)
    }

    @Test(
        "a description of another network is refused, with both values",
        arguments: [
            (#"{"dim": 16, "dim_head": 6}"#, "dim: the description says 16, the checkpoint's tensors say 12"),
            (#"{"depth": 3, "dim_head": 6}"#, "depth: the description says 3, the checkpoint's tensors say 2"),
            (#"{"heads": 4, "dim_head": 6}"#, "says 4 · 6, the checkpoint's to_q is 12 wide"),
            (#"{"heads": 9223372036854775807, "dim_head": 6}"#, "to_q is 12 wide"),
            (#"{"heads": 5}"#, "to_q is 12 wide"), (#"{"dim_head": 5}"#, "to_q is 12 wide"),
            (#"{"heads": 4}"#, "to_q is 12 wide"), (#"{"dim_head": 99}"#, "to_q is 12 wide"),
            (#"{"ff_mult": 4, "dim_head": 6}"#, "says 48, the checkpoint's tensors say 20"),
            (#"{"ff_mult": 9223372036854775807, "dim_head": 6}"#, "ff_mult"),
            (#"{"conv_expansion_factor": 2, "dim_head": 6}"#, "says 24, the checkpoint's tensors say 10"),
            (#"{"conv_kernel_size": 31, "dim_head": 6}"#, "says 31, the checkpoint's tensors say 5"),
            (#"{"num_quantizers": 7, "dim_head": 6}"#, "says 7, the checkpoint's tensors say 3"),
            (#"{"codebook_size": 1024, "dim_head": 6}"#, "says 1024, the checkpoint's tensors say 37"),
            (#"{"dim_head": 0}"#, "dim_head is 0"), (#"{"dim_head": "6"}"#, "dim_head"), ("{", "soundstorm.json"),
            (#"{"dim_head": 6, "conv_causal": true}"#, "conv_causal"), ("[]", "soundstorm.json"),
        ])
    func conflicts(json: String, reason: String) throws {
        let error = #expect(throws: SoundStormError.self) { try load(RandomNetwork(), json: json) }
        #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
        #expect(error?.description.contains("\n") == false)
    }

    @Test("a tensor that is missing, left over or of another shape is refused by name", arguments: [false, true])
    func strict(sequential: Bool) throws {
        let network = RandomNetwork(sequential: sequential)
        let names = network.tensors.map(\.name)
        _ = try load(network, described: network.description)
        for (index, name) in names.enumerated() {
            let missing = #expect(throws: CheckpointError.self) {
                try load(network, described: SoundStormDescription(headSize: 6)) { $0.remove(at: index) }
            }
            #expect(missing?.description.contains(name) == true, "\(missing?.description ?? "") without \(name)")
            // Nothing else in the checkpoint says how many semantic codes there are.
            if name != "semantic_token_emb.weight" {
                #expect(throws: (any Error).self, "\(name)") {
                    try load(network, described: network.description) { $0[index].shape[0] += 1 }
                }
            }
            #expect(throws: (any Error).self, "\(name)") {
                try load(network, described: network.description) { $0[index].shape.append(1) }
            }
            #expect(throws: (any Error).self, "\(name)") {
                try load(network, described: network.description) { $0[index].shape = [] }
            }
        }
        let extra = #expect(throws: CheckpointError.self) {
            try load(network, described: network.description) { $0.append(("net.conformer.layers.1.extra", [3])) }
        }
        #expect(extra?.description.contains("net.conformer.layers.1.extra") == true)
    }

    @Test("buffers that follow from the sizes may be there")
    func passedOver() throws {
        let network = RandomNetwork()
        _ = try load(network, described: network.description) {
            $0 += [
                ("net.conformer.rotary_emb.inv_freq", [3]), ("net.quantizer_offsets", [3]), ("net.mask_tokens", [3]),
            ]
        }
    }

    @Test("blocks must be numbered without a gap")
    func gap() throws {
        let network = RandomNetwork()
        #expect(throws: SoundStormError.self) {
            try load(network, described: SoundStormDescription(headSize: 6)) { list in
                for index in list.indices {
                    list[index].name = list[index].name.replacingOccurrences(of: "layers.1.", with: "layers.2.")
                }
            }
        }
    }
}
