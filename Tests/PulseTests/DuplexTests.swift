import Foundation
import Pulse
import TestSupport
import Testing

/// The duplex on a real PulseAudio and a real PipeWire with null sinks: `room` is what the microphone hears, `speaker` what is played.
@Suite("A duplex on a real sound server", .serialized, .inTime) struct DuplexTests {
    private static let room = SoundServer.Sink("room", rate: 16_000)
    private static let speaker = SoundServer.Sink("speaker", rate: 24_000)
    private static let ready = PulseEvent.ready(source: "room.monitor", sink: "speaker")

    private func settings(_ server: SoundServer) -> PulseSettings {
        var settings = PulseSettings(applicationName: "anygpt-test")
        settings.server = server.address
        settings.source = "room.monitor"
        settings.sink = "speaker"
        settings.retries = .milliseconds(50)...Duration.milliseconds(500)
        return settings
    }

    /// A duplex whose streams run, and the rest of its events.
    private func duplex(_ settings: PulseSettings) async throws -> (PulseDuplex, AsyncStream<PulseEvent>.Iterator) {
        let duplex = try PulseDuplex(settings)
        var events = duplex.events.makeAsyncIterator()
        let first = await events.next(isolation: #isolation)
        #expect(first == .ready(source: settings.source ?? "", sink: settings.sink ?? ""))
        return (duplex, events)
    }

    /// Waits until all that was put in was heard.
    private func finish(_ duplex: PulseDuplex) async throws {
        while duplex.position.heard < duplex.position.total { try await Task.sleep(for: .milliseconds(5)) }
    }

    @Test("What is played comes out of the sink's monitor, sample for sample", arguments: SoundServer.Kind.allCases)
    func playback(kind: SoundServer.Kind) async throws {
        let server = try SoundServer(kind, [Self.room, Self.speaker])
        let (duplex, _) = try await duplex(settings(server))
        let recording = try server.record("speaker.monitor", rate: 24_000)
        let signal = testSignal(seconds: 2, rate: 24_000, seed: 1)
        // In pieces, as a reply comes.
        for start in stride(from: 0, to: signal.count, by: 480) {
            #expect(await duplex.play(Array(signal[start..<min(start + 480, signal.count)])) == start)
        }
        try await finish(duplex)
        try await Task.sleep(for: .milliseconds(200))
        let found = try #require(Alignment(of: signal, in: recording.stop(), rate: 24_000))
        print("playback: \(found)")
        #expect(found.isFaithful(decibels: 90))
    }

    @Test("What the source gives is heard, sample for sample", arguments: SoundServer.Kind.allCases)
    func capture(kind: SoundServer.Kind) async throws {
        let server = try SoundServer(kind, [Self.room, Self.speaker], clock: 16_000)
        let (duplex, _) = try await duplex(settings(server))
        let signal = testSignal(seconds: 2, rate: 16_000, seed: 2)
        async let speaking: Void = server.play(signal, rate: 16_000, to: "room")
        var heard: [Float] = []
        while heard.count < 16_000 * 4, let frame = await duplex.hear(320) { heard += frame }
        try await speaking
        let found = try #require(Alignment(of: signal, in: heard, rate: 16_000))
        print("capture: \(found)")
        #expect(found.isFaithful(decibels: 90))
        #expect(duplex.droppedSamples == 0)
    }

    @Test(
        "From play to hear, through both streams and a device, it takes a fraction of a second",
        arguments: SoundServer.Kind.allCases)
    func latency(kind: SoundServer.Kind) async throws {
        let server = try SoundServer(kind, [Self.speaker])
        var settings = settings(server)
        settings.source = "speaker.monitor"
        settings.captureRate = 24_000
        let (duplex, _) = try await duplex(settings)
        let clock = ContinuousClock()
        var times: [Double] = []
        for _ in 0..<5 {
            // Nothing of the click before is on its way any more.
            for _ in 0..<25 { _ = await duplex.hear(480) }
            let start = clock.now
            _ = await duplex.play([Float](repeating: 0.5, count: 48))
            var isHeard = false
            while !isHeard, clock.now - start < .seconds(5), let frame = await duplex.hear(120) {
                isHeard = frame.contains { $0 > 0.1 }
            }
            times.append((clock.now - start) / .milliseconds(1))
        }
        let (capture, playback) = (duplex.latency(.capture), duplex.latency(.playback))
        let shown = times.map { String(format: "%.0f", $0) }.joined(separator: ", ")
        print("round trip: \(shown) ms; the server says: capture \(capture.map { "\($0)" } ?? "?")", terminator: "")
        print(", playback \(playback.map { "\($0)" } ?? "?")")
        // Twice 20 ms of stream, the device's own block, and a machine that may be busy.
        #expect(try #require(times.min()) < 150)
        #expect(try #require(playback) < .milliseconds(150))
        #expect(try #require(capture) < .milliseconds(150))
    }

    @Test("A flush stops the sound at once, and says how much was heard", arguments: SoundServer.Kind.allCases)
    func flush(kind: SoundServer.Kind) async throws {
        let server = try SoundServer(kind, [Self.room, Self.speaker])
        let (duplex, _) = try await duplex(settings(server))
        let recording = try server.record("speaker.monitor", rate: 24_000)
        let signal = testSignal(seconds: 6, rate: 24_000, seed: 3)
        _ = await duplex.play(signal)
        while duplex.position.heard < 24_000 { try await Task.sleep(for: .milliseconds(1)) }
        let heard = duplex.flush()
        #expect(duplex.position == (signal.count, signal.count))
        let next = testSignal(seconds: 1, rate: 24_000, seed: 4)
        try await Task.sleep(for: .milliseconds(300))
        #expect(await duplex.play(next) == signal.count)
        try await finish(duplex)
        try await Task.sleep(for: .milliseconds(200))
        let recorded = recording.stop()
        let begin = try #require(Alignment(of: signal, in: recorded, rate: 24_000)).offset
        // Up to where nothing is heard for 200 ms; a gap that is shorter is a busy machine's.
        let silence = 4800
        var end = begin
        for index in begin..<recorded.count where recorded[index] != 0 {
            guard index - end < silence else { break }
            end = index + 1
        }
        let sounding = recorded[begin..<end].count { $0 != 0 }
        let difference = Double(sounding - heard) / 24
        print("flush: heard \(heard) samples by the clock, \(sounding) by the monitor: \(difference) ms apart")
        #expect(abs(difference) < 60)
        #expect(recorded[end..<min(end + 4800, recorded.count)].allSatisfy { $0 == 0 }, "nothing of the rest is played")
        let second = try #require(Alignment(of: next, in: Array(recorded[end...]), rate: 24_000))
        #expect(second.isFaithful(decibels: 90), "what follows is whole")
    }

    @Test(
        "A server that is killed and started again is reported, and both streams go on",
        arguments: SoundServer.Kind.allCases)
    func restart(kind: SoundServer.Kind) async throws {
        // One rate everywhere: PipeWire does not resample then.
        let server = try SoundServer(kind, [.init("room", rate: 24_000), Self.speaker])
        var settings = settings(server)
        settings.captureRate = 24_000
        let (duplex, events) = try await duplex(settings)
        var iterator = events
        _ = await duplex.play(testSignal(seconds: 0.5, rate: 24_000, seed: 5))
        server.kill()
        let lost = await iterator.next(isolation: #isolation)
        guard case .serverLost? = lost else { throw SoundServer.Failure("lost was \(String(describing: lost))") }
        // Put in while there is no server: it waits.
        let signal = testSignal(seconds: 1, rate: 24_000, seed: 6)
        let start = try #require(await duplex.play(signal))
        try server.start()
        let recording = try server.record("speaker.monitor", rate: 24_000)
        // PipeWire answers before the test has given it the devices again.
        while let event = await iterator.next(isolation: #isolation), event != Self.ready {
            guard kind == .pipeWire, case .deviceLost = event else {
                throw SoundServer.Failure("in between came \(event)")
            }
        }
        try await finish(duplex)
        #expect(duplex.position.total == start + signal.count)
        let again = testSignal(seconds: 1, rate: 24_000, seed: 7)
        _ = await duplex.play(again)
        let spoken = testSignal(seconds: 1, rate: 24_000, seed: 8)
        async let speaking: Void = server.play(spoken, rate: 24_000, to: "room")
        var heard: [Float] = []
        while heard.count < 24_000 * 3, let frame = await duplex.hear(480) { heard += frame }
        try await speaking
        try await finish(duplex)
        try await Task.sleep(for: .milliseconds(200))
        let played = try #require(Alignment(of: again, in: recording.stop(), rate: 24_000))
        let captured = try #require(Alignment(of: spoken, in: heard, rate: 24_000))
        print("after the restart: \(played), \(captured)")
        #expect(played.isFaithful(decibels: 90))
        #expect(captured.isFaithful(decibels: 90))
    }

    @Test(
        "A sink that is taken away is reported while the microphone goes on, and comes back",
        arguments: SoundServer.Kind.allCases)
    func removal(kind: SoundServer.Kind) async throws {
        // With another sink the server would move the stream there.
        let quiet =
            kind == .pulseAudio
            ? "module-null-source source_name=quiet"
            : "module-null-sink media.class=Audio/Source/Virtual sink_name=quiet"
        let server = try SoundServer(kind, [Self.speaker], modules: [quiet])
        let modules = try server.control(["list", "short", "modules"]).split(separator: "\n")
        let speaker = try #require(modules.first { $0.contains("sink_name=speaker") }?.split(separator: "\t").first)
        var settings = settings(server)
        settings.source = "quiet"
        let (duplex, events) = try await duplex(settings)
        var iterator = events
        try server.control(["unload-module", String(speaker)])
        let lost = await iterator.next(isolation: #isolation)
        switch kind {
        case .pulseAudio:
            guard case .deviceLost(.playback, let reason)? = lost else {
                throw SoundServer.Failure("lost was \(String(describing: lost))")
            }
            #expect(reason.contains("sink"))
        case .pipeWire:
            // It always has a sink: one that plays to nobody, where there is no other.
            #expect(lost == .moved(.playback, device: "auto_null"))
        }
        #expect(await duplex.hear(3200)?.count == 3200)
        try server.control(["load-module"] + Self.speaker.arguments)
        let back = await iterator.next(isolation: #isolation)
        #expect(
            back
                == (kind == .pulseAudio
                    ? .ready(source: "quiet", sink: "speaker") : .moved(.playback, device: "speaker")))
        let recording = try server.record("speaker.monitor", rate: 24_000)
        let signal = testSignal(seconds: 1, rate: 24_000, seed: 9)
        _ = await duplex.play(signal)
        try await finish(duplex)
        try await Task.sleep(for: .milliseconds(200))
        let found = try #require(Alignment(of: signal, in: recording.stop(), rate: 24_000))
        #expect(found.isFaithful(decibels: 90))
    }

    @Test(
        "Without a server, and without the device that was asked for, the first event says so",
        arguments: SoundServer.Kind.allCases)
    func missing(kind: SoundServer.Kind) async throws {
        var nowhere = PulseSettings(applicationName: "anygpt-test")
        nowhere.server = "unix:/nowhere/native"
        let lonely = try PulseDuplex(nowhere)
        var events = lonely.events.makeAsyncIterator()
        #expect(await events.next(isolation: #isolation) == .serverLost(reason: "connection refused"))

        let server = try SoundServer(kind, [Self.room, Self.speaker])
        var wrong = settings(server)
        wrong.source = "nonsense"
        let deaf = try PulseDuplex(wrong)
        events = deaf.events.makeAsyncIterator()
        #expect(
            await events.next(isolation: #isolation)
                == .deviceLost(.capture, reason: "there is no source called nonsense"))
        deaf.close()
        #expect(await deaf.hear(320) == nil)
        #expect(await deaf.play([0]) == nil)
    }

    @Test(
        "The streams ask for echo cancellation; PulseAudio gives it by itself, PipeWire where its devices are chosen",
        arguments: SoundServer.Kind.allCases)
    func echoCancellation(kind: SoundServer.Kind) async throws {
        let modules =
            kind == .pulseAudio
            ? ["module-filter-heuristics", "module-filter-apply"]
            : ["module-echo-cancel source_master=room.monitor sink_master=speaker"]
        let server = try SoundServer(kind, [Self.room, Self.speaker], modules: modules)
        var settings = settings(server)
        if kind == .pipeWire { (settings.source, settings.sink) = ("echo-cancel-source", "echo-cancel-sink") }
        let duplex = try PulseDuplex(settings)
        for await event in duplex.events {
            if case .moved(.capture, _) = event { break }
            if case .ready(let source, _) = event, source.contains("echo-cancel") { break }
        }
        for list in ["source-outputs", "sink-inputs"] {
            let streams = try server.control(["list", list])
            #expect(streams.contains("media.role = \"phone\"") && streams.contains("filter.want = \"echo-cancel\""))
        }
        #expect(try server.control(["list", "short", "modules"]).contains("module-echo-cancel"))
        // What is played is heard in the room, and taken out of what the microphone hears.
        try server.control(["load-module", "module-loopback", "source=speaker.monitor", "sink=room", "latency_msec=20"])
        let recording = try server.record("room.monitor", rate: 16_000)
        let signal = testSignal(seconds: 8, rate: 24_000, seed: 10)
        async let playing = duplex.play(signal)
        var heard: [Float] = []
        while heard.count < 16_000 * 7, let frame = await duplex.hear(320) { heard += frame }
        _ = await playing
        func power(_ samples: [Float]) -> Float { samples.suffix(32_000).reduce(0) { $0 + $1 * $1 } / 32_000 }
        let decibels = 10 * log10(power(recording.stop()) / power(heard))
        print("echo: \(decibels) dB taken out")
        #expect(decibels > 10)
    }

    @Test("The devices are listed, the defaults marked, the monitors told apart", arguments: SoundServer.Kind.allCases)
    func devices(kind: SoundServer.Kind) throws {
        let server = try SoundServer(kind, [Self.speaker, Self.room])
        try server.control(["set-default-source", "room.monitor"])
        let devices = try PulseDevices.list(server: server.address)
        #expect(devices.sinks.map(\.name) == ["speaker", "room"])
        #expect(devices.sources.map(\.isMonitor) == [true, true])
        #expect(devices.sources.first(where: \.isDefault)?.name == "room.monitor")
        #expect(throws: PulseError.self) { try PulseDevices.list(server: "unix:/nowhere/native") }
    }
}
