import AnyGPT
import Audio
import Compute
import Foundation
import SoundStorm

extension Engine {
    /// Loads the models that the configuration names.
    ///
    /// - Parameter progress: is told what is being loaded, in a few words.
    public init(_ configuration: Configuration, progress: (String) -> Void = { _ in }) throws {
        let voice = try Self.voice(configuration)
        ComputePool.sizeShared(threads: configuration.compute.threads)
        try self.init(EngineSettings(configuration), voice: voice, progress: progress)
    }

    /// The recording of the voice that answers, at 16 kHz.
    private static func voice(_ configuration: Configuration) throws -> [Float]? {
        guard !configuration.model.voice.isEmpty else { return nil }
        var limits = AudioFile.Limits()
        limits.seconds = 600
        let clip = try AudioFile.read(configuration.model.voice, limits: limits)
        let samples = try Resampler.resample(clip.mono(), from: clip.sampleRate, to: AudioInput.sampleRate)
        return Array(samples.prefix(Int(configuration.speech.maxVoice * Double(AudioInput.sampleRate))))
    }
}

extension EngineSettings {
    /// The settings that a configuration describes.
    init(_ configuration: Configuration) {
        let model = configuration.model
        self.init(
            llama: URL(filePath: model.llama), speechTokenizer: URL(filePath: model.speechTokenizer),
            soundStorm: URL(filePath: model.soundStorm))
        if model.soundStormHeads > 0 || model.soundStormHeadWidth > 0 {
            soundStormDescription = SoundStormDescription(
                heads: model.soundStormHeads > 0 ? model.soundStormHeads : nil,
                headSize: model.soundStormHeadWidth > 0 ? model.soundStormHeadWidth : nil)
        }
        kind = model.backboneKind
        encodec = model.encodec.isEmpty ? nil : URL(filePath: model.encodec)
        seed = model.seed.isEmpty ? nil : URL(filePath: model.seed)
        unclip = model.unclip.isEmpty ? nil : URL(filePath: model.unclip)
        pictures = configuration.image.settings
        systemPrompt = model.systemPrompt.isEmpty ? nil : model.systemPrompt
        ingestFrames = max(1, configuration.ingest.chunkMS / 20)
        lookaheadFrames = configuration.ingest.lookaheadFrames
        let speech = configuration.speech
        streaming = StreamingOptions(
            chunkFrames: [speech.firstChunkFrames, speech.chunkFrames], contextFrames: speech.contextFrames,
            generation: GenerationOptions(steps: speech.steps))
        sampling.text = SamplingSettings(configuration.sampling.text)
        sampling.speech = SamplingSettings(configuration.sampling.speech)
        sampling.image = SamplingSettings(configuration.sampling.image)
        sampling.music = SamplingSettings(configuration.sampling.music)
    }
}

extension SamplingSettings {
    /// The settings of one table.
    init(_ sampling: Configuration.Sampling) {
        self.init()
        doSample = sampling.doSample
        temperature = Float(sampling.temperature)
        topK = sampling.topK
        topP = sampling.topP
        repetitionPenalty = Float(sampling.repetitionPenalty)
        minimumNewTokens = sampling.minNewTokens
    }
}
