import AnyGPT
import Checkpoints
import Foundation
import Llama
import SoundStorm
import SpeechTokenizer
import Tensors
import Tokenizers

/// Cases of kind chain: a spoken question to a spoken answer through three models, which lie in other cases' folders.
/// Each step works with what ours before it gave.
enum ChainKind {
    static func run(_ verification: Verification) throws {
        let chain = try Chain(verification)
        let question = try chain.encode("question")
        let prompt = try chain.prompt(question)
        let answer = try chain.answer(prompt)
        let voice = try chain.encode("voice")
        let codes = try chain.voiced(answer, voice)
        try chain.sound(codes)
        try chain.decodedText(prompt, answer)
    }
}

private struct Chain {
    private let verification: Verification
    private let inputs: Checkpoint
    private let speech: SpeechTokenizerModel
    private let llama: LlamaModel
    private let soundStorm: SoundStormModel
    private let tokenizer: LlamaTokenizer
    private let vocabulary: ModalityVocabulary
    private var golden: GoldenCase { verification.golden }

    init(_ verification: Verification) throws {
        let golden = verification.golden
        func folder(_ model: String) throws -> URL {
            guard let path = golden.about["model_files"]?[model]?.text else {
                throw CaseError("read", golden.file("case.json").path, "model_files names no folder for \(model)")
            }
            return golden.folder.appending(path: path).standardizedFileURL
        }
        verification.stage("loading")
        self.verification = verification
        inputs = try golden.inputs()
        speech = try SpeechTokenizerModel(folder: folder("speech_tokenizer"))
        llama = try LlamaModel(folder: folder("llama"))
        soundStorm = try SoundStormKind.model(in: folder("soundstorm"))
        tokenizer = try LlamaTokenizer(folder: folder("llama"))
        vocabulary = try ModalityVocabulary(tokenizer)
        guard vocabulary.speech.codes.upperBound <= llama.configuration.vocab_size else {
            throw CaseError(
                "verify", golden.folder.path,
                "the tokenizer has ids to \(vocabulary.speech.codes.upperBound), the model "
                    + "\(llama.configuration.vocab_size)")
        }
    }

    /// Codes `[level][frame]` of a recording.
    func encode(_ name: String) throws -> [[Int32]] {
        verification.stage("\(name): codes")
        let samples = try inputs.tensor("\(name).wave").values
        try verification.checkAudioFile("\(name).wav", samples, rate: speech.configuration.sampleRate)
        let codes = speech.encode(samples)
        try verification.compare("\(name).codes", TypedArray(codes: codes))
        return codes
    }

    /// The ids of the prompt that asks by voice and makes the answer begin with speech.
    func prompt(_ question: [[Int32]]) throws -> [Int32] {
        let template = PromptTemplate(tokenizer: tokenizer, vocabulary: vocabulary)
        if let code = question[0].first(where: { Int($0) >= vocabulary.speech.codes.count }) {
            throw CaseError("verify", golden.folder.path, "the vocabulary has no speech code \(code)")
        }
        let message = PromptTask.voiceChat.message(template.text(of: question[0], .speech))
        let text = template.text([.init(message: message)], start: .speech)
        if let expected = golden.about["prompt_text"]?.text {
            verification.add(.strings("prompt_text (case.json)", [("the prompt", expected, text)]))
        }
        let ids = try tokenizer.encode(text)
        try verification.compare("prompt_ids", TypedArray(ids: ids))
        let pieces =
            try template.spokenTurnOpening(isFirst: true) + question[0].map(vocabulary.speech.id(ofCode:))
            + template.spokenTurnClosing(start: .speech)
        verification.check(
            "prompt_ids (in pieces as whole)", .exact, expected: TypedArray(ids: ids), actual: TypedArray(ids: pieces))
        return ids
    }

    /// As many speech tokens as are expected, each the likeliest of the speech tokens: their ids.
    func answer(_ prompt: [Int32]) throws -> [Int32] {
        let count = golden.expected.info("generated_ids")?.shape.reduce(1, *) ?? 0
        let codes = vocabulary.speech.codes
        let scratch = LlamaScratch(llama.configuration)
        var cache = LlamaCache(llama.configuration)
        var ids: [Int32] = []
        while ids.count < count {
            if ids.count % 50 == 0 { verification.stage("token \(ids.count + 1) of \(count)") }
            try llama.forward(ids.last.map { [$0] } ?? prompt, cache: &cache, scratch: scratch)
            let best = scratch.withLogits { logits in
                codes.dropFirst().reduce(codes.lowerBound) { logits[Int($1)] > logits[Int($0)] ? $1 : $0 }
            }
            ids.append(best)
        }
        try verification.compare("generated_ids", TypedArray(ids: ids))
        try verification.compare(
            "generated_speech_codes", TypedArray(ids: ids.map { $0 - codes.lowerBound }))
        return ids
    }

    /// All levels of the answer `[frames, levels]`, in the voice of a prompt.
    func voiced(_ answer: [Int32], _ voice: [[Int32]]) throws -> TokenGrid {
        verification.stage("voice")
        let frames = voice[0].count
        let prompt = TokenGrid(
            levels: voice.count, values: (0..<frames).flatMap { frame in voice.map { Int($0[frame]) } })
        let options = GenerationOptions(steps: steps, greedy: true)
        let semantic = answer.map { Int($0 - vocabulary.speech.codes.lowerBound) }
        let codes =
            inputs.info("noise") == nil
            ? try soundStorm.generate(semantic: semantic, prompt: prompt, options: options)
            : try soundStorm.generate(
                semantic: semantic, prompt: prompt, options: options, noise: SoundStormKind.noise(inputs))
        try verification.compare("soundstorm.codes", TypedArray(codes.values, shape: [codes.frames, codes.levels]))
        return codes
    }

    /// SoundStorm's steps, as the case's own list of steps says: "… steps=1, greedy …". One, where it says nothing: more
    /// would need noise.
    private var steps: Int {
        guard case .list(let lines)? = golden.about["steps"] else { return 1 }
        for line in lines {
            if let match = line.text?.firstMatch(of: /steps=(\d{1,4})/), let steps = Int(match.1) { return steps }
        }
        return 1
    }

    /// The answer's sound, also held against the case's WAV file.
    func sound(_ codes: TokenGrid) throws {
        verification.stage("sound")
        let levels = (0..<codes.levels).map { level in
            (0..<codes.frames).map { Int32(clamping: codes[$0, level]) }
        }
        let wave = try speech.decode(levels)
        try verification.compare("wave", TypedArray(wave, shape: [wave.count]))
        if let rule = golden.rules["wave"],
            let file = try verification.audioFile("expected.wav", rate: speech.configuration.sampleRate)
        {
            verification.check(
                "wave (expected.wav)", rule, expected: file, actual: TypedArray(wave, shape: [wave.count]))
        }
    }

    /// The finished answer as text, and the codes that are found in it.
    func decodedText(_ prompt: [Int32], _ answer: [Int32]) throws {
        guard let expected = golden.about["decoded_with_end_tokens"]?["text"]?.text else { return }
        let ids = prompt + answer + [vocabulary.speech.end, vocabulary.endOfAnswer]
        let text = tokenizer.decode(ids, skipSpecialTokens: true)
        verification.add(.strings("decoded_with_end_tokens (case.json)", [("the answer", expected, text)]))
        let (start, end) = (tokenizer.token(of: vocabulary.speech.start), tokenizer.token(of: vocabulary.speech.end))
        guard let start, let end else { return }
        let codes = FinishedAnswer.content(of: text, from: start, to: end).map(FinishedAnswer.codes) ?? []
        verification.check(
            "generated_speech_codes (out of the text)", .exact,
            expected: TypedArray(answer.map { Int($0 - vocabulary.speech.codes.lowerBound) }, shape: [answer.count]),
            actual: TypedArray(codes.map { $0 ?? -1 }, shape: [codes.count]))
    }
}
