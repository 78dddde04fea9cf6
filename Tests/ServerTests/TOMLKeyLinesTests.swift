import Testing

@testable import Server

struct TOMLKeyLinesTests {
    /// The lines by key, the names joined by `/`.
    private func lines(_ text: String) -> [String: Int] {
        let lines = TOMLKeyLines(text).lines.map { ($0.joined(separator: "/"), $1) }
        return Dictionary(uniqueKeysWithValues: lines)
    }

    @Test("Keys stand under their tables")
    func tables() {
        #expect(
            lines("a = 1\n\n[b]\nc = 2\r\n  [ d . e ]  # x\n\tf=3") == [
                "a": 1, "b": 3, "b/c": 4, "d": 5, "d/e": 5, "d/e/f": 6,
            ])
    }

    @Test("Dotted and quoted keys are taken apart as TOML does")
    func keys() {
        let text = "a.b = 1\n\"c.d\" . e = 2\n'f\"' = 3\n\"g\\u0068\\\"\" = 4\n[\"x y\".z]\n3.14 = 5"
        #expect(
            lines(text) == [
                "a": 1, "a/b": 1, "c.d": 2, "c.d/e": 2, "f\"": 3, "gh\"": 4, "x y": 5, "x y/z": 5, "x y/z/3": 6,
                "x y/z/3/14": 6,
            ])
    }

    @Test("What looks like a key inside of a string or a comment is none")
    func strings() {
        let text = #"""
            a = "x = 1 # no"  # b = 2
            c = 'back\'
            d = """
            [e]
            f = 1 \""" still
            """ # g = 1
            h = '''
            i = 1''''
            j = """"quoted"""""
            k = 1
            """#
        #expect(lines(text) == ["a": 1, "c": 2, "d": 3, "h": 7, "j": 9, "k": 10])
    }

    @Test("Arrays may span lines and hold anything; keys in them have no line of their own table")
    func arrays() {
        let text =
            "a = [ # [x]\n  1, \"]\",\n  [2, '[']\n] \nb = 2\n[[c]]\nd = 1\n[[c]]\nd = 2\n[e]\nf = [{ g = 1 }, { g = 2 }]"
        let scan = TOMLKeyLines(text)
        #expect(scan.lines[["b"]] == 5)
        #expect(scan.lines[["c", "d"]] == 7)
        #expect(scan.lines[["e", "f"]] == 11)
        #expect(scan.repetitions.isEmpty)
    }

    @Test("Keys of inline tables stand on their lines")
    func inlineTables() {
        #expect(
            lines("a = { b = 1, c.d = \"}\", e = { f = [1, 2] } }\ng = {}\nh = 1") == [
                "a": 1, "a/b": 1, "a/c": 1, "a/c/d": 1, "a/e": 1, "a/e/f": 1, "g": 2, "h": 3,
            ])
    }

    @Test("Repetitions are told with both lines")
    func repetitions() {
        let scan = TOMLKeyLines("a = 1\nb.c = 1\nb.d = 2\na = 3\n[e.f]\n[e]\n[e.f]\n")
        #expect(
            scan.repetitions == [
                .init(path: ["a"], line: 4, firstLine: 1), .init(path: ["e", "f"], line: 7, firstLine: 5),
            ])
    }

    @Test(
        "Deep nesting ends",
        arguments: ["a = " + String(repeating: "[", count: 100_000), "a = " + String(repeating: "{b=", count: 100_000)])
    func deep(text: String) {
        #expect(TOMLKeyLines(text).lines[["a"]] == 1)
    }

    @Test("Distances between words")
    func distances() {
        #expect(Suggestion.distance("", "abc") == 3)
        #expect(Suggestion.distance("port", "port") == 0)
        #expect(Suggestion.distance("prot", "port") == 1)
        #expect(Suggestion.distance("kitten", "sitting") == 3)
    }
}
