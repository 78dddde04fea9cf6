import Foundation
import Synchronization
import Testing
import Wire

@testable import Client

@Suite("A live conversation, on a server that follows a script", .timeLimit(.minutes(1)))
struct LiveConversationTests: StubbedConversation {
    @Test("Speech during a reply stops it at once; the server is told what was heard, and the rest stays mute")
    func bargeIn() async throws {
        try await with(.handsFree) { conversation, link, sound, updates in
            link.answer("item_a", samples: 48_000, isDone: false)
            try await wait { sound.position.total == 48_000 }
            #expect(await conversation.phase == .speaking)
            sound.state.change { $0.heard = 12_000 }
            link.say(Self.started)
            try await wait { !link.sent.value.isEmpty }
            #expect(
                link.sent.value == [
                    .conversationItemTruncate(itemID: "item_a", contentIndex: 0, audioEndMilliseconds: 500)
                ])
            #expect(sound.flushes.value == 1)
            #expect(await conversation.phase == .hearing)
            let after = updates.value.compactMap { update in
                if case .interrupted(let time) = update { time } else { nil }
            }
            #expect(after == [.milliseconds(500)])
            // What was on its way of the same reply is not heard; the next reply is.
            link.answer("item_b", samples: 480, isDone: true)
            try await wait { sound.position.total == 48_480 }
        }
    }

    @Test("Sound of an interrupted reply that comes late is not played")
    func lateSound() async throws {
        try await with(.handsFree) { _, link, sound, _ in
            link.answer("item_a", samples: 9600, isDone: false)
            try await wait { sound.position.total == 9600 }
            link.say(Self.started)
            link.answer("item_b", samples: 480, isDone: true)
            try await wait { sound.position.total == 10_080 }
            #expect(sound.flushes.value == 1)
        }
    }

    @Test("A reply that was heard to its end is not cut by the next question")
    func heardAll() async throws {
        try await with(.handsFree) { conversation, link, sound, _ in
            link.answer("item_a", samples: 4800, isDone: true)
            try await wait { sound.position.total == 4800 }
            sound.state.change { $0.heard = 4800 }
            link.say(Self.started)
            try await wait { await conversation.phase == .hearing }
            #expect(link.sent.value.isEmpty && sound.flushes.value == 0)
        }
    }

    @Test("Push-to-talk: only what is said while the button is down is sent; then commit and a response")
    func pushToTalk() async throws {
        try await with(.pushToTalk) { conversation, link, sound, _ in
            sound.speak(frames: 10)
            try await wait { await conversation.level > -20 }
            #expect(link.spoken.value == 0)
            await conversation.beginTurn()
            #expect(await conversation.phase == .hearing)
            sound.speak(frames: 20)
            try await wait { link.spoken.value >= 6400 }
            try await conversation.endTurn()
            #expect(link.sent.value == [.inputAudioBufferCommit, .responseCreate(ResponseParameters())])
        }
    }

    @Test("Push-to-talk: a tap without speech asks for nothing and says so")
    func emptyTurn() async throws {
        try await with(.pushToTalk) { conversation, link, _, updates in
            await conversation.beginTurn()
            try await conversation.endTurn()
            #expect(link.sent.value == [.inputAudioBufferClear])
            #expect(updates.value.count == 1)
        }
    }

    @Test("Push-to-talk: the button stops a reply that is being made, and what was heard is told")
    func buttonInterrupts() async throws {
        try await with(.pushToTalk) { conversation, link, sound, _ in
            link.answer("item_a", samples: 24_000, isDone: false)
            try await wait { sound.position.total == 24_000 }
            sound.state.change { $0.heard = 2400 }
            await conversation.beginTurn()
            #expect(
                link.sent.value == [
                    .responseCancel(responseID: nil),
                    .conversationItemTruncate(itemID: "item_a", contentIndex: 0, audioEndMilliseconds: 100),
                ])
        }
    }

    @Test("A microphone that is lost in a turn ends it: the server hears the silence that it waits for")
    func lostMicrophone() async throws {
        try await with(.handsFree) { conversation, link, _, _ in
            link.say(Self.started)
            try await wait { await conversation.phase == .hearing }
            try await conversation.microphoneLost()
            #expect(link.spoken.value >= 16_000 * 3 / 2)
        }
    }

    @Test("An error that comes of two things at once is passed over, another is shown, and both are survived")
    func errors() async throws {
        try await with(.handsFree) { conversation, link, sound, updates in
            link.say(.error(WireError(.responseCancelNotActive, "Cancellation failed.")))
            link.say(.error(WireError(.invalidValue, "Something else.")))
            link.answer("item_a", samples: 480, isDone: true)
            try await wait { sound.position.total == 480 }
            let notices = updates.value.filter { if case .notice = $0 { true } else { false } }
            #expect(notices.count == 1)
        }
    }

    @Test("A tapped key talks until it is tapped again, a held one until its repetitions stop")
    func key() {
        var key = PushToTalkKey()
        var action = key.pressed(at: .seconds(1))
        #expect(action == .begin && key.deadline == nil)
        action = key.pressed(at: .seconds(4))
        #expect(action == nil && key.deadline == .milliseconds(4150))
        action = key.timePassed(to: .milliseconds(4100))
        #expect(action == nil)
        action = key.timePassed(to: .milliseconds(4150))
        #expect(action == .end && key.deadline == nil)

        // Held: the first repetition comes after half a second, the others every 33 ms.
        action = key.pressed(at: .seconds(10))
        #expect(action == .begin)
        for repetition in 0..<30 {
            action = key.pressed(at: .milliseconds(10_500 + 33 * repetition))
            #expect(action == nil)
        }
        let last = Duration.milliseconds(10_500 + 33 * 29)
        action = key.timePassed(to: last + .milliseconds(149))
        #expect(action == nil)
        action = key.timePassed(to: last + .milliseconds(150))
        #expect(action == .end)
    }

    @Test("A key that is pressed again after its time was not noticed ends the turn all the same")
    func lateKey() {
        var key = PushToTalkKey()
        _ = key.pressed(at: .seconds(1))
        _ = key.pressed(at: .seconds(2))
        let action = key.pressed(at: .seconds(3))
        #expect(action == .end)
    }

    @Test("Text is cut between words into lines that stay and one that grows; nothing in it moves the cursor")
    func wrapping() {
        var text = WrappedText(label: "you    ", width: 20)
        var lines = text.add("one two")
        #expect(lines.isEmpty && text.growing == "you    one two")
        lines = text.add(" three\u{1B}[2J four ")
        #expect(lines == ["you    one two"])
        #expect(text.growing == "       three[2J four")
        lines = text.add("abcdefghijklmnopqrst")
        #expect(lines == ["       three[2J four", "       abcdefghijklm"])
        lines = text.end()
        #expect(lines == ["       nopqrst"])
        #expect(text.growing == nil)
        lines = text.end()
        #expect(lines.isEmpty)
    }

    @Test(
        "Wrapped lines hold all words in order and none is too long, however the text is cut", arguments: [16, 30, 79])
    func anyText(_ width: Int) {
        var generator = SystemRandomNumberGenerator()
        let words = (0..<60).map { _ in String(repeating: "x", count: Int.random(in: 1...9, using: &generator)) }
        let whole = words.joined(separator: " ")
        var text = WrappedText(label: "reply  ", width: width)
        var lines: [String] = []
        var rest = Substring(whole)
        while !rest.isEmpty {
            let count = Int.random(in: 1...7, using: &generator)
            lines += text.add(String(rest.prefix(count)))
            rest = rest.dropFirst(count)
        }
        lines += text.end()
        #expect(lines.allSatisfy { $0.count <= width })
        #expect(lines.map { $0.dropFirst(7) }.joined(separator: " ") == whole)
    }

    @Test("The status fits any width, and leaves out what has no room", arguments: 0...120)
    func status(_ width: Int) {
        for phase in [LiveConversation.Phase.waiting, .hearing, .thinking, .speaking, .playing] {
            for mode in [LiveConversation.Mode.handsFree, .pushToTalk] {
                let line = LiveStatus(phase: phase, level: -23, mode: mode).line(width: width)
                #expect(line.count <= width)
                if width >= 79 { #expect(line.contains("-23 dB") && line.contains("━")) }
            }
        }
        #expect(LiveStatus(phase: .waiting, level: nil, mode: .handsFree).line(width: width).count <= width)
    }
}
