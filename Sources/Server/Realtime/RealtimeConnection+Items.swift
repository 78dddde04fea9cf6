import AnyGPT
import Wire

extension RealtimeConnection {
    /// An item by its name.
    func find(_ id: String) throws -> ConversationItem {
        guard let item = items[id] else {
            throw WireError(
                .itemNotFound, "There is no item \"\(id.prefix(100))\" in the conversation.", param: "item_id")
        }
        return item
    }

    /// An item that the client puts into the conversation. The name that it chose is kept.
    func create(_ item: ConversationItem, after: String?) async throws {
        guard case .message(let role, let content) = item.kind else {
            throw WireError(.invalidValue, "This model has no tools: only messages are taken.", param: "item.type")
        }
        let id = item.id ?? name("item")
        guard items[id] == nil else {
            throw WireError(.invalidValue, "There is an item \"\(id.prefix(100))\" already.", param: "item.id")
        }
        let asked = role == .user ? try Content(content) : nil
        // Seen and heard before the item stands: what cannot be leaves none.
        var question = WrittenQuestion(text: "", picture: [], music: [], item: id)
        if case .written(let text, let shown, let upload)? = asked {
            question.text = text
            switch shown {
            case .url(let url)?: question.picture = try await look(at: url)
            case .upload(let number)?: question.picture = try await look(atUpload: number)
            case nil: break
            }
            if let upload { question.music = try await listen(toUpload: upload) }
        }
        var stored = item.withoutPictures
        (stored.id, stored.status) = (id, .completed)
        guard let previous = items.insert(stored, id: id, after: after) else {
            throw WireError(
                .itemNotFound, "There is no item \"\(after?.prefix(100) ?? "")\" to put it behind.",
                param: "previous_item_id")
        }
        switch asked {
        case .written?:
            if machine.isTurnOpen { writtenMeanwhile.append(question) } else { try await write(question) }
        case .spoken(let bytes)?: try await hearWhole(bytes, item: id)
        case nil: break
        }
        send(.conversationItemAdded(ItemPlacement(previousItemID: previous, item: stored)))
        send(.conversationItemDone(ItemPlacement(previousItemID: previous, item: stored)))
    }

    /// Puts a written question into the conversation.
    func write(_ question: WrittenQuestion) async throws {
        try await session.write(
            question.text, picture: question.picture, music: question.music, item: question.item)
        lastWritten = question.text
        self.question = .written(at: clock.now)
    }

    /// A question in one piece.
    private enum Content {
        case written(String, picture: ShownPicture?, music: UInt32?)
        case spoken([UInt8])

        init?(_ content: [ContentPart]) throws {
            var texts: [String] = []
            var music: UInt32?
            var picture: ShownPicture?
            for part in content {
                switch part {
                case .inputText(let text), .outputText(let text): texts.append(text)
                case .inputAudio(let audio?, _):
                    self = .spoken(audio)
                    return
                case .inputAudio(nil, let transcript), .outputAudio(_, let transcript):
                    if let transcript { texts.append(transcript) }
                case .inputImage(let shown, _):
                    guard picture == nil else {
                        throw WireError(.invalidValue, "An item takes one picture.", param: "item.content")
                    }
                    picture = shown
                case .inputMusic(let upload):
                    guard music == nil else {
                        throw WireError(.invalidValue, "An item takes one piece of music.", param: "item.content")
                    }
                    music = upload
                }
            }
            let text = texts.joined(separator: "\n")
            guard !text.isEmpty || picture != nil || music != nil else { return nil }
            self = .written(text, picture: picture, music: music)
        }
    }

    private func hearWhole(_ bytes: [UInt8], item: String) async throws {
        guard !machine.isTurnOpen else {
            throw WireError(.invalidValue, "A turn is being spoken: its end must come first.", param: "item.content")
        }
        var whole = try AudioInput(detection: nil, maximumTurn: .max)
        try await session.openTurn(item: item)
        for case .samples(let samples) in try whole.hear(bytes, format: settings.inputFormat) {
            try await session.hear(samples)
        }
        let codes = try await session.closeTurn()
        question = Question(item: item, frames: codes.count, end: clock.now)
    }

    /// The listener heard this much of an item; more than there is means all of it.
    func truncate(_ id: String, contentIndex: Int, milliseconds: Int) async throws {
        _ = try find(id)
        if id == lastAnswerItem, answering == nil {
            await session.cutAnswer(toFrames: Int(Double(milliseconds) * services.framesPerSecond / 1000))
        }
        send(
            .conversationItemTruncated(
                ItemTruncated(itemID: id, contentIndex: contentIndex, audioEndMilliseconds: milliseconds)))
    }
}
