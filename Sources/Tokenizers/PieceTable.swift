/// What `tokenizer.model` says of its pieces and of decoding: the part of SentencePiece's `ModelProto` that is needed
/// beside libsentencepiece, which encodes.
///
/// Field numbers: `sentencepiece_model.proto` of SentencePiece 0.1.99.
struct PieceTable {
    /// The kinds of `ModelProto.SentencePiece.Type`.
    enum Kind: UInt64 {
        case normal = 1
        case unknown = 2
        case control = 3
        case userDefined = 4
        case unused = 5
        case byte = 6
    }

    /// One piece; its index in `pieces` is its id.
    struct Piece {
        /// UTF-8, with U+2581 for a space.
        var text: [UInt8] = []
        var kind = Kind.normal
        /// The byte that a byte piece stands for.
        var byte: UInt8 = 0
    }

    private(set) var pieces: [Piece] = []
    /// What an unknown id decodes to.
    private(set) var unknownSurface = Array(" \u{2047} ".utf8)
    private(set) var addsDummyPrefix = true
    private(set) var removesExtraWhitespace = true

    /// Reads and checks a serialized `ModelProto`.
    ///
    /// Stricter than libsentencepiece, which takes a file cut off between two fields for a model with default
    /// settings, and which trusts the normalization table.
    init(_ model: [UInt8]) throws(ProtobufReader.Malformed) {
        var reader = ProtobufReader(model[...])
        var hasTrainer = false
        var hasNormalizer = false
        while let field = try reader.next() {
            switch field.number {
            case 1:
                let piece = try Self.piece(try field.message())
                pieces.append(piece)
            case 2:
                hasTrainer = true
                try readTrainer(try field.message())
            case 3:
                hasNormalizer = true
                try readNormalizer(try field.message())
            case 5:
                var denormalizer = ProtobufReader(try field.message())
                while let field = try denormalizer.next() {
                    if field.number == 2, !(try field.message()).isEmpty {
                        throw ProtobufReader.Malformed("the model denormalizes text, which LLaMA's never does")
                    }
                }
            default: break
            }
        }
        guard !pieces.isEmpty else { throw ProtobufReader.Malformed("no pieces") }
        guard hasTrainer, hasNormalizer else { throw ProtobufReader.Malformed("cut off: the settings are missing") }
    }

    private static func piece(_ message: ArraySlice<UInt8>) throws(ProtobufReader.Malformed) -> Piece {
        var piece = Piece()
        var reader = ProtobufReader(message)
        while let field = try reader.next() {
            switch field.number {
            case 1: piece.text = Array(try field.message())
            case 3:
                guard let kind = Kind(rawValue: try field.integer()) else {
                    throw ProtobufReader.Malformed("a piece of unknown type")
                }
                piece.kind = kind
            default: break
            }
        }
        guard let name = String(validating: piece.text, as: UTF8.self), !name.isEmpty, !name.utf8.contains(0) else {
            throw ProtobufReader.Malformed("a piece whose string is empty, holds a zero byte or is not UTF-8")
        }
        if piece.kind == .byte {
            guard let byte = Self.byte(of: piece.text) else {
                throw ProtobufReader.Malformed("byte piece \"\(name)\" is not written <0xHH>")
            }
            piece.byte = byte
        }
        return piece
    }

    /// The byte that `<0x41>` stands for.
    private static func byte(of text: [UInt8]) -> UInt8? {
        guard text.count == 6, text.starts(with: "<0x".utf8), text[5] == UInt8(ascii: ">"),
            let high = hexDigit(text[3]), let low = hexDigit(text[4])
        else { return nil }
        return UInt8(high << 4 | low)
    }

    private mutating func readTrainer(_ message: ArraySlice<UInt8>) throws(ProtobufReader.Malformed) {
        var reader = ProtobufReader(message)
        while let field = try reader.next() {
            if field.number == 44 { unknownSurface = Array(try field.message()) }
        }
    }

    private mutating func readNormalizer(_ message: ArraySlice<UInt8>) throws(ProtobufReader.Malformed) {
        var reader = ProtobufReader(message)
        while let field = try reader.next() {
            switch field.number {
            case 2: try NormalizationTable.check(try field.message())
            case 3: addsDummyPrefix = try field.integer() != 0
            case 4: removesExtraWhitespace = try field.integer() != 0
            default: break
            }
        }
    }

    /// Switches the space in front of a text off, as `LlamaTokenizer` with `legacy` false does to the model.
    mutating func dropDummyPrefix() {
        addsDummyPrefix = false
    }

    /// What to append to a serialized `ModelProto` for the same: a second `normalizer_spec`, which protobuf merges into
    /// the first, with `add_dummy_prefix` false.
    static let withoutDummyPrefix: [UInt8] = [0x1A, 0x02, 0x18, 0x00]
}
