import TestSupport
import Testing

@testable import Tokenizers

@Suite struct TokenTrieTests {
    private func split(_ text: String, _ tokens: [String]) -> [String] {
        var trie = TokenTrie()
        for (id, token) in tokens.enumerated() { trie.insert(token.unicodeScalars, id: Int32(id)) }
        let scalars = Array(text.unicodeScalars)
        return trie.split(scalars).map { range in
            var view = String.UnicodeScalarView()
            view.append(contentsOf: scalars[range])
            return String(view)
        }
    }

    @Test func textIsCutAlongTheLongestTokens() {
        #expect(split("[CLS] This is a extra_id_100", []) == ["[CLS] This is a extra_id_100"])
        #expect(
            split("[CLS] This is a extra_id_100", ["[CLS]", "extra_id_1", "extra_id_100"])
                == ["[CLS]", " This is a ", "extra_id_100"])
        #expect(split("ABC", ["A", "ABC"]) == ["ABC"])
        #expect(split("AB", ["A", "ABC"]) == ["A", "B"])
        #expect(split("blower", ["blowing", "lower"]) == ["b", "lower"])
        #expect(split("", ["A"]) == [])
        #expect(split("AA", ["A"]) == ["A", "A"])
    }

    @Test func aTokenThatBeginsEarlierWins() {
        #expect(split("[CLS]L", ["[CLS]", "L"]) == ["[CLS]", "L"])
        #expect(split("abcd", ["ab", "bcd"]) == ["ab", "cd"])
        #expect(split("xabcdy", ["abcd", "bc"]) == ["x", "abcd", "y"])
    }

    /// The reference looks one scalar too far past a failed partial match; texts must come out as it trained on them.
    @Test func aFailedEarlierMatchIsTriedOnceMoreAsInTheReference() {
        #expect(split("abcxd", ["abcd", "bc"]) == ["abcxd"])
        #expect(split("abcxe", ["abcd", "bc"]) == ["a", "bc", "xe"])
    }
}
