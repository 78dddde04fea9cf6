import Checkpoints
import Foundation
import Tensors

/// Self-attention of all frames to all frames, with rotary positions: x += W_o softmax(q·kᵀ / √headSize) v.
///
/// In two parts, because the second needs the keys and values of every frame: `project`, then `add`.
struct Attention: Sendable {
    let norm: LayerNorm
    let toQuery: Projection
    let toKeyValue: Projection
    let toOutput: Projection
    let heads: Int
    let headSize: Int

    init(_ weights: Weights, _ configuration: SoundStormConfiguration) throws {
        let (dim, inner) = (configuration.dim, configuration.attentionSize)
        norm = try LayerNorm(weights["norm"], dim)
        toQuery = try Projection(weights["fn.to_q"], dim, inner, bias: false)
        toKeyValue = try Projection(weights["fn.to_kv"], dim, 2 * inner, bias: false)
        toOutput = try Projection(weights["fn.to_out"], inner, dim)
        heads = configuration.heads
        headSize = configuration.headSize
    }

    private var inner: Int { heads * headSize }

    /// Queries, keys and values of these frames: queries scaled, all but the values turned by their position.
    func project(_ rows: Range<Int>, _ rotary: RotaryTable, _ space: Workspace) {
        let dim = norm.weight.count
        let normed = Workspace.row(space.normed, rows.lowerBound, dim)
        let queries = Workspace.row(space.queries, rows.lowerBound, inner)
        let hidden = Workspace.row(space.hidden, rows.lowerBound, space.hiddenSize)
        norm.apply(Workspace.row(space.stream, rows.lowerBound, dim), rows: rows.count, into: normed)
        toQuery.apply(normed, rows: rows.count, into: queries)
        toKeyValue.apply(normed, rows: rows.count, into: hidden)
        rotary.cosine.withUnsafeBufferPointer { cosine in
            rotary.sine.withUnsafeBufferPointer { sine in
                for row in 0..<rows.count {
                    let turn = (rows.lowerBound + row) * rotary.half
                    guard let cosine = cosine.baseAddress, let sine = sine.baseAddress else { continue }
                    kernels.rope_f32(queries + row * inner, cosine + turn, sine + turn, heads, headSize)
                    kernels.rope_f32(hidden + row * 2 * inner, cosine + turn, sine + turn, heads, headSize)
                }
            }
        }
        kernels.scale_f32(queries, 1 / Float(headSize).squareRoot(), rows.count * inner)
        for row in 0..<rows.count {
            pack(frame: rows.lowerBound + row, keys: hidden + row * 2 * inner, space)
        }
    }

    /// Writes the keys and values of a frame to their places in the panels: see `ck_pack_f32`.
    private func pack(frame: Int, keys: UnsafePointer<Float>, _ space: Workspace) {
        let panel = Int(CK_PANEL)
        let values = keys + inner
        for head in 0..<heads {
            let from = head * headSize
            let toKeys = keyPanels(head, space) + frame / panel * headSize * panel + frame % panel
            for i in 0..<headSize { toKeys[i * panel] = keys[from + i] }
            let toValues = valuePanels(head, space) + frame * panel
            for start in stride(from: 0, to: headSize, by: panel) {
                let width = min(panel, headSize - start)
                (toValues + start * space.frames).update(from: values + from + start, count: width)
            }
        }
    }

    private func keyPanels(_ head: Int, _ space: Workspace) -> UnsafeMutablePointer<Float> {
        space.keyPanels.pointer + head * ck_packed_count(headSize, space.frames)
    }

    private func valuePanels(_ head: Int, _ space: Workspace) -> UnsafeMutablePointer<Float> {
        space.valuePanels.pointer + head * ck_packed_count(space.frames, headSize)
    }

    /// Adds what these frames gather from all, except from those that `visible` hides.
    func add(_ rows: Range<Int>, share: Int, visible: [Bool]?, _ space: Workspace) {
        let scores = space.scores.pointer + share * Workspace.queryTile * space.capacity
        for first in stride(from: rows.lowerBound, to: rows.upperBound, by: Workspace.queryTile) {
            let count = min(Workspace.queryTile, rows.upperBound - first)
            let queries = Workspace.row(space.queries, first, inner)
            let gathered = Workspace.row(space.gathered, first, inner)
            for head in 0..<heads {
                kernels.gemm_packed_f32(
                    scores, space.frames, queries + head * headSize, inner, keyPanels(head, space), nil, count,
                    space.frames, headSize, false)
                if let visible { Self.hide(scores, rows: count, visible) }
                kernels.softmax_f32(scores, count, space.frames)
                kernels.gemm_packed_f32(
                    gathered + head * headSize, inner, scores, space.frames, valuePanels(head, space), nil, count,
                    headSize, space.frames, false)
            }
        }
        toOutput.add(
            Workspace.row(space.gathered, rows.lowerBound, inner), rows: rows.count,
            to: Workspace.row(space.stream, rows.lowerBound, norm.weight.count))
    }

    /// Hidden frames get no weight. The reference fills in a large negative number instead of infinity, by which all
    /// frames weigh the same where everything is hidden.
    private static func hide(_ scores: UnsafeMutablePointer<Float>, rows: Int, _ visible: [Bool]) {
        let filler = visible.contains(true) ? -Float.infinity : 0
        for row in 0..<rows {
            for (frame, isVisible) in visible.enumerated() where !isVisible {
                scores[row * visible.count + frame] = filler
            }
        }
    }
}
