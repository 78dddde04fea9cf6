/// What a sound file says about itself, where its kind has room for it.
public struct AudioFileTags: Sendable, Equatable {
    /// What it is called.
    public var title = ""
    /// What made it.
    public var software = ""
    /// Anything else.
    public var comment = ""

    /// No tags.
    public init() {}
}
