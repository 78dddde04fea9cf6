import Checkpoints
import Foundation
import Layers

/// What `config.json` of an Encodec folder says (`EncodecConfig` in transformers); a key that is left out has the default
/// of that class, which is the model at 24 kHz. Training settings are of no interest here.
public struct EncodecConfiguration: Sendable, Equatable {
    /// Samples a second.
    public var sampleRate = 24_000
    /// Channels of the sound.
    public var audioChannels = 1
    /// Kilobits a second that the model offers; the first is what is encoded, as the reference does by default.
    public var bandwidths = [1.5, 3, 6, 12, 24]
    /// Codes of each level.
    public var codebookSize = 1024
    /// The shape of the encoder and the decoder.
    public var seanet: SEANetConfiguration

    /// Reads and checks a `config.json`.
    public init(contentsOf url: URL) throws(EncodecError) {
        func refuse(_ reason: String) -> EncodecError { EncodecError(file: url.path, reason: reason) }
        let file: File
        do {
            file = try JSONDecoder().decode(File.self, from: ConfigurationFile.contents(of: url))
        } catch let error as DecodingError {
            throw refuse(Self.describe(error))
        } catch let error as CheckpointError {
            throw refuse(error.reason)
        } catch {
            throw refuse("cannot be read (\(error.localizedDescription))")
        }
        do {
            try self.init(file)
        } catch {
            throw refuse(error.reason)
        }
    }

    /// Samples that become one frame.
    public var hop: Int { seanet.hop }
    /// Frames a second, rounded up.
    public var frameRate: Int { (sampleRate + hop - 1) / hop }

    /// Levels that the first of the bandwidths has room for.
    var levelsAtFirstBandwidth: Int {
        let bitsPerLevel = log2(Double(codebookSize)) * Double(frameRate)
        return max(1, Int((bandwidths[0] * 1000 / bitsPerLevel).rounded(.down)))
    }
}

extension EncodecConfiguration {
    /// The keys as transformers writes them.
    private struct File: Decodable {
        var target_bandwidths: [Double]?
        var sampling_rate: Int?
        var audio_channels: Int?
        var normalize: Bool?
        var chunk_length_s: Double?
        var hidden_size: Int?
        var num_filters: Int?
        var num_residual_layers: Int?
        var upsampling_ratios: [Int]?
        var norm_type: String?
        var kernel_size: Int?
        var last_kernel_size: Int?
        var residual_kernel_size: Int?
        var dilation_growth_rate: Int?
        var use_causal_conv: Bool?
        var pad_mode: String?
        var compress: Int?
        var num_lstm_layers: Int?
        var trim_right_ratio: Double?
        var codebook_size: Int?
        var codebook_dim: Int?
        var use_conv_shortcut: Bool?
        var model_type: String?
    }

    private struct Refusal: Error { let reason: String }

    private init(_ file: File) throws(Refusal) {
        func require(_ key: String, _ value: Int, _ range: ClosedRange<Int>) throws(Refusal) -> Int {
            guard range.contains(value) else {
                throw Refusal(reason: "\(key) is \(value), expected \(range.lowerBound) to \(range.upperBound)")
            }
            return value
        }
        guard file.model_type.map({ $0 == "encodec" }) ?? true else {
            throw Refusal(reason: "model_type is \"\(file.model_type ?? "")\", expected \"encodec\"")
        }
        let ratios = file.upsampling_ratios ?? [8, 5, 4, 2]
        _ = try require("number of upsampling_ratios", ratios.count, 1...8)
        for ratio in ratios { _ = try require("an upsampling ratio", ratio, 1...64) }
        let hidden = try require("hidden_size", file.hidden_size ?? 128, 1...16384)
        seanet = SEANetConfiguration(
            filters: try require("num_filters", file.num_filters ?? 32, 1...4096), dimension: hidden, strides: ratios,
            lstmLayers: try require("num_lstm_layers", file.num_lstm_layers ?? 2, 1...16),
            residualLayers: try require("num_residual_layers", file.num_residual_layers ?? 1, 0...16),
            residualTaps: try require("residual_kernel_size", file.residual_kernel_size ?? 3, 1...31),
            dilationBase: try require("dilation_growth_rate", file.dilation_growth_rate ?? 2, 1...16),
            activation: .elu)
        _ = try require("channels at the frame rate", seanet.widest, 1...65536)
        seanet.naming = .transformers
        seanet.firstTaps = try require("kernel_size", file.kernel_size ?? 7, 1...63)
        seanet.lastTaps = try require("last_kernel_size", file.last_kernel_size ?? 7, 1...63)
        seanet.compress = try require("compress", file.compress ?? 2, 1...seanet.filters)
        seanet.hasShortcut = file.use_conv_shortcut ?? true
        seanet.convolution.tilesOutputs = true
        seanet.convolution.isCausal = file.use_causal_conv ?? true
        guard let padding = ConvolutionStyle.Padding(rawValue: file.pad_mode ?? "reflect") else {
            throw Refusal(reason: "pad_mode is \"\(file.pad_mode ?? "")\", expected reflect, constant or replicate")
        }
        seanet.convolution.padding = padding
        guard file.norm_type ?? "weight_norm" == "weight_norm" else {
            throw Refusal(reason: "norm_type is \"\(file.norm_type ?? "")\"; only weight_norm is supported")
        }
        let trim = file.trim_right_ratio ?? 1
        guard trim == 1 || seanet.convolution.isCausal && (0...1).contains(trim) else {
            throw Refusal(reason: "trim_right_ratio is \(trim), expected 1, or 0 to 1 where use_causal_conv is true")
        }
        seanet.convolution.trimRight = trim

        sampleRate = try require("sampling_rate", file.sampling_rate ?? 24_000, 1000...192_000)
        audioChannels = try require("audio_channels", file.audio_channels ?? 1, 1...2)
        seanet.audioChannels = audioChannels
        codebookSize = try require("codebook_size", file.codebook_size ?? 1024, 2...65536)
        guard codebookSize.nonzeroBitCount == 1 else {
            throw Refusal(reason: "codebook_size is \(codebookSize), expected a power of two")
        }
        let codebookDimension = file.codebook_dim ?? hidden
        guard codebookDimension == hidden else {
            throw Refusal(reason: "codebook_dim is \(codebookDimension), but hidden_size is \(hidden)")
        }
        if let bandwidths = file.target_bandwidths { self.bandwidths = bandwidths }
        guard !bandwidths.isEmpty, bandwidths.allSatisfy({ $0 > 0 && $0 <= 1000 }) else {
            throw Refusal(reason: "target_bandwidths are \(bandwidths), expected kilobits a second")
        }
        guard file.normalize != true else {
            throw Refusal(reason: "normalize is true: models that scale each chunk to one loudness are not supported")
        }
        guard file.chunk_length_s == nil else {
            throw Refusal(reason: "chunk_length_s is set: models that cut sound into chunks are not supported")
        }
    }

    private static func describe(_ error: DecodingError) -> String {
        switch error {
        case .keyNotFound(let key, _): "the key \(key.stringValue) is missing"
        case .typeMismatch(_, let context) where !context.codingPath.isEmpty,
            .valueNotFound(_, let context) where !context.codingPath.isEmpty,
            .dataCorrupted(let context) where !context.codingPath.isEmpty:
            "\(context.codingPath.map(\.stringValue).joined(separator: ".")) is not what it should be"
        default: "not valid JSON"
        }
    }
}

/// Why an Encodec could not be loaded or used.
public struct EncodecError: Error, Equatable, CustomStringConvertible {
    /// The file at fault; empty where none is.
    public var file = ""
    /// What is wrong.
    public var reason: String

    /// A failure.
    public init(file: String = "", reason: String) {
        self.file = file
        self.reason = reason
    }

    /// One line for a person.
    public var description: String { file.isEmpty ? reason : "\(file): \(reason)" }
}
