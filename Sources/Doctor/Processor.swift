import CPlatform
import Foundation
import Tensors

/// What computes.
enum Processor {
    /// The processor's name and the loops that were chosen for it.
    static func instructions() -> Finding {
        let lines = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8))?.split(separator: "\n") ?? []
        let name =
            lines.first { $0.hasPrefix("model name") }?.split(separator: ":").last?
            .trimmingCharacters(in: .whitespaces) ?? "unknown processor"
        let set = kernels.instructionSet
        let text = "\(name), loops for \(set)"
        return set == "scalar"
            ? .note("processor", text, "expect it to be slow: there are faster loops for AVX2 and AVX-512")
            : .ok("processor", text)
    }

    /// The threads that will compute.
    static func threads(_ configured: Int) -> Finding {
        let available = Int(cplatform_processor_count())
        let count = configured == 0 ? available : configured
        let text = "\(count) compute, \(available) processors may be used"
        if count > available {
            return .note("threads", text, "set compute.threads to 0 or to \(available): more only wait for each other")
        }
        let load = (try? String(contentsOfFile: "/proc/loadavg", encoding: .utf8))?.split(separator: " ").first
        if let load = load.flatMap({ Double($0) }), load > Double(available) {
            return .note(
                "threads", text + String(format: ", load %.1f", load),
                "other programs keep the processors busy: speech may stutter until they are done")
        }
        return .ok("threads", text)
    }
}
