import Foundation

/// Whether the files that a configuration names are there: found out before anything is loaded, and told by their keys.
enum ModelFiles {
    static func check(_ model: Configuration.Model) throws(DaemonFailure) {
        try check("model.llama", model.llama, isFolder: true)
        try check("model.speech_tokenizer", model.speechTokenizer, isFolder: true)
        try check("model.soundstorm", model.soundStorm, isFolder: false)
        if !model.voice.isEmpty { try check("model.voice", model.voice, isFolder: false) }
    }

    private static func check(_ key: String, _ path: String, isFolder: Bool) throws(DaemonFailure) {
        let kind = isFolder ? "folder" : "file"
        func failure(_ reason: String) -> DaemonFailure {
            DaemonFailure(
                status: .models,
                description: "\(key): \(reason): set it to where the model's \(kind) lies, readable for this user"
            )
        }
        var status = stat()
        guard stat(path, &status) == 0 else {
            throw errno == ENOENT
                ? failure("there is no \(kind) \(path)") : failure("\(path): \(String(cString: strerror(errno)))")
        }
        guard (status.st_mode & S_IFMT == S_IFDIR) == isFolder else { throw failure("\(path) is not a \(kind)") }
        guard access(path, isFolder ? R_OK | X_OK : R_OK) == 0 else {
            throw failure("\(path): \(String(cString: strerror(errno)))")
        }
    }
}
