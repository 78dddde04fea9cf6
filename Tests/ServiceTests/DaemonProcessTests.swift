import Foundation
import TestSupport
import Testing

/// The real `anygptd` under a service manager that is this test.
@Suite("anygptd as a service", .serialized) struct DaemonProcessTests {
    @Test("its whole life: loading, an early client, ready, pings, goodbye, on a socket that outlives it")
    func life() async throws {
        try await withConfiguration { file in
            let listener = try NotifyListener()
            let socket = try TestSocket.tcp()
            // The daemon does not run yet, and its models will take a while.
            let early = try socket.client()
            early.write("GET /healthz HTTP/1.1\r\nHost: anygptd\r\n\r\n")
            let daemon = try Launched(
                ["--config", file],
                environment: [
                    "NOTIFY_SOCKET": listener.name, "WATCHDOG_USEC": "4000000", "WATCHDOG_PID": "$$",
                    "LISTEN_FDS": "1", "LISTEN_PID": "$$", "LISTEN_FDNAMES": "anygptd.socket",
                ], socket: socket.descriptor)
            let start = try await onThread { listener.lines(until: "READY=1", within: 120, of: daemon) }
            let loading = try #require(start, "\(daemon.end(within: 0).log)")
            #expect(loading.contains { $0.hasPrefix("STATUS=loading backbone") })
            #expect(loading.contains("STATUS=warming up") && loading.contains("EXTEND_TIMEOUT_USEC=60000000"))
            #expect(!loading.contains("WATCHDOG=1"))
            #expect(try await onThread { early.read() }?.hasPrefix("HTTP/1.1 200") == true, "nobody is lost")
            #expect(try await onThread { listener.pings(within: 4.5) } >= 3)

            daemon.send(SIGTERM)
            #expect(try await onThread { listener.lines(until: "STOPPING=1", within: 10) } != nil)
            let end = try await onThread { daemon.end() }
            #expect(end.status == 0, "\(end.log)")
            _ = try socket.client()
        }
    }

    @Test("a process that stands still is not said to live") func frozen() async throws {
        try await withConfiguration([("port = 8787", "port = 0")]) { file in
            let listener = try NotifyListener(isAbstract: true)
            let daemon = try Launched(
                ["--config", file],
                environment: ["NOTIFY_SOCKET": listener.name, "WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "$$"])
            let first = try await onThread { listener.lines(until: "WATCHDOG=1", within: 120, of: daemon) }
            try #require(first != nil, "\(daemon.end(within: 0).log)")
            daemon.send(SIGSTOP)
            _ = try await onThread { listener.pings(within: 0.5) }
            #expect(try await onThread { listener.pings(within: 1.5) } == 0)
            daemon.send(SIGCONT)
            #expect(try await onThread { listener.lines(until: "WATCHDOG=1", within: 10) } != nil)
            daemon.send(SIGTERM)
            #expect(try await onThread { daemon.end() }.status == 0)
        }
    }
}
