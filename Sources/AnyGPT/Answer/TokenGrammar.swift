/// Which tokens may come next in an answer, so that no run is ever left half: in a speech run only speech codes and its
/// end, an image of exactly as many codes as images have, music in whole frames with the levels in order, and limits
/// that close a run instead of cutting it off.
///
/// A value without tokenizer or model: feed it the ids that were generated, and give `allowed` to the sampler. The sets
/// within runs are made once; in text the set is made anew only when something changes.
public struct TokenGrammar: Sendable {
    /// The ids that may come next; empty only after the answer's end.
    public private(set) var allowed: TokenSet
    /// What the next token belongs to: text, or the run that is open.
    public private(set) var modality = Modality.text
    /// Whether the answer has ended.
    public private(set) var isEnded = false
    /// How many ids were accepted.
    public private(set) var tokenCount = 0

    private let vocabulary: ModalityVocabulary
    private let rules: AnswerRules
    private let runs: RunSets

    private enum Section {
        case opening, transcript, reply, beforeSpeech, afterSpeech
    }

    private var section = Section.opening
    /// Text tokens of the section; a reply goes on counting from its opening and behind its runs.
    private var textCount = 0
    /// Whether the section holds nothing but spaces so far.
    private var isBlank = true
    private var runCount = 0
    private var artifactCount = 0
    private var hasSpoken = false
    /// Codes of the open run.
    private var codeCount = 0
    /// What `allowed` was made of; nil when it is a run's set.
    private var composed: Parts?

    /// A grammar before the first token of an answer.
    ///
    /// Tokens that the prompt puts into the answer (`<sosp>` to force speech) are accepted like generated ones.
    public init(vocabulary: ModalityVocabulary, rules: AnswerRules = AnswerRules()) {
        precondition(rules.imageLength > 0 && rules.maximumSpeechFrames > 0 && rules.maximumMusicFrames > 0)
        precondition(!rules.requiresSpeech || (rules.modalities.contains(.speech) && rules.maximumRuns > 0))
        self.vocabulary = vocabulary
        self.rules = rules
        runs = RunSets(vocabulary)
        allowed = TokenSet([])
        updateAllowed()
    }

    /// Takes the next id, which must be an allowed one.
    public mutating func accept(_ id: Int32) {
        precondition(allowed.contains(id), "token \(id) is not allowed here")
        tokenCount += 1
        if let block = vocabulary.block(modality) {
            if id == block.end { endRun() } else { codeCount += 1 }
        } else {
            acceptInText(id)
        }
        updateAllowed()
    }

    /// Whether the open run of music has all the frames that it may have.
    var isMusicFull: Bool { codeCount / vocabulary.musicLevels >= rules.maximumMusicFrames || isOverBudget }

    /// Forgets the last codes of the open run, which are made anew.
    mutating func takeBack(codes: Int) {
        precondition(modality != .text && codes <= codeCount)
        codeCount -= codes
        tokenCount -= codes
        updateAllowed()
    }

    /// The ids that end the answer where it stands, for a conversation that goes on after an interruption. A run of
    /// images or music that they end stays incomplete.
    public var closing: [Int32] {
        if isEnded { return [] }
        return (vocabulary.block(modality).map { [$0.end] } ?? []) + [vocabulary.endOfAnswer]
    }

    private mutating func acceptInText(_ id: Int32) {
        if id == vocabulary.endOfAnswer || id == vocabulary.endOfText {
            isEnded = true
        } else if id == vocabulary.instruction {
            begin(.transcript)
        } else if id == vocabulary.response {
            begin(.reply)
        } else if let started = Modality.allCases.first(where: { vocabulary.block($0)?.start == id }) {
            modality = started
            composed = nil
            codeCount = 0
            runCount += 1
            if started != .speech { artifactCount += 1 }
        } else {
            textCount += 1
            if isBlank, !vocabulary.spaces.contains(id) { isBlank = false }
        }
    }

    private mutating func begin(_ next: Section) {
        section = next
        textCount = 0
        isBlank = true
    }

    private mutating func endRun() {
        if modality == .speech { hasSpoken = true }
        if modality == .speech, rules.endsAfterSpeech {
            begin(.afterSpeech)
        } else if mustSpeak, rules.endsAfterSpeech {
            // An image stands between the reply's words and their speech.
            begin(.beforeSpeech)
        } else if section == .opening {
            // The reply has begun without the chain's marks.
            section = .reply
        }
        modality = .text
    }

    private mutating func updateAllowed() {
        switch modality {
        case _ where isEnded: allowed = TokenSet([])
        case .text:
            let next = textParts()
            if next != composed {
                composed = next
                allowed = compose(next)
            }
        case .speech:
            let isFull = codeCount >= rules.maximumSpeechFrames || (isOverBudget && codeCount > 0)
            allowed = isFull ? runs.speech.end : codeCount > 0 ? runs.speech.codesOrEnd : runs.speech.codes
        case .image: allowed = codeCount < rules.imageLength ? runs.image.codes : runs.image.end
        case .music:
            let level = codeCount % vocabulary.musicLevels
            let frames = codeCount / vocabulary.musicLevels
            if level > 0 || frames == 0 || (frames < rules.minimumMusicFrames && !isOverBudget) {
                allowed = runs.musicLevels[level]
            } else {
                allowed = frames >= rules.maximumMusicFrames || isOverBudget ? runs.music.end : runs.musicFrameOrEnd
            }
        }
    }

    private var isOverBudget: Bool { tokenCount >= rules.maximumTokens }

    private var mustSpeak: Bool { rules.requiresSpeech && !hasSpoken }
}

// MARK: Text

extension TokenGrammar {
    /// What the set of a text position is made of.
    private struct Parts: OptionSet {
        let rawValue: UInt8
        static let text = Parts(rawValue: 1)
        static let spaces = Parts(rawValue: 2)
        static let end = Parts(rawValue: 4)
        static let instruction = Parts(rawValue: 8)
        static let response = Parts(rawValue: 16)
        static let speech = Parts(rawValue: 32)
        static let image = Parts(rawValue: 64)
        static let music = Parts(rawValue: 128)
    }

    private var hasChain: Bool {
        rules.chain != .never && vocabulary.instruction != nil && vocabulary.response != nil
    }

    private func textParts() -> Parts {
        if section == .afterSpeech {
            if isOverBudget { return .end }
            // A picture or a piece of music that was asked for by voice comes while the reply to it is heard.
            let ends: Parts = textCount < 2 ? [.end, .spaces] : .end
            return ends.union(starts.subtracting(.speech))
        }
        if section == .beforeSpeech { return isOverBudget || textCount >= 2 ? .speech : [.speech, .spaces] }
        if section == .transcript {
            let isFull = isOverBudget || textCount >= rules.maximumTranscriptTokens
            return isFull ? .response : [.text, .response]
        }
        if section == .opening, hasChain, rules.chain == .required {
            return isOverBudget || textCount > 0 ? .instruction : [.instruction, .spaces]
        }
        var parts: Parts = []
        if !isOverBudget {
            if textCount < rules.maximumReplyTokens { parts.insert(.text) }
            if section == .opening, hasChain, isBlank { parts.insert(.instruction) }
            parts.formUnion(starts)
        }
        if tokenCount >= rules.minimumTokens, !mustSpeak { parts.insert(.end) }
        if parts.isEmpty { return mustSpeak ? .speech : .end }
        return parts
    }

    private var starts: Parts {
        // The last run is kept for the speech that has to come.
        let left = rules.maximumRuns - runCount
        if left <= 0 { return [] }
        var starts: Parts = []
        if rules.modalities.contains(.speech) { starts.insert(.speech) }
        if mustSpeak, left == 1 { return starts }
        if artifactCount >= rules.maximumArtifacts { return starts }
        let hasRoom = tokenCount + rules.imageLength + 2 <= rules.maximumTokens
        if rules.modalities.contains(.image), vocabulary.image != nil, hasRoom { starts.insert(.image) }
        // A piece takes seconds, which nobody waits for before the reply is heard; an image's few tokens take none.
        if rules.modalities.contains(.music), vocabulary.music != nil, !mustSpeak { starts.insert(.music) }
        return starts
    }

    private func compose(_ parts: Parts) -> TokenSet {
        var set = parts.contains(.text) ? vocabulary.text : TokenSet([])
        if parts.contains(.spaces) { set = set.union(vocabulary.spaces) }
        var marks: [Int32?] = []
        if parts.contains(.end) { marks += [vocabulary.endOfAnswer, vocabulary.endOfText] }
        if parts.contains(.instruction) { marks.append(vocabulary.instruction) }
        if parts.contains(.response) { marks.append(vocabulary.response) }
        if parts.contains(.speech) { marks.append(vocabulary.speech.start) }
        if parts.contains(.image) { marks.append(vocabulary.image?.start) }
        if parts.contains(.music) { marks.append(vocabulary.music?.start) }
        return set.union(TokenSet(ids: marks.compactMap { $0 }))
    }
}

// MARK: Runs

/// The sets within runs, made once.
private struct RunSets: Sendable {
    struct Run: Sendable {
        let codes: TokenSet
        let codesOrEnd: TokenSet
        let end: TokenSet

        init(_ block: ModalityVocabulary.Block?) {
            codes = TokenSet(block.map { [$0.codes] } ?? [])
            end = TokenSet(ids: block.map { [$0.end] } ?? [])
            codesOrEnd = codes.union(end)
        }
    }

    let speech: Run
    let image: Run
    let music: Run
    /// The codes of each level of a frame.
    let musicLevels: [TokenSet]
    /// The first level's codes, and the end of the run.
    let musicFrameOrEnd: TokenSet

    init(_ vocabulary: ModalityVocabulary) {
        speech = Run(vocabulary.speech)
        image = Run(vocabulary.image)
        music = Run(vocabulary.music)
        let codes = vocabulary.music?.codes ?? 0..<0
        let size = Int32(codes.count / vocabulary.musicLevels)
        musicLevels = (0..<Int32(vocabulary.musicLevels)).map { level in
            let start = codes.lowerBound + level * size
            return TokenSet([start..<(start + size)])
        }
        musicFrameOrEnd = musicLevels[0].union(music.end)
    }
}
