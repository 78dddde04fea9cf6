import Compute
import Tokenizers

/// Makes one answer: the backbone thinks while what it says is spoken, what it composes is played and what it pictures is
/// drawn, each beside the others.
struct AnswerMaker: Sendable {
    let engine: Engine
    let backbone: Backbone
    let speaker: Speaker
    let composer: Composer?
    let painter: Painter?
    let tell: @Sendable (SessionEvent) async -> Void

    /// An answer that was made.
    struct Made: Sendable {
        var ids: [Int32]
        var outcome: AnswerOutcome
    }

    /// Answers a conversation; returns when the last of it was told.
    func make(to ids: [Int32], rules: AnswerRules) async throws -> Made {
        try await backbone.align(to: ids, as: .tokens)
        try await speaker.reset()
        await composer?.reset()
        let forced = forcedTokens(at: ids)
        var rules = rules
        // The question decided that the answer is a chain, whatever the caller's rules leave open.
        if forced.first == engine.vocabulary.instruction, !forced.isEmpty { rules.chain = .required }
        let settled = rules
        // The backbone runs only a little ahead of the speaker: what nobody hears in the end was not computed, and
        // another session's answer need not wait for it.
        let codes = BoundedChannel<Int32?>(capacity: 4)
        // Nobody listens to music while it is made: the backbone may be a second ahead of its sound.
        let notes = BoundedChannel<Int32?>(capacity: 200)
        let motifs = BoundedChannel<[Int32]>(capacity: 4)
        // Over when the first sound was told. An image that comes before its answer's speech is not drawn before that:
        // drawing would take the threads that the speech is made by.
        let silence = BoundedChannel<Never>(capacity: 1)
        let sides = [
            Task { try await speak(codes, ending: silence) }, Task { try await play(notes) },
            Task { try await paint(motifs, after: settled.requiresSpeech ? silence : nil) },
        ]
        let cancelSides: @Sendable () -> Void = {
            for side in sides { side.cancel() }
            codes.cancel()
            notes.cancel()
            motifs.cancel()
            silence.finish()
        }
        do {
            let answer = try await withTaskCancellationHandler {
                try await backbone.answer(rules: settled, forced: forced) { event in
                    switch event {
                    case .speechCode(let code): await codes.send(code)
                    case .ended(.speech): await codes.send(nil)
                    case .musicCode(let code):
                        await notes.send(code)
                        await tell(.answer(event))
                    case .ended(.music):
                        await notes.send(nil)
                        await tell(.answer(event))
                    case .image(let codes):
                        await motifs.send(codes)
                        await tell(.answer(event))
                    default: await tell(.answer(event))
                    }
                }
            } onCancel: {
                cancelSides()
            }
            await tell(.lastToken)
            codes.finish()
            notes.finish()
            motifs.finish()
            // What is drawn outlives the last token by far: who stops the answer then stops that.
            try await withTaskCancellationHandler {
                for side in sides {
                    if case .failure(let error) = await side.result, !(error is CancellationError) { throw error }
                }
            } onCancel: {
                cancelSides()
            }
            return Made(
                ids: answer.ids,
                outcome: AnswerOutcome(
                    isComplete: answer.isComplete && !Task.isCancelled, inputTokens: ids.count,
                    outputTokens: answer.drawn,
                    speechFrames: answer.ids.count(where: engine.vocabulary.speech.codes.contains),
                    musicTokens: answer.musicCodes, musicJoins: answer.musicJoins))
        } catch {
            cancelSides()
            for side in sides { _ = await side.result }
            throw error
        }
    }

    /// Codes into sound, in pieces of what has come by then; nil in the channel ends a run.
    private func speak(_ codes: BoundedChannel<Int32?>, ending silence: BoundedChannel<Never>) async throws {
        defer { silence.finish() }
        let play: @Sendable ([Float]) async -> Void = {
            await tell(.speech($0))
            silence.finish()
        }
        while let code = await codes.receive() {
            try Task.checkCancellation()
            if let code {
                try await speaker.say([code], play: play)
            } else {
                try await speaker.finish(play: play)
                await tell(.speechEnded)
                try await speaker.reset()
            }
        }
    }

    /// Codes of music into sound; nil in the channel ends a piece.
    private func play(_ notes: BoundedChannel<Int32?>) async throws {
        while let note = await notes.receive() {
            try Task.checkCancellation()
            guard let composer else { continue }
            if let note {
                if let samples = try await composer.play(note) { await tell(.music(samples)) }
            } else {
                await tell(.music(try await composer.finish()))
                await tell(.musicEnded)
            }
        }
    }

    /// Codes of images into pictures, once the silence is over.
    private func paint(_ motifs: BoundedChannel<[Int32]>, after silence: BoundedChannel<Never>?) async throws {
        while let codes = await motifs.receive() {
            _ = await silence?.receive()
            try Task.checkCancellation()
            guard let painter else { continue }
            let picture = try await painter.paint(codes) { await tell(.drawing(step: $0, steps: $1)) }
            await tell(.picture(picture))
        }
    }

    /// The marks at the end of a question that the answer is made to begin with.
    private func forcedTokens(at ids: [Int32]) -> [Int32] {
        let v = engine.vocabulary
        let marks = [v.instruction, v.speech.start, v.image?.start, v.music?.start].compactMap { $0 }
        return ids.last.map { marks.contains($0) ? [$0] : [] } ?? []
    }
}
