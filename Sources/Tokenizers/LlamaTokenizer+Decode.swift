extension LlamaTokenizer {
    /// The text of some ids: runs of pieces, and every added token as a part of its own. An id that no token has
    /// contributes nothing.
    ///
    /// - Parameters:
    ///   - skipSpecialTokens: leaves `<s>`, `</s>`, `<unk>` and other special tokens out.
    ///   - spacesBetweenSpecialTokens: joins the parts with a space.
    public func decode(
        _ ids: [Int32], skipSpecialTokens: Bool, spacesBetweenSpecialTokens: Bool = true
    ) -> String {
        var parts: [[UInt8]] = []
        var run: [Int32] = []
        for id in ids where vocabulary.strings.indices.contains(Int(id)) {
            if skipSpecialTokens, vocabulary.isSpecial[Int(id)] { continue }
            guard vocabulary.roles[Int(id)] == .added else {
                run.append(id)
                continue
            }
            // Only here is an empty run left out: at the end it still is a part.
            let text = decodeRun(run)
            if !text.isEmpty { parts.append(text) }
            run.removeAll(keepingCapacity: true)
            parts.append(vocabulary.strings[Int(id)])
        }
        if !run.isEmpty { parts.append(decodeRun(run)) }
        let separator = spacesBetweenSpecialTokens ? [UInt8(ascii: " ")] : []
        return String(decoding: Array(parts.joined(separator: separator)), as: UTF8.self)
    }

    private func decodeRun(_ ids: [Int32]) -> [UInt8] {
        var output: [UInt8] = []
        var text: [UInt8] = []
        var run = PieceRun()
        var followsSpecial = false
        for (index, id) in ids.enumerated() {
            guard vocabulary.roles[Int(id)] == .special else {
                run.append(id, of: self, to: &text)
                followsSpecial = false
                continue
            }
            // The space comes before the text that the special token follows, not between the two.
            if isLegacy, index > 0, !followsSpecial { output.append(UInt8(ascii: " ")) }
            run.finish(to: &text)
            output += text
            output += vocabulary.strings[Int(id)]
            text.removeAll(keepingCapacity: true)
            run = .continued
            followsSpecial = true
        }
        run.finish(to: &text)
        return output + text
    }
}
