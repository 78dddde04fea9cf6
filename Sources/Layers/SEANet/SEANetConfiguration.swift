/// The shape of a SEANet encoder or decoder.
public struct SEANetConfiguration: Sendable {
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

    /// Taps of the first and the last convolution, which no configuration of the reference changes.
    static let outerTaps = 7

    /// Memberwise.
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
