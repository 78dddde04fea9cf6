import CCrypto
public import Foundation

/// Git's name for the content of a file: the SHA-1 of `blob SIZE`, a zero byte and the bytes. Not a protection against
/// malice, but a sure sign of damage.
public enum GitBlob {
    /// The name as 40 lowercase hexadecimal digits. `progress` is told the bytes read so far.
    public static func name(ofFile url: URL, progress: (Int) throws -> Void = { _ in }) throws -> String {
        let size = try FileManager.default.attributesOfItem(atPath: url.path)[.size] as? Int ?? 0
        var digest = MessageDigest(EVP_sha1())
        Array("blob \(size)\0".utf8).withUnsafeBytes { digest.update($0) }
        try digest.update(file: url, progress: progress)
        return digest.finished()
    }
}
