import Foundation

/// The files of a tokenizer in a model folder, as far as they were understood.
///
/// Follows `PreTrainedTokenizerBase._from_pretrained` of transformers 4.34.1: `added_tokens_decoder` in
/// `tokenizer_config.json` is all there is when present; else `special_tokens_map.json`, `added_tokens.json` and the
/// `added_tokens` of `tokenizer.json` count, in this order.
struct TokenizerFolder {
    /// Larger files than this are no tokenizer's.
    static let largestFile = 64 << 20

    /// The bytes of `tokenizer.model`.
    let model: [UInt8]
    private(set) var isLegacy = true
    private(set) var addsBOS = true
    private(set) var addsEOS = false
    /// Added tokens with the ids that the files give them.
    private(set) var addedTokens: [AddedToken] = []
    /// The special tokens by role (`bos_token`, …); a nil value is a role that the files leave empty.
    private(set) var specialTokens: [String: AddedToken] = [:]
    private(set) var additionalSpecialTokens: [AddedToken] = []

    /// The single roles in the order in which tokens that have no id yet get one.
    static let roles = ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"]

    private let folder: URL

    init(_ folder: URL) throws(TokenizerError) {
        self.folder = folder
        guard let model = try Self.contents("tokenizer.model", in: folder) else {
            throw TokenizerError(file: folder.appending(path: "tokenizer.model").path, reason: "no such file")
        }
        self.model = model
        for (role, content) in [("bos_token", "<s>"), ("eos_token", "</s>"), ("unk_token", "<unk>")] {
            specialTokens[role] = AddedToken(bytes: Array(content.utf8))
        }
        let configuration = try object("tokenizer_config.json") ?? JSONObject()
        try readSwitches(configuration)
        let decoder = configuration["added_tokens_decoder"]
        if let decoder { try readAddedTokensDecoder(decoder) }
        try readSpecialTokens(configuration, file: "tokenizer_config.json")
        if decoder == nil {
            if let map = try object("special_tokens_map.json") {
                try readSpecialTokens(map, file: "special_tokens_map.json")
            }
            if let added = try object("added_tokens.json") { try readAddedTokens(added) }
            if let fast = try object("tokenizer.json") { try readFastTokenizer(fast) }
        }
    }

    /// The full path of one of the folder's files, for errors.
    func path(_ name: String) -> String {
        folder.appending(path: name).path
    }

    // MARK: Files

    /// The bytes of a file, nil when there is none.
    private static func contents(_ name: String, in folder: URL) throws(TokenizerError) -> [UInt8]? {
        let url = folder.appending(path: name).resolvingSymlinksInPath()
        let attributes: [FileAttributeKey: Any]
        do {
            attributes = try FileManager.default.attributesOfItem(atPath: url.path)
        } catch {
            if !FileManager.default.fileExists(atPath: url.path) { return nil }
            throw TokenizerError(file: url.path, reason: "cannot be read")
        }
        guard attributes[.type] as? FileAttributeType == .typeRegular else {
            throw TokenizerError(file: url.path, reason: "not a regular file")
        }
        guard let size = attributes[.size] as? UInt64, size <= UInt64(largestFile) else {
            throw TokenizerError(file: url.path, reason: "larger than \(largestFile >> 20) MiB")
        }
        guard let data = try? Data(contentsOf: url) else {
            throw TokenizerError(file: url.path, reason: "cannot be read")
        }
        return Array(data)
    }

    private func object(_ name: String) throws(TokenizerError) -> JSONObject? {
        guard let bytes = try Self.contents(name, in: folder) else { return nil }
        do throws(JSONReader.Failure) {
            if case .object(let object) = try JSONReader.read(bytes) { return object }
        } catch {
            throw TokenizerError(file: path(name), reason: "not JSON at byte \(error.offset): \(error.reason)")
        }
        throw TokenizerError(file: path(name), reason: "not a JSON object")
    }

    // MARK: Members

    private mutating func readSwitches(_ configuration: JSONObject) throws(TokenizerError) {
        let file = path("tokenizer_config.json")
        func flag(_ name: String, _ absent: Bool) throws(TokenizerError) -> Bool {
            switch configuration[name] {
            case nil, .null?: absent
            case .bool(let value)?: value
            default: throw TokenizerError(file: file, reason: "\(name) is not true or false")
            }
        }
        isLegacy = try flag("legacy", true)
        addsBOS = try flag("add_bos_token", true)
        addsEOS = try flag("add_eos_token", false)
        for name in ["clean_up_tokenization_spaces", "do_lower_case", "split_special_tokens"] {
            if try flag(name, false) {
                throw TokenizerError(file: file, reason: "\(name) true is not supported: no LLaMA tokenizer has it")
            }
        }
        if case .object(let settings)? = configuration["sp_model_kwargs"], !settings.members.isEmpty {
            throw TokenizerError(file: file, reason: "sp_model_kwargs is not empty, which is not supported")
        }
    }

    private mutating func readAddedTokensDecoder(_ value: JSONValue) throws(TokenizerError) {
        let file = path("tokenizer_config.json")
        guard case .object(let decoder) = value else {
            throw TokenizerError(file: file, reason: "added_tokens_decoder is not an object")
        }
        for (name, value) in decoder.members {
            let name = String(decoding: name, as: UTF8.self)
            guard let id = Int32(name), id >= 0 else {
                throw TokenizerError(file: file, reason: "added_tokens_decoder: \"\(name)\" is not a token id")
            }
            guard let token = AddedToken(value, id: id) else {
                throw TokenizerError(file: file, reason: "added_tokens_decoder: the value of \(id) is not a token")
            }
            addedTokens.append(token)
        }
    }

    private mutating func readAddedTokens(_ members: JSONObject) throws(TokenizerError) {
        for (content, value) in members.members {
            guard case .integer(let number) = value, let id = Int32(exactly: number), id >= 0, !content.isEmpty else {
                let name = String(decoding: content, as: UTF8.self)
                throw TokenizerError(file: path("added_tokens.json"), reason: "\"\(name)\" has no valid token id")
            }
            addedTokens.append(AddedToken(id: id, bytes: content))
        }
    }

    /// The added tokens of a fast tokenizer's file replace those of the same id.
    private mutating func readFastTokenizer(_ members: JSONObject) throws(TokenizerError) {
        guard case .array(let values)? = members["added_tokens"] else { return }
        var places: [Int32: Int] = [:]
        for (place, token) in addedTokens.enumerated() { places[token.id] = place }
        for value in values {
            guard case .object(let members) = value, case .integer(let number)? = members["id"],
                let id = Int32(exactly: number), id >= 0, let token = AddedToken(value, id: id)
            else { throw TokenizerError(file: path("tokenizer.json"), reason: "an added token that is none") }
            if let place = places[id] {
                addedTokens[place] = token
            } else {
                places[id] = addedTokens.count
                addedTokens.append(token)
            }
        }
    }

    private mutating func readSpecialTokens(_ members: JSONObject, file: String) throws(TokenizerError) {
        for role in Self.roles {
            switch members[role] {
            case nil: break
            case .null?: specialTokens[role] = nil
            case let value?: specialTokens[role] = try specialToken(value, role: role, file: file)
            }
        }
        switch members["additional_special_tokens"] {
        case nil, .null?: break
        case .array(let values)?:
            for value in values {
                var token = try specialToken(value, role: "additional_special_tokens", file: file)
                token.isAdditional = true
                if !additionalSpecialTokens.contains(where: { $0.bytes == token.bytes }) {
                    additionalSpecialTokens.append(token)
                }
            }
        default: throw TokenizerError(file: path(file), reason: "additional_special_tokens is not a list")
        }
    }

    private func specialToken(_ value: JSONValue, role: String, file: String) throws(TokenizerError) -> AddedToken {
        if case .string(let content) = value, !content.isEmpty {
            return addedTokens.first { $0.bytes == content } ?? AddedToken(bytes: content)
        }
        guard let token = AddedToken(value) else {
            throw TokenizerError(file: path(file), reason: "\(role) is not a token")
        }
        return token
    }
}
