/// How the next token is drawn: the part of Hugging Face's `GenerationConfig` that sampling one sequence uses, with its
/// defaults.
public struct SamplingSettings: Sendable, Equatable {
    /// False takes the token with the highest score.
    public var doSample = true
    /// Scores are divided by it.
    public var temperature: Float = 1
    /// Only the `topK` highest scores stay (more when scores are equal at the border); 0 keeps all. 50 is the default
    /// of `GenerationConfig`, in force wherever a file does not say otherwise.
    public var topK = 50
    /// Only the most probable tokens that together have this probability stay; 1 keeps all. A double, since the
    /// reference takes it from 1 before it rounds to fp32.
    public var topP = 1.0
    /// Positive scores of tokens that came before are divided by it, negative ones multiplied.
    public var repetitionPenalty: Float = 1
    /// The tokens in `endIDs` cannot come before this many others.
    public var minimumNewTokens = 0
    /// What ends a sequence, for `minimumNewTokens`. None in the official files, so their minimum has no effect.
    public var endIDs: [Int32] = []
    /// Top-k and top-p leave at least this many; 2 in beam search, else 1.
    public var minimumKept = 1

    /// The defaults of `GenerationConfig`, but sampling.
    public init() {}

    /// Why settings make no sense, or nil.
    public var complaint: String? {
        if !(temperature > 0 && temperature.isFinite) { return "temperature \(temperature) is not above 0" }
        if topK < 0 { return "top_k \(topK) is below 0" }
        if !(topP > 0 && topP <= 1) { return "top_p \(topP) is not above 0 and at most 1" }
        if !(repetitionPenalty > 0 && repetitionPenalty.isFinite) {
            return "repetition_penalty \(repetitionPenalty) is not above 0"
        }
        if minimumNewTokens < 0 { return "min_new_tokens \(minimumNewTokens) is below 0" }
        if minimumKept < 1 { return "at least one token must be kept" }
        return nil
    }
}

extension SamplingSettings: Decodable {
    private enum CodingKeys: String, CodingKey {
        case doSample = "do_sample"
        case temperature
        case topK = "top_k"
        case topP = "top_p"
        case repetitionPenalty = "repetition_penalty"
        case minimumNewTokens = "min_new_tokens"
        case endIDs = "eos_token_id"
        case beamCount = "num_beams"
    }

    /// Reads a `generation_config.json`; what it does not say has the defaults of `GenerationConfig`, which does not
    /// sample unless told to. Other keys are passed over.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        func value<Value: Decodable>(_ key: CodingKeys, _ absent: Value) throws -> Value {
            try values.decodeIfPresent(Value.self, forKey: key) ?? absent
        }
        doSample = try value(.doSample, false)
        temperature = try value(.temperature, 1)
        topK = try value(.topK, 50)
        topP = try value(.topP, 1)
        repetitionPenalty = try value(.repetitionPenalty, 1)
        minimumNewTokens = try value(.minimumNewTokens, 0)
        if let one = try? values.decodeIfPresent(Int32.self, forKey: .endIDs) {
            endIDs = [one]
        } else {
            endIDs = try value(.endIDs, [])
        }
        minimumKept = try value(.beamCount, 1) > 1 ? 2 : 1
        if let complaint {
            throw DecodingError.dataCorrupted(
                DecodingError.Context(codingPath: decoder.codingPath, debugDescription: complaint))
        }
    }
}

/// The settings of each modality: those of a run are in force from the token behind its start mark on.
public struct ModalitySampling: Sendable, Equatable {
    /// For text and for all marks outside of runs.
    public var text = SamplingSettings()
    /// For speech codes and the end of their run.
    public var speech = SamplingSettings()
    /// For image codes.
    public var image = SamplingSettings()
    /// For music codes and the end of their run.
    public var music = SamplingSettings()

    /// The values of the reference's `config/*_generate_config.json`.
    ///
    /// Its chat script draws text by beam sampling (`generate_config.json`), which cannot stream; text here is drawn
    /// as in `text_generate_config.json`.
    public init() {
        speech.repetitionPenalty = 1.05
        music.repetitionPenalty = 1.15
        music.topK = 200
    }

    /// The settings of one modality.
    public subscript(modality: Modality) -> SamplingSettings {
        switch modality {
        case .text: text
        case .speech: speech
        case .image: image
        case .music: music
        }
    }
}
