import Foundation
import Testing

/// Model folders that are broken on purpose, each in one way: an honest small one with one file replaced.
enum HostileFolders {
    /// What stands in the place of a file.
    enum Content: Sendable {
        case bytes([UInt8])
        case text(String)
        case folder
        /// A pipe that nobody writes to.
        case pipe
        case link(to: String)
        /// A file that claims this size, and takes no room.
        case sparse(Int)
        case missing
    }

    struct Case: CustomTestStringConvertible, Sendable {
        let name: String
        let files: [(name: String, content: Content)]
        var testDescription: String { name }

        /// Whether only the text side is broken, which `convert` has no use for.
        var isOfTheTokenizer: Bool {
            files.allSatisfy { $0.name.contains("token") }
        }
    }

    static let model = "model.safetensors"
    static let index = "model.safetensors.index.json"
    static let texts = [
        "config.json", "added_tokens.json", "special_tokens_map.json", "tokenizer_config.json",
    ]

    private static let files = texts + ["tokenizer.model", model]

    /// All of them.
    static var all: [Case] { kinds + json + configurations + headers + indices + pickles + vocabularies }

    private static func one(_ name: String, _ file: String, _ content: Content) -> Case {
        Case(name: "\(name) \(file)", files: [(file, content)])
    }

    /// What is no file of a sensible kind or size.
    private static var kinds: [Case] {
        files.flatMap { file in
            [
                one("empty", file, .text("")), one("a folder as", file, .folder), one("a pipe as", file, .pipe),
                one("a link to a device as", file, .link(to: "/dev/zero")),
                one("a link to another file as", file, .link(to: "/etc/passwd")),
                one("a terabyte of", file, .sparse(1 << 40)),
                one("zeros as", file, .bytes([UInt8](repeating: 0, count: 1000))),
                one("half a line as", file, .text(#"{"a": "b"#)),
            ]
        }
            + ["config.json", "added_tokens.json", "tokenizer.model", model].flatMap { file in
                [
                    one("no", file, .missing), one("a link to nowhere as", file, .link(to: "/nonexistent/file")),
                    one("a link to itself as", file, .link(to: file)),
                ]
            }
    }

    private static var json: [Case] {
        let lists = String(repeating: "[", count: 100_000) + String(repeating: "]", count: 100_000)
        let objects = String(repeating: #"{"a":"#, count: 100_000) + "1" + String(repeating: "}", count: 100_000)
        return texts.flatMap { file in
            [
                one("deep lists in", file, .text(#"{"a": \#(lists)}"#)), one("deep objects in", file, .text(objects)),
                one("a list as", file, .text("[1]")), one("no number in", file, .text(#"{"rms_norm_eps": NaN}"#)),
                one("two equal keys in", file, .text(#"{"[Human]": 420, "[Human]": 421}"#)),
                one("wide characters in", file, .bytes([0xFF, 0xFE, 0x7B, 0, 0x7D, 0])),
                one("half a character in", file, .text(#"{"\ud800": 420}"#)),
            ]
        }
    }

    /// Sizes and switches that no LLaMA has.
    private static var configurations: [Case] {
        let values: [(String, [String])] = [
            ("vocab_size", ["0", "-1", "4611686018427387904", "1e308", "\"5\"", "null", "1.5"]),
            ("hidden_size", ["0", "-64", "1099511627776", "63"]), ("num_attention_heads", ["0", "7", "1e18"]),
            ("num_key_value_heads", ["0", "3", "-1"]), ("rms_norm_eps", ["-1", "1e300", "\"x\""]),
            ("rope_theta", ["0", "1e300"]), ("num_hidden_layers", ["0", "1000", "1073741824"]),
            ("rope_scaling", [#"{"type": "dynamic", "factor": 2}"#, #"{"type": "linear", "factor": 0}"#, "5", "{}"]),
            ("max_position_embeddings", ["0", "1152921504606846976"]), ("intermediate_size", ["0", "1e13"]),
            ("model_type", ["\"gpt2\"", "5"]), ("hidden_act", ["\"gelu\""]), ("tie_word_embeddings", ["\"yes\""]),
            ("quantization_config", [#"{"quant_method": "gptq"}"#, "[]"]),
        ]
        return values.flatMap { key, values in
            values.map { value in
                let others = configuration.filter { $0.key != key }.map { "\"\($0.key)\": \($0.value)" }
                return one(
                    "\(key) \(value) in", "config.json",
                    .text("{\((others + ["\"\(key)\": \(value)"]).joined(separator: ", "))}"))
            }
        }
    }

    private static let configuration = [
        "vocab_size": "430", "hidden_size": "64", "intermediate_size": "96", "num_hidden_layers": "1",
        "num_attention_heads": "4", "num_key_value_heads": "2", "model_type": "\"llama\"",
    ]

    /// Headers of safetensors files that lie.
    private static var headers: [Case] {
        func header(_ name: String, _ text: String, _ count: Int = 0, length: UInt64? = nil) -> Case {
            let start = withUnsafeBytes(of: (length ?? UInt64(text.utf8.count)).littleEndian) { [UInt8]($0) }
            return one(name, model, .bytes(start + text.utf8 + [UInt8](repeating: 0, count: count)))
        }
        let four = #""data_offsets":[0,4]}"#
        return [
            header("a negative size in", #"{"a":{"dtype":"F32","shape":[-1],\#(four)}"#, 4),
            header("too many elements in", #"{"a":{"dtype":"F32","shape":[9223372036854775807,4],\#(four)}"#, 4),
            header(
                "nothing times too much in",
                #"{"a":{"dtype":"F32","shape":[4294967296,4294967296,0],"data_offsets":[0,0]}}"#),
            header(
                "overlaps in",
                #"{"a":{"dtype":"F32","shape":[1],\#(four),"b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}}"#, 6),
            header("a hole in", #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, 8),
            header("bytes beyond the end of", #"{"a":{"dtype":"F32","shape":[100],"data_offsets":[0,400]}}"#, 8),
            header(
                "a name twice in",
                #"{"a":{"dtype":"F32","shape":[1],\#(four),"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, 8),
            header("a type of 8 bits in", #"{"a":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]}}"#, 1),
            header("the longest header in", "{", length: .max), header("a long header in", "{", length: 100_000_000),
            header("deep lists in the header of", #"{"a":"# + String(repeating: "[", count: 50_000)),
            header("a name that clears the terminal in", #"{"\u001b[2J\n":{"dtype":"F32","shape":[1],\#(four)}"#, 3),
            header(
                "10000 dimensions in",
                #"{"a":{"dtype":"F32","shape":[\#(Array(repeating: "1", count: 10_000).joined(separator: ","))],\#(four)}"#,
                4),
            header(
                "a wrong type in",
                #"{"model.embed_tokens.weight":{"dtype":"I64","shape":[430,64],"data_offsets":[0,220160]}}"#, 220_160),
            header("no tensors in", "{}"),
        ]
    }

    /// Indices that lead elsewhere.
    private static var indices: [Case] {
        func map(_ target: String) -> Content { .text(#"{"metadata": {}, "weight_map": {"a": "\#(target)"}}"#) }
        let targets = [
            "../../../../etc/passwd", "/etc/passwd", "x/../../y", ".", "..", "", "below/\(model)", #"a\u0000b"#, index,
            "pipe", "link",
        ]
        return targets.map { target in
            Case(
                name: "shard \"\(target)\"",
                files: [(model, .missing), (index, map(target)), ("pipe", .pipe), ("link", .link(to: "/dev/zero"))])
        } + [
            Case(name: "an empty index", files: [(model, .missing), (index, .text(""))]),
            Case(name: "a folder as index", files: [(model, .missing), (index, .folder)]),
        ]
    }

    /// Pickles that ask for something to be run, or for memory; and the file formats around them.
    private static var pickles: [Case] {
        let system: [UInt8] =
            [0x80, 2] + Array("cposix\nsystem\n(X".utf8) + [5, 0, 0, 0] + Array("false".utf8) + Array("tR.".utf8)
        let contents: [(String, [UInt8])] = [
            ("a call of the system", system),
            ("a call of eval", [0x80, 2] + Array("cbuiltins\neval\n(X".utf8) + [1, 0, 0, 0] + Array("1tR.".utf8)),
            ("deep lists", [0x80, 2] + [UInt8](repeating: UInt8(ascii: "]"), count: 200_000)),
            ("a list that holds itself", [0x80, 2] + Array("]q\0h\0a.".utf8)), ("nothing", []),
            ("two gigabytes", [0x80, 2, 0x8B, 0xFF, 0xFF, 0xFF, 0x7F, UInt8(ascii: ".")]),
            ("an endless frame", [0x80, 4, 0x95] + [UInt8](repeating: 0xFF, count: 8)),
        ]
        let magic: [UInt8] = [
            0x80, 2, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, UInt8(ascii: "."),
        ]
        let facts: [UInt8] = [0x80, 2, UInt8(ascii: "M"), 0xE9, 3, UInt8(ascii: "."), 0x80, 2] + Array("}.".utf8)
        return contents.flatMap { name, pickle in
            [
                Case(name: "\(name) in a zip", files: [(model, .missing), ("pytorch_model.bin", .bytes(zip(pickle)))]),
                Case(
                    name: "\(name) in an old file",
                    files: [(model, .missing), ("pytorch_model.bin", .bytes(magic + facts + pickle))]),
            ]
        } + [
            Case(
                name: "a zip that claims more than it can unpack to",
                files: [(model, .missing), ("pytorch_model.bin", .bytes(zip([0, 0, 0, 0], claims: 0xFFFF_FFF0)))]),
            Case(
                name: "half a zip",
                files: [(model, .missing), ("pytorch_model.bin", .bytes(Array(zip(system).dropLast(10))))]),
        ]
    }

    /// An archive with one entry, data.pkl; deflated, by its own word, when it claims a size.
    private static func zip(_ content: [UInt8], claims: UInt32? = nil) -> [UInt8] {
        func little(_ value: some FixedWidthInteger) -> [UInt8] {
            withUnsafeBytes(of: value.littleEndian) { [UInt8]($0) }
        }
        let name = Array("a/data.pkl".utf8)
        let common =
            little(UInt16(20)) + little(UInt16(0)) + little(UInt16(claims == nil ? 0 : 8)) + little(UInt32(0))
            + little(UInt32(0)) + little(UInt32(content.count)) + little(claims ?? UInt32(content.count))
            + little(UInt16(name.count)) + little(UInt16(0))
        let local = [0x50, 0x4B, 3, 4] + common + name + content
        let directory = [0x50, 0x4B, 1, 2] + little(UInt16(20)) + common + [UInt8](repeating: 0, count: 14) + name
        return local + directory + [0x50, 0x4B, 5, 6] + little(UInt32(0)) + little(UInt16(1)) + little(UInt16(1))
            + little(UInt32(directory.count)) + little(UInt32(local.count)) + little(UInt16(0))
    }

    /// Vocabularies with gaps, duplicates, and ids that no tokenizer has.
    private static var vocabularies: [Case] {
        let added = [
            ("a gap", #"{"x": 900000}"#), ("the largest id", #"{"x": 2147483647}"#), ("a negative id", #"{"x": -1}"#),
            ("an id of 64 bits", #"{"x": 9223372036854775808}"#), ("half an id", #"{"x": 420.5}"#),
            ("one id for two", #"{"x": 420, "y": 420}"#), ("an empty token", #"{"": 420}"#),
        ]
        return added.map { one("\($0.0) in", "added_tokens.json", .text($0.1)) } + [
            one(
                "a far id in", "tokenizer_config.json",
                .text(#"{"added_tokens_decoder": {"999999999999": {"content": "x"}}}"#)),
            one("pieces without end in", "tokenizer.model", .bytes([0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F])),
        ]
    }
}
