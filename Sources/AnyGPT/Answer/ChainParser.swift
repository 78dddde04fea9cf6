import Tokenizers

/// What an answer's tokens mean, as they come.
public enum AnswerEvent: Sendable, Equatable {
    /// More of the transcript of what the person said.
    case transcript(String)
    /// More of the reply's text.
    case reply(String)
    /// A run of codes begins.
    case began(Modality)
    /// One semantic code of a speech run.
    case speechCode(Int32)
    /// All codes of an image whose run was ended by its mark.
    case image([Int32])
    /// One code of a music run; they come frame by frame, level k's codes counted from k times the size of a level.
    case musicCode(Int32)
    /// The run is over, by its mark or because another token came that cannot be in it.
    case ended(Modality)
    /// The answer is over.
    case answerEnded
}

/// Reads an answer token by token: transcript behind `<-Ins->`, reply behind `<-Res->` (or without any mark), runs of
/// codes between their marks.
///
/// It takes any sequence of ids, not only those that the grammar lets through: codes outside of a run and marks that end
/// nothing are passed over. Text comes as soon as it is certain; white space at the ends of transcript and reply is
/// left out, and where a run of codes stands between two texts one space remains.
public struct ChainParser: Sendable {
    private enum Section: Int {
        case reply, transcript
    }

    private let vocabulary: ModalityVocabulary
    private var detokenizer: StreamingDetokenizer
    private var section = Section.reply
    private var run: Modality?
    private var codes: [Int32] = []
    private var isEnded = false
    /// Per section, whether it has any text yet.
    private var hasText = [false, false]
    /// White space that counts only when more text follows.
    private var heldSpace = ""

    /// A parser before the first token of an answer.
    public init(tokenizer: LlamaTokenizer, vocabulary: ModalityVocabulary) {
        self.vocabulary = vocabulary
        detokenizer = StreamingDetokenizer(tokenizer)
    }

    /// Takes the next id; returns what it tells. After the end of the answer it tells nothing.
    public mutating func consume(_ id: Int32) -> [AnswerEvent] {
        if isEnded { return [] }
        var events: [AnswerEvent] = []
        if vocabulary.text.contains(id) {
            if run != nil { leaveRun(&events) }
            emit(detokenizer.append(id), &events)
        } else if id == vocabulary.endOfAnswer || id == vocabulary.endOfText {
            end(&events)
        } else if id == vocabulary.instruction {
            enter(.transcript, &events)
        } else if id == vocabulary.response {
            enter(.reply, &events)
        } else {
            consumeModality(id, &events)
        }
        return events
    }

    /// Ends an answer that has no more tokens; returns the text that was held back.
    public mutating func finish() -> [AnswerEvent] {
        var events: [AnswerEvent] = []
        if !isEnded { end(&events) }
        return events
    }

    private mutating func end(_ events: inout [AnswerEvent]) {
        leaveRun(&events)
        finishText(&events)
        isEnded = true
        events.append(.answerEnded)
    }

    private mutating func enter(_ next: Section, _ events: inout [AnswerEvent]) {
        leaveRun(&events)
        finishText(&events)
        section = next
        heldSpace = hasText[next.rawValue] ? " " : ""
    }

    // MARK: Runs

    private mutating func consumeModality(_ id: Int32, _ events: inout [AnswerEvent]) {
        for modality in [Modality.speech, .image, .music] {
            guard let block = vocabulary.block(modality) else { continue }
            if id == block.start {
                leaveRun(&events)
                finishText(&events)
                if heldSpace.isEmpty { heldSpace = " " }
                run = modality
                events.append(.began(modality))
            } else if run == modality {
                if let code = block.code(of: id) {
                    switch modality {
                    case .speech: events.append(.speechCode(code))
                    case .music: events.append(.musicCode(code))
                    case .image, .text: codes.append(code)
                    }
                } else if id == block.end {
                    if modality == .image { events.append(.image(codes)) }
                    leaveRun(&events)
                }
            }
        }
    }

    private mutating func leaveRun(_ events: inout [AnswerEvent]) {
        guard let left = run else { return }
        run = nil
        codes.removeAll(keepingCapacity: true)
        events.append(.ended(left))
    }

    // MARK: Text

    private mutating func finishText(_ events: inout [AnswerEvent]) {
        emit(detokenizer.finish(), &events)
    }

    private mutating func emit(_ text: String, _ events: inout [AnswerEvent]) {
        let scalars = text.unicodeScalars
        guard let last = scalars.lastIndex(where: { !$0.properties.isWhitespace }) else {
            heldSpace += text
            return
        }
        let end = scalars.index(after: last)
        var new = String(scalars[..<end])
        if hasText[section.rawValue] {
            new = heldSpace + new
        } else {
            new = String(new.unicodeScalars.drop { $0.properties.isWhitespace })
        }
        heldSpace = String(scalars[end...])
        hasText[section.rawValue] = true
        events.append(section == .transcript ? .transcript(new) : .reply(new))
    }
}
