import Foundation
import TestSupport

/// A folder that goes away with this object.
final class TemporaryFolder {
    let url = URL(filePath: NSTemporaryDirectory()).appending(path: "anygpt-unclip-\(UUID().uuidString)")

    /// An empty folder, or a copy of a golden pipeline.
    init(copying pipeline: String? = nil) throws {
        if let pipeline {
            try FileManager.default.copyItem(at: Golden.file(pipeline, "stable-diffusion-2-1-unclip"), to: url)
        } else {
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        }
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    /// Changes a value of a JSON file; nil takes the key away.
    func edit(_ file: String, _ key: String, _ value: Any?) throws {
        let url = url.appending(path: file)
        var object = try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [String: Any] ?? [:]
        object[key] = value
        try JSONSerialization.data(withJSONObject: object).write(to: url)
    }
}
