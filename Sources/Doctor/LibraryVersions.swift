import COpenBLAS
import COpus
import CCrypto
import CCurl
import CSampleRate
import CSndFile
import CWebSockets
import CZlib
import Foundation

/// The system libraries that are in use: they are there, or this program would not have started; their versions tell
/// what else to expect of them.
enum LibraryVersions {
    static func findings() -> [Finding] {
        let versions: [(String, String)] = [
            ("libopus", text(opus_get_version_string())), ("libsndfile", text(sf_version_string())),
            ("libsamplerate", text(src_get_version())), ("libwebsockets", text(lws_get_library_version())),
            ("libcurl", text(curl_version())), ("OpenSSL", text(OpenSSL_version(0))), ("zlib", text(zlibVersion())),
            ("OpenBLAS", text(openblas_get_config())),
        ]
        let line = versions.map { name, version in "\(name) \(number(version))" }.joined(separator: ", ")
        return [.ok("libraries", line), formats()]
    }

    /// Whether sound files can be what people have: MP3 and Opus came late to libsndfile.
    private static func formats() -> Finding {
        var count: Int32 = 0
        sf_command(nil, Int32(SFC_GET_FORMAT_MAJOR_COUNT), &count, 4)
        var names: [String] = []
        for index in 0..<count {
            var info = SF_FORMAT_INFO(format: index, name: nil, extension: nil)
            guard sf_command(nil, Int32(SFC_GET_FORMAT_MAJOR), &info, Int32(MemoryLayout<SF_FORMAT_INFO>.size)) == 0
            else {
                continue
            }
            if let ending = info.extension { names.append(String(cString: ending)) }
        }
        let wanted = ["wav", "flac", "oga"]
        let missing = wanted.filter { !names.contains($0) && !($0 == "oga" && names.contains("ogg")) }
        return missing.isEmpty
            ? .ok("sound files", "WAV, FLAC, Ogg\(names.contains("m1a") || names.contains("mp3") ? ", MP3" : "")")
            : .note(
                "sound files", "libsndfile lacks \(missing.joined(separator: ", "))", "install a complete libsndfile1")
    }

    private static func text(_ pointer: UnsafePointer<CChar>?) -> String { pointer.map { String(cString: $0) } ?? "?" }

    /// The first part of a version text that begins with a digit.
    private static func number(_ text: String) -> String {
        text.split(whereSeparator: { " -/,".contains($0) }).first { $0.first?.isNumber == true && $0.contains(".") }
            .map(String.init) ?? text
    }
}
