/// What is wrong with a configuration: every problem that was found, in the order of the file.
public struct ConfigurationError: Error, Equatable, CustomStringConvertible {
    /// One thing that is wrong.
    public struct Problem: Equatable, Sendable, CustomStringConvertible {
        /// The file, as it was named.
        public let file: String
        /// The line, from 1; nil when it is about the file as a whole.
        public let line: Int?
        /// The key with its tables, such as `server.port`; nil for a syntax error.
        public let key: String?
        /// What was expected and what was found.
        public let message: String

        /// `file:line: key: message`, less what there is not.
        public var description: String {
            let place = line.map { "\(file):\($0)" } ?? file
            return [place, key, message].compactMap { $0 }.joined(separator: ": ")
        }
    }

    /// What is wrong; at least one thing.
    public let problems: [Problem]

    /// A line for each problem.
    public var description: String { problems.map(\.description).joined(separator: "\n") }

    /// One problem with the file as a whole.
    static func file(_ file: String, _ message: String) -> ConfigurationError {
        ConfigurationError(problems: [Problem(file: file, line: nil, key: nil, message: message)])
    }
}
