extension LlamaModel {
    /// The likeliest token each time, from the tokens that `cache` holds and `prompt`, which must not be empty.
    ///
    /// - Returns: the new ids, with the one of `eos` that ended them if one did. The last one is not yet in the cache.
    public func greedy(
        _ prompt: [Int32], cache: inout LlamaCache, scratch: borrowing LlamaScratch, maxNewTokens: Int,
        eos: Set<Int32> = []
    ) throws(LlamaError) -> [Int32] {
        guard !prompt.isEmpty else { throw .unsuitableSearch("the prompt is empty") }
        guard maxNewTokens > 0 else { return [] }
        try forward(prompt, cache: &cache, scratch: scratch)
        var ids = [scratch.argmax]
        while ids.count < maxNewTokens, !eos.contains(ids[ids.count - 1]) {
            try forward(ids[ids.count - 1], cache: &cache, scratch: scratch)
            ids.append(scratch.argmax)
        }
        return ids
    }
}
