import Foundation

/// How much log-mel spectra change at the seams of pieces, and elsewhere.
struct SeamStatistics {
    /// For each seam, and for each place that is far from one, the largest change from a frame to the next within two frames
    /// of it, in dB.
    private var (atSeams, elsewhere): ([Float], [Float]) = ([], [])

    /// What the columns of `line` are.
    static let title =
        "change of the log-mel spectrum, in dB      seams   mean there   median elsewhere   95 % elsewhere   seams above"

    /// Adds a piece; `seams` are the frames that follow one.
    mutating func add(_ mel: LogMel, _ seams: [Int]) {
        let changes = [0] + (1..<max(1, mel.frames.count)).map { mel.distance($0 - 1, $0) }
        func change(around frame: Int) -> Float {
            changes[max(0, frame - 2)...min(changes.count - 1, frame + 2)].max() ?? 0
        }
        atSeams += seams.filter { $0 < changes.count }.map(change)
        elsewhere += changes.indices.filter { frame in
            frame > 5 && frame < changes.count - 5 && !seams.contains { abs($0 - frame) < 10 }
        }.map(change)
    }

    /// One line for a person.
    func line(_ name: String) -> String {
        guard !elsewhere.isEmpty, !atSeams.isEmpty else { return "\(name): too short to tell" }
        let sorted = elsewhere.sorted()
        let limit = sorted[sorted.count * 95 / 100]
        return String(
            format: "%@ %5d %12.2f %18.2f %16.2f %11.0f %%", name.padding(toLength: 42, withPad: " ", startingAt: 0),
            atSeams.count, atSeams.reduce(0, +) / Float(atSeams.count), sorted[sorted.count / 2], limit,
            100 * Float(atSeams.count { $0 > limit }) / Float(atSeams.count))
    }
}
