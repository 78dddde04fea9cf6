import AnyGPT
import Encodec
import Foundation

extension Configuration {
    /// The rules of a piece of music of so many seconds, nil for as long as the model likes. The engine must have an Encodec.
    public func musicRules(seconds: Double?, engine: Engine) -> AnswerRules {
        guard let encodec = engine.encodec else { preconditionFailure("an engine without music") }
        return music.rules(
            seconds: seconds, frameRate: encodec.configuration.frameRate, limits: sampling.music,
            levels: encodec.encodedLevels)
    }

    /// Music that is played to the model, and music that it makes.
    public struct Music: Sendable, Equatable {
        /// How much of a file is heard, from its beginning, in seconds.
        public var input = 5.0
        /// The largest file that a client may send, in bytes.
        public var maxUploadBytes = 64 << 20
        /// The longest piece that may be asked for, in seconds.
        public var maxSeconds = 60.0
        /// How long a window is, in seconds: the model was trained on pieces of 5.
        public var window = 5.0
        /// How much of a window the next one begins with, in seconds.
        public var overlap = 2.5
        /// How much of that the next one makes anew, to join both where they lie nearest; 0: it goes on behind the last token.
        public var fade = 0.0

        static let keys: [ConfigurationKey<Music>] = [
            .number("input_s", \.input, 0.02...30),
            .integer("max_upload_bytes", \.maxUploadBytes, 1024...(1 << 30)),
            .number("max_s", \.maxSeconds, 0.02...3600),
            .number("window_s", \.window, 0.1...60),
            .number("overlap_s", \.overlap, 0.02...60),
            .number("fade_s", \.fade, 0...60),
        ]

        /// The rules of a piece of so many seconds, at this many frames a second; nil leaves the length to the model, up
        /// to one window.
        func rules(seconds: Double?, frameRate: Int, limits: Sampling, levels: Int) -> AnswerRules {
            func frames(_ seconds: Double) -> Int { max(1, Int((seconds * Double(frameRate)).rounded())) }
            let whole = max(2, frames(window))
            let common = min(frames(overlap), whole - 1)
            let twice = fade > 0 ? min(frames(fade), common - 1, whole - common) : 0
            let shared = MusicWindow(frames: whole, overlap: common, fade: twice)
            guard let seconds else {
                let most = min(whole, max(1, limits.maxNewTokens / levels))
                return .music(frames: most, atLeast: limits.minNewTokens / levels, window: shared)
            }
            return .music(frames: frames(seconds), atLeast: frames(seconds), window: shared)
        }
    }

    /// Pictures and pieces of music that were made, until they are fetched.
    public struct Artifacts: Sendable, Equatable {
        /// Where they are kept; empty for the place that the system has for what a program keeps.
        public var folder = "artifacts"
        /// Bytes of all of them together; the oldest make room.
        public var maxBytes = 1 << 30
        /// How long they are kept, in seconds.
        public var maxAge = 86_400.0
        /// How many one session may make.
        public var maxPerSession = 100

        static let keys: [ConfigurationKey<Artifacts>] = [
            .path("folder", \.folder, mayBeEmpty: true),
            .integer("max_bytes", \.maxBytes, 1024...Int.max),
            .number("max_age_s", \.maxAge, 1...31_536_000),
            .integer("max_per_session", \.maxPerSession, 1...1_000_000),
        ]

        /// The folder. Where none is named: in the state folder that a service manager gives (systemd's `StateDirectory=`),
        /// else in the user's own (`XDG_STATE_HOME`).
        func place(environment: [String: String] = ProcessInfo.processInfo.environment) -> URL {
            if !folder.isEmpty { return URL(filePath: folder) }
            if let given = environment["STATE_DIRECTORY"]?.split(separator: ":").first {
                return URL(filePath: String(given)).appending(path: "artifacts")
            }
            let own = environment["XDG_STATE_HOME"].flatMap { $0.isEmpty ? nil : URL(filePath: $0) }
            let state = own ?? FileManager.default.homeDirectoryForCurrentUser.appending(path: ".local/state")
            return state.appending(path: "anygptd/artifacts")
        }

        /// As the store takes them.
        var limits: ArtifactStore.Limits {
            var limits = ArtifactStore.Limits()
            limits.bytes = maxBytes
            limits.age = .seconds(maxAge)
            limits.perSession = maxPerSession
            return limits
        }
    }
}
