import Foundation
import Synchronization
import Testing

@testable import Server

@Suite("What is told while models load", .serialized) struct LoadingReportTests {
    @Test("each step is told, and asks for time") func steps() throws {
        let listener = try NotifyListener()
        let report = LoadingReport(try NotifySocket(listener.name))
        defer { report.finish() }
        report.tell("loading backbone")
        #expect(listener.receive(within: 5) == "STATUS=loading backbone\nEXTEND_TIMEOUT_USEC=60000000")
    }

    @Test("more time is asked for while the process computes, and no more when it is over") func work() async throws {
        let listener = try NotifyListener()
        let report = LoadingReport(try NotifySocket(listener.name), period: 0.2)
        let work = Work()
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                try? await onThread { while !work.isOver.load(ordering: .relaxed) {} }
            }
            let asked = try? await onThread { listener.receive(within: 20) }
            #expect(asked == "EXTEND_TIMEOUT_USEC=60000000")
            work.isOver.store(true, ordering: .relaxed)
        }
        report.finish()
        try await onThread {
            while listener.receive(within: 0.5) != nil {}
            #expect(listener.receive(within: 1) == nil)
        }
    }
}

/// Computing that goes on until it is told that it is over.
private final class Work: Sendable {
    let isOver = Atomic(false)
}
