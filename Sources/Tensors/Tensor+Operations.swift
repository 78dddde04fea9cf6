import CKernels

extension Tensor {
    /// x · weightᵀ (+ bias) through OpenBLAS: x `[rows, in]`, weight `[out, in]` → `[rows, out]`.
    public func linear(_ weight: Tensor, bias: Tensor? = nil) -> Tensor {
        let (n, k) = (weight.shape[0], weight.rowCount)
        precondition(rowCount == k, "\(shape) · \(weight.shape)ᵀ")
        return Tensor(generating: [rows, n]) { target in
            read { x in
                weight.read { w in
                    if rows == 1 {
                        kernels.gemv_f32(target, w, x, nil, n, k)
                    } else {
                        MatrixProduct.multiplyTransposed(
                            x, lda: k, w, ldb: k, into: target, ldc: n, m: rows, n: n, k: k)
                    }
                }
            }
            bias?.read { kernels.add_bias_f32(target, $0, rows, n) }
        }
    }

    /// self += other, of the same shape.
    public mutating func add(_ other: Tensor) {
        precondition(count == other.count, "\(shape) + \(other.shape)")
        let n = count
        mutate { target in other.read { kernels.add_f32(target, $0, n) } }
    }

    /// Every value · factor.
    public mutating func scale(_ factor: Float) {
        let n = count
        mutate { kernels.scale_f32($0, factor, n) }
    }

    /// x > 0 ? x : eˣ − 1.
    public func elu() -> Tensor { elementwise { kernels.elu_f32($0, $1, count) } }
    /// x + sin²(αx) / (α + 1e-9) with one α for each channel (the last dimension).
    public func snake(_ alpha: Tensor) -> Tensor {
        let n = alpha.count
        precondition(count % n == 0)
        return elementwise { target, source in alpha.read { kernels.snake_f32(target, source, $0, count / n, n) } }
    }

    private func elementwise(
        _ body: (UnsafeMutablePointer<Float>, UnsafePointer<Float>) -> Void
    ) -> Tensor {
        Tensor(generating: shape) { target in read { body(target, $0) } }
    }

    /// a + b, of the same shape.
    public static func + (a: Tensor, b: Tensor) -> Tensor {
        var sum = a
        sum.add(b)
        return sum
    }
}
