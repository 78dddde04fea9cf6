import CKernels
import Compute

/// A weight matrix laid out for products whose bits do not depend on how the rows are cut into pieces.
///
/// What is streamed (convolutions, LSTMs) goes through this, so that a stream equals its offline twin to the last bit;
/// OpenBLAS chooses among kernels by the number of rows, and does not keep that. It is also several times faster than
/// OpenBLAS for the few rows that a stream brings at a time: see `Benchmarks/`.
public struct PackedMatrix: Sendable {
    /// Values that each output is a sum over.
    public let inputs: Int
    /// Outputs for each row.
    public let outputs: Int
    private let panels: Tensor

    /// Multiply-adds below which a product is not worth sharing between threads.
    private static let worthSharing = 4 << 20

    /// Packs `weight`, `[outputs, inputs]` as PyTorch keeps a linear layer's.
    public init(linear weight: Tensor) {
        self.init(
            weight, outputs: weight.shape[0], inputs: weight.rowCount, rowStride: 1, columnStride: weight.rowCount)
    }

    /// Packs `weight`, `[inputs, outputs]`.
    public init(transposed weight: Tensor) {
        self.init(
            weight, outputs: weight.rowCount, inputs: weight.shape[0], rowStride: weight.rowCount, columnStride: 1)
    }

    private init(_ weight: Tensor, outputs: Int, inputs: Int, rowStride: Int, columnStride: Int) {
        self.inputs = inputs
        self.outputs = outputs
        panels = Tensor(generating: [ck_packed_count(inputs, outputs)]) { target in
            weight.read { ck_pack_f32(target, $0, rowStride, columnStride, inputs, outputs) }
        }
    }

    /// c += a · W for one row a, the weights read from the last to the first when `backwards`. Who multiplies by a large
    /// matrix again and again goes back and forth: what was read last is still in the cache, which is smaller than the
    /// matrix. The bits are not those of `multiply`, but do not depend on the direction.
    public func accumulate(
        _ a: UnsafePointer<Float>, into c: UnsafeMutablePointer<Float>, backwards: Bool
    ) {
        let product = kernels.gemv_packed_f32!
        let pool = ComputePool.shared
        let shares = inputs * outputs < Self.worthSharing ? 1 : pool.threadCount
        let strip = Self.stripPanels * Int(CK_PANEL)
        let strips = (outputs + strip - 1) / strip
        panels.read { panels in
            // Invariant: the shares write disjoint parts of c, and all have ended before the caller's pointers do.
            nonisolated(unsafe) let (a, c, panels) = (a, c, panels)
            pool.parallelFor(shares) { share in
                let (start, end) = (strips * share / shares, strips * (share + 1) / shares)
                for index in start..<end {
                    let first = (backwards ? start + end - 1 - index : index) * strip
                    product(c + first, a, panels + first * inputs, min(strip, outputs - first), inputs)
                }
            }
        }
    }

    /// Panels that are read in one direction at a time.
    private static let stripPanels = 8

    /// c[r, :] = a[r, :] · W + bias, or += when `adding`; `rows` rows that start `lda` (`ldc`) values apart.
    /// Rows of `a` may overlap (`lda` < `inputs`): that is how a convolution reads its windows.
    public func multiply(
        _ a: UnsafePointer<Float>, lda: Int, rows: Int, into c: UnsafeMutablePointer<Float>, ldc: Int,
        bias: UnsafePointer<Float>? = nil, adding: Bool = false
    ) {
        precondition(ldc >= outputs || rows <= 1)
        guard rows > 0, outputs > 0 else { return }
        let product = kernels.gemm_packed_f32!
        let pool = ComputePool.shared
        let shares = rows * inputs * outputs < Self.worthSharing ? 1 : pool.threadCount
        panels.read { panels in
            if shares == 1 { return product(c, ldc, a, lda, panels, bias, rows, outputs, inputs, adding) }
            // Few rows: each thread takes panels, so that every weight is read once. Many: each takes rows.
            let panelCount = (outputs + Int(CK_PANEL) - 1) / Int(CK_PANEL)
            let byColumns = rows < 8 * shares && panelCount >= shares
            let total = byColumns ? panelCount : rows
            // Invariant: the shares write disjoint parts of c, and all have ended before the caller's pointers do.
            nonisolated(unsafe) let (a, c, panels, bias) = (a, c, panels, bias)
            pool.parallelFor(shares) { share in
                let (start, end) = (total * share / shares, total * (share + 1) / shares)
                guard end > start else { return }
                if byColumns {
                    let first = start * Int(CK_PANEL)
                    let last = min(end * Int(CK_PANEL), outputs)
                    product(
                        c + first, ldc, a, lda, panels + first * inputs, bias.map { $0 + first }, rows, last - first,
                        inputs, adding)
                } else {
                    product(
                        c + start * ldc, ldc, a + start * lda, lda, panels, bias, end - start, outputs, inputs, adding)
                }
            }
        }
    }

    /// The product's columns in a range, which begins at a multiple of `CK_PANEL`, with the same bits, on the calling
    /// thread alone: for callers that share out their work themselves. `bias` is that of all columns.
    public func multiplyAlone(
        _ a: UnsafePointer<Float>, lda: Int, rows: Int, into c: UnsafeMutablePointer<Float>, ldc: Int,
        columns: Range<Int>, bias: UnsafePointer<Float>? = nil, adding: Bool = false
    ) {
        precondition(columns.lowerBound % Int(CK_PANEL) == 0 && columns.upperBound <= outputs && ldc >= columns.count)
        panels.read {
            kernels.gemm_packed_f32(
                c, ldc, a, lda, $0 + columns.lowerBound * inputs, bias.map { $0 + columns.lowerBound }, rows,
                columns.count, inputs, adding)
        }
    }

    /// x · W + bias for x: `[rows, inputs]`.
    public func callAsFunction(_ x: Tensor, bias: Tensor? = nil) -> Tensor {
        precondition(x.rowCount == inputs, "\(x.shape) for a matrix with \(inputs) inputs")
        return Tensor(generating: [x.rows, outputs]) { target in
            x.read { source in
                if let bias {
                    bias.read { multiply(source, lda: inputs, rows: x.rows, into: target, ldc: outputs, bias: $0) }
                } else {
                    multiply(source, lda: inputs, rows: x.rows, into: target, ldc: outputs)
                }
            }
        }
    }
}
