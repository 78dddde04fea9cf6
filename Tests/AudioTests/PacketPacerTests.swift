import Audio
import TestSupport
import Testing

struct PacketPacerTests {
    /// Packets of 20 ms, numbered.
    private func filled(_ count: Int, lead: Duration = .seconds(2)) -> PacketPacer<Int> {
        var pacer = PacketPacer<Int>(lead: lead)
        for packet in 0..<count { #expect(pacer.offer(packet, start48k: packet * 960, duration48k: 960) == true) }
        return pacer
    }

    @Test("The lead leaves at once, the rest at the speed of real time")
    func realTime() {
        var pacer = filled(500)
        let start = Duration.seconds(1000)
        #expect(pacer.due(at: start) == Array(0..<100))
        #expect(pacer.due(at: start) == [])
        #expect(pacer.nextDue() == start + .milliseconds(20))
        #expect(pacer.due(at: start + .milliseconds(19)) == [])
        #expect(pacer.due(at: start + .milliseconds(20)) == [100])
        #expect(pacer.due(at: start + .milliseconds(1000)) == Array(101..<150))
        #expect(pacer.heard48k(at: start + .milliseconds(1000)) == 48_000)
    }

    @Test("When the audio comes too late the listener waits, and the lead counts from there")
    func underrun() {
        var pacer = filled(10)
        #expect(pacer.due(at: .zero) == Array(0..<10))
        #expect(pacer.heard48k(at: .seconds(5)) == 9600, "no more than was sent")
        for packet in 10..<300 { #expect(pacer.offer(packet, start48k: packet * 960, duration48k: 960) == true) }
        #expect(pacer.due(at: .seconds(5)) == Array(10..<110))
        #expect(pacer.heard48k(at: .seconds(5)) == 9600)
        #expect(pacer.heard48k(at: .seconds(6)) == 9600 + 48_000)
    }

    @Test("Beyond its capacity it takes nothing, until something left")
    func capacity() {
        var pacer = PacketPacer<Int>(lead: .zero, capacity48k: 2000)
        #expect(pacer.offer(0, start48k: 0, duration48k: 960) == true)
        #expect(pacer.offer(1, start48k: 960, duration48k: 960) == true)
        #expect(pacer.offer(2, start48k: 1920, duration48k: 960) == false)
        #expect(pacer.waiting48k == 1920)
        #expect(pacer.due(at: .zero) == [0])
        #expect(pacer.offer(2, start48k: 1920, duration48k: 960) == true)
    }

    @Test("Without any lead packets follow each other without a gap")
    func noLead() {
        var pacer = filled(5, lead: .zero)
        #expect(pacer.due(at: .zero) == [0])
        #expect(pacer.nextDue() == .milliseconds(20))
        #expect(pacer.due(at: .milliseconds(20)) == [1])
        #expect(pacer.due(at: .milliseconds(30)) == [])
    }

    @Test("After clear it is as new")
    func clearing() {
        var pacer = filled(300)
        _ = pacer.due(at: .seconds(3))
        #expect(pacer.clear() == 200)
        #expect(pacer.isEmpty && pacer.waiting48k == 0 && pacer.nextDue() == nil)
        #expect(pacer.heard48k(at: .seconds(9)) == 0)
        #expect(pacer.offer(7, start48k: 0, duration48k: 960) == true)
        #expect(pacer.due(at: .seconds(9)) == [7])
    }

    @Test(
        "At any pace: in order, nothing lost, never further ahead than the lead, never late", arguments: UInt64(0)..<50)
    func anyPace(seed: UInt64) throws {
        var generator = TestGenerator(seed: seed)
        let lead48k = Int.random(in: 0...96_000, using: &generator)
        var pacer = PacketPacer<Int>(lead: .nanoseconds(lead48k * 62_500 / 3))
        var ends: [Int] = []
        var sent: [Int] = []
        var now = Duration.milliseconds(Int.random(in: 0...5000, using: &generator))
        let lengths = [120, 240, 480, 960, 1920, 2880]
        while ends.count < 400 || !pacer.isEmpty {
            for _ in 0..<Int.random(in: 0...4, using: &generator) where ends.count < 400 {
                let length = lengths.randomElement(using: &generator) ?? 960
                let start = ends.last ?? 0
                #expect(pacer.offer(ends.count, start48k: start, duration48k: length) == true)
                ends.append(start + length)
            }
            let before = pacer.heard48k(at: now)
            let due = pacer.due(at: now)
            if let last = due.last {
                let heard = pacer.heard48k(at: now)
                #expect(heard >= before, "seed \(seed)")
                #expect(due.count == 1 || ends[last] - heard <= lead48k, "seed \(seed)")
            }
            sent += due
            #expect(pacer.due(at: now) == [], "seed \(seed)")
            if let next = pacer.nextDue() {
                #expect(next > now, "seed \(seed)")
                var early = pacer
                #expect(early.due(at: next - .microseconds(21)) == [], "seed \(seed)")
                var exact = pacer
                #expect(exact.due(at: next) != [], "seed \(seed)")
            }
            now += .microseconds(Int.random(in: 0...200_000, using: &generator))
        }
        #expect(sent == Array(0..<400), "seed \(seed)")
    }
}
