import Foundation

extension CaseReport: Encodable {
    private enum CodingKeys: String, CodingKey {
        case folder, kind, rows, seconds, passed, failed, notCompared, succeeded
    }

    /// The report with its counts; NaN and infinities as words.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: CodingKeys.self)
        try members.encode(folder, forKey: .folder)
        try members.encode(kind, forKey: .kind)
        try members.encode(rows, forKey: .rows)
        try members.encode(seconds, forKey: .seconds)
        try members.encode(count(.passed), forKey: .passed)
        try members.encode(count(.failed), forKey: .failed)
        try members.encode(count(.notCompared), forKey: .notCompared)
        try members.encode(succeeded, forKey: .succeeded)
    }

    /// Reports as a JSON list.
    public static func json(_ reports: [CaseReport]) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        return String(decoding: try encoder.encode(reports), as: UTF8.self)
    }
}
