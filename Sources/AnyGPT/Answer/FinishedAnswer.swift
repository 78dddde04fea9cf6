/// What the reference's chat script takes out of a finished answer's decoded text.
///
/// The daemon reads answers token by token; this is for comparing with the reference, which searches the text:
/// `extract_content_between_final_tags` in `anygpt/src/infer/pre_post_process.py`.
public enum FinishedAnswer {
    /// What stands between the last `start` and the last `end` of a text; nil when one is missing or they are swapped.
    public static func content(of text: String, from start: String, to end: String) -> String? {
        let bytes = Array(text.utf8)
        guard let first = lastIndex(of: Array(start.utf8), in: bytes),
            let last = lastIndex(of: Array(end.utf8), in: bytes)
        else { return nil }
        let begin = first + start.utf8.count
        guard first <= last else { return nil }
        return begin <= last ? String(decoding: bytes[begin..<last], as: UTF8.self) : ""
    }

    /// Every run of decimal digits in a text, as a number; nil where it is too large for one.
    public static func codes(in content: String) -> [Int?] {
        content.unicodeScalars.split { $0.properties.generalCategory != .decimalNumber }.map { digits in
            digits.reduce(Int?(0)) { value, digit in
                guard let value, let unit = digit.properties.numericValue else { return nil }
                let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
                let (sum, carry) = tens.addingReportingOverflow(Int(unit))
                return overflow || carry ? nil : sum
            }
        }
    }

    /// The offset at which `part` occurs last in `bytes`.
    private static func lastIndex(of part: [UInt8], in bytes: [UInt8]) -> Int? {
        guard bytes.count >= part.count else { return nil }
        return stride(from: bytes.count - part.count, through: 0, by: -1).first { bytes[$0...].starts(with: part) }
    }
}
