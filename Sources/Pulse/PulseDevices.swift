internal import CPulse

/// The devices of the sound server.
public struct PulseDevices: Sendable, Equatable {
    /// One source or sink.
    public struct Device: Sendable, Equatable {
        /// What it is called by: what `--source` and `--sink` take.
        public let name: String
        /// What it is called for people.
        public let description: String
        /// Whether it is what the server takes when nothing else is asked for.
        public let isDefault: Bool
        /// Whether it is a source that hears what a sink plays.
        public let isMonitor: Bool
    }

    /// Microphones and the like.
    public let sources: [Device]
    /// Loudspeakers and the like.
    public let sinks: [Device]

    /// Asks a server; nil asks the one that libpulse finds by itself. Waits for the answers, so not from the cooperative
    /// pool when it may hang.
    public static func list(server: String? = nil) throws(PulseError) -> PulseDevices {
        let loop = try Mainloop()
        let question = Question(loop)
        return try loop.withLock { () throws(PulseError) in
            defer { question.end() }
            return try question.ask(server)
        }
    }

    /// Asked under the main loop's lock, and answered on its thread.
    private final class Question {
        private let loop: Mainloop
        private var context: OpaquePointer?
        private var (source, sink) = ("", "")
        private var sources: [(name: String, description: String, isMonitor: Bool)] = []
        private var sinks: [(name: String, description: String, isMonitor: Bool)] = []
        private var isAnswered = false

        init(_ loop: Mainloop) { self.loop = loop }

        private var userdata: UnsafeMutableRawPointer { Unmanaged.passUnretained(self).toOpaque() }
        private static func from(_ userdata: UnsafeMutableRawPointer?) -> Question {
            guard let userdata else { preconditionFailure("a callback without its object") }
            return Unmanaged<Question>.fromOpaque(userdata).takeUnretainedValue()
        }

        func ask(_ server: String?) throws(PulseError) -> PulseDevices {
            try connect(server)
            try wait(
                pa_context_get_server_info(
                    context,
                    { _, info, question in
                        let question = Question.from(question)
                        if let info = info?.pointee {
                            question.source = info.default_source_name.map { String(cString: $0) } ?? ""
                            question.sink = info.default_sink_name.map { String(cString: $0) } ?? ""
                        }
                        question.answered()
                    }, userdata))
            try wait(
                pa_context_get_source_info_list(
                    context,
                    { _, info, isLast, question in
                        let question = Question.from(question)
                        guard isLast == 0, let info = info?.pointee else { return question.answered() }
                        question.sources.append(
                            (
                                String(cString: info.name), String(cString: info.description),
                                info.monitor_of_sink != UInt32.max
                            ))
                    }, userdata))
            try wait(
                pa_context_get_sink_info_list(
                    context,
                    { _, info, isLast, question in
                        let question = Question.from(question)
                        guard isLast == 0, let info = info?.pointee else { return question.answered() }
                        question.sinks.append((String(cString: info.name), String(cString: info.description), false))
                    }, userdata))
            return PulseDevices(
                sources: sources.map {
                    Device(
                        name: $0.name, description: $0.description, isDefault: $0.name == source,
                        isMonitor: $0.isMonitor)
                },
                sinks: sinks.map {
                    Device(name: $0.name, description: $0.description, isDefault: $0.name == sink, isMonitor: false)
                })
        }

        private func connect(_ server: String?) throws(PulseError) {
            guard let context = pa_context_new(loop.api, "anygpt") else {
                throw PulseError("connect to the sound server", reason: "out of memory")
            }
            self.context = context
            pa_context_set_state_callback(context, { _, question in Question.from(question).loop.signal() }, userdata)
            var code = pa_context_connect(context, server, PA_CONTEXT_NOAUTOSPAWN, nil)
            while code >= 0, pa_context_get_state(context) != PA_CONTEXT_READY {
                guard pa_context_get_state(context).rawValue < PA_CONTEXT_FAILED.rawValue else {
                    code = -pa_context_errno(context)
                    break
                }
                loop.wait()
            }
            guard code >= 0 else { throw PulseError("connect to the sound server", code: code) }
        }

        private func answered() {
            isAnswered = true
            loop.signal()
        }

        private func wait(_ operation: OpaquePointer?) throws(PulseError) {
            defer { operation.map { pa_operation_unref($0) } }
            isAnswered = false
            while !isAnswered {
                guard operation != nil, pa_context_get_state(context) == PA_CONTEXT_READY else {
                    throw PulseError("list the devices", code: pa_context_errno(context))
                }
                loop.wait()
            }
        }

        func end() {
            guard let context else { return }
            self.context = nil
            pa_context_set_state_callback(context, nil, nil)
            pa_context_disconnect(context)
            pa_context_unref(context)
        }
    }
}
