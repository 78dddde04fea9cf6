import CCrypto
import Foundation

/// A digest in the making, by OpenSSL's libcrypto, which uses the processor's own instructions.
struct MessageDigest: ~Copyable {
    private let context: OpaquePointer

    /// The digest of nothing, so far; `algorithm` is one that every libcrypto has.
    init(_ algorithm: OpaquePointer) {
        guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, algorithm, nil) == 1 else {
            preconditionFailure("libcrypto lacks a digest")
        }
        self.context = context
    }

    deinit { EVP_MD_CTX_free(context) }

    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        precondition(EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1, "a digest that is finished")
    }

    /// Lowercase hexadecimal digits.
    consuming func finished() -> String {
        var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: UInt32 = 0
        precondition(EVP_DigestFinal_ex(context, &digest, &count) == 1, "a digest that is finished")
        let digits = Array("0123456789abcdef".utf8)
        return String(
            decoding: digest.prefix(Int(count)).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    /// Adds a file from a byte on, piece by piece. `progress` is told the bytes read so far.
    mutating func update(file url: URL, from offset: Int = 0, progress: (Int) throws -> Void) throws {
        let file = try FileHandle(forReadingFrom: url)
        defer { try? file.close() }
        try file.seek(toOffset: UInt64(offset))
        var count = 0
        while let piece = try file.read(upToCount: 1 << 20), !piece.isEmpty {
            piece.withUnsafeBytes { update($0) }
            count += piece.count
            try progress(count)
        }
    }
}
