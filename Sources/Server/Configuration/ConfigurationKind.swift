import AnyGPT
import Foundation

extension Configuration.Model {
    /// What a backbone has been taught, as the configuration tells it.
    public enum Kind: String, Sendable, CaseIterable {
        /// The name of its folder tells.
        case auto
        /// To converse.
        case chat
        /// Single tasks.
        case base
    }

    /// What the backbone has been taught.
    public var backboneKind: ModelKind {
        switch kind {
        case .auto: ModelKind(folder: URL(filePath: llama))
        case .chat: .chat
        case .base: .base
        }
    }
}
