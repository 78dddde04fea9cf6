import Checkpoints
import Checksums
import Compute
import Foundation
import Synchronization
import Tensors

/// Writes one file of a conversion: reads rows, brings them to their precision on all cores, and appends them, a few
/// panels at a time. In memory are these, the scales of one matrix, and what the source needs (`TensorRows`).
struct ShardWriter: ~Copyable {
    /// Rows that are worked on at once: whole panels.
    private static let rowsAtOnce = 64 * QuantizedFormat.lanes

    private let source: Checkpoint
    private let precision: Precision
    private var stream: SafetensorsStream
    private var digest = SHA256()
    private let progress: (Int) throws -> Void

    /// - Parameter progress: is told the bytes written since the last call; what it throws ends the conversion.
    init(
        _ shard: ConversionPlan.Shard, of plan: ConversionPlan, from source: Checkpoint, in folder: URL,
        progress: @escaping (Int) throws -> Void
    ) throws {
        self.source = source
        precision = plan.precision
        self.progress = progress
        stream = try SafetensorsStream(
            to: folder.appending(path: shard.file), shard.entries, metadata: plan.metadata, promised: ["sha256": 64])
    }

    /// Writes the tensors, the digest of their bytes, and finishes the file.
    static func write(
        _ shard: ConversionPlan.Shard, of plan: ConversionPlan, from source: Checkpoint, in folder: URL,
        progress: @escaping (Int) throws -> Void
    ) throws {
        var writer = try ShardWriter(shard, of: plan, from: source, in: folder, progress: progress)
        for name in shard.tensors { try writer.add(name) }
        try writer.finish()
    }

    private consuming func finish() throws {
        let digest = digest.finished()
        try stream.finish(["sha256": digest])
    }

    private mutating func append(_ bytes: UnsafeRawBufferPointer) throws {
        try stream.append(bytes)
        digest.update(bytes)
        try progress(bytes.count)
    }

    private mutating func add(_ name: String) throws {
        let info = source.info(name)
        switch precision.treatment(of: name, shape: info?.shape ?? []) {
        case .copied:
            let array = try source.array(name)
            try array.bytes.withUnsafeBytes { try append($0) }
        case .bfloat16 where info?.dtype == .bfloat16:
            let array = try source.array(name)
            try array.bytes.withUnsafeBytes { try append($0) }
        case .bfloat16: try addRounded(name)
        case .quantized(let format): try addQuantized(name, format)
        }
    }

    private mutating func addRounded(_ name: String) throws {
        let rows = try TensorRows(name, source)
        var values = [Float](repeating: 0, count: Self.rowsAtOnce * rows.width)
        for start in stride(from: 0, to: rows.count, by: Self.rowsAtOnce) {
            let part = start..<min(start + Self.rowsAtOnce, rows.count)
            values.withUnsafeMutableBufferPointer { rows.copy(part, to: $0.baseAddress!) }
            let words = values.prefix(part.count * rows.width).map(\.nearestBFloat16)
            try words.withUnsafeBytes { try append($0) }
        }
    }

    private mutating func addQuantized(_ name: String, _ format: QuantizedFormat) throws {
        let rows = try TensorRows(name, source)
        let (lanes, width) = (QuantizedFormat.lanes, rows.width)
        let (panelBytes, panelScales) = (format.panelBytes(inputs: width), width / QuantizedFormat.group * lanes)
        let atOnce = Self.rowsAtOnce / lanes
        var scales = [UInt16](repeating: 0, count: QuantizedFormat.panels(rows.count) * panelScales)
        let values = FloatBuffer(zeros: Self.rowsAtOnce * width)
        var panels = [UInt8](repeating: 0, count: atOnce * panelBytes)
        for start in stride(from: 0, to: rows.count, by: Self.rowsAtOnce) {
            let count = min(Self.rowsAtOnce, rows.count - start)
            let panelCount = QuantizedFormat.panels(count)
            let isFinite = panels.withUnsafeMutableBufferPointer { panels in
                scales.withUnsafeMutableBufferPointer { scales in
                    Self.pack(
                        rows, start..<(start + count), format, values.pointer, panels.baseAddress!,
                        scales.baseAddress! + start / lanes * panelScales)
                }
            }
            guard isFinite else {
                throw CheckpointError(
                    file: source.info(name)?.file ?? source.url.path, tensor: name,
                    reason: "holds a value that is infinite or no number, which no scale can stand for")
            }
            try panels.withUnsafeBytes {
                try append(UnsafeRawBufferPointer(rebasing: $0[..<(panelCount * panelBytes)]))
            }
        }
        try scales.withUnsafeBytes { try append($0) }
    }

    /// Packs some rows on all cores; false when one of their values is not finite.
    private static func pack(
        _ rows: TensorRows, _ part: Range<Int>, _ format: QuantizedFormat, _ values: UnsafeMutablePointer<Float>,
        _ panels: UnsafeMutablePointer<UInt8>, _ scales: UnsafeMutablePointer<UInt16>
    ) -> Bool {
        let (lanes, width, count) = (QuantizedFormat.lanes, rows.width, part.count)
        let bytes = format.panelBytes(inputs: width)
        let isBroken = Atomic(false)
        ComputePool.shared.parallelFor(QuantizedFormat.panels(count)) { panel in
            let first = panel * lanes
            let height = min(lanes, count - first)
            let w = values + first * width
            rows.copy((part.lowerBound + first)..<(part.lowerBound + first + height), to: w)
            let all = UnsafeBufferPointer(start: w, count: height * width)
            guard all.allSatisfy(\.isFinite) else { return isBroken.store(true, ordering: .relaxed) }
            format.pack(
                w, rows: height, inputs: width, panel: panels + panel * bytes,
                scales: scales + panel * width / QuantizedFormat.group * lanes)
        }
        return !isBroken.load(ordering: .relaxed)
    }
}

extension Float {
    /// The nearest bfloat16, of two as near the even one; a NaN stays one.
    var nearestBFloat16: UInt16 {
        if isNaN { return UInt16(bitPattern >> 16) | 0x40 }
        return UInt16((UInt64(bitPattern) + 0x7FFF + UInt64(bitPattern >> 16 & 1)) >> 16)
    }
}
