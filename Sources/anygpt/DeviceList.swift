import Foundation
import Pulse

/// `anygpt talk --list-devices`.
enum DeviceList {
    /// Prints the microphones and loudspeakers; the defaults are marked.
    static func show() throws {
        let devices: PulseDevices
        do {
            devices = try PulseDevices.list()
        } catch {
            throw Refusal(
                "no sound server answers (\(error.reason)): start PulseAudio or PipeWire, or name one in PULSE_SERVER")
        }
        Terminal.say("microphones (--source)")
        // What hears a loudspeaker comes last: it is not what people look for.
        show(devices.sources.filter { !$0.isMonitor } + devices.sources.filter(\.isMonitor))
        Terminal.say("\nloudspeakers (--sink)")
        show(devices.sinks)
        Terminal.say("\n* is the default")
    }

    private static func show(_ devices: [PulseDevices.Device]) {
        if devices.isEmpty { Terminal.say("  none") }
        let width = devices.map(\.name.count).max() ?? 0
        for device in devices {
            let space = String(repeating: " ", count: width - device.name.count)
            Terminal.say("\(device.isDefault ? "*" : " ") \(device.name)\(space)  \(device.description)")
        }
    }
}
