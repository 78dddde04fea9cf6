/// A file that could not be read as a picture, or a picture that could not be written.
public enum ImageFileError: Error, Equatable, CustomStringConvertible {
    /// It is no picture at all.
    case notAPicture(String)
    /// A picture, but of a kind that is not read: "a GIF", or a PNG with something unusual.
    case unsupported(String)
    /// The picture, or its file, is beyond a limit.
    case tooLarge(String)
    /// The file ends before the picture does.
    case truncated(ImageFormat)
    /// The file is damaged, with the reason.
    case corrupt(ImageFormat, String)
    /// The machine has no memory left for it.
    case outOfMemory
    /// A text that a PNG file cannot carry, with the reason.
    case unsuitableText(String)

    /// One line for a person, with what to do next.
    public var description: String {
        switch self {
        case .notAPicture(let reason): "this is no picture: \(reason); send a PNG, JPEG or WebP file"
        case .unsupported(let kind): "\(kind) is not read; save the picture as PNG, JPEG or WebP and send that"
        case .tooLarge(let reason): "the picture is too large: \(reason); send a smaller one"
        case .truncated(let format): "the \(format.name) file ends before its picture does; send the whole file"
        case .corrupt(let format, let reason):
            "the \(format.name) file is damaged (\(reason)); save it anew and send that"
        case .outOfMemory: "there is not enough memory for the picture; send a smaller one"
        case .unsuitableText(let reason): "the text cannot be written into a PNG file: \(reason)"
        }
    }
}

extension ImageFormat {
    /// What people call it.
    var name: String {
        switch self {
        case .png: "PNG"
        case .jpeg: "JPEG"
        case .webp: "WebP"
        }
    }
}
