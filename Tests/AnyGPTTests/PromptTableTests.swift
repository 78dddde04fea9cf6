import Foundation
import TestSupport
import Testing
import Tokenizers

@testable import AnyGPT

/// The tables of Documentation/Prompts.md against what the code writes.
@Suite struct PromptTableTests {
    /// A table's rows by their first cell, the second without its quotes.
    private func table(_ heading: String) throws -> [String: String] {
        let file = Golden.tests.deletingLastPathComponent().appending(path: "Documentation/Prompts.md")
        let text = try String(contentsOf: file, encoding: .utf8)
        let section = try #require(text.components(separatedBy: "\n## ").first { $0.hasPrefix(heading) })
        var rows: [String: String] = [:]
        for line in section.split(separator: "\n") where line.hasPrefix("| ") && line.contains("`") {
            let cells = line.dropFirst(2).dropLast(2).components(separatedBy: " | ")
            try #require(cells.count == 2, "\(line)")
            rows[cells[0]] = String(cells[1].dropFirst().dropLast()).replacing("\\n", with: "\n")
        }
        return rows
    }

    private func template() throws -> PromptTemplate {
        let model = try GoldenModel()
        return PromptTemplate(tokenizer: model.tokenizer, vocabulary: model.vocabulary)
    }

    @Test func everyTurnOfAChatModelIsInTheTable() throws {
        let template = try template()
        let (speech, image, music) = ("<sosp>…<eosp>", "<soim>…<eoim>", "<somu>…<eomu>")
        let turns: [String: (message: String, start: AnswerStart)] = [
            "a spoken turn, to be answered with transcript, reply and speech":
                (PromptTask.voiceChat.message(speech), .transcript),
            "a spoken turn, the answer's form left to the model": (PromptTask.voiceChat.message(speech), .open),
            "a spoken turn, to be answered in text": (PromptTask.voiceToText.message(speech), .open),
            "a typed turn": (PromptTask.textChat.message("TEXT"), .open),
            "a typed turn, to be spoken to": (PromptTask.textChat.message("TEXT"), .speech),
            "transcription": (PromptTask.transcription.message(speech), .open),
            "reading aloud": (PromptTask.readAloud.message("TEXT"), .speech),
            "text to image": (PromptTask.drawImage.message("TEXT"), .image),
            "text to music": (PromptTask.composeMusic.message("TEXT"), .music),
            "an image's caption": (PromptTask.describeImage.message(image), .open),
            "an image's caption, in other words": (PromptTask.captionImage.message(image), .open),
            "music's description": (PromptTask.describeMusic.message(music), .open),
            "a question about music": ("\(music) TEXT", .open),
        ]
        let made = turns.mapValues { turn in
            String(
                template.text([.init(message: turn.message)], start: turn.start).dropFirst(
                    template.systemPrompt.count + 1))
        }
        #expect(try table("A chat model") == made)
    }

    /// The ids of a written turn, and of a spoken one in its parts, are those of the table's text.
    @Test func theTablesTextIsWhatTheModelReads() throws {
        let model = try GoldenModel()
        let template = PromptTemplate(tokenizer: model.tokenizer, vocabulary: model.vocabulary)
        let rows = try table("A chat model")
        func ids(_ row: String) throws -> [Int32] {
            let text = try #require(rows[row]).replacing("…", with: "<🗣️7>")
            return try model.tokenizer.encode("\(template.systemPrompt)\n\(text)")
        }
        #expect(
            try template.ids(message: PromptTask.composeMusic.message("TEXT"), isFirst: true, start: .music)
                == ids("text to music"))
        let spoken = try template.spokenTurnOpening(isFirst: true) + [model.vocabulary.speech.id(ofCode: 7)]
        #expect(
            try spoken + template.spokenTurnClosing(start: .transcript)
                == ids("a spoken turn, to be answered with transcript, reply and speech"))
    }

    @Test func everyTaskOfABaseModelIsInTheTable() throws {
        let template = try template()
        let rows: [BaseTask: (name: String, input: String)] = [
            .readAloud: ("reading aloud", "TEXT"), .drawImage: ("text to image", "TEXT"),
            .composeMusic: ("text to music", "TEXT"), .transcription: ("transcription", "<sosp>…<eosp>"),
            .describeImage: ("an image's description", "<soim>…<eoim>"),
            .describeMusic: ("music's description", "<somu>…<eomu>"),
        ]
        var made: [String: String] = [
            "an image with a text": template.baseText(.describeImage, "<soim>…<eoim>", instruction: "TEXT"),
            "music with a text": template.baseText(.describeMusic, "<somu>…<eomu>", instruction: "TEXT"),
        ]
        for task in BaseTask.allCases {
            let row = try #require(rows[task])
            made[row.name] = template.baseText(task, row.input) + task.start.mark
        }
        #expect(try table("A base model") == made)
    }

    /// The reference's own prompts, recorded with the tokenizer's ids.
    @Test(arguments: [
        ("base tts", BaseTask.readAloud, "Convert the text into speech."),
        ("base asr", .transcription, "Please transcribe this speech into written text."),
        ("base music caption", .describeMusic, "Describe the music."),
    ])
    func baseModelsPromptsAreThoseOfTheReference(name: String, task: BaseTask, instruction: String) throws {
        let strings = try JSONDecoder().decode(
            Strings.self, from: Data(contentsOf: Golden.file("llama-hf", "strings.json")))
        let entry = try #require(strings.tokenize.first { $0.name == name })
        let text = entry.text
        let input =
            switch task {
            case .transcription, .describeMusic:
                String(text[try #require(text.firstRange(of: "<so")).lowerBound...].prefix { $0 != "[" })
                    .replacing("<eoh> ", with: "")
            default: String(try #require(text.firstMatch(of: /This is input: (.*)<eoh>/)).1)
            }
        let template = try template()
        #expect(template.baseText(task, input, instruction: instruction).utf8.elementsEqual(text.utf8))
        #expect(try GoldenModel().tokenizer.encode(text) == entry.ids)
    }

    private struct Strings: Decodable {
        struct Entry: Decodable {
            let name: String
            let text: String
            let ids: [Int32]
        }

        let tokenize: [Entry]
    }
}
