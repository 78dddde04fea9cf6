import CCrypto
public import Foundation

/// A SHA-256 digest in the making (FIPS 180-4).
///
///     var digest = SHA256()
///     digest.update(bytes)
///     let hex = digest.finished()
public struct SHA256: ~Copyable {
    private var digest = MessageDigest(EVP_sha256())

    /// The digest of nothing, so far.
    public init() {}

    /// Adds bytes.
    public mutating func update(_ bytes: UnsafeRawBufferPointer) { digest.update(bytes) }

    /// Adds bytes.
    public mutating func update(_ bytes: some DataProtocol) {
        for region in bytes.regions { region.withUnsafeBytes { digest.update($0) } }
    }

    /// The digest as 64 lowercase hexadecimal digits.
    public consuming func finished() -> String { digest.finished() }

    /// The digest of bytes at hand.
    public static func hex(of bytes: some DataProtocol) -> String {
        var digest = SHA256()
        digest.update(bytes)
        return digest.finished()
    }

    /// The digest of a file from a byte on, read piece by piece. `progress` is told the bytes read so far.
    public static func hex(
        ofFile url: URL, from offset: Int = 0, progress: (Int) throws -> Void = { _ in }
    ) throws -> String {
        var digest = MessageDigest(EVP_sha256())
        try digest.update(file: url, from: offset, progress: progress)
        return digest.finished()
    }
}
