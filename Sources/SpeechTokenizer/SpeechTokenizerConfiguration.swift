import Checkpoints
import Foundation
import Layers

/// What `config.json` beside a SpeechTokenizer checkpoint says; training settings in it are of no interest here.
public struct SpeechTokenizerConfiguration: Codable, Sendable {
    /// Channels of the outermost convolutions.
    public var filters: Int
    /// Strides in the decoder's order.
    public var strides: [Int]
    /// Channels of the latent.
    public var dimension: Int
    /// Channels of the teacher that level 0 was distilled from; where they differ from `dimension`, the checkpoint holds
    /// a `transform` that inference has no use for.
    public var semanticDimension: Int
    /// Whether the encoder's LSTM runs in both directions.
    public var bidirectional: Bool
    /// How much the dilation grows between residual units.
    public var dilationBase: Int
    /// Taps of the residual units' first convolution.
    public var residualKernelSize: Int
    /// Residual units at each rate.
    public var residualLayers: Int
    /// LSTM layers in encoder and decoder.
    public var lstmLayers: Int
    /// ELU or Snake.
    public var activation: ActivationKind
    /// Codes of each level.
    public var codebookSize: Int
    /// Levels of the quantiser.
    public var levels: Int
    /// Samples a second.
    public var sampleRate: Int

    enum CodingKeys: String, CodingKey {
        case filters = "n_filters"
        case strides
        case dimension
        case semanticDimension = "semantic_dimension"
        case bidirectional
        case dilationBase = "dilation_base"
        case residualKernelSize = "residual_kernel_size"
        case residualLayers = "n_residual_layers"
        case lstmLayers = "lstm_layers"
        case activation
        case codebookSize = "codebook_size"
        case levels = "n_q"
        case sampleRate = "sample_rate"
    }

    /// Reads and checks a `config.json`.
    public init(contentsOf url: URL) throws {
        do {
            self = try JSONDecoder().decode(Self.self, from: ConfigurationFile.contents(of: url))
        } catch let error as DecodingError {
            throw SpeechTokenizerError(file: url.path, reason: Self.describe(error))
        } catch let error as CheckpointError {
            throw SpeechTokenizerError(file: url.path, reason: error.reason)
        } catch {
            throw SpeechTokenizerError(file: url.path, reason: "cannot be read (\(error.localizedDescription))")
        }
        try check(url.path)
    }

    private func check(_ file: String) throws {
        func require(_ key: String, _ value: Int, _ range: ClosedRange<Int>) throws {
            guard range.contains(value) else {
                throw SpeechTokenizerError(
                    file: file, reason: "\(key) is \(value), expected \(range.lowerBound) to \(range.upperBound)")
            }
        }
        try require("n_filters", filters, 1...4096)
        try require("number of strides", strides.count, 1...8)
        for stride in strides { try require("stride", stride, 1...64) }
        try require("dimension", dimension, 1...16384)
        try require("semantic_dimension", semanticDimension, 1...16384)
        try require("dilation_base", dilationBase, 1...16)
        try require("residual_kernel_size", residualKernelSize, 1...31)
        try require("n_residual_layers", residualLayers, 0...16)
        try require("lstm_layers", lstmLayers, 0...16)
        try require("codebook_size", codebookSize, 1...65536)
        try require("n_q", levels, 1...64)
        try require("sample_rate", sampleRate, 1000...192_000)
        try require("channels at the frame rate", filters << strides.count, 1...65536)
        guard residualKernelSize % 2 == 1 else {
            throw SpeechTokenizerError(file: file, reason: "residual_kernel_size \(residualKernelSize) is even")
        }
        guard lstmLayers > 0 || !bidirectional else {
            throw SpeechTokenizerError(file: file, reason: "bidirectional is true, but lstm_layers is 0")
        }
    }

    private static func describe(_ error: DecodingError) -> String {
        switch error {
        case .keyNotFound(let key, _): "the key \(key.stringValue) is missing"
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            "\(context.codingPath.map(\.stringValue).joined(separator: ".")): \(context.debugDescription)"
        case .dataCorrupted(let context):
            context.codingPath.isEmpty
                ? "not valid JSON"
                : "\(context.codingPath.map(\.stringValue).joined(separator: ".")): \(context.debugDescription)"
        @unknown default: "cannot be understood"
        }
    }

    /// The shape of the encoder and the decoder.
    public var seanet: SEANetConfiguration {
        SEANetConfiguration(
            filters: filters, dimension: dimension, strides: strides, lstmLayers: lstmLayers,
            residualLayers: residualLayers, residualTaps: residualKernelSize, dilationBase: dilationBase,
            activation: activation)
    }
}

/// Why a SpeechTokenizer could not be loaded or used.
public struct SpeechTokenizerError: Error, CustomStringConvertible {
    /// The file at fault; empty where none is.
    public var file: String
    /// What is wrong with it.
    public var reason: String

    /// One line for a person.
    public var description: String { file.isEmpty ? reason : "\(file): \(reason)" }
}
