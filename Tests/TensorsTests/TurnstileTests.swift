import Compute
import Synchronization
import TestSupport
import Testing

@Suite("A turnstile") struct TurnstileTests {
    /// How many are inside.
    private final class Inside: Sendable {
        let count = Atomic<Int>(0)
    }

    @Test("lets one through at a time, in their order, and those who are cancelled go away") func order() async throws {
        let turnstile = Turnstile()
        let inside = Inside()
        try await turnstile.enter()
        let cancelled = Task { try await turnstile.enter() }
        cancelled.cancel()
        await #expect(throws: CancellationError.self) { try await cancelled.value }
        let others = (0..<20).map { _ in
            Task {
                try await turnstile.enter()
                #expect(inside.count.add(1, ordering: .relaxed).newValue == 1)
                await Task.yield()
                inside.count.subtract(1, ordering: .relaxed)
                turnstile.leave()
            }
        }
        others[3].cancel()
        turnstile.leave()
        for (index, other) in others.enumerated() where index != 3 { try await other.value }
        _ = await others[3].result
        try await turnstile.enter()
        turnstile.leave()
    }
}
