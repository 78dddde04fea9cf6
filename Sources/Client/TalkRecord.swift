import Foundation
import Wire

/// A conversation as one JSON object, for programs. Times are milliseconds after the last sample of the turn was sent; a
/// stage that was not reached is null.
public struct TalkRecord: Encodable, Sendable {
    /// One turn.
    public struct Turn: Encodable, Sendable {
        private let report: TurnReport
        private let source: String

        /// A turn and where its speech came from.
        public init(_ report: TurnReport, source: String) {
            self.report = report
            self.source = source
        }

        private enum Keys: String, CodingKey {
            case source, transcript, reply, status, reason, times, packets, server, artifacts
            case replySeconds = "reply_seconds"
            case concealedPackets = "concealed_packets"
            case packetsBeforeLastToken = "packets_before_last_token"
        }

        private enum TimeKeys: String, CodingKey {
            case endOfTurn = "end_of_turn_ms"
            case firstText = "first_text_ms"
            case firstReplyText = "first_reply_text_ms"
            case firstAudio = "first_audio_ms"
            case done = "done_ms"
        }

        /// Writes every key, null where there is nothing to say.
        public func encode(to encoder: any Encoder) throws {
            var object = encoder.container(keyedBy: Keys.self)
            try object.encode(source, forKey: .source)
            try object.encode(report.transcript, forKey: .transcript)
            try object.encode(report.reply, forKey: .reply)
            try object.encode(report.status, forKey: .status)
            try object.encode(report.reason, forKey: .reason)
            try object.encode(report.replySeconds, forKey: .replySeconds)
            try object.encode(report.packets, forKey: .packets)
            try object.encode(report.concealedPackets, forKey: .concealedPackets)
            try object.encode(report.server?.packetsBeforeLastToken, forKey: .packetsBeforeLastToken)
            try object.encode(report.artifacts, forKey: .artifacts)
            try object.encode(report.server, forKey: .server)
            var times = object.nestedContainer(keyedBy: TimeKeys.self, forKey: .times)
            let stages: [(TimeKeys, Duration?)] = [
                (.endOfTurn, report.times.endOfTurn), (.firstText, report.times.firstText),
                (.firstReplyText, report.times.firstReplyText), (.firstAudio, report.times.firstAudio),
                (.done, report.times.done),
            ]
            for (key, time) in stages {
                let milliseconds = TimingTable.milliseconds(time, report)
                try times.encode(milliseconds.map { ($0 * 10).rounded() / 10 }, forKey: key)
            }
        }
    }

    private enum CodingKeys: String, CodingKey { case url, session, out, turns }

    private let url: String
    private let session: String
    private let out: String?
    private let turns: [Turn]

    /// A conversation of its parts; `out` is the file with the replies, where there is one.
    public init(url: String, session: String, out: String?, turns: [Turn]) {
        self.url = url
        self.session = session
        self.out = out
        self.turns = turns
    }

    /// Writes every key.
    public func encode(to encoder: any Encoder) throws {
        var object = encoder.container(keyedBy: CodingKeys.self)
        try object.encode(url, forKey: .url)
        try object.encode(session, forKey: .session)
        try object.encode(out, forKey: .out)
        try object.encode(turns, forKey: .turns)
    }

    /// The object, over several lines.
    public func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
}
