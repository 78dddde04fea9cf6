internal import CPulse

/// The connection to the sound server with its two streams, which is made anew whenever it is lost.
///
/// Invariant (of the unchecked conformance): what can change is only touched on the main loop's thread or under its lock.
/// Callbacks hold no reference: `close` takes them away before the last one can go.
final class PulseLink: @unchecked Sendable {
    let settings: PulseSettings
    let loop: Mainloop
    let capture: CaptureQueue
    let playback: PlaybackQueue
    /// Is told what happens, and nil at the end.
    let tell: @Sendable (PulseEvent?) -> Void

    var context: OpaquePointer?
    var streams: [PulseDirection: OpaquePointer] = [:]
    /// Whose device the server was asked for and has not answered.
    var sought: Set<PulseDirection> = []
    private var timer: OpaquePointer?
    private var attempts = 0
    private var isClosed = false
    /// What was lost and reported, so that each failing attempt is not reported again.
    private var isServerLost = false
    var lostDevices: Set<PulseDirection> = []
    /// What the playback stream may hold now, in samples: more than was asked for when the machine is too busy for that.
    var playbackBuffer = 0
    /// Until when a stream that runs out of sound is nothing to be surprised at.
    var graceEnds = ContinuousClock.now

    init(_ settings: PulseSettings, loop: Mainloop, tell: @escaping @Sendable (PulseEvent?) -> Void) {
        self.settings = settings
        self.loop = loop
        self.tell = tell
        capture = CaptureQueue(capacity: settings.captureCapacity.samples(settings.captureRate))
        playback = PlaybackQueue(capacity: settings.playbackCapacity.samples(settings.playbackRate))
    }

    /// This object for callbacks.
    var userdata: UnsafeMutableRawPointer { Unmanaged.passUnretained(self).toOpaque() }

    static func from(_ userdata: UnsafeMutableRawPointer?) -> PulseLink {
        guard let userdata else { preconditionFailure("a callback without its object") }
        return Unmanaged<PulseLink>.fromOpaque(userdata).takeUnretainedValue()
    }

    func open() { loop.withLock { connect() } }

    func close() {
        loop.withLock {
            guard !isClosed else { return }
            isClosed = true
            stopTimer()
            dropContext()
        }
        capture.close()
        playback.close()
        tell(nil)
    }

    // MARK: The server

    private func connect() {
        guard let properties = pa_proplist_new() else { return lostServer("out of memory") }
        defer { pa_proplist_free(properties) }
        pa_proplist_sets(properties, "application.name", settings.applicationName)
        pa_proplist_sets(properties, "application.icon_name", "audio-input-microphone")
        guard let context = pa_context_new_with_proplist(loop.api, settings.applicationName, properties) else {
            return lostServer("out of memory")
        }
        self.context = context
        pa_context_set_state_callback(context, { _, link in PulseLink.from(link).contextChanged() }, userdata)
        // A server that is not there is reported, not started behind the person's back.
        // It may fail at once, and call back before it returns: then it is reported already, and no longer ours.
        pa_context_ref(context)
        defer { pa_context_unref(context) }
        let code = pa_context_connect(context, settings.server, PA_CONTEXT_NOAUTOSPAWN, nil)
        if code < 0, self.context != nil { lostServer(PulseError.text(pa_context_errno(context))) }
    }

    private func contextChanged() {
        guard let context else { return }
        switch pa_context_get_state(context) {
        case PA_CONTEXT_READY:
            isServerLost = false
            watchDevices(context)
            makeStreams()
        case PA_CONTEXT_FAILED, PA_CONTEXT_TERMINATED: lostServer(PulseError.text(pa_context_errno(context)))
        default: break
        }
    }

    private func lostServer(_ reason: String) {
        dropContext()
        lostDevices = []
        if !isServerLost {
            isServerLost = true
            tell(.serverLost(reason: reason))
        }
        retryLater()
    }

    private func dropContext() {
        for direction in PulseDirection.allCases { dropStream(direction) }
        sought = []
        guard let context else { return }
        self.context = nil
        pa_context_set_state_callback(context, nil, nil)
        pa_context_set_subscribe_callback(context, nil, nil)
        pa_context_disconnect(context)
        pa_context_unref(context)
    }

    /// A device that appears is tried at once.
    private func watchDevices(_ context: OpaquePointer) {
        pa_context_set_subscribe_callback(
            context,
            { _, event, _, link in
                guard event.rawValue & PA_SUBSCRIPTION_EVENT_TYPE_MASK.rawValue != PA_SUBSCRIPTION_EVENT_REMOVE.rawValue
                else { return }
                PulseLink.from(link).deviceAppeared()
            }, userdata)
        let mask =
            PA_SUBSCRIPTION_MASK_SINK.rawValue | PA_SUBSCRIPTION_MASK_SOURCE.rawValue
            | PA_SUBSCRIPTION_MASK_SERVER.rawValue
        if let operation = pa_context_subscribe(context, pa_subscription_mask_t(rawValue: mask), nil, nil) {
            pa_operation_unref(operation)
        }
    }

    private func deviceAppeared() {
        if !lostDevices.isEmpty { makeStreams() }
    }

    // MARK: Other attempts

    func retryLater() {
        guard timer == nil, !isClosed else { return }
        let pause = min(settings.retries.lowerBound * (1 << min(attempts, 16)), settings.retries.upperBound)
        attempts += 1
        timer = cpulse_timer_start(
            loop.api, pause.microseconds, { _, _, _, link in PulseLink.from(link).retry() }, userdata)
    }

    private func retry() {
        stopTimer()
        if context == nil { connect() } else { makeStreams() }
    }

    private func stopTimer() {
        guard let timer else { return }
        self.timer = nil
        cpulse_timer_free(loop.api, timer)
    }

    /// Both streams run.
    func becameReady(source: String, sink: String) {
        attempts = 0
        stopTimer()
        lostDevices = []
        tell(.ready(source: source, sink: sink))
    }
}

extension Duration {
    /// Whole samples of a rate, at least one.
    func samples(_ rate: Int) -> Int { max(1, Int((self / .seconds(1) * Double(rate)).rounded())) }

    /// Whole microseconds.
    var microseconds: UInt64 { UInt64(max(0, self / .microseconds(1))) }
}
