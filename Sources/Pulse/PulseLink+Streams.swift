internal import CPulse

extension PulseLink {
    /// Makes the streams that there are not.
    func makeStreams() {
        for direction in settings.directions where streams[direction] == nil {
            guard let context, pa_context_get_state(context) == PA_CONTEXT_READY else { return }
            if let name = settings.device(direction) {
                seek(direction, name, context)
            } else {
                open(direction)
            }
        }
    }

    /// Asks for a device by its name before there is a stream to it: PipeWire connects one to a device that there is not
    /// to any other, and says nothing.
    private func seek(_ direction: PulseDirection, _ name: String, _ context: OpaquePointer) {
        guard sought.insert(direction).inserted else { return }
        let question =
            switch direction {
            case .capture:
                pa_context_get_source_info_by_name(
                    context, name, { _, _, end, link in PulseLink.from(link).found(.capture, end) }, userdata)
            case .playback:
                pa_context_get_sink_info_by_name(
                    context, name, { _, _, end, link in PulseLink.from(link).found(.playback, end) }, userdata)
            }
        if let question { pa_operation_unref(question) } else { found(direction, -1) }
    }

    /// The server has answered: with a device, at its end, or with an error.
    private func found(_ direction: PulseDirection, _ end: Int32) {
        guard let context, pa_context_get_state(context) == PA_CONTEXT_READY, sought.remove(direction) != nil else {
            return
        }
        if end < 0 { lostDevice(direction, pa_context_errno(context)) } else { open(direction) }
    }

    private func open(_ direction: PulseDirection) {
        // What fails may be reported before the call returns, and take stream and context with it.
        guard let context else { return }
        pa_context_ref(context)
        defer { pa_context_unref(context) }
        guard let stream = makeStream(direction, context) else {
            return lostDevice(direction, pa_context_errno(context))
        }
        pa_stream_ref(stream)
        defer { pa_stream_unref(stream) }
        if !connect(stream, direction), streams[direction] == stream {
            lostDevice(direction, pa_context_errno(context))
        }
    }

    private func makeStream(_ direction: PulseDirection, _ context: OpaquePointer) -> OpaquePointer? {
        guard let properties = pa_proplist_new() else { return nil }
        defer { pa_proplist_free(properties) }
        pa_proplist_sets(properties, "media.role", "phone")
        if settings.cancelsEcho { pa_proplist_sets(properties, "filter.want", "echo-cancel") }
        let rate = direction == .capture ? settings.captureRate : settings.playbackRate
        var format = pa_sample_spec(format: cpulse_float32, rate: UInt32(rate), channels: 1)
        let name = direction == .capture ? "what is said" : "what is answered"
        guard let stream = pa_stream_new_with_proplist(context, name, &format, nil, properties) else { return nil }
        streams[direction] = stream
        switch direction {
        case .capture:
            pa_stream_set_state_callback(stream, { _, link in PulseLink.from(link).streamChanged(.capture) }, userdata)
            pa_stream_set_moved_callback(stream, { _, link in PulseLink.from(link).moved(.capture) }, userdata)
            pa_stream_set_suspended_callback(stream, { _, link in PulseLink.from(link).suspended(.capture) }, userdata)
            pa_stream_set_read_callback(stream, { stream, _, link in PulseLink.from(link).read(stream) }, userdata)
        case .playback:
            pa_stream_set_state_callback(stream, { _, link in PulseLink.from(link).streamChanged(.playback) }, userdata)
            pa_stream_set_moved_callback(stream, { _, link in PulseLink.from(link).moved(.playback) }, userdata)
            pa_stream_set_suspended_callback(stream, { _, link in PulseLink.from(link).suspended(.playback) }, userdata)
            pa_stream_set_underflow_callback(stream, { _, link in PulseLink.from(link).ranOut() }, userdata)
            pa_stream_set_write_callback(
                stream, { stream, bytes, link in PulseLink.from(link).write(stream, bytes) }, userdata)
        }
        return stream
    }

    private func connect(_ stream: OpaquePointer, _ direction: PulseDirection) -> Bool {
        let rate = direction == .capture ? settings.captureRate : settings.playbackRate
        let samples = settings.latency.samples(rate)
        if direction == .playback {
            playbackBuffer = samples
            graceEnds = ContinuousClock.now + Self.grace
        }
        var buffer = Self.buffer(samples)
        // Positions in time are asked for often, and the device's own buffer is made as short as ours.
        let flags = pa_stream_flags_t(
            rawValue: PA_STREAM_ADJUST_LATENCY.rawValue | PA_STREAM_INTERPOLATE_TIMING.rawValue
                | PA_STREAM_AUTO_TIMING_UPDATE.rawValue)
        return switch direction {
        case .capture: pa_stream_connect_record(stream, settings.source, &buffer, flags) >= 0
        case .playback: pa_stream_connect_playback(stream, settings.sink, &buffer, flags, nil, nil) >= 0
        }
    }

    /// A buffer of so many samples, either way.
    private static func buffer(_ samples: Int) -> pa_buffer_attr {
        let bytes = UInt32(samples * MemoryLayout<Float>.size)
        let unset = UInt32.max
        return pa_buffer_attr(maxlength: unset, tlength: bytes, prebuf: unset, minreq: unset, fragsize: bytes)
    }

    func dropStream(_ direction: PulseDirection) {
        guard let stream = streams.removeValue(forKey: direction) else { return }
        pa_stream_set_state_callback(stream, nil, nil)
        pa_stream_set_moved_callback(stream, nil, nil)
        pa_stream_set_suspended_callback(stream, nil, nil)
        pa_stream_set_read_callback(stream, nil, nil)
        pa_stream_set_write_callback(stream, nil, nil)
        pa_stream_set_underflow_callback(stream, nil, nil)
        pa_stream_disconnect(stream)
        pa_stream_unref(stream)
        if direction == .playback { playback.restart() }
    }

    // MARK: What the server tells

    private func streamChanged(_ direction: PulseDirection) {
        guard let context, let stream = streams[direction] else { return }
        switch pa_stream_get_state(stream) {
        case PA_STREAM_READY: announceWhenReady()
        case PA_STREAM_FAILED, PA_STREAM_TERMINATED:
            // When the server is gone that is what is reported.
            guard pa_context_get_state(context) == PA_CONTEXT_READY else { return }
            lostDevice(direction, pa_context_errno(context))
        default: break
        }
    }

    private func announceWhenReady() {
        let devices = settings.directions.compactMap { direction -> String? in
            guard let stream = streams[direction], pa_stream_get_state(stream) == PA_STREAM_READY else { return nil }
            return pa_stream_get_device_name(stream).map { String(cString: $0) } ?? "?"
        }
        guard devices.count == settings.directions.count, let sink = devices.last else { return }
        becameReady(source: settings.listens ? devices[0] : "", sink: sink)
    }

    private func lostDevice(_ direction: PulseDirection, _ code: Int32) {
        dropStream(direction)
        if lostDevices.insert(direction).inserted {
            tell(.deviceLost(direction, reason: reason(direction, code)))
        }
        retryLater()
    }

    private func reason(_ direction: PulseDirection, _ code: Int32) -> String {
        let (kind, name) = (direction == .capture ? "source" : "sink", settings.device(direction))
        return switch pa_error_code_t(rawValue: UInt32(abs(code))) {
        case PA_ERR_NOENTITY: name.map { "there is no \(kind) called \($0)" } ?? "there is no \(kind)"
        case PA_ERR_KILLED, PA_OK: "the \(kind) is gone"
        default: PulseError.text(code)
        }
    }

    private func moved(_ direction: PulseDirection) {
        guard let stream = streams[direction], let name = pa_stream_get_device_name(stream) else { return }
        tell(.moved(direction, device: String(cString: name)))
    }

    private func suspended(_ direction: PulseDirection) {
        guard let stream = streams[direction] else { return }
        tell(.suspended(direction, pa_stream_is_suspended(stream) == 1))
    }

    // MARK: Sound

    private func read(_ stream: OpaquePointer?) {
        while let stream, pa_stream_readable_size(stream) > 0 {
            var data: UnsafeRawPointer?
            var bytes = 0
            guard pa_stream_peek(stream, &data, &bytes) >= 0, bytes > 0 else { return }
            let count = bytes / MemoryLayout<Float>.size
            if let data {
                capture.add(UnsafeBufferPointer(start: data.assumingMemoryBound(to: Float.self), count: count))
            } else {
                // A hole in the stream.
                capture.add(repeatElement(0, count: count))
            }
            pa_stream_drop(stream)
        }
    }

    private func write(_ stream: OpaquePointer?, _ requested: Int) {
        var left = requested
        while let stream, left >= MemoryLayout<Float>.size {
            var data: UnsafeMutableRawPointer?
            var bytes = left
            guard pa_stream_begin_write(stream, &data, &bytes) >= 0, let data else { return }
            let count = min(bytes, left) / MemoryLayout<Float>.size
            guard count > 0 else {
                pa_stream_cancel_write(stream)
                return
            }
            playback.fill(UnsafeMutableBufferPointer(start: data.assumingMemoryBound(to: Float.self), count: count))
            let written = count * MemoryLayout<Float>.size
            guard pa_stream_write(stream, data, written, nil, 0, PA_SEEK_RELATIVE) >= 0 else { return }
            left -= written
        }
    }

    /// A stream begins, and goes on after a flush, with nothing in it.
    private static var grace: Duration { .milliseconds(500) }

    /// The stream was not given its next sound in time, though there always is some: the machine is too busy for a buffer
    /// that short, so it gets twice as long, up to eight times what was asked for.
    private func ranOut() {
        let longest = 8 * settings.latency.samples(settings.playbackRate)
        guard let stream = streams[.playback], ContinuousClock.now > graceEnds, playbackBuffer < longest else { return }
        playbackBuffer = min(2 * playbackBuffer, longest)
        graceEnds = ContinuousClock.now + Self.grace
        var buffer = Self.buffer(playbackBuffer)
        if let operation = pa_stream_set_buffer_attr(stream, &buffer, nil, nil) { pa_operation_unref(operation) }
    }

    // MARK: Time

    func position() -> (heard: Int, total: Int) {
        loop.withLock { playback.heard(latency: playbackLatency()) }
    }

    func flush() -> Int {
        loop.withLock {
            _ = playback.heard(latency: playbackLatency())
            let heard = playback.flush()
            graceEnds = ContinuousClock.now + Self.grace
            if let stream = streams[.playback], let operation = pa_stream_flush(stream, nil, nil) {
                pa_operation_unref(operation)
            }
            return heard
        }
    }

    func latency(_ direction: PulseDirection) -> Duration? {
        loop.withLock { microseconds(direction).map { .microseconds($0) } }
    }

    /// How many samples that the stream was given have not been heard.
    private func playbackLatency() -> Int? {
        microseconds(.playback).map { max(0, $0) * settings.playbackRate / 1_000_000 }
    }

    private func microseconds(_ direction: PulseDirection) -> Int? {
        guard let stream = streams[direction], pa_stream_get_state(stream) == PA_STREAM_READY else { return nil }
        var time: pa_usec_t = 0
        var isNegative: Int32 = 0
        guard pa_stream_get_latency(stream, &time, &isNegative) >= 0 else { return nil }
        return isNegative == 0 ? Int(clamping: time) : -Int(clamping: time)
    }
}
