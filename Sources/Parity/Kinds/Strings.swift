/// The form of `strings.json`.
struct Strings: Decodable {
    /// What ids decode to.
    struct Decoded: Decodable {
        let keepSpecial: String
        let skipSpecial: String
        let noSpaces: String

        private enum CodingKeys: String, CodingKey {
            case keepSpecial = "keep_special"
            case skipSpecial = "skip_special"
            case noSpaces = "no_spaces_between_added"
        }
    }

    /// A text, its ids, and what these decode to.
    struct Text: Decodable {
        let name: String
        let text: String
        let ids: [Int32]
        let decoded: Decoded
        /// Only of variants of the tokenizer that give other ids.
        let variantIDs: [String: [Int32]]

        private enum CodingKeys: String, CodingKey {
            case name, text, ids, decoded
            case variantIDs = "variant_ids"
        }
    }

    /// Ids and what they decode to, by variants that say otherwise.
    struct IDs: Decodable {
        let ids: [Int32]
        let decoded: Decoded
        let variants: [String: Decoded]

        private struct Key: CodingKey {
            let stringValue: String
            var intValue: Int? { nil }
            init(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }

        init(from decoder: any Decoder) throws {
            let members = try decoder.container(keyedBy: Key.self)
            ids = try members.decode([Int32].self, forKey: Key(stringValue: "ids"))
            decoded = try members.decode(Decoded.self, forKey: Key(stringValue: "decoded"))
            var variants: [String: Decoded] = [:]
            for key in members.allKeys {
                guard let match = key.stringValue.wholeMatch(of: /variant_(.+)_decoded/) else { continue }
                variants[String(match.1)] = try members.decode(Decoded.self, forKey: key)
            }
            self.variants = variants
        }
    }

    /// A finished answer, and what the chat script takes out of it, by modality.
    struct Answer: Decodable {
        let ids: [Int32]
        let decoded: String
        let answer: String?
        let contents: [String: String?]
        let codes: [String: [Int]?]

        private enum CodingKeys: String, CodingKey {
            case ids, decoded, answer
            case imageContent = "image_content", imageCodes = "image_codes"
            case speechContent = "speech_content", speechCodes = "speech_codes"
            case musicContent = "music_content", musicCodes = "music_codes"
        }

        init(from decoder: any Decoder) throws {
            let members = try decoder.container(keyedBy: CodingKeys.self)
            ids = try members.decode([Int32].self, forKey: .ids)
            decoded = try members.decode(String.self, forKey: .decoded)
            answer = try members.decodeIfPresent(String.self, forKey: .answer)
            contents = [
                "image": try members.decodeIfPresent(String.self, forKey: .imageContent),
                "speech": try members.decodeIfPresent(String.self, forKey: .speechContent),
                "music": try members.decodeIfPresent(String.self, forKey: .musicContent),
            ]
            codes = [
                "image": try members.decodeIfPresent([Int].self, forKey: .imageCodes),
                "speech": try members.decodeIfPresent([Int].self, forKey: .speechCodes),
                "music": try members.decodeIfPresent([Int].self, forKey: .musicCodes),
            ]
        }
    }

    let tokenize: [Text]
    let decodeOnly: [IDs]
    let postprocess: [Answer]

    private enum CodingKeys: String, CodingKey {
        case tokenize, postprocess
        case decodeOnly = "decode_only"
    }

    init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        tokenize = try members.decodeIfPresent([Text].self, forKey: .tokenize) ?? []
        decodeOnly = try members.decodeIfPresent([IDs].self, forKey: .decodeOnly) ?? []
        postprocess = try members.decodeIfPresent([Answer].self, forKey: .postprocess) ?? []
    }

    /// The tokenizer variants that are spoken of.
    var variants: Set<String> {
        Set(tokenize.flatMap(\.variantIDs.keys)).union(decodeOnly.flatMap(\.variants.keys))
    }
}
