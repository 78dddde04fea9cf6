/// The shape of a SEANet encoder or decoder, and how its checkpoint names the parts.
public struct SEANetConfiguration: Sendable, Equatable {
    /// How modules are called in a checkpoint.
    public enum Naming: Sendable {
        /// `model.3.conv.conv.weight_v`, `convtr.convtr`: SpeechTokenizer, and Encodec's own repository.
        case audiocraft
        /// `layers.3.conv.weight_v`: Encodec in transformers.
        case transformers

        /// The scope of the numbered modules.
        var modules: String { self == .audiocraft ? "model" : "layers" }
        /// The scopes from a module to its convolution.
        var convolution: [String] { self == .audiocraft ? ["conv", "conv"] : ["conv"] }
        /// The same for a transposed one.
        var transposed: [String] { self == .audiocraft ? ["convtr", "convtr"] : ["conv"] }
    }

    /// Channels of the outermost convolution; each change of rate doubles or halves them.
    public var filters: Int
    /// Channels of the latent.
    public var dimension: Int
    /// The decoder's strides, first to last; the encoder goes through them backwards.
    public var strides: [Int]
    /// LSTM layers between the convolutions and the latent.
    public var lstmLayers: Int
    /// Residual units at each rate, with dilations base⁰, base¹, …
    public var residualLayers: Int
    /// Taps of a residual unit's first convolution.
    public var residualTaps: Int
    /// How much the dilation grows from one residual unit to the next.
    public var dilationBase: Int
    /// What stands between the convolutions.
    public var activation: ActivationKind
    /// Channels of the sound.
    public var audioChannels = 1
    /// Taps of the first convolution.
    public var firstTaps = 7
    /// Taps of the last convolution.
    public var lastTaps = 7
    /// By how much a residual unit narrows between its convolutions.
    public var compress = 2
    /// Whether a convolution stands beside a residual unit's block, rather than nothing.
    public var hasShortcut = true
    /// How convolutions see beyond the ends, and what follows them.
    public var convolution = ConvolutionStyle()
    /// How the checkpoint names the modules.
    public var naming = Naming.audiocraft

    /// SpeechTokenizer's kind; what differs elsewhere is set afterwards.
    public init(
        filters: Int, dimension: Int, strides: [Int], lstmLayers: Int, residualLayers: Int, residualTaps: Int,
        dilationBase: Int, activation: ActivationKind
    ) {
        self.filters = filters
        self.dimension = dimension
        self.strides = strides
        self.lstmLayers = lstmLayers
        self.residualLayers = residualLayers
        self.residualTaps = residualTaps
        self.dilationBase = dilationBase
        self.activation = activation
    }

    /// Samples that become one frame.
    public var hop: Int { strides.reduce(1, *) }
    /// Channels at the latent's rate.
    public var widest: Int { filters << strides.count }
}
