import TestSupport
import Testing

@testable import Pulse

@Suite("Queues between the program and the sound thread") struct QueueTests {
    /// Lets the stream take so many samples; returns them.
    private func take(_ count: Int, from track: inout PlaybackTrack) -> [Float] {
        var buffer = [Float](repeating: -1, count: count)
        buffer.withUnsafeMutableBufferPointer { track.fill($0) }
        return buffer
    }

    @Test("A track is given in order, and silence where there is nothing; heard is what the latency leaves")
    func track() {
        var track = PlaybackTrack()
        var buffer = take(3, from: &track)
        #expect(buffer == [0, 0, 0])
        var place = track.add([1, 2, 3, 4])
        #expect(place == 0)
        place = track.add([5])
        #expect(place == 4)
        buffer = take(3, from: &track)
        #expect(buffer == [1, 2, 3])
        buffer = take(4, from: &track)
        #expect(buffer == [4, 5, 0, 0])
        #expect(track.heard == 0)
        track.advance(latency: 6)
        #expect(track.heard == 1, "ten were written, four were played, three of them silence")
        track.advance(latency: 8)
        #expect(track.heard == 1, "time does not run backwards")
        track.advance(latency: 2)
        #expect(track.heard == 5)
    }

    @Test("A flush says what was heard, and all that was put in until then counts as passed")
    func flush() {
        var track = PlaybackTrack()
        _ = track.add([1, 2, 3, 4, 5, 6])
        _ = take(4, from: &track)
        track.advance(latency: 2)
        var heard = track.flush()
        #expect(heard == 2)
        #expect(track.waiting == 0)
        #expect(track.heard == 6)
        let place = track.add([7])
        #expect(place == 6)
        let buffer = take(2, from: &track)
        #expect(buffer == [7, 0], "what was flushed is never played")
        track.advance(latency: 2)
        heard = track.flush()
        #expect(heard == 6)
    }

    @Test("Heard and thrown away make up all that was put in, however it is cut")
    func anyCourse() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = TestGenerator(seed: seed)
        for _ in 0..<200 {
            var track = PlaybackTrack()
            // What the listener hears, sample by sample: the stream's content, less what a flush takes back.
            var pipe: [Float] = []
            var audible: [Float] = []
            var next: Float = 1
            for _ in 0..<60 {
                switch Int.random(in: 0..<8, using: &generator) {
                case 0..<3:
                    let new = (0..<Int.random(in: 0..<20, using: &generator)).map { _ -> Float in
                        next += 1
                        return next
                    }
                    _ = track.add(new)
                case 3..<5: pipe += take(Int.random(in: 1..<20, using: &generator), from: &track)
                case 5..<7:
                    let played = Int.random(in: 0...pipe.count, using: &generator)
                    audible += pipe.prefix(played)
                    pipe.removeFirst(played)
                    track.advance(latency: pipe.count)
                    if let last = audible.last(where: { $0 > 0 }) {
                        #expect(track.heard >= Int(last) - 1, "seed \(seed)")
                    }
                default:
                    track.advance(latency: pipe.count)
                    let total = track.total
                    let heard = track.flush()
                    if let last = audible.last(where: { $0 > 0 }) {
                        #expect(heard >= Int(last) - 1, "seed \(seed)")
                    }
                    #expect(heard <= total && track.heard == total, "seed \(seed)")
                    pipe.removeAll()
                }
            }
        }
    }

    @Test("A full microphone queue drops the oldest and counts")
    func captureOverflow() async {
        let queue = CaptureQueue(capacity: 10)
        queue.add((0..<8).map { Float($0) })
        queue.add((8..<13).map { Float($0) })
        #expect(queue.dropped == 3)
        #expect(await queue.next(4) == [3, 4, 5, 6])
        #expect(await queue.next(6) == [7, 8, 9, 10, 11, 12])
        queue.close()
        #expect(await queue.next(1) == nil)
    }

    @Test("Whoever waits for captured sound gets it whole, and nothing once it is cancelled")
    func captureWaits() async {
        let queue = CaptureQueue(capacity: 100)
        let reader = Task { await queue.next(6) }
        for value in 0..<6 { queue.add([Float(value)]) }
        #expect(await reader.value == [0, 1, 2, 3, 4, 5])
        let cancelled = Task { await queue.next(6) }
        cancelled.cancel()
        #expect(await cancelled.value == nil)
        queue.add([9, 9])
        #expect(await queue.next(2) == [9, 9])
    }

    @Test("A full playback queue makes its writer wait until the stream has taken some, or a flush")
    func playbackWaits() async {
        let queue = PlaybackQueue(capacity: 4)
        #expect(await queue.add([1, 2, 3, 4, 5]) == 0)
        let writer = Task { await queue.add([6]) }
        var buffer = [Float](repeating: 0, count: 2)
        buffer.withUnsafeMutableBufferPointer { queue.fill($0) }
        #expect(await writer.value == 5)
        #expect(queue.heard(latency: nil).total == 6)
        let flushed = Task { await queue.add([7]) }
        _ = queue.flush()
        #expect(await flushed.value == 6)
        let closed = Task { await queue.add([Float](repeating: 0, count: 9)) }
        _ = await closed.value
        let refused = Task { await queue.add([8]) }
        queue.close()
        #expect(await refused.value == nil)
    }
}
