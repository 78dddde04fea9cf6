import Foundation
import Wire

/// The times of a turn as text, for a terminal of 80 columns.
public enum TimingTable {
    /// A line for each stage: when it was reached, counted from the last sample of speech, and how long after the stage
    /// before it. Then what the reply consists of.
    public static func text(_ turn: TurnReport) -> String {
        (stages(turn) + sound(turn)).joined(separator: "\n")
    }

    /// What matters of a turn's times, in one line; nil when nothing was answered.
    public static func line(_ turn: TurnReport) -> String? {
        var parts: [String] = []
        if let time = milliseconds(turn.times.firstText, turn) { parts.append("first word after \(seconds(time)) s") }
        if let time = milliseconds(turn.times.firstAudio, turn) { parts.append("first sound after \(seconds(time)) s") }
        if turn.samples > 0 { parts.append("\(decimals(turn.replySeconds, 1)) s of sound") }
        return parts.isEmpty ? nil : parts.joined(separator: ", ")
    }

    private static func seconds(_ milliseconds: Double) -> String { decimals(milliseconds / 1000, 2) }

    /// Milliseconds after the last sample was sent; nil for a stage that was not reached.
    static func milliseconds(_ time: Duration?, _ turn: TurnReport) -> Double? {
        guard let time, let zero = turn.times.lastSampleSent else { return nil }
        return (time - zero) / .milliseconds(1)
    }

    private static func stages(_ turn: TurnReport) -> [String] {
        let times = turn.times
        let rows: [(String, Duration?)] = [
            ("last sample sent", times.lastSampleSent), ("end of turn seen", times.endOfTurn),
            ("first text", times.firstText), ("first text of the reply", times.firstReplyText),
            ("first audio packet", times.firstAudio), ("done", times.done),
        ]
        var lines: [String] = []
        var before: Double?
        for (name, time) in rows {
            let time = milliseconds(time, turn)
            var line = "  " + padded(name, 26) + right(time.map { "\(rounded($0)) ms" } ?? "-", 12)
            if let time, let before { line += right(signed(rounded(time) - rounded(before)), 12) }
            lines.append(line)
            before = time ?? before
        }
        return lines
    }

    private static func sound(_ turn: TurnReport) -> [String] {
        var lines: [String] = []
        if turn.packets > 0 {
            lines.append("  " + padded("reply", 26) + right(decimals(turn.replySeconds, 2) + " s", 12))
            lines.append("  " + padded("audio packets", 26) + right("\(turn.packets)", 12))
        }
        if let server = turn.server {
            lines.append(
                "  " + padded("before the last token", 26) + right("\(server.packetsBeforeLastToken)", 12)
                    + "   packets sent before it was generated")
        }
        if let last = turn.server?.lastTokenMilliseconds, let made = turn.server?.artifactMilliseconds, made >= last,
            let kind = turn.artifacts.first?.type
        {
            lines.append(
                "  " + padded(kind == .image ? "picture" : "music", 26) + right("\(rounded(made - last)) ms", 12)
                    + "   after the last token, complete")
        }
        if turn.concealedPackets > 0 {
            lines.append("  " + padded("packets concealed", 26) + right("\(turn.concealedPackets)", 12))
        }
        return lines
    }

    private static func rounded(_ value: Double) -> Int { Int(value.rounded()) }
    private static func signed(_ value: Int) -> String { (value < 0 ? "" : "+") + "\(value) ms" }
    private static func decimals(_ value: Double, _ count: Int) -> String {
        String(format: "%.\(count)f", value)
    }
    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
    private static func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }
}
