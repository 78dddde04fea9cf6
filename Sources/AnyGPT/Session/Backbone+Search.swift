import Llama

extension Backbone {
    /// Searches for the answer to the conversation in the cache as a whole: what comes of it is text, which is told when the
    /// best one is known. The cache stays as it is but for its last token.
    func search(_ rules: AnswerRules, tell: @Sendable (AnswerEvent) async -> Void) async throws -> Answer {
        precondition(rules.modalities.isEmpty && rules.chain == .never, "only plain text is searched for")
        let vocabulary = engine.vocabulary
        let room = cache.capacity - cache.length - 4
        var search = BeamSearch(maxNewTokens: max(1, min(rules.maximumReplyTokens, rules.maximumTokens, room)))
        search.beams = rules.beams
        search.minNewTokens = max(sampling.text.minimumNewTokens, rules.minimumTokens)
        search.eos = [vocabulary.endOfAnswer, vocabulary.endOfText].compactMap { $0 }
        let wanted = vocabulary.text.union(TokenSet(ids: search.eos))
        search.suppressed = wanted.complement(in: 0..<Int32(engine.llama.configuration.vocab_size))
        // The logits are then those of some sequence: whoever needs the prompt's reads its last token again.
        defer { rollback(to: ids.count - 1) }
        var run = try BeamRun(search, on: engine.llama, after: cache, scratch: scratch)
        while !run.isFinished {
            try Task.checkCancellation()
            try run.advance(on: engine.llama, scratch: scratch)
            await Task.yield()
        }
        var found = run.best(1)[0].ids
        if found.last.map(search.eos.contains) != true { found.append(vocabulary.endOfAnswer) }
        var parser = ChainParser(tokenizer: engine.tokenizer, vocabulary: vocabulary)
        for id in found {
            for event in parser.consume(id) { await tell(event) }
        }
        for event in parser.finish() { await tell(event) }
        return Answer(ids: found, isComplete: true, drawn: found.count)
    }
}
