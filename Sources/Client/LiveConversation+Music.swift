import Wire

/// The music of a live conversation, between its announcement and its last sample.
struct LiveMusic {
    /// The pieces that the running answer has announced, which are being fetched.
    var fetches: [Task<[Float]?, any Error>] = []
    /// Plays the pieces of answers that are done.
    var player: Task<Void, Never>?
    /// Whether the player has nothing to play yet.
    var isFetching = false
    /// Where the music stands in what is played; nil when there is none that may be heard.
    var place: Range<Int>?
}

extension LiveConversation {
    /// Half a second: what is put in at a time, so that the queue of what is played keeps its bound.
    private static let piecesPerSecond = 2

    /// A piece is complete. It is fetched at once, and played when the answer's speech is.
    func announced(_ artifact: Artifact) {
        guard artifact.type == .music, !isMuted, let fetchMusic else { return }
        music.fetches.append(Task { try await fetchMusic(artifact) })
    }

    /// An answer begins. What has not come of the music before it comes too late: it would be heard between the new words.
    func dropLateMusic() {
        if music.isFetching { stopMusic() }
        if let place = music.place, place.upperBound <= sound.position.heard { music.place = nil }
    }

    /// An answer is over, and all of its speech has been put in: its music follows.
    func playMusic() {
        let (pieces, before) = (music.fetches, music.player)
        guard !pieces.isEmpty else { return }
        music.fetches = []
        music.isFetching = true
        music.player = Task {
            await withTaskCancellationHandler {
                // What is played has one writer.
                await before?.value
                for piece in pieces {
                    do {
                        if let samples = try await piece.value { await play(music: samples) }
                    } catch {
                        if !Task.isCancelled { show(.notice("the music cannot be played: \(error)")) }
                    }
                }
            } onCancel: {
                before?.cancel()
                for piece in pieces { piece.cancel() }
            }
        }
    }

    private func play(music samples: [Float]) async {
        guard !Task.isCancelled else { return }
        music.isFetching = false
        let step = max(1, link.replyRate / Self.piecesPerSecond)
        for start in stride(from: 0, to: samples.count, by: step) {
            let piece = samples[start..<min(samples.count, start + step)]
            guard let place = await sound.play(Array(piece)) else { return }
            music.place = (music.place?.lowerBound ?? place)..<place + piece.count
        }
    }

    /// No more music is put in; what was is still heard.
    func stopMusic() {
        for fetch in music.fetches { fetch.cancel() }
        music.fetches = []
        music.player?.cancel()
        music.isFetching = false
    }

    /// The sound was heard up to a place, and nothing after it will be: how much of the music was heard, when that is what
    /// was stopped.
    func stoppedMusic(at heard: Int) -> Duration? {
        defer { music.place = nil }
        guard let place = music.place, place.contains(heard), heard > place.lowerBound else { return nil }
        return .milliseconds((heard - place.lowerBound) * 1000 / link.replyRate)
    }
}
