import Tensors

extension LlamaModel {
    /// What `forward` leaves in the scratch memory.
    public enum Logits: Sendable {
        /// The logits of the token after the last one.
        case last
        /// Nothing: the tokens are only put into the cache.
        case none
    }

    /// Reads `ids` as the next tokens of the conversation in `cache`. An error changes nothing.
    ///
    /// Longer pieces than `scratch.block` are computed block by block; whoever must let others in between calls with
    /// no more than a block.
    public func forward(
        _ ids: Span<Int32>, cache: inout LlamaCache, scratch: borrowing LlamaScratch, logits: Logits = .last
    ) throws(LlamaError) {
        try run(ids, &cache, scratch)
        guard logits == .last, !ids.isEmpty else { return }
        let last = (ids.count - 1) % scratch.block * configuration.hidden_size
        norm(scratch.x.pointer + last, rows: 1, into: scratch.normed.pointer)
        writeLogits(of: scratch.normed.pointer, rows: 1, to: scratch.lastLogits.pointer, scratch)
    }

    /// The same for an array.
    public func forward(
        _ ids: [Int32], cache: inout LlamaCache, scratch: borrowing LlamaScratch, logits: Logits = .last
    ) throws(LlamaError) {
        try forward(ids.span, cache: &cache, scratch: scratch, logits: logits)
    }

    /// Reads one token: a step of decoding.
    public func forward(
        _ id: Int32, cache: inout LlamaCache, scratch: borrowing LlamaScratch, logits: Logits = .last
    ) throws(LlamaError) {
        try forward(CollectionOfOne(id).span, cache: &cache, scratch: scratch, logits: logits)
    }

    /// What `outputs` gives.
    public struct Outputs: Sendable {
        /// `[tokens, vocabulary]`: row i is of the token after ids[i].
        public let logits: Tensor
        /// `[tokens, hidden]` each: the embeddings, the output of every block but the last, and the last one's after the
        /// final norm; what transformers calls `hidden_states`. Empty unless asked for.
        public let hiddenStates: [Tensor]
    }

    /// Reads `ids` as `forward` does, and gives the logits at every position: for verification, since they are large.
    public func outputs(
        _ ids: [Int32], cache: inout LlamaCache, scratch: borrowing LlamaScratch, hiddenStates wanted: Bool = false
    ) throws(LlamaError) -> Outputs {
        let hidden = configuration.hidden_size
        var states = (0..<(wanted ? layers.count + 1 : 1)).map { _ in Tensor(zeros: [ids.count, hidden]) }
        try run(ids.span, &cache, scratch) { layer, x, first, rows in
            let final = layer == layers.count
            guard wanted || final else { return }
            states[final ? states.count - 1 : layer].mutate { target in
                let target = target + first * hidden
                if final { norm(x, rows: rows, into: target) } else { target.update(from: x, count: rows * hidden) }
            }
        }
        let logits = Tensor(generating: [ids.count, configuration.vocab_size]) { target in
            states[states.count - 1].read { state in
                for first in stride(from: 0, to: ids.count, by: scratch.block) {
                    writeLogits(
                        of: state + first * hidden, rows: min(scratch.block, ids.count - first),
                        to: target + first * configuration.vocab_size, scratch)
                }
            }
        }
        return Outputs(logits: logits, hiddenStates: wanted ? states : [])
    }

    /// Runs all blocks over `ids`. `observe` is shown the residual stream before each layer and after the last:
    /// (layer, `[rows, hidden]`, first id, rows).
    private func run(
        _ ids: Span<Int32>, _ cache: inout LlamaCache, _ scratch: borrowing LlamaScratch,
        observe: ((Int, UnsafePointer<Float>, Int, Int) -> Void)? = nil
    ) throws(LlamaError) {
        precondition(
            scratch.configuration == configuration && cache.layout == PageLayout(configuration),
            "cache or scratch memory of another model")
        for index in ids.indices where ids[index] < 0 || ids[index] >= configuration.vocab_size {
            throw .unknownToken(id: ids[index], vocabulary: configuration.vocab_size)
        }
        guard ids.count <= cache.capacity - cache.length else {
            throw .contextExceeded(wanted: cache.length + ids.count, capacity: cache.capacity)
        }
        let x = scratch.x.pointer
        var start = 0
        while start < ids.count {
            let rows = min(scratch.block, ids.count - start)
            try cache.reserve(rows)
            for row in 0..<rows { embed_tokens.copyRow(Int(ids[start + row]), to: x + row * configuration.hidden_size) }
            let positions = cache.length..<(cache.length + rows)
            rotary_emb.angles(positions, cosine: scratch.cosine.pointer, sine: scratch.sine.pointer)
            cache.withPages { pages in
                let block = Block(positions: positions, pages: pages, layout: cache.layout)
                for index in layers.indices {
                    observe?(index, x, start, rows)
                    layers[index](scratch, block, layer: index)
                }
            }
            observe?(layers.count, x, start, rows)
            cache.append(rows)
            start += rows
        }
    }

    /// logits = lm_head(normed): normed `[rows, hidden]`, logits `[rows, vocabulary]`; at most a block of rows.
    private func writeLogits(
        of normed: UnsafePointer<Float>, rows: Int, to logits: UnsafeMutablePointer<Float>,
        _ scratch: borrowing LlamaScratch
    ) {
        let input = LinearInput(
            normed, rows: rows, width: lm_head.inputs, quantized: lm_head.isQuantized, memory: scratch.quantized)
        Sharing.run(work: rows * lm_head.work) { share, shares in
            lm_head.multiply(input, into: logits, outputs: lm_head.part(share, of: shares), bias: nil, adding: false)
        }
    }
}
