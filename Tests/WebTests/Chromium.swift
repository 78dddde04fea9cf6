import Foundation
import Synchronization
import TestSupport
import WebSockets

/// Debian's Chromium without a screen, driven over the DevTools protocol.
final class Chromium: Sendable {
    /// What went wrong, in one line.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private let process: Process
    private let profile: URL
    private let connection: WebSocketConnection
    private let state = Mutex(State())

    private struct State {
        var nextID = 1
        var waiting: [Int: CheckedContinuation<Answer, any Error>] = [:]
        var session: String?
        var complaints: [String] = []
        var isOver = false
    }

    /// Starts a browser that lives for the body; `microphone` is the recording that its fake microphone plays once.
    static func with<Result: Sendable>(
        microphone: URL? = nil, arguments: [String] = [], _ body: (Chromium) async throws -> Result
    ) async throws -> Result {
        let browser = try await Chromium(microphone: microphone, arguments: arguments)
        do {
            let result = try await body(browser)
            await browser.close()
            return result
        } catch {
            await browser.close()
            throw error
        }
    }

    private init(microphone: URL?, arguments: [String]) async throws {
        profile = FileManager.default.temporaryDirectory.appending(path: "anygpt-chromium-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: profile, withIntermediateDirectories: true)
        process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        var all = [
            "chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
            "--disable-extensions", "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--remote-debugging-port=0", "--user-data-dir=\(profile.path)", "--use-fake-device-for-media-stream",
            "--host-resolver-rules=MAP voice.test 127.0.0.1",
        ]
        if let microphone { all.append("--use-file-for-fake-audio-capture=\(microphone.path)%noloop") }
        process.arguments = all + arguments + ["about:blank"]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        do {
            let address = try await Self.debugger(in: profile, process)
            var limits = WebSocketLimits()
            limits.maxMessageBytes = 64 << 20
            limits.inboundBytes = 64 << 20
            connection = try await WebSocketClient.connect(url: address, limits: limits)
        } catch {
            process.terminate()
            throw error
        }
        Task { await self.read() }
        try await attach()
    }

    /// Where the browser listens: it writes that into its profile.
    private static func debugger(in profile: URL, _ process: Process) async throws -> String {
        let file = profile.appending(path: "DevToolsActivePort")
        for _ in 0..<1200 where process.isRunning {
            if let text = try? String(contentsOf: file, encoding: .utf8) {
                let lines = text.split(separator: "\n")
                if lines.count == 2 { return "ws://127.0.0.1:\(lines[0])\(lines[1])" }
            }
            try await Task.sleep(for: .milliseconds(25))
        }
        throw Failure(description: "chromium did not start: is Debian's package chromium installed?")
    }

    private func attach() async throws {
        let targets = try await command("Target.getTargets")["targetInfos"] as? [[String: Any]] ?? []
        guard let page = targets.first(where: { $0["type"] as? String == "page" }), let id = page["targetId"] as? String
        else { throw Failure(description: "chromium has no page") }
        let session = try await command("Target.attachToTarget", ["targetId": id, "flatten": true])["sessionId"]
        state.withLock { $0.session = session as? String }
        for domain in ["Page", "Runtime", "Log"] { _ = try await command("\(domain).enable") }
    }

    private func close() async {
        connection.close()
        process.terminate()
        while process.isRunning { try? await Task.sleep(for: .milliseconds(20)) }
        try? FileManager.default.removeItem(at: profile)
    }

    // MARK: - Commands

    /// What the pages complained of on their consoles: errors that nobody caught, things that the page's rules forbid.
    var complaints: [String] { state.withLock { $0.complaints } }

    /// Opens an address and waits until its scripts have run.
    func open(_ url: String) async throws {
        _ = try await command("Page.navigate", ["url": url])
        try await until("document.readyState === 'complete' && location.href.startsWith(\(Self.quoted(url)))")
    }

    /// The value of an expression, as JSON understands it; a promise is waited for.
    @discardableResult
    func evaluate(_ expression: String) async throws -> Any? {
        let answer = try await command(
            "Runtime.evaluate", ["expression": expression, "awaitPromise": true, "returnByValue": true])
        if let exception = answer["exceptionDetails"] as? [String: Any] {
            let text = (exception["exception"] as? [String: Any])?["description"] as? String
            throw Failure(description: "\(expression): \(text ?? "an exception")")
        }
        return (answer["result"] as? [String: Any])?["value"]
    }

    /// A text on the page; nil when there is no such element.
    func text(_ selector: String) async throws -> String? {
        try await evaluate("document.querySelector(\(Self.quoted(selector)))?.textContent ?? null") as? String
    }

    /// A number.
    func number(_ expression: String) async throws -> Double {
        (try await evaluate("Number(\(expression))") as? NSNumber)?.doubleValue ?? .nan
    }

    /// Waits until an expression is true.
    func until(_ expression: String, within limit: Duration = .seconds(45)) async throws {
        let end = ContinuousClock.now + limit
        while ContinuousClock.now < end {
            // While a page is being replaced there is nothing to evaluate it in.
            if let value = try? await evaluate("Boolean(\(expression))"), value as? Bool == true { return }
            try await Task.sleep(for: .milliseconds(30))
        }
        let body = (try? await evaluate("document.body.innerText")) as? String ?? ""
        throw Failure(description: "it did not come to \(expression); the page: \(body); \(complaints)")
    }

    /// Clicks in the middle of an element with the mouse, as a person would: scripts get a user's gesture.
    func click(_ selector: String) async throws {
        let point =
            try await evaluate(
                """
                (() => { const element = document.querySelector(\(Self.quoted(selector)));
                element.scrollIntoView({ block: "nearest" });
                const box = element.getBoundingClientRect();
                return [box.x + box.width / 2, box.y + box.height / 2]; })()
                """) as? [NSNumber]
        guard let point, point.count == 2 else { throw Failure(description: "\(selector) is not on the page") }
        for type in ["mousePressed", "mouseReleased"] {
            _ = try await command(
                "Input.dispatchMouseEvent",
                ["type": type, "x": point[0], "y": point[1], "button": "left", "clickCount": 1])
        }
    }

    /// Types a text into the element that has the focus, and the Enter key.
    func type(_ text: String) async throws {
        _ = try await command("Input.insertText", ["text": text])
        for type in ["keyDown", "keyUp"] {
            try await key(type, "Enter", code: "Enter", number: 13, text: type == "keyDown" ? "\r" : "")
        }
    }

    /// One event of the keyboard.
    func key(_ type: String, _ key: String, code: String, number: Int, text: String = "") async throws {
        _ = try await command(
            "Input.dispatchKeyEvent",
            ["type": type, "key": key, "code": code, "windowsVirtualKeyCode": number, "text": text])
    }

    /// Sends a command and waits for its result.
    @discardableResult
    func command(_ method: String, _ parameters: [String: Any] = [:]) async throws -> [String: Any] {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        var message: [String: Any] = ["id": id, "method": method, "params": parameters]
        if let session = state.withLock({ $0.session }), !method.hasPrefix("Target."), !method.hasPrefix("Browser.") {
            message["sessionId"] = session
        }
        let bytes = Array(try JSONSerialization.data(withJSONObject: message))
        let answer = try await withCheckedThrowingContinuation { continuation in
            let isOver = state.withLock { state in
                if !state.isOver { state.waiting[id] = continuation }
                return state.isOver
            }
            if isOver || !connection.send(text: bytes) {
                resume(id, .failure(Failure(description: "chromium is gone")), continuation)
            }
        }
        return answer.value
    }

    /// Invariant (of the unchecked sendability): a value out of JSON, which nobody changes.
    private struct Answer: @unchecked Sendable {
        let value: [String: Any]
    }

    private func resume(
        _ id: Int, _ result: Result<Answer, any Error>,
        _ orElse: CheckedContinuation<Answer, any Error>? = nil
    ) {
        let waiting = state.withLock { $0.waiting.removeValue(forKey: id) }
        (waiting ?? orElse)?.resume(with: result)
    }

    private func read() async {
        for await message in connection.messages {
            guard case .text(let bytes) = message,
                let object = try? JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any]
            else { continue }
            if let id = object["id"] as? Int {
                if let error = object["error"] as? [String: Any] {
                    resume(id, .failure(Failure(description: error["message"] as? String ?? "an error")))
                } else {
                    resume(id, .success(Answer(value: object["result"] as? [String: Any] ?? [:])))
                }
            } else {
                note(object)
            }
        }
        let waiting = state.withLock { state in
            state.isOver = true
            return Array(state.waiting.keys)
        }
        for id in waiting { resume(id, .failure(Failure(description: "chromium is gone"))) }
    }

    private func note(_ event: [String: Any]) {
        let parameters = event["params"] as? [String: Any] ?? [:]
        var complaint: String?
        switch event["method"] as? String {
        case "Runtime.exceptionThrown":
            let details = parameters["exceptionDetails"] as? [String: Any]
            complaint = (details?["exception"] as? [String: Any])?["description"] as? String ?? "an exception"
        case "Log.entryAdded":
            let entry = parameters["entry"] as? [String: Any]
            if entry?["level"] as? String == "error" { complaint = entry?["text"] as? String }
        default: break
        }
        if let complaint { state.withLock { $0.complaints.append(complaint) } }
    }

    /// A text as JavaScript writes it.
    static func quoted(_ text: String) -> String {
        let data = try? JSONSerialization.data(withJSONObject: [text])
        return String(String(decoding: data ?? Data(), as: UTF8.self).dropFirst().dropLast())
    }
}
