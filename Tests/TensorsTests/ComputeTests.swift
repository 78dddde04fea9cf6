import Compute
import Foundation
import Synchronization
import Testing

@Suite("Compute threads") struct ComputeTests {
    @Test("parallelFor visits every index once, also from many callers at a time") func parallelFor() async {
        let pool = ComputePool(threads: 3)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for count in [0, 1, 2, 7, 1000] {
                        let visits = Mutex([Int](repeating: 0, count: count))
                        pool.parallelFor(count) { index in visits.withLock { $0[index] += 1 } }
                        #expect(visits.withLock { $0.allSatisfy { $0 == 1 } })
                    }
                }
            }
        }
    }

    actor Counter {
        private let lane: ComputeLane
        nonisolated var unownedExecutor: UnownedSerialExecutor { lane.asUnownedSerialExecutor() }
        private(set) var inside = 0
        private(set) var overlaps = 0
        private(set) var order: [Int] = []

        init(_ lane: ComputeLane) { self.lane = lane }

        func work(_ index: Int) async {
            for _ in 0..<3 {
                inside += 1
                if inside > 1 { overlaps += 1 }
                usleep(200)
                inside -= 1
                await Task.yield()
            }
            order.append(index)
        }
    }

    @Test("an actor on a lane never runs twice at a time, and all of its work is done") func lanes() async {
        let pool = ComputePool(threads: 4)
        let counter = Counter(pool.lane(.tokens))
        await withTaskGroup(of: Void.self) { group in
            for index in 0..<20 { group.addTask { await counter.work(index) } }
        }
        #expect(await counter.overlaps == 0)
        #expect(await counter.order.sorted() == Array(0..<20))
    }

    actor Recorder {
        private let lane: ComputeLane
        private let log: Log
        nonisolated var unownedExecutor: UnownedSerialExecutor { lane.asUnownedSerialExecutor() }
        init(_ lane: ComputeLane, _ log: Log) { (self.lane, self.log) = (lane, log) }
        func run(_ name: String, pieces: Int) async {
            for _ in 0..<pieces {
                usleep(1000)
                log.add(name)
                await Task.yield()
            }
        }
    }

    final class Log: Sendable {
        private let names = Mutex<[String]>([])
        func add(_ name: String) { names.withLock { $0.append(name) } }
        var all: [String] { names.withLock { $0 } }
    }

    @Test("urgent work overtakes what is already waiting") func priorities() async {
        let pool = ComputePool(threads: 1)
        let log = Log()
        let picture = Recorder(pool.lane(.artifact), log)
        let speech = Recorder(pool.lane(.audioOut), log)
        async let slow: Void = picture.run("picture", pieces: 30)
        while log.all.isEmpty { await Task.yield() }
        await speech.run("speech", pieces: 5)
        await slow
        let names = log.all
        let last = names.lastIndex(of: "speech")!
        // Between two pieces of speech the lane may be empty for an instant; more than one picture piece each is unfair.
        #expect(names[...last].count { $0 == "picture" } <= 12, "\(names)")
    }
}
