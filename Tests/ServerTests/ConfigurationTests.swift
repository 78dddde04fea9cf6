import AnyGPT
import Audio
import Foundation
import TestSupport
import Testing

@testable import Server

struct ConfigurationTests {
    /// The repository's own file.
    private static let shipped = Golden.tests.deletingLastPathComponent().appending(path: "config.toml")

    /// The lines of the error that a text gives.
    private func problems(_ text: String) -> [String] {
        do {
            _ = try Configuration(toml: text)
            return []
        } catch {
            return error.problems.map(\.description)
        }
    }

    @Test("config.toml holds every key, no other, each with its default and with a comment above")
    func shippedFile() throws {
        let text = try String(contentsOf: Self.shipped, encoding: .utf8)
        #expect(try Configuration(toml: text) == Configuration())

        let lines = TOMLKeyLines(text).lines
        let known = Set(Configuration.keys.map(\.path))
        let tables = Set(known.flatMap { path in path.indices.dropFirst().map { Array(path[..<$0]) } })
        #expect(Set(lines.keys) == known.union(tables))
        let inOrder = known.sorted { lines[$0] ?? 0 < lines[$1] ?? 0 }
        #expect(inOrder == Configuration.keys.map(\.path))

        // A table may explain its keys in one comment: each key follows a comment or another key.
        let rows = text.split(separator: "\n", omittingEmptySubsequences: false)
        for (path, line) in lines where known.contains(path) {
            let above = rows[line - 2]
            let isExplained = above.hasPrefix("#") || (path[0] == "sampling" && path[1] != "text")
            #expect(isExplained, "\(path.joined(separator: ".")) has no comment")
        }
    }

    @Test("Every key can be set, alone, and changes nothing else")
    func everyKey() throws {
        for key in Configuration.keys {
            let other: ConfigurationValue
            switch key.get(Configuration()) {
            case .integer(let value): other = .integer(value + 1)
            case .number(let value): other = .number(value == 1 ? 0.5 : value + 0.25)
            case .boolean(let value): other = .boolean(!value)
            case .texts: other = .texts(["https://a.example", "https://b.example"])
            case .text("info"): other = .text("debug")
            case .text("auto"): other = .text("base")
            case .text, .other: other = .text("/elsewhere")
            }
            // The bounds of a run must not cross.
            let bound = key.path.last == "min_new_tokens" ? ConfigurationValue.integer(1) : other
            let configuration = try Configuration(toml: "\(key.path.joined(separator: ".")) = \(bound)")
            #expect(key.get(configuration) == bound, "\(key.path)")
            var changed = Configuration()
            _ = key.set(bound, &changed)
            #expect(configuration == changed, "\(key.path)")
        }
        #expect(Set(Configuration.keys.map(\.path)).count == Configuration.keys.count)
    }

    @Test("Every key refuses what is not of its kind, and says what it takes")
    func wrongKinds() {
        for key in Configuration.keys {
            let name = key.path.joined(separator: ".")
            for (value, shown) in [
                ("[1]", "an array"), ("{ a = 1 }", "a table"), ("nan", "nan"),
            ] {
                #expect(
                    problems("\n\(name) = \(value)") == [
                        "config.toml:2: \(name): expected \(key.expected), got \(shown)"
                    ])
            }
        }
    }

    @Test(
        "A value that does not fit is reported with file, line, key, what was expected and what was found",
        arguments: [
            ("[server]\nport = \"http\"", "2: server.port: expected an integer from 0 to 65535, got \"http\""),
            ("server.port = 65536", "1: server.port: expected an integer from 0 to 65535, got 65536"),
            ("server.port = -1", "1: server.port: expected an integer from 0 to 65535, got -1"),
            ("server.port = 8787.0", "1: server.port: expected an integer from 0 to 65535, got 8787.0"),
            ("[server]\n\nhost = ''", "3: server.host: expected text in quotes, not empty, got \"\""),
            ("[turn]\nthreshold = nan", "2: turn.threshold: expected a number from 0.0 to 1.0, got nan"),
            ("turn = { threshold = inf }", "1: turn.threshold: expected a number from 0.0 to 1.0, got inf"),
            ("[server]\nshutdown_grace_s = 5", "2: server.shutdown_grace_s: expected a number from 0.0 to 4.5, got 5"),
            ("[model]\nllama = 7", "2: model.llama: expected a path in quotes, not empty, got 7"),
            ("model.llama = \"\"", "1: model.llama: expected a path in quotes, not empty, got \"\""),
            ("sampling.text.do_sample = 1", "1: sampling.text.do_sample: expected true or false, got 1"),
            ("log = 5", "1: log: expected a table, got 5"),
            ("[[server]]\nport = 1", "1: server: expected a table, got an array"),
        ])
    func badValue(text: String, problem: String) {
        #expect(problems(text) == ["config.toml:\(problem)"])
    }

    @Test("What the backbone has been taught is told by its folder's name, unless it is said")
    func backboneKind() throws {
        for (text, isBase) in [
            ("", false), ("llama = 'Models/AnyGPT-base'", true), ("llama = '/m/anygpt_base-int8/'", true),
            ("llama = 'base/AnyGPT-chat'", false), ("llama = 'AnyGPT-based'", false),
            ("llama = 'AnyGPT-base'\nkind = 'chat'", false), ("llama = 'mine'\nkind = 'base'", true),
        ] {
            let model = try Configuration(toml: "[model]\n\(text)").model
            #expect(model.backboneKind == (isBase ? .base : .chat), "\(text)")
        }
    }

    @Test("A base model holds no conversation at the desktop, and a beam search draws nothing")
    func combinations() {
        #expect(
            problems("model.kind = 'base'\ndesktop.enabled = true") == [
                "config.toml:2: desktop.enabled: expected false with a base model (model.kind), which holds no conversation"
            ])
        #expect(
            problems("[sampling.text]\ndo_sample = true\nnum_beams = 5") == [
                "config.toml:3: sampling.text.num_beams: expected 1 where do_sample is true, got 5"
            ])
        #expect(problems("[sampling.speech]\nnum_beams = 5").count == 1)
    }

    @Test("A choice names its words")
    func choice() {
        let levels = "\"trace\", \"debug\", \"info\", \"notice\", \"warning\", \"error\", \"critical\""
        #expect(
            problems("[log]\nlevel = 'loud'") == ["config.toml:2: log.level: expected one of \(levels), got \"loud\""])
    }

    @Test("An integer stands for a number where a number is expected")
    func integerAsNumber() throws {
        #expect(try Configuration(toml: "speech.lead_s = 3").speech.lead == 3)
    }

    @Test(
        "An unknown key or table is reported, with the one that was meant",
        arguments: [
            ("[server]\nprot = 1", "2: server.prot: unknown key, did you mean server.port?"),
            ("[server]\nport_ = 1", "2: server.port_: unknown key, did you mean server.port?"),
            ("[sever]\nport = 1", "1: sever: unknown table, did you mean server?"),
            ("port = 1", "1: port: unknown key, did you mean server.port?"),
            ("[turn]\nsilence = 5", "2: turn.silence: unknown key, did you mean turn.silence_ms?"),
            ("[speech]\nthreads = 5", "2: speech.threads: unknown key, did you mean compute.threads?"),
            ("[sampling.txt]\ntop_k = 5", "1: sampling.txt: unknown table, did you mean sampling.text?"),
            ("[sampling.text]\ntopk = 5", "2: sampling.text.topk: unknown key, did you mean sampling.text.top_k?"),
            ("[server]\nxyzzy = 1", "2: server.xyzzy: unknown key"),
            ("[zebra.crossing]\nx = 1", "1: zebra: unknown table"),
            ("[server]\n\"a.b\" = 1", "2: server.\"a.b\": unknown key"),
        ])
    func unknown(text: String, problem: String) {
        #expect(problems(text) == ["config.toml:\(problem)"])
    }

    @Test("All problems are reported, in the order of the file")
    func manyProblems() throws {
        let text = """
            seed = -1
            [log]
            level = 1
            [server]
            # a comment = 3
            port = 1 # another
            hots = \"\"\"
            two
            lines\"\"\"
            host = 2
            """
        let range = "an integer from 0 to \(Int.max)"
        let found = problems(text)
        #expect(found.count == 4)
        #expect(found.first == "config.toml:1: seed: expected \(range), got -1")
        #expect(found[1].hasPrefix("config.toml:3: log.level: expected one of"))
        #expect(found[2] == "config.toml:7: server.hots: unknown key, did you mean server.host?")
        #expect(found[3] == "config.toml:10: server.host: expected text in quotes, not empty, got 2")
    }

    @Test("A run's bounds must not cross")
    func bounds() {
        let message = "expected min_new_tokens to be at most max_new_tokens, got"
        #expect(
            problems("[sampling.text]\nmin_new_tokens = 101")
                == ["config.toml:2: sampling.text.min_new_tokens: \(message) 101 and 100"])
        #expect(
            problems("[sampling.image]\nmax_new_tokens = 8")
                == ["config.toml:2: sampling.image.max_new_tokens: \(message) 32 and 8"])
    }

    @Test(
        "A syntax error is reported with its line",
        arguments: [
            ("seed = 1\n[server\nport = 1", 2), ("seed = ", 1), ("\n\nseed 1", 3), ("seed = 1\nhost = \"abc", 2),
            ("seed = 0x", 1), ("seed = 1 2", 1), ("seed = 99999999999999999999", 1), ("= 1", 1), ("\nseed = truth", 2),
            ("\n[", 2), ("\n[=]", 2), ("[[ ]]", 1), ("seed = [\n}]", 2), ("seed = 1979-05-27", 1),
            ("\nseed = 10:30:00", 2),
            ("seed = [1\n[}", 2), ("seed = 1979-05-27T{", 1), ("seed = 1\nseed = }\n[}", 2),
        ])
    func syntax(text: String, line: Int) {
        let found = problems(text)
        #expect(found.count == 1 && found[0].hasPrefix("config.toml:\(line): "), "\(found)")
    }

    @Test(
        "A key or table that comes twice is reported, with both lines",
        arguments: [
            ("seed = 1\n\nseed = 2", 3, "seed", 1),
            ("[server]\nport = 1\n[log]\n[server]\nhost = 'a'", 4, "server", 1),
            ("[server]\nport = 1\n\"port\" = 1", 3, "server.port", 2),
            ("server.port = 1\nserver = { port = 2 }", 2, "server.port", 1),
        ])
    func duplicates(text: String, line: Int, key: String, first: Int) {
        #expect(problems(text) == ["config.toml:\(line): \(key): expected once, but it is already on line \(first)"])
    }

    @Test("Paths count from the folder of the file, absolute ones stay")
    func paths() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "anygpt configuration \(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "my config.toml").path(percentEncoded: false)
        try "[model]\nllama = \"ll ama\"\nvoice = \"/v/x.wav\"\n".write(toFile: file, atomically: true, encoding: .utf8)
        let configuration = try Configuration.load(path: file)
        let base = folder.path(percentEncoded: false)
        #expect(configuration.model.llama == base + "/ll ama")
        #expect(configuration.model.voice == "/v/x.wav")
        #expect(configuration.model.speechTokenizer == base + "/Models/pocket/speech", "a default, too")

        try "seed = x".write(toFile: file, atomically: true, encoding: .utf8)
        let error = #expect(throws: ConfigurationError.self) { try Configuration.load(path: file) }
        #expect(error?.description.hasPrefix("\(file):1: ") == true)
    }

    @Test("A file that is not there, not text or too large is refused")
    func badFiles() throws {
        let error = #expect(throws: ConfigurationError.self) { try Configuration.load(path: "/no/such.toml") }
        #expect(error?.description.hasPrefix("/no/such.toml: cannot be read: ") == true)
        #expect(throws: ConfigurationError.self) { try Configuration.load(path: "/") }

        let file = FileManager.default.temporaryDirectory.appending(path: "anygpt-\(UUID().uuidString).toml")
        defer { try? FileManager.default.removeItem(at: file) }
        func reason(_ bytes: Data) throws -> String? {
            try bytes.write(to: file)
            return #expect(throws: ConfigurationError.self) { try Configuration.load(path: file.path()) }?
                .problems.first?.message
        }
        #expect(try reason(Data([0x23, 0xFF, 0xFE])) == "not UTF-8 text")
        #expect(try reason(Data("seed = 1\n\0seed".utf8)) == "not text: it holds a zero byte")
        #expect(try reason(Data(repeating: 0x0A, count: 1_048_577)) == "larger than 1048576 bytes")
        try Data().write(to: file)
        #expect(try Configuration.load(path: file.path()).turn == Configuration().turn)
    }

    @Test("Whatever is done to the text, it is read or refused", arguments: UInt64(0)..<300)
    func damaged(seed: UInt64) throws {
        var generator = TestGenerator(seed: seed)
        var bytes = Array(try Data(contentsOf: Self.shipped))
        let signs = Array("[]{}=\"'#.,\n\\\t -+0a".utf8)
        for _ in 0..<Int.random(in: 1...20, using: &generator) {
            let place = Int.random(in: 0..<bytes.count, using: &generator)
            let sign = signs.randomElement(using: &generator) ?? 0
            if Bool.random(using: &generator) { bytes[place] = sign } else { bytes.insert(sign, at: place) }
        }
        for problem in problems(String(decoding: bytes, as: UTF8.self)) {
            #expect(problem.hasPrefix("config.toml:"), "seed \(seed)")
        }
    }

    @Test("Whatever is put together, it is read or refused", arguments: 0..<20)
    func puzzles(twentieth: UInt64) {
        let pieces = [
            "[", "]", "{", "}", "=", "\"", "'", "#", ".", ",", "\n", "\\", "\t", " ", "-", "+", "0", "1", "a", "_", "e",
            "nan", "inf", "true", "2020-01-01", "T", "10:00:00", "Z", "\"\"\"", "'''", "\r", "\u{1}", "é", ":", "0x",
            "1e5",
            "seed = ", "[server]", "\u{B}", "\u{2028}", "\u{FEFF}", "\\u0041", "\u{A0}",
        ]
        for seed in twentieth * 5000..<(twentieth + 1) * 5000 {
            var generator = TestGenerator(seed: seed)
            let count = Int.random(in: 1...9, using: &generator)
            let text = (0..<count).map { _ in pieces.randomElement(using: &generator) ?? "" }.joined()
            if let problem = problems(text).first, !problem.hasPrefix("config.toml:") {
                Issue.record("seed \(seed): \(problem)")
            }
        }
    }

    @Test("The turn's settings are those of the detector")
    func detection() throws {
        let turn = try Configuration(toml: "turn = { threshold = 0.7, silence_ms = 200 }").turn
        #expect(turn.detection.threshold == 0.7 && turn.detection.silenceMS == 200)
        #expect(turn.detection.prefixPaddingMS == 300 && turn.detection.minimumSpeechMS == 120)
    }

    @Test("artifacts that have no folder of their own are kept where a service, or a user, keeps such things")
    func artifactsPlace() {
        var artifacts = Configuration.Artifacts()
        artifacts.folder = "/srv/pictures"
        #expect(artifacts.place(environment: ["STATE_DIRECTORY": "/var/lib/anygptd"]).path == "/srv/pictures")
        artifacts.folder = ""
        let places: [([String: String], String)] = [
            (
                ["STATE_DIRECTORY": "/var/lib/anygptd:/var/lib/other", "XDG_STATE_HOME": "/home/me/s"],
                "/var/lib/anygptd/artifacts"
            ),
            (["XDG_STATE_HOME": "/home/me/s"], "/home/me/s/anygptd/artifacts"),
            (
                ["XDG_STATE_HOME": ""],
                FileManager.default.homeDirectoryForCurrentUser.path + "/.local/state/anygptd/artifacts"
            ),
        ]
        for (environment, path) in places { #expect(artifacts.place(environment: environment).path == path) }
    }
}
