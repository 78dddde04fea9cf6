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
        var stored = item
        (stored.id, stored.status) = (id, .completed)
        guard let previous = items.insert(stored, id: id, after: after) else {
            throw WireError(
                .itemNotFound, "There is no item \"\(after?.prefix(100) ?? "")\" to put it behind.",
                param: "previous_item_id")
        }
        switch asked {
        case .written(let text)? where machine.isTurnOpen: writtenMeanwhile.append((text, id))
        case .written(let text)?:
            try await session.write(text, item: id)
            self.question = .written(at: clock.now)
        case .spoken(let bytes)?: try await hearWhole(bytes, item: id)
        case nil: break
        }
        send(.conversationItemAdded(ItemPlacement(previousItemID: previous, item: stored)))
        send(.conversationItemDone(ItemPlacement(previousItemID: previous, item: stored)))
    }

    /// A question in one piece.
    private enum Content {
        case written(String)
        case spoken([UInt8])

        init?(_ content: [ContentPart]) throws {
            var texts: [String] = []
            for part in content {
                switch part {
                case .inputText(let text), .outputText(let text): texts.append(text)
                case .inputAudio(let audio?, _):
                    self = .spoken(audio)
                    return
                case .inputAudio(nil, let transcript), .outputAudio(_, let transcript):
                    if let transcript { texts.append(transcript) }
                case .inputImage:
                    throw WireError(.invalidValue, "Pictures cannot be taken in yet.", param: "item.content")
                }
            }
            let text = texts.joined(separator: "\n")
            guard !text.isEmpty else { return nil }
            self = .written(text)
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
