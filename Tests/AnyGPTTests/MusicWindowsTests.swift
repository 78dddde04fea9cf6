import Testing

@testable import AnyGPT

/// Which tokens of a piece that is made in windows are certain, and where the windows meet. Two levels; a token is its value.
@Suite("Windows of music") struct MusicWindowsTests {
    /// The distance of frames is that of their first tokens.
    private func windows(_ window: MusicWindow) -> MusicWindows {
        MusicWindows(window, levels: 2) { a, b in
            stride(from: 0, to: a.count, by: 2).map { Float(abs(a[$0] - b[$0])) }
        }
    }

    private func frame(_ value: Int32) -> [Int32] { [value, value] }

    @Test("without a fade every token is certain at once, and the next window begins with the last ones")
    func plain() throws {
        var windows = windows(MusicWindow(frames: 5, overlap: 2))
        for token: Int32 in 0..<10 {
            #expect(!windows.isFull)
            #expect(try windows.append(token) == [token])
        }
        #expect(windows.isFull)
        #expect(windows.next() == [6, 7, 8, 9])
        #expect(windows.joins == [5] && !windows.isFull)
        for token: Int32 in 10..<16 { #expect(try windows.append(token) == [token]) }
        #expect(windows.isFull && windows.next() == [12, 13, 14, 15])
        #expect(windows.joins == [5, 8])
        #expect(windows.finish().isEmpty)
    }

    @Test("with a fade both versions are joined where they differ the least, and no frame is lost or told twice")
    func faded() throws {
        var windows = windows(MusicWindow(frames: 8, overlap: 5, fade: 3))
        var told: [Int32] = []
        for value: Int32 in 0..<8 {
            for token in frame(value) { told += try windows.append(token) }
        }
        #expect(told == (0..<5).flatMap(frame), "the last three may be exchanged")
        #expect(windows.isFull && windows.next() == frame(3) + frame(4))
        // 5, 6, 7 anew: far away, the same, near.
        for value: Int32 in [50, 6, 9] {
            #expect(told.count == 10)
            for token in frame(value) { told += try windows.append(token) }
        }
        #expect(told == (0..<7).flatMap(frame) + frame(9))
        #expect(windows.joins == [7], "two frames of the old version, then the new")
        // The new window goes on, and holds back its own end.
        for value: Int32 in [20, 21, 22, 23, 24, 25] where !windows.isFull {
            for token in frame(value) { told += try windows.append(token) }
        }
        #expect(windows.isFull && told.count == 16)
        #expect(windows.finish() == frame(20) + frame(21) + frame(22))
    }

    @Test("a run that ends while a window is made anew keeps the version that is whole")
    func endsWithin() throws {
        var windows = windows(MusicWindow(frames: 6, overlap: 4, fade: 2))
        for value: Int32 in 0..<6 { for token in frame(value) { _ = try windows.append(token) } }
        #expect(windows.next() == frame(2) + frame(3))
        for token in frame(90) { #expect(try windows.append(token).isEmpty) }
        #expect(windows.finish() == frame(4) + frame(5))
        #expect(windows.joins.isEmpty && windows.finish().isEmpty)
    }

    @Test(
        "the place with the least on both of its sides is taken, the first of several",
        arguments: [
            ([5], 1), ([9, 1, 1, 9], 2), ([0, 0, 0], 1), ([3, 2, 1], 3), ([1, 0, 5, 0, 0], 4),
        ] as [([Float], Int)])
    func join(_ distances: [Float], _ frames: Int) {
        #expect(MusicWindows.join(distances) == frames)
    }

    @Test("codes that are made anew do not count twice") func takenBack() throws {
        let vocabulary = try GoldenModel().vocabulary
        let music = try #require(vocabulary.music)
        var grammar = TokenGrammar(vocabulary: vocabulary, rules: .music(frames: 3, atLeast: 3))
        grammar.accept(music.start)
        for frame in 0..<4 {
            #expect(grammar.isMusicFull == false)
            for level in Int32(0)..<4 { grammar.accept(music.codes.lowerBound + 2048 * level) }
            if frame == 1 { grammar.takeBack(codes: 4) }
        }
        #expect(grammar.isMusicFull && grammar.allowed == TokenSet(ids: [music.end]))
    }
}
