/// The number types a checkpoint can hold. The raw value is the type's name in safetensors files.
public enum DType: String, Sendable, Hashable, CaseIterable {
    /// IEEE 754 double precision.
    case float64 = "F64"
    /// IEEE 754 single precision: what the networks compute in.
    case float32 = "F32"
    /// IEEE 754 half precision.
    case float16 = "F16"
    /// The upper half of a single-precision number.
    case bfloat16 = "BF16"
    /// Signed, two's complement.
    case int64 = "I64"
    /// Signed, two's complement.
    case int32 = "I32"
    /// Signed, two's complement.
    case int16 = "I16"
    /// Signed, two's complement.
    case int8 = "I8"
    /// Unsigned.
    case uint64 = "U64"
    /// Unsigned.
    case uint32 = "U32"
    /// Unsigned.
    case uint16 = "U16"
    /// Unsigned.
    case uint8 = "U8"
    /// One byte, 0 for false.
    case bool = "BOOL"

    /// Bytes per element.
    public var size: Int {
        switch self {
        case .float64, .int64, .uint64: 8
        case .float32, .int32, .uint32: 4
        case .float16, .bfloat16, .int16, .uint16: 2
        case .int8, .uint8, .bool: 1
        }
    }
}
