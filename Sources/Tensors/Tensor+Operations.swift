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

    /// self += factor · other, of the same shape.
    public mutating func add(_ other: Tensor, times factor: Float) {
        precondition(count == other.count, "\(shape) + \(other.shape)")
        let n = count
        mutate { target in other.read { kernels.axpy_f32(target, factor, $0, n) } }
    }

    /// Every value · factor.
    public mutating func scale(_ factor: Float) {
        let n = count
        mutate { kernels.scale_f32($0, factor, n) }
    }

    /// x > 0 ? x : eˣ − 1.
    public func elu() -> Tensor { elementwise { kernels.elu_f32($0, $1, count) } }
    /// x · sigmoid(x), also called swish.
    public func silu() -> Tensor { elementwise { kernels.silu_f32($0, $1, count) } }
    /// x + sin²(αx) / (α + 1e-9) with one α for each channel (the last dimension).
    public func snake(_ alpha: Tensor) -> Tensor {
        let n = alpha.count
        precondition(count % n == 0)
        return elementwise { target, source in alpha.read { kernels.snake_f32(target, source, $0, count / n, n) } }
    }

    /// The first half of the last dimension times the sigmoid of the second.
    public func glu() -> Tensor {
        let n = rowCount / 2
        precondition(rowCount == 2 * n)
        return Tensor(generating: [rows, n]) { target in read { kernels.glu_f32(target, $0, rows, n) } }
    }

    /// x / √(mean(x²) + ε) · weight over the last dimension.
    public func rmsNorm(_ weight: Tensor, epsilon: Float) -> Tensor {
        let n = weight.count
        return elementwise { target, source in
            weight.read { kernels.rms_norm_f32(target, source, $0, count / n, n, epsilon) }
        }
    }

    /// (x − mean) / √(variance + ε) · weight + bias over the last dimension.
    public func layerNorm(_ weight: Tensor, bias: Tensor, epsilon: Float = 1e-5) -> Tensor {
        let n = weight.count
        return elementwise { target, source in
            weight.read { w in bias.read { kernels.layer_norm_f32(target, source, w, $0, count / n, n, epsilon) } }
        }
    }

    /// (x − mean) / √(max(variance, ε)) · weight over the last dimension.
    public func clampedNorm(_ weight: Tensor, epsilon: Float = 1e-6) -> Tensor {
        let n = weight.count
        return elementwise { target, source in
            weight.read { kernels.clamped_norm_f32(target, source, $0, count / n, n, epsilon) }
        }
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
