import Foundation
import Synchronization
import Testing

/// Sound has to be there in time, and where the machine itself was late, a sound server drops some: a test that failed
/// then is run again after a pause, at most three times. What fails on a machine that was in time has failed.
struct InTime: SuiteTrait, TestTrait, TestScoping {
    private static let again = 3
    private static let pause = Duration.seconds(10)
    let isRecursive = true

    func scopeProvider(for test: Test, testCase: Test.Case?) -> Self? { testCase == nil ? nil : self }

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        for attempt in 1...Self.again {
            let watch = Watch()
            defer { watch.stop() }
            let failed = Atomic(false)
            try await withKnownIssue("the machine was late", isIntermittent: true) {
                try await function()
            } matching: { _ in
                guard watch.isLate else { return false }
                failed.store(true, ordering: .relaxed)
                return true
            }
            guard failed.load(ordering: .relaxed) else { return }
            print("the machine was late, so \(test.name) is run again (\(attempt) of \(Self.again))")
            try await Task.sleep(for: Self.pause)
        }
        try await function()
    }
}

extension Trait where Self == InTime {
    static var inTime: InTime { InTime() }
}

/// Whether the machine was late: its host took the processor away, or a thread that had slept was not woken in time.
private final class Watch: Sendable {
    private static let tick = Duration.milliseconds(2)
    private static let late = Duration.milliseconds(10)
    private static let leastStolen = 2  // hundredths of a second

    private let stolenBefore = stolen()
    private let wokeLate = Atomic(false)
    private let stopped = Atomic(false)

    init() {
        Thread.detachNewThread { [self] in
            var last = ContinuousClock.now
            while !stopped.load(ordering: .relaxed) {
                Thread.sleep(forTimeInterval: 0.002)
                let now = ContinuousClock.now
                if now - last > Self.tick + Self.late { wokeLate.store(true, ordering: .relaxed) }
                last = now
            }
        }
    }

    var isLate: Bool { wokeLate.load(ordering: .relaxed) || Self.stolen() - stolenBefore >= Self.leastStolen }

    func stop() { stopped.store(true, ordering: .relaxed) }

    /// What the host has taken of all processors since it started, in hundredths of a second; 0 where it does not say.
    private static func stolen() -> Int {
        let first = (try? String(contentsOfFile: "/proc/stat", encoding: .utf8))?.prefix { $0 != "\n" } ?? ""
        let fields = first.split(separator: " ")
        return fields.count > 8 ? Int(fields[8]) ?? 0 : 0
    }
}
