public import Foundation
import Tensors

/// The small files of text beside a model's weights.
public enum ConfigurationFile {
    /// Real ones have some kilobytes.
    public static let largest = 1 << 20

    /// The bytes of a file, whose kind and size are looked at before anything is read.
    public static func contents(of url: URL, atMost largest: Int = largest) throws(CheckpointError) -> Data {
        let file = try MappedFile.opened(url.path)
        guard file.count <= largest else {
            throw CheckpointError(file: url.path, reason: "has \(file.count) bytes, which no configuration has")
        }
        return withExtendedLifetime(file) { Data(file.bytes) }
    }
}
