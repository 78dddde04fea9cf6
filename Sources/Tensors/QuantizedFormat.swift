/// How the weight of a linear layer, `[outputs, inputs]`, is kept with few bits: in panels of `CK_LANES` outputs, whose
/// `CK_GROUP` neighbours along the inputs share a bfloat16 scale. `ckernels.h` tells the order of the bytes.
public enum QuantizedFormat: Sendable, CaseIterable {
    /// One byte for each weight, -127 to 127 plus 128: 8.5 bits with the scale.
    case q8
    /// Half a byte for each weight, -8 to 7 plus 8: 4.5 bits with the scale.
    case q4

    /// Outputs of a panel.
    public static let lanes = Int(CK_LANES)
    /// Inputs that share a scale.
    public static let group = Int(CK_GROUP)

    /// Whether a matrix of so many inputs can be kept so.
    public static func fits(inputs: Int) -> Bool { inputs > 0 && inputs % group == 0 }

    private var inputsPerVector: Int { self == .q8 ? 4 : 8 }

    /// The shape of the weights, unsigned bytes: `[panels, vectors, CK_LANES, 4]`.
    public func shape(outputs: Int, inputs: Int) -> [Int] {
        [Self.panels(outputs), inputs / inputsPerVector, Self.lanes, 4]
    }

    /// The shape of the scales, bfloat16: `[panels, groups, CK_LANES]`.
    public static func scaleShape(outputs: Int, inputs: Int) -> [Int] {
        [panels(outputs), inputs / group, lanes]
    }

    /// Panels of so many outputs; what the last one lacks is filled with zeros.
    public static func panels(_ outputs: Int) -> Int { (outputs + lanes - 1) / lanes }

    /// The bytes of a panel.
    public func panelBytes(inputs: Int) -> Int { inputs / inputsPerVector * Self.lanes * 4 }

    /// Packs the rows of one panel, `[rows, inputs]` with at most `CK_LANES` rows.
    public func pack(
        _ w: UnsafePointer<Float>, rows: Int, inputs: Int, panel: UnsafeMutablePointer<UInt8>,
        scales: UnsafeMutablePointer<UInt16>
    ) {
        precondition((1...Self.lanes).contains(rows) && Self.fits(inputs: inputs))
        switch self {
        case .q8: kernels.pack_q8(panel, scales, w, rows, inputs)
        case .q4: kernels.pack_q4(panel, scales, w, rows, inputs)
        }
    }

    /// The weight of an output for an input, without its scale: for looking up an embedding.
    public func weight(_ panels: UnsafePointer<UInt8>, output: Int, input: Int, inputs: Int) -> Int {
        let (panel, lane) = (panels + output / Self.lanes * panelBytes(inputs: inputs), output % Self.lanes)
        let byte = panel[input / inputsPerVector * Self.lanes * 4 + lane * 4 + input % 4]
        switch self {
        case .q8: return Int(byte) - 128
        case .q4: return Int(input % 8 < 4 ? byte & 15 : byte >> 4) - 8
        }
    }

    /// The scale of the weight of an output for an input.
    public func scale(_ scales: UnsafePointer<UInt16>, output: Int, input: Int, inputs: Int) -> Float {
        let group = (output / Self.lanes * (inputs / Self.group) + input / Self.group) * Self.lanes
        return Float(bitPattern: UInt32(scales[group + output % Self.lanes]) << 16)
    }
}
