import AnyGPT
import Checkpoints
import Foundation
import Tokenizers

/// `strings.json` of a llama-hf case: what the reference's tokenizer makes of texts and ids, a row for each way to ask.
struct TokenizerStrings {
    private let verification: Verification
    private var golden: GoldenCase { verification.golden }

    init(_ verification: Verification) { self.verification = verification }

    func verify() throws {
        guard golden.has("strings.json") else { return }
        verification.stage("tokenizer")
        let strings = try JSON.decode(Strings.self, from: golden.file("strings.json"))
        let tokenizer = try LlamaTokenizer(folder: golden.folder)
        try encode("ids", strings.tokenize.map { ($0.name, $0.text, $0.ids) }, tokenizer)
        decode("decoded", strings.tokenize.map { ($0.name, $0.ids, $0.decoded) }, tokenizer)
        decode("decode_only", strings.decodeOnly.enumerated().map { ("\($0)", $1.ids, $1.decoded) }, tokenizer)
        verifyAnswers(strings.postprocess, tokenizer)
        for variant in try TokenizerVariant.all(golden, named: strings.variants) {
            verification.stage("tokenizer variant \(variant.name)")
            let other = try variant.load()
            let texts = strings.tokenize.map { ($0.name, $0.text, $0.variantIDs[variant.name] ?? $0.ids) }
            try encode("ids, variant \(variant.name)", texts, other)
            let ids = strings.decodeOnly.enumerated().compactMap { index, entry in
                entry.variants[variant.name].map { ("\(index)", entry.ids, $0) }
            }
            if !ids.isEmpty { decode("decode_only, variant \(variant.name)", ids, other) }
        }
    }

    private func encode(
        _ row: String, _ texts: [(name: String, text: String, ids: [Int32])], _ tokenizer: LlamaTokenizer
    ) throws {
        check(row, try texts.map { ($0.name, "\($0.ids)", "\(try tokenizer.encode($0.text))") })
    }

    private func decode(
        _ row: String, _ entries: [(name: String, ids: [Int32], decoded: Strings.Decoded)], _ tokenizer: LlamaTokenizer
    ) {
        check(
            "\(row), special tokens kept",
            entries.map { ($0.name, $0.decoded.keepSpecial, tokenizer.decode($0.ids, skipSpecialTokens: false)) })
        check(
            "\(row), special tokens skipped",
            entries.map { ($0.name, $0.decoded.skipSpecial, tokenizer.decode($0.ids, skipSpecialTokens: true)) })
        check(
            "\(row), no spaces between added tokens",
            entries.map {
                let joined = tokenizer.decode($0.ids, skipSpecialTokens: true, spacesBetweenSpecialTokens: false)
                return ($0.name, $0.decoded.noSpaces, joined)
            })
    }

    /// What the reference's chat script takes out of finished answers.
    private func verifyAnswers(_ answers: [Strings.Answer], _ tokenizer: LlamaTokenizer) {
        guard !answers.isEmpty else { return }
        let decoded = answers.map { tokenizer.decode($0.ids, skipSpecialTokens: true) }
        check("postprocess, decoded", answers.indices.map { ("\($0)", answers[$0].decoded, decoded[$0]) })
        for (modality, start, end) in [
            ("image", "<soim>", "<eoim>"), ("speech", "<sosp>", "<eosp>"), ("music", "<somu>", "<eomu>"),
        ] {
            let contents = answers.map { $0.answer.flatMap { FinishedAnswer.content(of: $0, from: start, to: end) } }
            check(
                "postprocess, \(modality) content",
                answers.indices.map { ("\($0)", said(answers[$0].contents[modality] ?? nil), said(contents[$0])) })
            check(
                "postprocess, \(modality) codes",
                answers.indices.map { index in
                    let codes = contents[index].map { FinishedAnswer.codes(in: $0).map { $0 ?? -1 } }
                    return (
                        "\(index)", said((answers[index].codes[modality] ?? nil).map { "\($0)" }),
                        said(codes.map { "\($0)" })
                    )
                })
        }
    }

    private func said(_ text: String?) -> String { text ?? "nothing" }

    /// A row for many strings, which must be the same byte for byte.
    private func check(_ name: String, _ strings: [(name: String, expected: String, actual: String)]) {
        verification.add(.strings("strings: \(name)", strings))
    }
}

extension Row {
    /// Strings that must be the same byte for byte: `==` would take canonically equivalent ones for equal.
    static func strings(_ name: String, _ strings: [(name: String, expected: String, actual: String)]) -> Row {
        let wrong = strings.filter { !$0.expected.utf8.elementsEqual($0.actual.utf8) }
        let share = strings.isEmpty ? 1 : 1 - Double(wrong.count) / Double(strings.count)
        return Row(
            name, shape: [strings.count], rule: Rule.exact.description, equalShare: share,
            outcome: wrong.isEmpty ? .passed : .failed,
            note: wrong.first.map { "\($0.name): \(excerpt($0.actual, $0.expected))" })
    }

    /// Two strings from shortly before where they part.
    private static func excerpt(_ actual: String, _ expected: String) -> String {
        let (a, b) = (Array(actual.unicodeScalars), Array(expected.unicodeScalars))
        let same = zip(a, b).prefix { $0 == $1 }.count
        func part(_ scalars: [Unicode.Scalar]) -> String {
            let start = max(0, same - 10)
            var view = String.UnicodeScalarView()
            view.append(contentsOf: scalars[min(start, scalars.count)..<min(scalars.count, same + 30)])
            return (start > 0 ? "…" : "") + String(view) + (scalars.count > same + 30 ? "…" : "")
        }
        return "\(part(a).debugDescription), expected \(part(b).debugDescription)"
    }
}
