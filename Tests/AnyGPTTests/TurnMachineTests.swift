import AnyGPT
import TestSupport
import Testing

@Suite("Turn-taking") struct TurnMachineTests {
    private func run(
        _ events: [TurnMachine.Event], policy: TurnMachine.Policy = .init()
    ) -> [TurnMachine.Action] {
        var machine = TurnMachine(policy: policy)
        return events.flatMap { machine.handle($0) }
    }

    @Test("a spoken question is answered by itself") func plain() {
        #expect(run([.speechStarted, .speechStopped]) == [.openTurn, .closeTurn, .startAnswer])
    }

    @Test("without create_response the client asks") func asked() {
        let policy = TurnMachine.Policy(answersByItself: false)
        #expect(
            run([.speechStarted, .speechStopped, .answerRequested], policy: policy)
                == [.openTurn, .closeTurn, .startAnswer])
    }

    @Test("speech during an answer stops it, and the new turn waits for nothing") func bargeIn() {
        #expect(
            run([.speechStarted, .speechStopped, .speechStarted])
                == [.openTurn, .closeTurn, .startAnswer, .stopAnswer(.turnDetected), .openTurn])
    }

    @Test("a second question that ends before the stopped answer has, is answered after it") func quickSecond() {
        #expect(
            run([.speechStarted, .speechStopped, .speechStarted, .speechStopped, .answerEnded])
                == [
                    .openTurn, .closeTurn, .startAnswer, .stopAnswer(.turnDetected), .openTurn, .closeTurn,
                    .startAnswer,
                ])
    }

    @Test("where interrupting is not allowed, the next answer waits for the first to end") func patient() {
        let policy = TurnMachine.Policy(speechInterrupts: false)
        var machine = TurnMachine(policy: policy)
        let before: [TurnMachine.Event] = [.speechStarted, .speechStopped, .speechStarted, .speechStopped]
        #expect(
            before.flatMap { machine.handle($0) } == [.openTurn, .closeTurn, .startAnswer, .openTurn, .closeTurn])
        #expect(machine.handle(.answerEnded) == [.startAnswer])
    }

    @Test("manual mode: clear, append, commit, response.create") func manual() {
        #expect(
            run([.clear, .manualAudio, .manualAudio, .commit, .answerRequested])
                == [.openTurn, .closeTurn, .startAnswer])
        #expect(run([.commit]) == [.refuse(.emptyCommit)])
        #expect(run([.manualAudio, .clear, .commit]) == [.openTurn, .dropTurn, .refuse(.emptyCommit)])
    }

    @Test("a second response.create and an idle cancel are refused by name") func refusals() {
        #expect(run([.answerRequested, .answerRequested]) == [.startAnswer, .refuse(.answerRunning)])
        #expect(run([.cancelRequested]) == [.refuse(.nothingToCancel)])
        #expect(
            run([.answerRequested, .cancelRequested, .cancelRequested])
                == [.startAnswer, .stopAnswer(.clientCancelled), .refuse(.nothingToCancel)])
    }

    @Test("whatever happens, there is never a second turn or a second answer") func invariants() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = TestGenerator(seed: seed)
        let events: [TurnMachine.Event] = [
            .speechStarted, .speechStopped, .manualAudio, .commit, .clear, .answerRequested, .cancelRequested,
            .answerEnded,
        ]
        for _ in 0..<200 {
            var machine = TurnMachine(
                policy: .init(answersByItself: .random(using: &random), speechInterrupts: .random(using: &random)))
            var (turns, answers) = (0, 0)
            for _ in 0..<60 {
                let event = events.randomElement(using: &random)!
                // The world only reports the end of an answer that runs.
                if event == .answerEnded {
                    guard answers == 1 else { continue }
                    answers = 0
                }
                for action in machine.handle(event) {
                    switch action {
                    case .openTurn: turns += 1
                    case .closeTurn, .dropTurn: turns -= 1
                    case .startAnswer: answers += 1
                    case .stopAnswer: #expect(answers == 1, "seed \(seed)")
                    case .refuse: break
                    }
                    #expect((0...1).contains(turns) && (0...1).contains(answers), "seed \(seed)")
                }
                #expect(machine.isTurnOpen == (turns == 1) && machine.isAnswering == (answers == 1), "seed \(seed)")
            }
        }
    }
}
