/// How music's codes are laid out among its tokens: frame by frame, and within a frame level by level, the codes of
/// level k counted from k times the size of a level (`modality_tokens_to_string` in `anything2token.py`).
public struct MusicTokens: Sendable, Equatable {
    /// Codes in a frame, one of each level: 4.
    public let levels: Int
    /// Codes of a level: 2048.
    public let size: Int

    /// A layout.
    public init(levels: Int, size: Int) {
        precondition(levels > 0 && size > 0)
        (self.levels, self.size) = (levels, size)
    }

    /// The numbers of the tokens of `codes[level][frame]`.
    public func numbers(_ codes: [[Int32]]) -> [Int32] {
        guard let frames = codes.first?.count else { return [] }
        return (0..<frames).flatMap { frame in
            codes.indices.map { codes[$0][frame] + Int32($0 * size) }
        }
    }

    /// The codes `[level][frame]` of tokens' numbers, as the reference takes them (`content2rvq_codes`): by position
    /// alone, so that a number which belongs to another level counts as one of its place's; and without the last ones
    /// when they make no whole frame.
    public func codes(_ numbers: some Collection<Int32>) -> [[Int32]] {
        let frames = numbers.count / levels
        var codes = Array(repeating: [Int32](), count: levels)
        for (index, number) in numbers.prefix(frames * levels).enumerated() {
            codes[index % levels].append(code(number))
        }
        return codes
    }

    /// The code that a token's number means at any place.
    public func code(_ number: Int32) -> Int32 {
        let rest = number % Int32(size)
        return rest < 0 ? rest + Int32(size) : rest
    }

    /// The numbers in a text, as the reference finds them in what stands between the marks: every run of decimal digits,
    /// wherever it stands. Each is taken modulo the size of a level, so it may have any length.
    public func numbers(in text: String) -> [Int32] {
        text.unicodeScalars.split { $0.properties.generalCategory != .decimalNumber }.map { digits in
            digits.reduce(Int32(0)) { value, digit in
                Int32((Int(value) * 10 + Int(digit.properties.numericValue ?? 0)) % size)
            }
        }
    }
}
