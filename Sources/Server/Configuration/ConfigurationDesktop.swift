extension Configuration {
    /// The conversation that the daemon holds by itself, through a sound server.
    public struct Desktop: Sendable, Equatable {
        /// Whether it does.
        public var enabled = false
        /// The sound server, as `PULSE_SERVER` has it; empty takes that of the user who runs the daemon.
        public var server = ""
        /// The microphone, by the sound server's name for it; empty takes its default.
        public var source = ""
        /// The loudspeakers, likewise.
        public var sink = ""
        /// Asks the sound server to take the reply out of what the microphone hears.
        public var echoCancellation = true

        static let keys: [ConfigurationKey<Desktop>] = [
            .boolean("enabled", \.enabled),
            .text("server", \.server, mayBeEmpty: true),
            .text("source", \.source, mayBeEmpty: true),
            .text("sink", \.sink, mayBeEmpty: true),
            .boolean("echo_cancellation", \.echoCancellation),
        ]
    }
}
