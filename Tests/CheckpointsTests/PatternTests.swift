import Checkpoints
import Testing

@Suite("Tensor patterns")
struct PatternTests {
    @Test(
        "A pattern matches what it should",
        arguments: [
            ("a.b", "a.b"), ("*", "weight"), ("a.*.c", "a.b.c"), ("a.*", "a."), ("layers.*.w*", "layers.12.weight"),
            ("**", "a.b.c"), ("**.inv_freq", "model.layers.0.inv_freq"), ("a.**", "a.b.c"), ("a**c", "abc"),
            ("*_ema", "a_ema_ema"), ("**.x.*", "a.x.x.b"), ("", ""),
        ])
    func matches(pattern: String, name: String) {
        #expect(TensorPattern(pattern).matches(name))
    }

    @Test(
        "A pattern does not match anything else",
        arguments: [
            ("a.b", "a.bc"), ("a.b", "xa.b"), ("*", "a.b"), ("a.*.c", "a.b.b.c"), ("a.*", "a"),
            ("**.inv_freq", "inv_freq"), ("", "a"), ("a.b", "aXb"), ("layers.*.w", "layers.1.2.w"),
        ])
    func refuses(pattern: String, name: String) {
        #expect(!TensorPattern(pattern).matches(name))
    }

    @Test("Many stars on a long name take no time")
    func manyStars() {
        let pattern = TensorPattern(String(repeating: "*a", count: 40) + "b")
        #expect(!pattern.matches(String(repeating: "a", count: 2_000)))
    }
}
