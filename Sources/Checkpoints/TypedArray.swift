import Tensors

/// A tensor's elements in the number type of the file, dense and row-major: equal arrays are equal to the last bit.
public struct TypedArray: Sendable, Equatable {
    /// The number type of the elements.
    public let dtype: DType
    /// The extents, outermost first; empty for a scalar.
    public let shape: [Int]
    /// The elements, little-endian.
    public let bytes: [UInt8]

    /// Elements in all.
    public var count: Int { bytes.count / dtype.size }

    /// Describes elements whose bytes are at hand; they must be as many as `dtype` and `shape` say.
    public init(dtype: DType, shape: [Int], bytes: [UInt8]) {
        precondition(bytes.count == shape.reduce(dtype.size, *), "\(bytes.count) bytes for \(shape) \(dtype)")
        self.dtype = dtype
        self.shape = shape
        self.bytes = bytes
    }

    /// fp32 elements.
    public init(_ values: [Float], shape: [Int]) {
        self.init(dtype: .float32, shape: shape, bytes: values.withUnsafeBytes { [UInt8]($0) })
    }

    /// 64-bit integer elements.
    public init(_ values: [Int], shape: [Int]) {
        self.init(dtype: .int64, shape: shape, bytes: values.withUnsafeBytes { [UInt8]($0) })
    }

    /// The elements rounded to fp32.
    public var floats: [Float] { converted() }

    /// The elements as doubles: exact for every number type but 64-bit integers beyond 2^53.
    public var doubles: [Double] { converted() }

    /// The elements as integers, false as 0 and true as 1; nil for floating-point types and for a value above `Int.max`.
    public var integers: [Int]? { bytes.withUnsafeBytes { $0.integers(dtype) } }

    private func converted<Number: Widened>() -> [Number] {
        [Number](unsafeUninitializedCapacity: count) { target, filled in
            bytes.withUnsafeBytes { source in
                if let base = target.baseAddress { source.convert(dtype, to: base, count: count) }
            }
            filled = count
        }
    }
}

/// The types that elements are converted to, each by the conversion that rounds once.
protocol Widened {
    init(_ value: Double)
    init(_ value: Float)
    init(_ value: Int64)
    init(_ value: UInt64)
}

extension Float: Widened {}
extension Double: Widened {}

extension Float {
    /// The value of a half-precision number, exactly. Without the F16C instructions, which not every machine that we
    /// build for has, `Float(Float16)` is a function call per element; this is a few operations on vectors.
    init(half bits: UInt16) {
        let magnitude = UInt32(bits & 0x7FFF) << 13
        // The exponent is moved by a multiplication, which is right for subnormal numbers too.
        let finite = (Float(bitPattern: magnitude) * 0x1p112).bitPattern
        let widened = bits & 0x7C00 == 0x7C00 ? magnitude | 0x7F80_0000 : finite
        self.init(bitPattern: widened | UInt32(bits & 0x8000) << 16)
    }
}

extension UnsafeRawBufferPointer {
    /// Converts the first `count` little-endian elements of a number type; they need not be aligned.
    func convert<Number: Widened>(_ dtype: DType, to target: UnsafeMutablePointer<Number>, count: Int) {
        precondition(count * dtype.size <= self.count)
        func each<Element>(_: Element.Type, _ widen: (Element) -> Number) {
            for index in 0..<count {
                target[index] = widen(
                    loadUnaligned(fromByteOffset: index * MemoryLayout<Element>.size, as: Element.self))
            }
        }
        switch dtype {
        case .float64: each(Double.self) { Number($0) }
        case .float32 where Number.self == Float.self:
            // Copied, not converted: NaNs keep their bits.
            if count > 0 { UnsafeMutableRawPointer(target).copyMemory(from: baseAddress!, byteCount: count * 4) }
        case .float32: each(Float.self) { Number($0) }
        case .float16: each(UInt16.self) { Number(Float(half: $0)) }
        case .bfloat16: each(UInt16.self) { Number(Float(bitPattern: UInt32($0) << 16)) }
        case .int64: each(Int64.self) { Number($0) }
        case .int32: each(Int32.self) { Number(Int64($0)) }
        case .int16: each(Int16.self) { Number(Int64($0)) }
        case .int8: each(Int8.self) { Number(Int64($0)) }
        case .uint64: each(UInt64.self) { Number($0) }
        case .uint32: each(UInt32.self) { Number(Int64($0)) }
        case .uint16: each(UInt16.self) { Number(Int64($0)) }
        case .uint8: each(UInt8.self) { Number(Int64($0)) }
        case .bool: each(UInt8.self) { Number(Int64($0 == 0 ? 0 : 1)) }
        }
    }

    /// All little-endian elements of an integer type; nil for floating-point types and values above `Int.max`.
    func integers(_ dtype: DType) -> [Int]? {
        func each<Element>(_: Element.Type, _ widen: (Element) -> Int?) -> [Int]? {
            var integers: [Int] = []
            integers.reserveCapacity(count / MemoryLayout<Element>.size)
            for offset in stride(from: 0, to: count, by: MemoryLayout<Element>.size) {
                guard let integer = widen(loadUnaligned(fromByteOffset: offset, as: Element.self)) else { return nil }
                integers.append(integer)
            }
            return integers
        }
        switch dtype {
        case .int64: return each(Int64.self) { Int($0) }
        case .int32: return each(Int32.self) { Int($0) }
        case .int16: return each(Int16.self) { Int($0) }
        case .int8: return each(Int8.self) { Int($0) }
        case .uint64: return each(UInt64.self) { Int(exactly: $0) }
        case .uint32: return each(UInt32.self) { Int($0) }
        case .uint16: return each(UInt16.self) { Int($0) }
        case .uint8: return each(UInt8.self) { Int($0) }
        case .bool: return each(UInt8.self) { $0 == 0 ? 0 : 1 }
        case .float64, .float32, .float16, .bfloat16: return nil
        }
    }
}
