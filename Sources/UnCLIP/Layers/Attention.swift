import Tensors

/// Attention of all pixels of a picture to each other, in several heads: adds it to a plan between its projections.
struct SelfAttention: Sendable {
    let to_q: Linear
    let to_k: Linear
    let to_v: Linear
    let to_out: Linear
    let heads: Int

    var channels: Int { to_q.outputs }
    private var tiles: AttentionTiles { AttentionTiles(headSize: channels / heads) }

    /// What the pixels are before they are projected.
    enum Norm: Sendable {
        case layer(LayerNorm)
        /// Factors and offsets of a `GroupNorm`.
        case group(FeatureMap)
    }

    /// x += to_out(attention(norm(x))), in place.
    func plan(_ b: inout PlanBuilder, _ x: FeatureMap, norm: Norm) {
        let (channels, tiles, heads) = (channels, tiles, heads)
        let size = tiles.headSize
        let (q, k, v) = (b.map(like: x), b.map(like: x), b.map(like: x))
        let chunk = Plan.rows(work: 3 * channels * channels)
        let chunks = (x.pixels + chunk - 1) / chunk
        b.add(units: x.images * chunks, scratch: chunk * channels) { unit, memory, scratch in
            let (image, first) = (unit / chunks, unit % chunks * chunk)
            let rows = min(chunk, x.pixels - first)
            let source = memory.at(x, image, first)
            switch norm {
            case .layer(let norm): norm.apply(source, rows: rows, into: scratch)
            case .group(let affine):
                let factor = memory.at(affine, image)
                kernels.channel_affine_f32(scratch, source, factor, factor + channels, rows, channels, false)
            }
            to_q.apply(scratch, rows: rows, into: memory.at(q, image, first))
            to_k.apply(scratch, rows: rows, into: memory.at(k, image, first))
            to_v.apply(scratch, rows: rows, into: memory.at(v, image, first))
        }
        let packed = b.rows(x.images * heads, tiles.packedCount(x.pixels))
        let count = tiles.tiles(x.pixels)
        b.add(units: x.images * heads * count) { unit, memory, _ in
            let (image, head, tile) = (unit / count / heads, unit / count % heads, unit % count)
            tiles.pack(
                tile: tile, of: x.pixels, memory.at(k, image) + head * size, memory.at(v, image) + head * size,
                stride: channels, into: memory.at(packed, image * heads + head))
        }
        let queries = Plan.rows(work: 2 * size * x.pixels, atLeast: 8, atMost: AttentionTiles.queries)
        let blocks = (x.pixels + queries - 1) / queries
        b.add(units: x.images * heads * blocks, scratch: tiles.scratchCount) { unit, memory, scratch in
            let (image, head, block) = (unit / blocks / heads, unit / blocks % heads, unit % blocks)
            let first = block * queries
            let rows = min(queries, x.pixels - first)
            let place = memory.at(q, image, first) + head * size
            tiles.attend(
                place, rows: rows, stride: channels, memory.at(packed, image * heads + head), count: x.pixels,
                into: place, scratch: scratch)
        }
        Self.addRows(&b, to_out, q, to: x)
        for map in [q, k, v, packed] { b.release(map) }
    }

    /// y += layer(x), for all pixels.
    static func addRows(_ b: inout PlanBuilder, _ layer: Linear, _ x: FeatureMap, to y: FeatureMap) {
        forRows(&b, x, work: layer.inputs * layer.outputs) { first, rows, memory, _ in
            layer.apply(memory.at(x, 0, first), rows: rows, into: memory.at(y, 0, first), adding: true)
        }
    }

    /// Adds an operation over the pixels of all pictures, some at a time: each takes `work` multiply-adds and `scratch`
    /// floats of memory, beside those that a unit takes anyway.
    static func forRows(
        _ b: inout PlanBuilder, _ x: FeatureMap, work: Int, scratch: Int = 0, besides: Int = 0,
        _ body:
            @escaping @Sendable (
                _ first: Int, _ rows: Int, _ memory: PlanMemory, _ scratch: UnsafeMutablePointer<Float>
            ) -> Void
    ) {
        let (total, chunk) = (x.images * x.pixels, Plan.rows(work: work))
        b.add(units: (total + chunk - 1) / chunk, scratch: chunk * scratch + besides) { unit, memory, scratch in
            let first = unit * chunk
            body(first, min(chunk, total - first), memory, scratch)
        }
    }
}

/// Attention of pixels to a text that never changes: its keys and values are made when the network is loaded.
struct TextAttention: Sendable {
    let to_q: Linear
    let to_out: Linear
    let heads: Int
    private let packed: Tensor
    private let words: Int

    init(_ parameters: any ParameterSource, channels: Int, heads: Int, text: Tensor) throws {
        self.heads = heads
        let (words, width) = (text.rows, text.rowCount)
        self.words = words
        to_q = try Linear(parameters["to_q"], inputs: channels, outputs: channels, hasBias: false)
        to_out = try Linear(parameters["to_out"]["0"], inputs: channels, outputs: channels)
        let k = text.linear(try parameters["to_k"].matrix("weight", outputs: channels, inputs: width))
        let v = text.linear(try parameters["to_v"].matrix("weight", outputs: channels, inputs: width))
        let tiles = AttentionTiles(headSize: channels / heads)
        packed = Tensor(generating: [heads, tiles.packedCount(words)]) { target in
            k.read { k in
                v.read { v in
                    for head in 0..<heads {
                        for tile in 0..<tiles.tiles(words) {
                            tiles.pack(
                                tile: tile, of: words, k + head * tiles.headSize, v + head * tiles.headSize,
                                stride: channels, into: target + head * tiles.packedCount(words))
                        }
                    }
                }
            }
        }
    }

    /// x += to_out(attention(norm(x), text)), in place.
    func plan(_ b: inout PlanBuilder, _ x: FeatureMap, norm: LayerNorm) {
        let channels = to_q.outputs
        let tiles = AttentionTiles(headSize: channels / heads)
        let work = 2 * channels * (channels + words)
        SelfAttention.forRows(&b, x, work: work, scratch: 2 * channels, besides: tiles.scratchCount) {
            first, rows, memory, scratch in
            let (normed, q) = (scratch, scratch + rows * channels)
            let place = memory.at(x, 0, first)
            norm.apply(place, rows: rows, into: normed)
            to_q.apply(normed, rows: rows, into: q)
            packed.read { packed in
                for head in 0..<heads {
                    let from = packed + head * tiles.packedCount(words)
                    for start in stride(from: 0, to: rows, by: AttentionTiles.queries) {
                        let block = q + start * channels + head * tiles.headSize
                        tiles.attend(
                            block, rows: min(AttentionTiles.queries, rows - start), stride: channels, from,
                            count: words, into: block, scratch: scratch + 2 * rows * channels)
                    }
                }
            }
            to_out.apply(q, rows: rows, into: place, adding: true)
        }
    }
}
