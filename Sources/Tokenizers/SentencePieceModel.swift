private import CSentencePiece

/// A loaded `tokenizer.model`: libsentencepiece encodes with it, the table decodes.
final class SentencePieceModel: Sendable {
    let table: PieceTable
    // Invariant: set in init, freed in deinit, and never changed between: libsentencepiece's const methods are safe to
    // call from any number of threads.
    nonisolated(unsafe) private let processor: OpaquePointer

    /// Loads a serialized `ModelProto`.
    ///
    /// - Parameter dummyPrefix: false switches the space in front of every encoded text off, whatever the file says.
    init(_ model: [UInt8], file: String, dummyPrefix: Bool) throws(TokenizerError) {
        do throws(ProtobufReader.Malformed) {
            var table = try PieceTable(model)
            if !dummyPrefix { table.dropDummyPrefix() }
            self.table = table
        } catch {
            throw TokenizerError(file: file, reason: error.reason)
        }
        let serialized = dummyPrefix ? model : model + PieceTable.withoutDummyPrefix
        var reason = Reason()
        let loaded = serialized.withUnsafeBytes { csp_load($0.baseAddress, $0.count, &reason.text, reason.text.count) }
        guard let loaded else { throw TokenizerError(file: file, reason: "libsentencepiece: \(reason)") }
        processor = loaded
        guard csp_piece_count(loaded) == table.pieces.count else {
            csp_free(loaded)
            throw TokenizerError(file: file, reason: "libsentencepiece counts other pieces than the file has")
        }
    }

    deinit {
        csp_free(processor)
    }

    /// The ids of the pieces of a text.
    func encode(_ text: String) throws(TokenizerError) -> [Int32] {
        var text = text
        var ids: UnsafeMutablePointer<Int32>?
        var reason = Reason()
        let count = text.withUTF8 { utf8 in
            utf8.withMemoryRebound(to: CChar.self) {
                csp_encode(processor, $0.baseAddress, $0.count, &ids, &reason.text, reason.text.count)
            }
        }
        defer { csp_free_ids(ids) }
        guard count >= 0 else { throw TokenizerError(reason: "libsentencepiece: \(reason)") }
        return Array(UnsafeBufferPointer(start: ids, count: count))
    }
}

/// Room for the reason of a failed C call.
private struct Reason: CustomStringConvertible {
    var text = [CChar](repeating: 0, count: 256)

    var description: String {
        String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
