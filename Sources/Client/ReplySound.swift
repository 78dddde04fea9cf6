import Audio
import Wire

/// The reply's packets, back to sound: each item is decoded by itself, and what was lost on the way is concealed and
/// counted.
public final class ReplySound {
    /// Samples a second of what comes out: all that any voice of the model has.
    public static let sampleRate = 24_000

    /// Packets that never came: gaps in the sequence numbers.
    public private(set) var lostPackets = 0
    /// Packets that are not Opus.
    public private(set) var malformedPackets = 0
    /// Packets that came after a later one, and were passed over.
    public private(set) var latePackets = 0
    /// Packets for which sound was made up.
    public var concealedPackets: Int { lostPackets + malformedPackets }
    /// Whether the item's last packet has come.
    public private(set) var isComplete = false

    /// The longest gap that is filled with sound; what is missing beyond it is left out.
    private static let longestGap48k: UInt64 = 2 * 48_000

    private let decoder: OpusDecoder
    private var nextSequence: UInt32 = 0
    private var nextTime48k: UInt64 = 0

    /// A decoder that expects the first packet of an item.
    public init() throws(ClientError) {
        do { decoder = try OpusDecoder(sampleRate: Self.sampleRate) } catch { throw .sound("\(error)") }
    }

    /// The sound up to the end of a packet, with what stands for lost ones before it.
    public func decode(_ frame: ServerAudioFrame) throws(ClientError) -> [Float] {
        do { return try samples(of: frame) } catch { throw .sound("\(error)") }
    }

    private func samples(of frame: ServerAudioFrame) throws(OpusError) -> [Float] {
        if frame.isFirst { begin() }
        guard frame.sequence >= nextSequence else {
            latePackets += 1
            return []
        }
        var samples = try fillGap(before: frame)
        do {
            samples += try decoder.decode(frame.packet)
        } catch  where error.isMalformedPacket {
            malformedPackets += 1
            samples += try decoder.conceal()
        }
        nextSequence = frame.sequence &+ 1
        // A packet that says nothing sensible lasted as long as most do.
        let duration48k = (try? OpusPacket.duration48k(of: frame.packet)) ?? 960
        nextTime48k = frame.mediaTime &+ UInt64(duration48k)
        isComplete = frame.isLast
        return samples
    }

    private func begin() {
        decoder.reset()
        nextSequence = 0
        nextTime48k = 0
        isComplete = false
    }

    private func fillGap(before frame: ServerAudioFrame) throws(OpusError) -> [Float] {
        let lost = frame.sequence - nextSequence
        guard lost > 0 else { return [] }
        lostPackets += Int(lost)
        guard frame.mediaTime > nextTime48k else { return [] }
        // Whole units of 2.5 ms, which is what a packet can be made of.
        let units = Int(min(frame.mediaTime - nextTime48k, Self.longestGap48k)) / 120
        let samples = units * (Self.sampleRate / 400)
        guard samples > 0 else { return [] }
        // The packet after a short gap may carry a copy of what is missing.
        guard samples > decoder.longestPacket else { return try decoder.recover(samples: samples, from: frame.packet) }
        return try decoder.conceal(samples: samples)
    }
}
