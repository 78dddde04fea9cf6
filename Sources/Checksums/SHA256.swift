import CCrypto
public import Foundation

/// A SHA-256 digest in the making (FIPS 180-4), by OpenSSL's libcrypto, which uses the processor's own instructions.
///
///     var digest = SHA256()
///     digest.update(bytes)
///     let hex = digest.finished()
public struct SHA256: ~Copyable {
    private let context: OpaquePointer

    /// The digest of nothing, so far.
    public init() {
        guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
            preconditionFailure("libcrypto has no SHA-256")
        }
        self.context = context
    }

    deinit { EVP_MD_CTX_free(context) }

    /// Adds bytes.
    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        precondition(EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1, "a digest that is finished")
    }

    /// Adds bytes.
    public mutating func update(_ bytes: some DataProtocol) {
        for region in bytes.regions { region.withUnsafeBytes { update($0) } }
    }

    /// The digest as 64 lowercase hexadecimal digits.
    public consuming func finished() -> String {
        var digest = [UInt8](repeating: 0, count: 32)
        precondition(EVP_DigestFinal_ex(context, &digest, nil) == 1, "a digest that is finished")
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    /// The digest of bytes at hand.
    public static func hex(of bytes: some DataProtocol) -> String {
        var digest = SHA256()
        digest.update(bytes)
        return digest.finished()
    }

    /// The digest of a file, read piece by piece. `progress` is told the bytes read so far.
    public static func hex(ofFile url: URL, progress: (Int) throws -> Void = { _ in }) throws -> String {
        let file = try FileHandle(forReadingFrom: url)
        defer { try? file.close() }
        var digest = SHA256()
        var count = 0
        while let piece = try file.read(upToCount: 1 << 20), !piece.isEmpty {
            digest.update(piece)
            count += piece.count
            try progress(count)
        }
        return digest.finished()
    }
}
