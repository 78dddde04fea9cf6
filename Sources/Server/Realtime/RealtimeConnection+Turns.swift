import AnyGPT
import Wire

extension RealtimeConnection {
    /// What came of some sound: the turn's course.
    func take(_ events: [AudioInput.Event]) async throws {
        for event in events {
            switch event {
            case .opened(let milliseconds):
                let item = name("item")
                turnItem = item
                if settings.turnDetection != nil {
                    send(.speechStarted(SpeechStarted(itemID: item, audioStartMilliseconds: milliseconds)))
                    try await perform(machine.handle(.speechStarted))
                } else {
                    try await perform(machine.handle(.manualAudio))
                }
            case .samples(let samples):
                guard machine.isTurnOpen else { continue }
                try await session.hear(samples)
            case .ended(let milliseconds, let lastVoice):
                turnEnd = arrivals.instant(of: lastVoice) ?? clock.now
                if settings.turnDetection != nil, let item = turnItem {
                    send(.speechStopped(SpeechStopped(itemID: item, audioEndMilliseconds: milliseconds)))
                    try await perform(machine.handle(.speechStopped))
                } else {
                    // Manual mode, and the longest turn is reached.
                    try await perform(machine.handle(.commit))
                }
            }
        }
    }

    /// The client says that the turn is complete.
    func commit() async throws {
        turnEnd = arrivals.instant(of: input.position) ?? clock.now
        input.endTurn()
        try await perform(machine.handle(.commit))
    }

    /// Carries out what the turn machine decided, in order.
    func perform(_ actions: [TurnMachine.Action]) async throws {
        for action in actions {
            switch action {
            case .openTurn:
                await cutToWhatWasHeard()
                try await session.openTurn(item: turnItem ?? name("item"))
            case .closeTurn: try await closeTurn()
            case .dropTurn:
                turnItem = nil
                await session.dropTurn()
                try await writeWaiting()
            case .startAnswer: try await startAnswer()
            case .stopAnswer(let reason): await stopAnswer(reason)
            case .refuse(let refusal):
                asked = nil
                throw refusal.wireError
            }
        }
    }

    private func closeTurn() async throws {
        let codes = try await session.closeTurn()
        let id = turnItem ?? name("item")
        turnItem = nil
        let item = ConversationItem.message(
            id: id, status: .completed, role: .user, content: [.inputAudio(audio: nil, transcript: nil)])
        let previous = items.insert(item, id: id, after: nil) ?? nil
        send(.inputAudioBufferCommitted(InputCommitted(previousItemID: previous, itemID: id)))
        send(.conversationItemAdded(ItemPlacement(previousItemID: previous, item: item)))
        send(.conversationItemDone(ItemPlacement(previousItemID: previous, item: item)))
        question = Question(item: id, frames: codes.count, end: turnEnd)
        try await writeWaiting()
    }

    /// What was written while a turn was open follows it.
    private func writeWaiting() async throws {
        let waiting = writtenMeanwhile
        writtenMeanwhile = []
        for written in waiting { try await write(written) }
    }

    /// A listener who speaks while sent sound is still being heard has heard only so much of it: the rest is taken out of
    /// the conversation. A reply that is still being made goes on (`stopAnswer` is what ends one).
    private func cutToWhatWasHeard() async {
        guard answering == nil, let output, output.total48k > 0 else { return }
        let heard = output.heard48k(at: now)
        guard heard < output.total48k else { return }
        self.output = nil
        await session.cutAnswer(toFrames: heard / services.samplesPerFrame48k)
    }
}

extension TurnMachine.Refusal {
    /// The error that the client is sent.
    var wireError: WireError {
        switch self {
        case .emptyCommit: WireError(.inputAudioBufferCommitEmpty, "There is no sound to commit.")
        case .answerRunning:
            WireError(.conversationAlreadyHasActiveResponse, "A response is being made already: cancel it first.")
        case .nothingToCancel:
            WireError(.responseCancelNotActive, "Cancellation failed: no response is being made.")
        }
    }
}
