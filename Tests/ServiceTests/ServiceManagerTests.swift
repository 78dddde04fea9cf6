import Foundation
import Logging
import Testing

@testable import Server

@Suite("What a service manager says, and is told") struct ServiceManagerTests {
    @Test("messages arrive as sd_notify(3) writes them", arguments: [false, true]) func messages(isAbstract: Bool)
        throws
    {
        let listener = try NotifyListener(isAbstract: isAbstract)
        let socket = try NotifySocket(listener.name)
        #expect(socket.send(.ready, .status("ready:\nno line breaks")))
        #expect(listener.receive(within: 5) == "READY=1\nSTATUS=ready: no line breaks")
        #expect(socket.send(.extendTimeout(.seconds(60))))
        #expect(listener.receive(within: 5) == "EXTEND_TIMEOUT_USEC=60000000")
    }

    @Test("nobody there is no disaster") func nobody() throws {
        #expect(try !NotifySocket("/nowhere/at/all").send(.ready))
    }

    @Test(
        "a name that is none is refused",
        arguments: ["relative", "@", "vsock:2:1", "/" + String(repeating: "x", count: 200)])
    func badName(_ name: String) {
        let failure = #expect(throws: DaemonFailure.self) { try NotifySocket(name) }
        #expect(failure?.status == .configuration && failure?.description.contains("NOTIFY_SOCKET") == true)
    }

    @Test("without a manager there is nothing") func nothing() throws {
        let manager = try ServiceManager([:], process: 7)
        #expect(manager.notifySocket == nil && manager.watchdogInterval == nil && manager.listeningSocket == nil)
    }

    @Test("what is meant for this process is taken, what is meant for another is not") func processes() throws {
        func manager(_ process: String) throws -> ServiceManager {
            try ServiceManager(
                ["WATCHDOG_USEC": "2000000", "WATCHDOG_PID": process, "LISTEN_FDS": "1", "LISTEN_PID": process],
                process: 7)
        }
        let own = try manager("7")
        #expect(own.watchdogInterval == .seconds(2) && own.listeningSocket == 3)
        let other = try manager("8")
        #expect(other.watchdogInterval == nil && other.listeningSocket == nil)
        #expect(try ServiceManager(["LISTEN_FDS": "1"], process: 7).listeningSocket == nil, "whose are they?")
    }

    @Test(
        "nonsense is an error that names it",
        arguments: [
            (["WATCHDOG_USEC": "soon"], "WATCHDOG_USEC=soon"), (["LISTEN_FDS": "-1"], "LISTEN_FDS=-1"),
            (["LISTEN_FDS": "2", "LISTEN_PID": "7"], "2 listening sockets"),
            (["LISTEN_FDS": "1", "LISTEN_PID": "me"], "LISTEN_PID=me"),
        ])
    func nonsense(_ environment: [String: String], _ expected: String) {
        let failure = #expect(throws: DaemonFailure.self) { try ServiceManager(environment, process: 7) }
        #expect(failure?.status == .configuration && failure?.description.contains(expected) == true)
    }

    @Test("the environment is taken, so that no other program speaks for this one") func taken() async throws {
        await #expect(processExitsWith: .success) {
            setenv("NOTIFY_SOCKET", "/nowhere", 1)
            setenv("LISTEN_FDS", "1", 1)
            setenv("LISTEN_PID", "\(getpid())", 1)
            setenv("LISTEN_FDNAMES", "a", 1)
            let manager = try ServiceManager.takeFromEnvironment()
            let names: [String] = ["NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"]
            let left = names.filter { getenv($0) != nil }
            exit(manager.notifySocket != nil && manager.listeningSocket == 3 && left.isEmpty ? 0 : 1)
        }
    }

    @Test("a log line for the journal has its priority before each of its lines") func journal() {
        #expect(JournalLogHandler.line(.error, "one\ntwo", ["b": "2", "a": "1"]) == "<3>one\n<3>two a=1 b=2\n")
    }
}
