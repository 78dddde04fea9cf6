import TestSupport
import Testing
import Tokenizers

@testable import AnyGPT

@Suite struct TokenGrammarTests {
    private func accept(_ grammar: inout TokenGrammar, _ ids: [Int32]) {
        for id in ids { grammar.accept(id) }
    }

    @Test func aSpeechRunHoldsSpeechAndItsEndOnly() throws {
        let vocabulary = try GoldenModel().vocabulary
        var rules = AnswerRules.voiceReply
        rules.maximumSpeechFrames = 3
        var grammar = TokenGrammar(vocabulary: vocabulary, rules: rules)
        grammar.accept(vocabulary.speech.start)
        #expect(grammar.modality == .speech)
        #expect(grammar.allowed.ranges == [vocabulary.speech.codes])
        grammar.accept(vocabulary.speech.id(ofCode: 0))
        #expect(grammar.allowed == TokenSet([vocabulary.speech.codes]).union(TokenSet(ids: [vocabulary.speech.end])))
        accept(&grammar, [1, 2].map(vocabulary.speech.id(ofCode:)))
        #expect(grammar.allowed == TokenSet(ids: [vocabulary.speech.end]))
        grammar.accept(vocabulary.speech.end)
        #expect(grammar.allowed == TokenSet(ids: [vocabulary.endOfAnswer, 2]).union(vocabulary.spaces))
        grammar.accept(vocabulary.endOfAnswer)
        #expect(grammar.isEnded && grammar.allowed.isEmpty && grammar.closing.isEmpty)
    }

    @Test func anImageHasItsLength() throws {
        let vocabulary = try GoldenModel().vocabulary
        let image = try #require(vocabulary.image)
        var grammar = TokenGrammar(vocabulary: vocabulary)
        grammar.accept(image.start)
        for code in 0..<32 {
            #expect(grammar.allowed.ranges == [image.codes])
            grammar.accept(image.id(ofCode: Int32(code)))
        }
        #expect(grammar.allowed == TokenSet(ids: [image.end]))
    }

    @Test func musicComesInFramesWithTheLevelsInOrder() throws {
        let vocabulary = try GoldenModel().vocabulary
        let music = try #require(vocabulary.music)
        var rules = AnswerRules()
        rules.maximumMusicFrames = 2
        var grammar = TokenGrammar(vocabulary: vocabulary, rules: rules)
        grammar.accept(music.start)
        for frame in 0..<2 {
            for level in Int32(0)..<4 {
                let start = music.codes.lowerBound + 2048 * level
                #expect(grammar.allowed.contains(start) && grammar.allowed.contains(start + 2047))
                #expect(!grammar.allowed.contains(start + 2048) || start + 2048 == music.end)
                #expect(grammar.allowed.contains(music.end) == (frame > 0 && level == 0))
                grammar.accept(start + 7)
            }
        }
        #expect(grammar.allowed == TokenSet(ids: [music.end]))
    }

    @Test func musicDoesNotEndBeforeItsLeastLengthAndNothingFollowsIt() throws {
        let vocabulary = try GoldenModel().vocabulary
        let music = try #require(vocabulary.music)
        var grammar = TokenGrammar(vocabulary: vocabulary, rules: .music(frames: 3, atLeast: 2))
        grammar.accept(music.start)
        for frame in 0..<3 {
            for level in Int32(0)..<4 {
                #expect(grammar.allowed.contains(music.end) == (frame == 2 && level == 0))
                grammar.accept(music.codes.lowerBound + 2048 * level)
            }
        }
        grammar.accept(music.end)
        #expect(grammar.allowed.contains(vocabulary.endOfAnswer) && !grammar.allowed.contains(music.start))
        #expect(!vocabulary.text.ranges.contains { $0.contains { grammar.allowed.contains($0) } })
    }

    @Test func outsideOfRunsThereAreNoCodesAndNoEnds() throws {
        let vocabulary = try GoldenModel().vocabulary
        let grammar = TokenGrammar(vocabulary: vocabulary)
        for block in [vocabulary.speech, vocabulary.image, vocabulary.music].compactMap({ $0 }) {
            #expect(!grammar.allowed.contains(block.codes.lowerBound))
            #expect(!grammar.allowed.contains(block.end))
            #expect(grammar.allowed.contains(block.start))
        }
        // <unk>, <s>, [Human], [MMGPT], <eoh>
        for id: Int32 in [0, 1, 420, 421, 422] { #expect(!grammar.allowed.contains(id)) }
    }

    @Test func aVoiceReplyCannotEndWithoutSpeech() throws {
        let model = try GoldenModel()
        let vocabulary = model.vocabulary
        var rules = AnswerRules.voiceReply
        rules.chain = .required
        rules.maximumReplyTokens = 2
        var grammar = TokenGrammar(vocabulary: vocabulary, rules: rules)
        let instruction = try #require(vocabulary.instruction)
        let response = try #require(vocabulary.response)
        #expect(grammar.allowed == vocabulary.spaces.union(TokenSet(ids: [instruction])))
        accept(&grammar, [353, instruction])
        #expect(grammar.allowed == vocabulary.text.union(TokenSet(ids: [response])))
        accept(&grammar, [262, response])
        #expect(grammar.allowed == vocabulary.text.union(TokenSet(ids: [vocabulary.speech.start])))
        accept(&grammar, [262, 262])
        #expect(grammar.allowed == TokenSet(ids: [vocabulary.speech.start]))
    }

    private static let twoFrames: [Int32] = [0, 2048, 4096, 6144, 1, 2049, 4097, 6145]

    @Test func musicComesBehindTheSpeechOfAReplyAlone() throws {
        let vocabulary = try GoldenModel().vocabulary
        let music = try #require(vocabulary.music)
        var rules = AnswerRules.voiceReply
        rules.modalities.insert(.music)
        rules.maximumMusicFrames = 2
        var grammar = TokenGrammar(vocabulary: vocabulary, rules: rules)
        grammar.accept(262)
        #expect(!grammar.allowed.contains(music.start), "nobody waits for a piece before the reply is heard")
        accept(&grammar, [vocabulary.speech.start, vocabulary.speech.id(ofCode: 0), vocabulary.speech.end])
        let end = TokenSet(ids: [vocabulary.endOfAnswer, 2])
        #expect(grammar.allowed == end.union(TokenSet(ids: [music.start])).union(vocabulary.spaces))
        accept(&grammar, [music.start] + Self.twoFrames.map(music.id(ofCode:)))
        #expect(grammar.allowed == TokenSet(ids: [music.end]))
        grammar.accept(music.end)
        #expect(grammar.allowed == end.union(vocabulary.spaces))
    }

    @Test func inWritingMusicComesBehindTheWordsAndOnce() throws {
        let vocabulary = try GoldenModel().vocabulary
        let music = try #require(vocabulary.music)
        var rules = AnswerRules.textReply
        rules.modalities = [.music, .image]
        rules.maximumArtifacts = 1
        var grammar = TokenGrammar(vocabulary: vocabulary, rules: rules)
        accept(&grammar, [262, music.start] + Self.twoFrames.map(music.id(ofCode:)) + [music.end])
        #expect(grammar.allowed.contains(vocabulary.endOfAnswer))
        for block in [music, try #require(vocabulary.image)] { #expect(!grammar.allowed.contains(block.start)) }
    }

    @Test func aPictureMayComeBeforeTheSpeechOfItsReplyAndOnlyOnce() throws {
        let vocabulary = try GoldenModel().vocabulary
        let image = try #require(vocabulary.image)
        var rules = AnswerRules.voiceReply
        rules.modalities.formUnion([.image, .music])
        var grammar = TokenGrammar(vocabulary: vocabulary, rules: rules)
        grammar.accept(262)
        #expect(grammar.allowed.contains(image.start) && grammar.allowed.contains(vocabulary.speech.start))
        accept(&grammar, [image.start] + (0..<32).map(image.id(ofCode:)) + [image.end])
        let speech = TokenSet(ids: [vocabulary.speech.start])
        #expect(grammar.allowed == speech.union(vocabulary.spaces), "its words were said: what is left is their sound")
        accept(&grammar, [353, 353])
        #expect(grammar.allowed == speech)
        accept(&grammar, [vocabulary.speech.start, vocabulary.speech.id(ofCode: 0), vocabulary.speech.end])
        #expect(grammar.allowed == TokenSet(ids: [vocabulary.endOfAnswer, 2]).union(vocabulary.spaces))
    }

    @Test func aPictureIsNotBegunWhereItWouldNotFit() throws {
        let vocabulary = try GoldenModel().vocabulary
        let image = try #require(vocabulary.image)
        var rules = AnswerRules()
        rules.maximumTokens = 40
        var grammar = TokenGrammar(vocabulary: vocabulary, rules: rules)
        for _ in 0..<6 { grammar.accept(262) }
        #expect(grammar.allowed.contains(image.start))
        grammar.accept(262)
        #expect(!grammar.allowed.contains(image.start))
    }

    @Test func behindAVoiceReplyOnlyAPictureCanCome() throws {
        let vocabulary = try GoldenModel().vocabulary
        let image = try #require(vocabulary.image)
        var rules = AnswerRules.voiceReply
        rules.modalities.insert(.image)
        rules.maximumRuns = 2
        var grammar = TokenGrammar(vocabulary: vocabulary, rules: rules)
        accept(&grammar, [262, vocabulary.speech.start, vocabulary.speech.id(ofCode: 0), vocabulary.speech.end])
        let end = TokenSet(ids: [vocabulary.endOfAnswer, 2])
        let begun = TokenSet(ids: [image.start])
        #expect(grammar.allowed == end.union(begun).union(vocabulary.spaces))
        accept(&grammar, [353, 353])
        #expect(grammar.allowed == end.union(begun))
        accept(&grammar, [image.start] + (0..<32).map(image.id(ofCode:)) + [image.end])
        #expect(grammar.allowed == end)
    }

    @Test func aTextReplyHasNoRuns() throws {
        let vocabulary = try GoldenModel().vocabulary
        var grammar = TokenGrammar(vocabulary: vocabulary, rules: .textReply)
        #expect(!grammar.allowed.contains(vocabulary.speech.start))
        let instruction = try #require(vocabulary.instruction)
        #expect(grammar.allowed.contains(instruction))
        grammar.accept(262)
        #expect(!grammar.allowed.contains(instruction), "the chain begins the answer or is not there")
        #expect(grammar.allowed.contains(vocabulary.endOfAnswer))
    }

    @Test func theMinimumLengthHoldsTheEndBack() throws {
        let vocabulary = try GoldenModel().vocabulary
        var rules = AnswerRules.textReply
        rules.minimumTokens = 2
        var grammar = TokenGrammar(vocabulary: vocabulary, rules: rules)
        for _ in 0..<2 {
            #expect(!grammar.allowed.contains(vocabulary.endOfAnswer) && !grammar.allowed.contains(2))
            grammar.accept(262)
        }
        #expect(grammar.allowed.contains(vocabulary.endOfAnswer))
    }

    @Test func closingEndsAnOpenRun() throws {
        let vocabulary = try GoldenModel().vocabulary
        var grammar = TokenGrammar(vocabulary: vocabulary)
        #expect(grammar.closing == [vocabulary.endOfAnswer])
        grammar.accept(vocabulary.speech.start)
        #expect(grammar.closing == [vocabulary.speech.end, vocabulary.endOfAnswer])
    }

    /// Random answers under random rules, drawn from what is allowed: they all end, and read back without a fault.
    @Test func everyAnswerEndsWhole() throws {
        let folder = try VocabularyFolder(VocabularyFolder.small)
        let tokenizer = try LlamaTokenizer(folder: folder.url)
        let vocabulary = try ModalityVocabulary(tokenizer)
        let seed: UInt64 = 5
        var generator = TestGenerator(seed: seed)
        for round in 0..<2000 {
            let rules = randomRules(&generator)
            var grammar = TokenGrammar(vocabulary: vocabulary, rules: rules)
            var parser = ChainParser(tokenizer: tokenizer, vocabulary: vocabulary)
            var events: [AnswerEvent] = []
            while !grammar.isEnded {
                let ranges = grammar.allowed.ranges
                try #require(!ranges.isEmpty, "seed \(seed) round \(round): nothing is allowed")
                let range = ranges[Int.random(in: 0..<ranges.count, using: &generator)]
                let id = Int32.random(in: range, using: &generator)
                grammar.accept(id)
                events += parser.consume(id)
            }
            let slack = 4 * (1 + rules.maximumRuns) + rules.imageLength + 4
            #expect(grammar.tokenCount <= rules.maximumTokens + slack, "seed \(seed) round \(round)")
            checkRuns(events, rules, "seed \(seed) round \(round)")
        }
    }

    private func randomRules(_ generator: inout TestGenerator) -> AnswerRules {
        var rules = AnswerRules()
        rules.modalities = Set([Modality.speech, .image, .music].filter { _ in Bool.random(using: &generator) })
        rules.chain = [.never, .optional, .required][Int.random(in: 0..<3, using: &generator)]
        rules.requiresSpeech = rules.modalities.contains(.speech) && Bool.random(using: &generator)
        rules.endsAfterSpeech = Bool.random(using: &generator)
        rules.minimumTokens = Int.random(in: 0...10, using: &generator)
        rules.maximumTokens = Int.random(in: 1...80, using: &generator)
        rules.maximumTranscriptTokens = Int.random(in: 0...10, using: &generator)
        rules.maximumReplyTokens = Int.random(in: 0...10, using: &generator)
        rules.maximumSpeechFrames = Int.random(in: 1...20, using: &generator)
        rules.imageLength = Int.random(in: 1...8, using: &generator)
        rules.maximumMusicFrames = Int.random(in: 1...5, using: &generator)
        rules.maximumRuns = Int.random(in: 1...4, using: &generator)
        rules.maximumArtifacts = Int.random(in: 0...4, using: &generator)
        return rules
    }

    private func checkRuns(_ events: [AnswerEvent], _ rules: AnswerRules, _ comment: Comment) {
        var speech = 0
        var music: [Int32] = []
        var spoke = false
        let artifacts = events.count { $0 == .began(.image) || $0 == .began(.music) }
        #expect(artifacts <= rules.maximumArtifacts, comment)
        for (index, event) in events.enumerated() {
            switch event {
            case .speechCode: speech += 1
            case .image(let codes): #expect(codes.count == rules.imageLength, comment)
            case .musicCode(let code): music.append(code)
            case .ended(.music):
                let allowed = 4 * rules.minimumMusicFrames...4 * rules.maximumMusicFrames
                #expect(!music.isEmpty && music.count % 4 == 0 && allowed.contains(music.count), comment)
                #expect(music.enumerated().allSatisfy { $1 / 3 == $0 % 4 }, comment)
                music = []
            case .ended(.speech):
                #expect(speech > 0 && speech <= rules.maximumSpeechFrames, comment)
                speech = 0
                spoke = true
            case .ended(let modality):
                switch (modality, events[index - 1]) {
                case (.image, .image): break
                default: Issue.record("an incomplete run of \(modality)")
                }
            default: break
            }
        }
        #expect(events.last == .answerEnded, comment)
        #expect(spoke || !rules.requiresSpeech, comment)
    }
}
