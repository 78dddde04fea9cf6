import Tensors

/// y[t] = Σ x[t + k] · W[k] over two or three taps k, whose rows are neighbours: a convolution with twice as many taps as
/// its stride, a transposed one, and one of three taps.
///
/// Three outputs of two taps, or two of three, are a tile, made of four products instead of six (Winograd, "Arithmetic
/// complexity of computations", 1980). With the rows d₀ … d₃ of a tile and the taps g₀ … gₙ:
///
///     m₀ = (d₀ − d₂) · g₀                  y₀ = m₁ + m₂ + m₀
///     m₁ = (d₁ + d₂) · (g₀ + g₁ + …) / 2   y₁ = m₁ − m₂          (+ m₃ where it is the last)
///     m₂ = (d₂ − d₁) · (g₀ − g₁ + …) / 2   y₂ = m₁ + m₂ + m₃
///     m₃ = (d₃ − d₁) · gₙ
///
/// An output's bits depend on its place in its tile and on nothing else: a stream that gives whole tiles gives what the
/// whole gives. Rounding is about twice that of the plain product.
struct MinimalProduct: Sendable {
    /// Outputs of a tile.
    let tile: Int
    /// What m₀ … m₃ are products with.
    private let weights: [PackedMatrix]
    private let taps: Int
    private let width: Int
    private let outputs: Int

    /// Whether there is such a product of so many taps.
    static func exists(taps: Int) -> Bool { taps == 2 || taps == 3 }

    /// Takes weights `[taps · width, outputs]`, those of the first tap first.
    init(_ weight: Tensor, taps: Int) {
        precondition(Self.exists(taps: taps) && weight.rows.isMultiple(of: taps))
        let width = weight.rows / taps
        let g = (0..<taps).map { weight[rows: $0 * width..<($0 + 1) * width] }
        var even = taps == 3 ? g[0] + g[2] : g[0]
        even.scale(0.5)
        var odd = g[1]
        odd.scale(0.5)
        let sum = even + odd
        odd.scale(-1)
        weights = [g[0], sum, even + odd, g[taps - 1]].map { PackedMatrix(transposed: $0) }
        tile = 4 - taps + 1
        (self.taps, self.width, outputs) = (taps, width, weight.rowCount)
    }

    /// The outputs of `rows` places, the first of which begins a tile; x has `rows` + taps − 1 dense rows of `width` values,
    /// c `rows` of `outputs`.
    func multiply(
        _ x: UnsafePointer<Float>, rows: Int, into c: UnsafeMutablePointer<Float>, bias: UnsafePointer<Float>
    ) {
        let whole = rows / tile
        if whole > 0 { multiply(x, tiles: whole, into: c, bias: bias) }
        let (done, rest) = (whole * tile, rows % tile)
        guard rest > 0 else { return }
        // The sequence ends within a tile: zeros take the place of the rows that it lacks.
        var end = Tensor(zeros: [4, width])
        end.mutate { $0.update(from: x + done * width, count: (rest + taps - 1) * width) }
        let last = Tensor(generating: [tile, outputs]) { target in
            end.read { multiply($0, tiles: 1, into: target, bias: bias) }
        }
        last.read { (c + done * outputs).update(from: $0, count: rest * outputs) }
    }

    private func multiply(
        _ x: UnsafePointer<Float>, tiles: Int, into c: UnsafeMutablePointer<Float>, bias: UnsafePointer<Float>
    ) {
        let step = tile * outputs
        let planes = Tensor(generating: [4, tiles, width]) {
            kernels.filter_input_f32($0, x, tile * width, tiles, width)
        }
        planes.read { v in
            func product(_ index: Int, into c: UnsafeMutablePointer<Float>, adding: Bool) {
                weights[index].multiply(
                    v + index * tiles * width, lda: width, rows: tiles, into: c, ldc: step, adding: adding)
            }
            let sums = Tensor(generating: [tiles, outputs]) {
                weights[1].multiply(v + tiles * width, lda: width, rows: tiles, into: $0, ldc: outputs, bias: bias)
            }
            product(2, into: c + outputs, adding: false)
            sums.read { kernels.filter_output_f32(c, $0, tiles, tile, outputs) }
            product(0, into: c, adding: true)
            product(3, into: c + step - outputs, adding: true)
        }
    }
}
