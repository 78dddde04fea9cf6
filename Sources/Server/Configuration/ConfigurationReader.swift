import AnyGPT
import Foundation
import TOMLKit

extension Configuration {
    /// The most bytes of a configuration file.
    private static let largestFile = 1 << 20

    /// Reads a file. Every problem in it is in the error, with its line.
    public static func load(path: String) throws(ConfigurationError) -> Configuration {
        let bytes = try contents(of: path)
        guard bytes.count <= largestFile else { throw .file(path, "larger than \(largestFile) bytes") }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw .file(path, "not UTF-8 text") }
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) }
        return try Configuration(toml: text, file: path, folder: folder ?? ".")
    }

    /// As much of a file as is looked at.
    private static func contents(of path: String) throws(ConfigurationError) -> Data {
        func failure() -> ConfigurationError { .file(path, "cannot be read: \(String(cString: strerror(errno)))") }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure() }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure() }
        guard status.st_mode & S_IFMT != S_IFDIR else { throw .file(path, "is a folder, not a configuration") }
        do {
            return try FileHandle(fileDescriptor: descriptor).read(upToCount: largestFile + 1) ?? Data()
        } catch {
            throw .file(path, "cannot be read: \(error.localizedDescription)")
        }
    }

    /// Reads a text.
    /// - Parameters:
    ///   - file: how errors call it.
    ///   - folder: what relative paths in it, and those of the defaults, count from.
    public init(toml text: String, file: String = "config.toml", folder: String = ".") throws(ConfigurationError) {
        self.init()
        var reader = ConfigurationReader(text, file: file)
        try reader.read(into: &self)
        for key in Self.keys where key.isPath {
            guard case .text(let path) = key.get(self), !path.isEmpty, !path.hasPrefix("/"), folder != "."
            else { continue }
            _ = key.set(.text(folder.hasSuffix("/") ? folder + path : "\(folder)/\(path)"), &self)
        }
    }

    /// Every key with its tables, such as `server.port`, and its value, in the order of `config.toml`.
    public var entries: [(key: String, value: String)] {
        Self.keys.map { ($0.path.joined(separator: "."), $0.get(self).description) }
    }
}

/// Goes through a document and compares it with the keys.
private struct ConfigurationReader {
    let file: String
    let text: String
    let lines: TOMLKeyLines
    var problems: [ConfigurationError.Problem] = []

    init(_ text: String, file: String) {
        self.file = file
        self.text = text
        lines = TOMLKeyLines(text)
    }

    mutating func read(into configuration: inout Configuration) throws(ConfigurationError) {
        let document = try parse()
        withExtendedLifetime(document) { read(document, at: [], into: &configuration) }
        checkCombinations(configuration)
        guard problems.isEmpty else {
            throw ConfigurationError(
                problems: problems.sorted { ($0.line ?? 0, $0.key ?? "") < ($1.line ?? 0, $1.key ?? "") })
        }
    }

    /// What each key allows and the keys together do not.
    private mutating func checkCombinations(_ configuration: Configuration) {
        for (name, sampling) in configuration.sampling.runs where sampling.minNewTokens > sampling.maxNewTokens {
            let key = ["sampling", name, "min_new_tokens"]
            let other = ["sampling", name, "max_new_tokens"]
            report(
                lines.lines[key] == nil ? other : key,
                "expected min_new_tokens to be at most max_new_tokens, got \(sampling.minNewTokens) and \(sampling.maxNewTokens)"
            )
        }
        if configuration.sampling.text.doSample, configuration.sampling.text.numBeams > 1 {
            report(
                ["sampling", "text", "num_beams"],
                "expected 1 where do_sample is true, got \(configuration.sampling.text.numBeams)")
        }
        if configuration.desktop.enabled, configuration.model.backboneKind == .base {
            report(
                ["desktop", "enabled"], "expected false with a base model (model.kind), which holds no conversation")
        }
    }

    private func parse() throws(ConfigurationError) -> TOMLTable {
        // The parser takes the text as a C string.
        guard !text.utf8.contains(0) else { throw .file(file, "not text: it holds a zero byte") }
        do {
            if let hazard = lines.hazard {
                _ = try TOMLTable(string: hazard.before)
                throw ConfigurationError(problems: [
                    .init(file: file, line: hazard.line, key: nil, message: hazard.message)
                ])
            }
            return try TOMLTable(string: text)
        } catch let error as ConfigurationError {
            throw error
        } catch let error as TOMLParseError {
            throw ConfigurationError(problems: [syntaxProblem(error)])
        } catch {
            throw .file(file, "\(error)")
        }
    }

    private func syntaxProblem(_ error: TOMLParseError) -> ConfigurationError.Problem {
        if let repetition = lines.repetitions.first, repetition.line <= error.source.end.line {
            return .init(
                file: file, line: repetition.line, key: Self.shown(repetition.path),
                message: "expected once, but it is already on line \(repetition.firstLine)")
        }
        return .init(file: file, line: error.source.begin.line, key: nil, message: error.description)
    }

    private mutating func read(_ table: TOMLTable, at path: [String], into configuration: inout Configuration) {
        for name in table.keys {
            guard let value = table[name] else { continue }
            let here = path + [name]
            if let key = Configuration.keys.first(where: { $0.path == here }) {
                let found = ConfigurationValue(value)
                if !key.set(found, &configuration) { report(here, "expected \(key.expected), got \(found)") }
            } else if Configuration.keys.contains(where: { $0.path.starts(with: here) }) {
                if let inner = value.table {
                    read(inner, at: here, into: &configuration)
                } else {
                    report(here, "expected a table, got \(ConfigurationValue(value))")
                }
            } else {
                report(here, unknown(here, isTable: value.table != nil))
            }
        }
    }

    private func unknown(_ path: [String], isTable: Bool) -> String {
        var known = Configuration.keys.map(\.path)
        if isTable {
            known = Array(Set(known.flatMap { path in path.indices.dropFirst().map { Array(path[..<$0]) } }))
                .sorted { $0.lexicographicallyPrecedes($1) }
        }
        let kind = isTable ? "table" : "key"
        guard let meant = Suggestion.nearest(to: path, among: known) else { return "unknown \(kind)" }
        return "unknown \(kind), did you mean \(meant.joined(separator: "."))?"
    }

    /// The names as TOML would write them.
    private static func shown(_ path: [String]) -> String {
        let names = path.map { name in
            let isBare =
                !name.isEmpty && name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) || "_-".contains($0) }
            return isBare ? name : "\"\(name)\""
        }
        return names.joined(separator: ".")
    }

    private mutating func report(_ path: [String], _ message: String) {
        problems.append(
            .init(file: file, line: lines.lines[path], key: Self.shown(path), message: message))
    }
}

extension ConfigurationValue {
    fileprivate init(_ value: any TOMLValueConvertible) {
        switch value.type {
        case .string: self = value.string.map { .text($0) } ?? .other("text")
        case .int: self = value.int.map { .integer($0) } ?? .other("an integer")
        case .double: self = value.double.map { .number($0) } ?? .other("a number")
        case .bool: self = value.bool.map { .boolean($0) } ?? .other("a boolean")
        case .array: self = Self.texts(in: value.array)
        case .table: self = .other("a table")
        case .date, .dateTime: self = .other("a date")
        case .time: self = .other("a time")
        }
    }

    /// A list that holds nothing but texts.
    private static func texts(in array: TOMLArray?) -> ConfigurationValue {
        var texts: [String] = []
        for value in array ?? [] {
            guard let text = value.string else { return .other("an array") }
            texts.append(text)
        }
        return .texts(texts)
    }
}
