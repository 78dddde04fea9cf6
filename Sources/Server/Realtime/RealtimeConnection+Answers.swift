import AnyGPT
import Audio
import Logging
import Wire

extension RealtimeConnection {
    // MARK: Course

    /// Announces a response and begins to make it.
    func startAnswer() async throws {
        let parameters = asked ?? ResponseParameters()
        asked = nil
        guard await session.canAnswer else {
            _ = machine.handle(.answerEnded)
            throw WireError(.invalidValue, "There is no question to answer: send speech or an item first.")
        }
        let plan: AnswerPlan
        let place = OutputPlace(responseID: name("resp"), itemID: name("item"), outputIndex: 0)
        do {
            plan = try await self.plan(parameters)
            output = try AudioOutput(
                encoding: encoding(parameters.outputFormat),
                sampleRate: services.speechSampleRate, outputIndex: place.outputIndex, lead: services.lead)
        } catch {
            _ = machine.handle(.answerEnded)
            throw error
        }
        var record = ResponseRecord(
            place: place, modality: plan.modality, metadata: parameters.metadata, question: question)
        record.artifactRequest = parameters.artifact
        record.isTranscription = plan.form == .transcript
        record.musicFrames = plan.rules.modalities.contains(.music) ? plan.rules.maximumMusicFrames : 0
        response = record
        outputIsComplete = false
        lastAnswerItem = place.itemID
        send(
            .responseCreated(
                Response(
                    id: record.id, status: .inProgress, outputModality: plan.modality, metadata: parameters.metadata)))
        let item = record.item(.inProgress)
        send(.outputItemAdded(OutputItem(responseID: record.id, outputIndex: place.outputIndex, item: item)))
        let previous = items.insert(item, id: place.itemID, after: nil) ?? nil
        send(.conversationItemAdded(ItemPlacement(previousItemID: previous, item: item)))
        send(.contentPartAdded(record.part))
        mark(\.endOfTurnMilliseconds)
        answering = Task { await self.makeAnswer(plan.rules, as: plan.form, previous: previous) }
    }

    /// What was asked for: an artifact, a task, or else a reply.
    private func plan(_ parameters: ResponseParameters) async throws -> AnswerPlan {
        let (artifact, task) = (try artifactPlan(parameters.artifact), try taskPlan(parameters))
        let plan = artifact ?? task ?? replyPlan(parameters)
        if let refusal = try await session.refusal(of: plan.form) { throw refusal.wireError }
        return plan
    }

    private func replyPlan(_ parameters: ResponseParameters) -> AnswerPlan {
        if services.engine.settings.kind == .base { return descriptionPlan(parameters) }
        let modality = parameters.outputModality ?? settings.outputModality
        let rules = services.rules(
            modality, spoken: question.item != nil, artifacts: mayMakeArtifacts, limit: parameters.maxOutputTokens)
        return AnswerPlan(form: .words, rules: rules, modality: modality)
    }

    /// How the reply's sound is encoded for this door.
    private func encoding(_ asked: AudioFormat?) -> AudioOutput.Encoding {
        switch door.sound {
        case .events: .json(asked ?? settings.outputFormat)
        case .opus: .opus(bitrate: services.opusBitrate)
        case .samples: .samples
        }
    }

    private func makeAnswer(_ rules: AnswerRules, as form: AnswerForm, previous: String?) async {
        var outcome: Result<AnswerOutcome, any Error>
        artifactFailure = nil
        do {
            outcome = .success(try await session.answer(rules: rules, as: form))
        } catch {
            // A stop is no failure, wherever it was noticed.
            outcome = error is CancellationError ? .success(.stopped) : .failure(error)
            if !(error is CancellationError) { logger.error("answer failed: \(error)") }
        }
        await drain()
        await discardPiece()
        if let artifactFailure {
            logger.error("artifact failed: \(artifactFailure)")
            outcome = .failure(artifactFailure)
        }
        finish(outcome, previous: previous)
        answering = nil
        do {
            try await perform(machine.handle(.answerEnded))
        } catch {
            logger.error("\(error)")
        }
    }

    /// Stops the response that is being made, and waits until it has stopped.
    func stopAnswer(_ reason: TurnMachine.StopReason) async {
        response?.stopReason = reason
        let heard = output.map { ($0.heard48k(at: now), $0.total48k) }
        await session.stop()
        output?.stop()
        pump()
        await answering?.value
        // What was heard of it is settled: nothing of it will be played any more.
        output = nil
        if let (heard, total) = heard, total > 0 {
            await session.cutAnswer(toFrames: heard / services.samplesPerFrame48k)
        }
    }

    private func finish(_ outcome: Result<AnswerOutcome, any Error>, previous: String?) {
        guard var record = response else { return }
        record.timing.doneMilliseconds = sinceQuestion
        response = nil
        finishTranscript(&record)
        let place = record.place
        if record.modality == .audio {
            send(.outputAudioDone(place))
            send(.outputTranscriptDone(place, transcript: record.reply))
        } else {
            send(.outputTextDone(place, text: record.reply))
        }
        send(.contentPartDone(record.part))
        let done = record.response(outcome)
        if let item = done.output.first {
            items[place.itemID] = item
            send(.outputItemDone(OutputItem(responseID: record.id, outputIndex: place.outputIndex, item: item)))
            send(.conversationItemDone(ItemPlacement(previousItemID: previous, item: item)))
        }
        record.timing.packets = output?.sent ?? 0
        if case .success(let outcome) = outcome {
            record.timing.inputTokens = outcome.inputTokens
            record.timing.outputAudioTokens = outcome.soundTokens
            record.timing.outputTextTokens = max(0, outcome.outputTokens - outcome.soundTokens)
        }
        send(.responseTiming(record.timing))
        send(.responseDone(done))
        logger.info(
            "response \(done.status.rawValue)",
            metadata: [
                "first_text_ms": "\(Int(record.timing.firstTextMilliseconds ?? -1))",
                "first_audio_ms": "\(Int(record.timing.firstAudioMilliseconds ?? -1))",
                "last_token_ms": "\(Int(record.timing.lastTokenMilliseconds ?? -1))",
                "packets": "\(record.timing.packets)",
                "packets_before_last_token": "\(record.timing.packetsBeforeLastToken)",
            ])
    }

    // MARK: What the session tells

    /// One event of the session.
    func told(_ event: SessionEvent) async {
        switch event {
        case .heard(let frames, let probability):
            logger.trace("heard \(frames) frames, p(end) \(probability)")
        case .answer(let event): told(event)
        case .music(let samples): await making { try await self.play(piece: samples) }
        case .musicEnded: await making { try await self.finishPiece() }
        case .drawing(let step, let steps): tell(.image, step: step, of: steps)
        case .picture(let picture): await making { try await self.finish(picture) }
        case .speech(let samples):
            guard response?.stopReason == nil else { return }
            do { try output?.play(samples) } catch { logger.error("\(error)") }
            pump()
        case .speechEnded:
            do { try output?.finish() } catch { logger.error("\(error)") }
            pump()
        case .lastToken:
            mark(\.lastTokenMilliseconds)
            response?.timing.packetsBeforeLastToken = output?.sent ?? 0
        }
    }

    private func told(_ event: AnswerEvent) {
        if case .transcript = event { mark(\.firstTextMilliseconds) }
        if case .reply = event { mark(\.firstTextMilliseconds) }
        guard var record = response else { return }
        defer { response = record }
        switch event {
        case .transcript(let delta): tell(transcript: delta, &record)
        case .reply(let delta):
            if record.isTranscription {
                // The words are the question's own as well.
                tell(transcript: delta, &record)
            } else {
                finishTranscript(&record)
            }
            record.reply += delta
            if record.modality == .audio {
                send(.outputTranscriptDelta(record.place, delta: delta))
            } else {
                send(.outputTextDelta(record.place, delta: delta))
            }
        case .began, .ended, .speechCode, .image, .musicCode, .answerEnded: break
        }
    }

    private func tell(transcript delta: String, _ record: inout ResponseRecord) {
        record.transcript += delta
        guard let item = record.question.item, wantsTranscript else { return }
        send(.inputTranscriptionDelta(TranscriptionDelta(itemID: item, contentIndex: 0, delta: delta)))
    }

    /// The transcript is complete when the reply begins, or when the answer ends.
    private func finishTranscript(_ record: inout ResponseRecord) {
        guard !record.transcriptIsDone, let item = record.question.item else { return }
        record.transcriptIsDone = true
        if case .message(let role, _)? = items[item]?.kind {
            items[item] = .message(
                id: item, status: .completed, role: role,
                content: [.inputAudio(audio: nil, transcript: record.transcript)])
        }
        guard wantsTranscript else { return }
        send(
            .inputTranscriptionCompleted(
                TranscriptionCompleted(
                    itemID: item, contentIndex: 0, transcript: record.transcript,
                    usage: .duration(seconds: Double(record.question.frames) / services.framesPerSecond))))
    }

    /// OpenAI's clients ask for transcripts; ours always want them.
    private var wantsTranscript: Bool { door.sound.isOurs || settings.transcription != nil }

    /// A stage of the running response is reached, now and for the first time.
    func mark(_ stage: WritableKeyPath<ResponseTiming, Double?>) {
        let time = sinceQuestion
        if response?.timing[keyPath: stage] == nil { response?.timing[keyPath: stage] = time }
    }

    /// Milliseconds since the last voice of the response's question came in.
    private var sinceQuestion: Double { (clock.now - (response?.question.end ?? clock.now)) / .milliseconds(1) }

    // MARK: Sound out

    /// Sends what may be sent now, and comes back when more may.
    func pump() {
        guard output != nil else { return }
        for packet in output?.due(at: now) ?? [] {
            mark(\.firstAudioMilliseconds)
            switch packet {
            case .frame, .samples: door.send(packet)
            case .bytes(let bytes):
                guard let place = response?.place else { break }
                send(.outputAudioDelta(place, audio: bytes))
            }
        }
        if let next = output?.nextDue {
            guard sending == nil else { return }
            sending = Task {
                try? await clock.sleep(until: started.advanced(by: next))
                sending = nil
                pump()
            }
        } else if outputIsComplete {
            drained?.resume()
            drained = nil
        }
    }

    /// Waits until all sound has been sent, or thrown away.
    private func drain() async {
        outputIsComplete = true
        guard output?.nextDue != nil else { return }
        await withCheckedContinuation { continuation in
            drained = continuation
            pump()
        }
    }
}
