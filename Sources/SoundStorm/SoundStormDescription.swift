import Checkpoints
import Foundation

/// What somebody says about a SoundStorm checkpoint: the arguments of the reference's `Conformer` and
/// `ConformerWrapper`, each of them optional.
///
/// Nearly all of it can be read off the tensors, and then only serves to notice that the wrong file was given. What the
/// tensors do not say is how the attention's inner width is split into heads.
public struct SoundStormDescription: Sendable, Equatable {
    /// Width of the Conformer.
    public var dim: Int?
    /// Number of Conformer blocks.
    public var depth: Int?
    /// Attention heads.
    public var heads: Int?
    /// Width of an attention head.
    public var headSize: Int?
    /// Width of the feed-forward blocks in units of `dim`.
    public var feedForwardFactor: Int?
    /// Width of the convolution module in units of `dim`.
    public var convolutionFactor: Int?
    /// Taps of the depthwise convolution.
    public var kernelSize: Int?
    /// Acoustic levels.
    public var levels: Int?
    /// Codes of each acoustic level.
    public var codes: Int?
    /// Semantic codes.
    public var semanticCodes: Int?

    /// A description that says only this much.
    public init(dim: Int? = nil, depth: Int? = nil, heads: Int? = nil, headSize: Int? = nil) {
        self.dim = dim
        self.depth = depth
        self.heads = heads
        self.headSize = headSize
    }

    /// The name of the file that describes a `.pt` file beside it.
    public static let fileName = "soundstorm.json"

    /// Reads a JSON file; throws `SoundStormError` with the file's path.
    public init(contentsOf url: URL) throws {
        do {
            self = try JSONDecoder().decode(SoundStormDescription.self, from: ConfigurationFile.contents(of: url))
        } catch let error as SoundStormError {
            throw SoundStormError(error.operation, url.path, error.reason)
        } catch let error as CheckpointError {
            throw SoundStormError("read", url.path, error.reason)
        } catch DecodingError.typeMismatch(_, let context), DecodingError.dataCorrupted(let context),
            DecodingError.keyNotFound(_, let context), DecodingError.valueNotFound(_, let context)
        {
            let key = context.codingPath.map { "\($0.stringValue): " }.joined()
            throw SoundStormError("read", url.path, key + context.debugDescription)
        } catch {
            throw SoundStormError("read", url.path, error.localizedDescription)
        }
    }
}

extension SoundStormDescription: Decodable {
    private enum CodingKeys: String, CodingKey {
        case dim, depth, heads, conformer
        case headSize = "dim_head"
        case feedForwardFactor = "ff_mult"
        case convolutionFactor = "conv_expansion_factor"
        case kernelSize = "conv_kernel_size"
        case causal = "conv_causal"
        case levels = "num_quantizers"
        case codes = "codebook_size"
        case semanticCodes = "num_semantic_token_ids"
    }

    /// Decodes a flat object, or one that holds the Conformer's part under "conformer" as the reference's own arguments
    /// do. Keys that do not shape the network are passed over.
    public init(from decoder: any Decoder) throws {
        let wrapper = try decoder.container(keyedBy: CodingKeys.self)
        let conformer =
            wrapper.contains(.conformer)
            ? try wrapper.nestedContainer(keyedBy: CodingKeys.self, forKey: .conformer) : wrapper
        func positive(_ container: KeyedDecodingContainer<CodingKeys>, _ key: CodingKeys) throws -> Int? {
            guard let value = try container.decodeIfPresent(Int.self, forKey: key) else { return nil }
            guard value > 0 else {
                throw SoundStormError("read", "the description", "\(key.rawValue) is \(value), must be above 0")
            }
            return value
        }
        self.init(
            dim: try positive(conformer, .dim), depth: try positive(conformer, .depth),
            heads: try positive(conformer, .heads), headSize: try positive(conformer, .headSize))
        feedForwardFactor = try positive(conformer, .feedForwardFactor)
        convolutionFactor = try positive(conformer, .convolutionFactor)
        kernelSize = try positive(conformer, .kernelSize)
        levels = try positive(wrapper, .levels)
        codes = try positive(wrapper, .codes)
        semanticCodes = try positive(wrapper, .semanticCodes)
        // The same tensors would mean another network: nothing else would notice.
        if try conformer.decodeIfPresent(Bool.self, forKey: .causal) == true {
            throw SoundStormError("read", "the description", "conv_causal is true: causal convolutions are unsupported")
        }
    }
}
