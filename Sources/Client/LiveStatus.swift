/// What goes on in a live conversation, for the last line of a terminal.
public struct LiveStatus: Sendable, Equatable {
    /// What the conversation is at.
    public var phase: LiveConversation.Phase
    /// How loud the microphone is, in dB below full scale; nil when there is none.
    public var level: Float?
    /// Who says when a turn begins and ends.
    public var mode: LiveConversation.Mode

    /// A status of its parts.
    public init(phase: LiveConversation.Phase, level: Float?, mode: LiveConversation.Mode) {
        self.phase = phase
        self.level = level
        self.mode = mode
    }

    private static let longestMeter = 24

    /// One line of at most `width` columns: what goes on, a meter, and which key does what. What has no room is left out.
    public func line(width: Int, isColored: Bool = false) -> String {
        let name = padded("\(mark) \(label)", 14)
        guard let level else { return String("\(mark) no sound: trying to reach it again".prefix(max(0, width))) }
        let room = width - name.count - 1
        guard room >= 6 else { return String(name.prefix(max(0, width))) }
        let number = room >= 18 ? "  " + padded("\(Int(level.rounded())) dB", 6) : ""
        let cells = min(Self.longestMeter, room - number.count)
        let hint = "   " + keys
        let rest = room - cells - number.count >= hint.count ? hint : ""
        let full = Int((Float(cells) * (level - LevelMeter.floor) / -LevelMeter.floor).rounded())
        let bar = (0..<cells).map { $0 < full ? "━" : "─" }.joined()
        guard isColored else { return "\(name) \(bar)\(number)\(rest)" }
        let cut = bar.index(bar.startIndex, offsetBy: full)
        return "\u{1B}[\(phaseColor)m\(name)\u{1B}[0m \u{1B}[\(levelColor)m\(bar[..<cut])\u{1B}[0;2m\(bar[cut...])"
            + "\(number)\(rest)\u{1B}[0m"
    }

    private var mark: String { phase == .hearing ? "●" : "○" }

    private var label: String {
        switch (phase, mode) {
        case (.waiting, .handsFree): "listening"
        case (.waiting, .pushToTalk): "ready"
        case (.hearing, _): "hearing you"
        case (.thinking, _): "thinking"
        case (.speaking, _): "speaking"
        case (.playing, _): "playing"
        }
    }

    private var keys: String {
        switch (phase, mode) {
        case (.hearing, .pushToTalk): "space ends"
        case (_, .pushToTalk): "space talks"
        case (.speaking, .handsFree), (.playing, .handsFree): "space stops it"
        case (_, .handsFree): "Ctrl-C ends"
        }
    }

    private var phaseColor: Int {
        switch phase {
        case .waiting: 0
        case .hearing: 32
        case .thinking: 33
        case .speaking: 36
        case .playing: 35
        }
    }

    /// Red is where it begins to be distorted.
    private var levelColor: Int { (level ?? 0) > -3 ? 31 : (level ?? 0) > -12 ? 33 : 32 }

    private func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}
