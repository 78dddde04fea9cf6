import Checkpoints
import Foundation

/// What the weights of a SEED tokenizer do not tell; all other sizes are those of its tensors.
///
/// The official files come without a description, since the reference has these numbers in its code. A folder of another
/// network may hold them in a `seed_config.json`: `{"vision_heads": 4, "vision_depth": 3, "query_heads": 6}`, each of which
/// may be left out.
public struct SEEDConfiguration: Sendable, Equatable {
    /// Attention heads of the vision transformer; officially 16 of 88 channels.
    public var visionHeads = 16
    /// Blocks of the vision transformer that are used; officially 39 of the 40 that the file has.
    public var visionDepth = 39
    /// Attention heads of the Q-Former; officially 12.
    public var queryHeads = 12

    /// The official network.
    public init() {}

    /// The file of a folder that describes another network than the official one.
    public static let fileName = "seed_config.json"

    /// What the folder's own description says, or the official network where there is none.
    public init(folder: URL) throws {
        self.init()
        let file = folder.appending(path: Self.fileName)
        guard FileManager.default.fileExists(atPath: file.path) else { return }
        try self.init(contentsOf: file)
    }

    /// Reads a description.
    init(contentsOf file: URL) throws {
        self.init()
        struct Description: Decodable {
            var vision_heads: Int?
            var vision_depth: Int?
            var query_heads: Int?
        }
        func refuse(_ reason: String) -> SEEDError { .unsuitableFolder(path: file.path, reason: reason) }
        let description: Description
        do {
            description = try JSONDecoder().decode(Description.self, from: ConfigurationFile.contents(of: file))
        } catch let error as CheckpointError {
            throw refuse(error.reason)
        } catch {
            throw refuse("is not a description: an object with whole numbers is expected")
        }
        let named = [
            ("vision_heads", description.vision_heads), ("vision_depth", description.vision_depth),
            ("query_heads", description.query_heads),
        ]
        for case (let key, let value?) in named where !(1...4096).contains(value) {
            throw refuse("\(key) is \(value), expected 1 to 4096")
        }
        visionHeads = description.vision_heads ?? visionHeads
        visionDepth = description.vision_depth ?? visionDepth
        queryHeads = description.query_heads ?? queryHeads
    }
}
