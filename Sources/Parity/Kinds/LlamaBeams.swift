import Checkpoints
import Foundation
import Llama

/// Beam searches of a llama-hf case: an input RUN.prompt_ids, settings under RUN in `case.json`, and for each variant
/// RUN.VARIANT.scores with RUN.VARIANT.seq0… or RUN.VARIANT.sequences.
struct LlamaBeams {
    private let verification: Verification
    private var golden: GoldenCase { verification.golden }

    init(_ verification: Verification) { self.verification = verification }

    func verify(_ model: LlamaModel, _ inputs: Checkpoint) throws {
        for input in inputs.names.sorted(by: isBefore) where input.hasSuffix(".prompt_ids") {
            let run = String(input.dropLast(".prompt_ids".count))
            let variants = Set(
                verification.expectedNames(after: "\(run).").compactMap { name -> String? in
                    let parts = name.split(separator: ".", maxSplits: 1)
                    return parts.count == 2 ? String(parts[0]) : nil
                })
            guard !variants.isEmpty, let settings = golden.about[run] else { continue }
            let prompt = try inputs.ids(input)
            for variant in variants.sorted(by: isBefore) {
                verification.stage("\(run).\(variant)")
                let search = try BeamSettings(settings, variant, golden)
                var cache = LlamaCache(model.configuration)
                let found = try search.search.run(
                    prompt, on: model, cache: &cache, scratch: LlamaScratch(model.configuration),
                    returning: search.count)
                try compare("\(run).\(variant)", found, padding: search.padding)
            }
        }
    }

    private func compare(_ name: String, _ found: [BeamSearch.Hypothesis], padding: Int) throws {
        try verification.compare("\(name).scores", TypedArray(found.map(\.score), shape: [found.count]))
        for (index, hypothesis) in found.enumerated() {
            try verification.compare("\(name).seq\(index)", TypedArray(ids: hypothesis.ids))
        }
        let longest = found.map(\.ids.count).max() ?? 0
        let padded = found.flatMap { hypothesis in
            hypothesis.ids.map(Int.init) + Array(repeating: padding, count: longest - hypothesis.ids.count)
        }
        try verification.compare("\(name).sequences", TypedArray(padded, shape: [found.count, longest]))
    }
}

/// One variant of a search, as `GenerationConfig` of transformers 4.34.1 understands it.
private struct BeamSettings {
    var search: BeamSearch
    /// Sequences that are returned.
    let count: Int
    /// What stands behind sequences that ended early.
    let padding: Int

    /// - Parameter json: the settings of all variants; an object under the variant's name overrides them.
    init(_ json: JSON, _ variant: String, _ golden: GoldenCase) throws {
        let own = json[variant]
        func value<Value>(_ key: String, _ read: (JSON) -> Value?, _ absent: Value) throws -> Value {
            guard let found = own?[key] ?? json[key], found != .null else { return absent }
            guard let value = read(found) else {
                throw CaseError("read", golden.file("case.json").path, "\(key) of the beam search makes no sense")
            }
            return value
        }
        search = BeamSearch(maxNewTokens: try value("max_new_tokens", \.integer, 20))
        search.beams = try value("num_beams", \.integer, 1)
        search.lengthPenalty = try value("length_penalty", \.number, 1)
        search.earlyStopping =
            switch own?["early_stopping"] ?? json["early_stopping"] {
            case .flag(true): .atOnce
            case .text("never"): .never
            default: .heuristic
            }
        count = try value("num_return_sequences", \.integer, 1)
        let generation =
            golden.has("generation_config.json") ? try JSON.read(golden.file("generation_config.json")) : .null
        let model = try JSON.read(golden.file("config.json"))
        func ends(_ json: JSON?) -> [Int32]? { json?.integers?.compactMap(Int32.init(exactly:)) }
        if let ends = ends(own?["eos_token_id"] ?? json["eos_token_id"]) {
            search.eos = ends
            search.minNewTokens = try value("min_new_tokens", \.integer, 0)
        } else {
            // Without an end of the call's own the search falls back to the model's, and no minimum is enforced.
            search.eos = ends(generation["eos_token_id"]) ?? ends(model["eos_token_id"]) ?? [2]
        }
        padding = try value(
            "pad_token_id", \.integer, generation["pad_token_id"]?.integer ?? Int(search.eos.first ?? 0))
    }
}
