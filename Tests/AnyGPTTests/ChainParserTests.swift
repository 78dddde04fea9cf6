import Foundation
import TestSupport
import Testing
import Tokenizers

@testable import AnyGPT

@Suite struct ChainParserTests {
    /// All events of an answer, text deltas of the same kind joined.
    private func parse(_ text: String) throws -> [AnswerEvent] {
        let model = try GoldenModel()
        var parser = ChainParser(tokenizer: model.tokenizer, vocabulary: model.vocabulary)
        var events: [AnswerEvent] = []
        for id in try model.answer(text) {
            for event in parser.consume(id) {
                switch (events.last, event) {
                case (.transcript(let old)?, .transcript(let new)): events[events.count - 1] = .transcript(old + new)
                case (.reply(let old)?, .reply(let new)): events[events.count - 1] = .reply(old + new)
                default: events.append(event)
                }
            }
        }
        return events + parser.finish()
    }

    @Test func aSpokenTurnIsTranscriptReplyAndSpeech() throws {
        let answer =
            " <-Ins-> hello, how are you\n <-Res-> I am fine, thank you "
            + "<sosp><\u{1F5E3}\u{FE0F}2><\u{1F5E3}\u{FE0F}7><eosp> <eos>"
        #expect(
            try parse(answer) == [
                .transcript("hello, how are you"), .reply("I am fine, thank you"), .began(.speech), .speechCode(2),
                .speechCode(7), .ended(.speech), .answerEnded,
            ])
    }

    @Test func textWithoutMarksIsTheReply() throws {
        #expect(try parse(" I am fine.<eos>") == [.reply("I am fine."), .answerEnded])
        #expect(try parse(" I am fine.</s>") == [.reply("I am fine."), .answerEnded])
        #expect(try parse(" I am fine. ") == [.reply("I am fine."), .answerEnded], "cut off")
        #expect(try parse(" Well. <-Res-> I am fine.<eos>") == [.reply("Well. I am fine."), .answerEnded])
    }

    @Test func imagesAndMusicComeWhole() throws {
        let answer = " Here: <soim><\u{1F440}5><\u{1F440}6><eoim> and <somu><\u{1F3B6}1><\u{1F3B6}2050><eomu><eos>"
        #expect(
            try parse(answer) == [
                .reply("Here:"), .began(.image), .image([5, 6]), .ended(.image), .reply(" and"), .began(.music),
                .musicCode(1), .musicCode(2050), .ended(.music), .answerEnded,
            ])
    }

    @Test func runsThatAreNotEndedAreTold() throws {
        #expect(
            try parse(" <sosp><\u{1F5E3}\u{FE0F}8><eos>")
                == [.began(.speech), .speechCode(8), .ended(.speech), .answerEnded])
        #expect(
            try parse(" <soim><\u{1F440}8> no<eos>")
                == [.began(.image), .ended(.image), .reply("no"), .answerEnded])
        #expect(
            try parse("<sosp><sosp><\u{1F5E3}\u{FE0F}8>")
                == [.began(.speech), .ended(.speech), .began(.speech), .speechCode(8), .ended(.speech), .answerEnded])
    }

    @Test func whatBelongsNowhereIsPassedOver() throws {
        #expect(
            try parse("a<\u{1F5E3}\u{FE0F}8><eosp>[Human]<unk><eomu>b<eos> c").last == .answerEnded)
        #expect(try !parse("a<\u{1F5E3}\u{FE0F}8>b<eos>").contains(.speechCode(8)))
    }

    @Test func textComesWithItsToken() throws {
        let model = try GoldenModel()
        var parser = ChainParser(tokenizer: model.tokenizer, vocabulary: model.vocabulary)
        let ids = try model.answer(" the old sailor")
        let events = ids.map { parser.consume($0) }
        #expect(events.allSatisfy { $0.count == 1 })
        #expect(parser.finish() == [.answerEnded])
    }

    @Test func finishedAnswersAreTakenApartAsInTheReference() throws {
        struct Strings: Decodable {
            struct Entry: Decodable {
                let decoded: String
                let answer: String?
                let image_content: String?
                let image_codes: [Int]?
                let speech_content: String?
                let speech_codes: [Int]?
                let music_content: String?
                let music_codes: [Int]?
            }

            let postprocess: [Entry]
        }
        let data = try Data(contentsOf: Golden.file("llama-hf", "strings.json"))
        let entries = try JSONDecoder().decode(Strings.self, from: data).postprocess
        #expect(entries.count == 6)
        for entry in entries {
            let answer = FinishedAnswer.content(of: entry.decoded, from: "[MMGPT]", to: "<eos>")
            let stripped = answer?.trimmingCharacters(in: .whitespacesAndNewlines)
            #expect(stripped == entry.answer)
            for (marks, content, codes) in [
                (("<soim>", "<eoim>"), entry.image_content, entry.image_codes),
                (("<sosp>", "<eosp>"), entry.speech_content, entry.speech_codes),
                (("<somu>", "<eomu>"), entry.music_content, entry.music_codes),
            ] {
                let found = FinishedAnswer.content(of: stripped ?? "", from: marks.0, to: marks.1)
                #expect(found == content)
                #expect(found.map(FinishedAnswer.codes(in:)) == codes)
            }
        }
    }

    @Test func tagsAreSearchedFromTheEnd() {
        #expect(FinishedAnswer.content(of: "a<x>b<x>c</x>d</x>", from: "<x>", to: "</x>") == "c</x>d")
        #expect(FinishedAnswer.content(of: "</x><x>", from: "<x>", to: "</x>") == nil)
        #expect(FinishedAnswer.content(of: "none", from: "<x>", to: "</x>") == nil)
        #expect(FinishedAnswer.codes(in: "a12b003 \u{0663}") == [12, 3, 3])
        #expect(FinishedAnswer.codes(in: "99999999999999999999") == [nil])
    }
}
