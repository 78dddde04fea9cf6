import Checkpoints
import Foundation
import Parity
import TestSupport
import Testing

/// Cases that are made wrong on purpose: the right row fails, and no other.
@Suite("Cases that must fail")
struct WrongCaseTests {
    @Test("a flipped id fails its row, which says where and what")
    func flippedID() throws {
        let altered = try AlteredCase("soundstorm")
        let ids = try altered.expected("steps3.prompt.out")
        let right = try #require(ids.integers?[13])
        try altered.changeTensors(["steps3.prompt.out": ids.with(right ^ 1, at: 13)])
        let failures = try altered.failures()
        #expect(failures.keys.sorted() == ["steps3.prompt.out"])
        let row = try #require(failures["steps3.prompt.out"])
        #expect(row.note == "at [1, 5]: \(right), expected \(right ^ 1)")
        #expect(row.equalShare == 1 - 1 / Double(ids.count))
    }

    @Test("a number that is too far off, and a NaN, fail their rows")
    func wrongNumbers() throws {
        let altered = try AlteredCase("sampling")
        let probabilities = try altered.expected("temperature.probs")
        let scores = try altered.expected("temperature.scores")
        try altered.changeTensors([
            "temperature.probs": probabilities.with(probabilities.floats[7] + 1e-4, at: 7),
            "temperature.scores": scores.with(Float.nan, at: 601),
        ])
        let failures = try altered.failures()
        #expect(failures.keys.sorted() == ["temperature.probs", "temperature.scores"])
        #expect(failures["temperature.scores"]?.largestError?.isNaN == true)
        #expect(failures["temperature.scores"]?.note?.hasPrefix("at [1, 1]: ") == true)
        let error = try #require(failures["temperature.probs"]?.largestError)
        #expect(abs(error - 1e-4) < 1e-6)
    }

    @Test("another rule is followed")
    func changedRule() throws {
        let altered = try AlteredCase("soundstorm")
        try altered.changeRules { rules in
            rules["forward.logits"] = ["abs": 1e-12]
            rules["steps1.plain.out"] = ["info": true]
        }
        #expect(try altered.failures().keys.sorted() == ["forward.logits"])
        let report = try altered.verify()
        #expect(report.rows.first { $0.name == "steps1.plain.out" }?.outcome == .notCompared)
    }

    @Test("a tensor that is missing, one without a rule, and one that nothing computes fail by name")
    func unexpectedNames() throws {
        let altered = try AlteredCase("sampling")
        try altered.changeTensors(["top_k.probs": nil, "bottom_k.probs": TypedArray([Float(0)], shape: [1])])
        try altered.changeRules { rules in
            rules["top_p.probs"] = nil
            rules["bottom_k.probs"] = ["abs": 1]
        }
        let failures = try altered.failures()
        #expect(failures.keys.sorted() == ["bottom_k.probs", "top_k.probs", "top_p.probs"])
        #expect(failures["top_k.probs"]?.note == "is missing in expected.safetensors")
        #expect(failures["top_p.probs"]?.note == "compare.json has no rule for it")
        #expect(failures["bottom_k.probs"]?.note == "nothing computes it from the case's inputs")
    }

    @Test("another shape fails with both shapes")
    func wrongShape() throws {
        let altered = try AlteredCase("soundstorm")
        let logits = try altered.expected("forward.logits")
        try altered.changeTensors([
            "forward.logits": TypedArray(dtype: logits.dtype, shape: [24, 7, 1024], bytes: logits.bytes)
        ])
        let failures = try altered.failures()
        #expect(failures.keys.sorted() == ["forward.logits"])
        #expect(failures["forward.logits"]?.note == "the shape is [168, 1024], expected [24, 7, 1024]")
    }

    @Test("another number type, another bit and a key that is not there fail in files")
    func torchFile() throws {
        let altered = try AlteredCase("torch-file")
        let half = try altered.expected("plain/half")
        var bytes = try altered.expected("plain/bytes")
        bytes = TypedArray(dtype: .uint8, shape: bytes.shape, bytes: bytes.bytes.map { $0 ^ 128 })
        try altered.changeTensors([
            "plain/half": TypedArray(half.floats, shape: half.shape), "plain/bytes": bytes,
            "views/nothing": TypedArray([Float(1)], shape: [1]), "gone/weight": TypedArray([Float(1)], shape: [1]),
        ])
        try altered.changeRules { rules in
            rules["views/nothing"] = ["exact": true]
            rules["gone/weight"] = ["exact": true]
        }
        let failures = try altered.failures()
        let names = failures.keys.filter { !$0.hasPrefix("legacy.pt/") }.sorted()
        #expect(names == ["gone/weight", "plain/bytes", "plain/half", "views/nothing"])
        #expect(failures["plain/half"]?.note?.contains("F16 bits") == true)
        #expect(failures["views/nothing"]?.note == "is not found in views.pt")
        #expect(failures["gone/weight"]?.note == "the case has no file gone.*")
    }

    @Test("a network of another configuration fails where it departs")
    func otherNetwork() throws {
        let storm = try AlteredCase("soundstorm")
        try storm.change("case.json") { object in
            object["config"] = ["num_quantizers": 7, "conformer": ["heads": 1, "dim_head": 64]]
        }
        let failures = try storm.failures()
        #expect(failures["forward.input_to_conformer"] == nil)
        #expect(failures["forward.after_block0"] != nil && failures["forward.logits"] != nil)

        let llama = try AlteredCase("llama-hf")
        try llama.change("config.json") { $0["rope_theta"] = 5000.0 }
        let wrong = try llama.failures()
        #expect(wrong["prompt1.logits"] != nil && wrong["prompt1.logits (pytorch_model.bin.index.json)"] != nil)
        #expect(wrong.keys.allSatisfy { !$0.hasPrefix("strings") })
    }

    @Test("a string of the tokenizer's that differs is named, and where it differs")
    func wrongString() throws {
        let altered = try AlteredCase("llama-hf")
        try altered.change("strings.json") { object in
            var texts = object["tokenize"] as? [[String: Any]] ?? []
            texts[2]["ids"] = [1, 2, 3]
            object["tokenize"] = texts
        }
        let failures = try altered.failures()
        #expect(failures["strings: ids"]?.note?.hasPrefix("plain 2: ") == true)
        #expect(failures["strings: ids"]?.equalShare == 63 / 64.0)
        #expect(failures.keys.allSatisfy { $0.hasPrefix("strings: ") })
    }

    @Test("a deeper code of a prefix is excused only where both codes are equally near")
    func measuredMargin() throws {
        let altered = try AlteredCase("speechtokenizer-elu")
        let codes = try altered.expected("clip0.prefix02.codes")
        let index = 3 * 50 + 20
        let right = try #require(codes.integers?[index])
        try altered.changeTensors(["clip0.prefix02.codes": codes.with((right + 1) % 1024, at: index)])
        let failures = try altered.failures()
        #expect(failures.keys.sorted() == ["clip0.prefix02.codes"])
        #expect(failures.values.first?.note == "at [3, 20]: \(right), expected \((right + 1) % 1024)")
    }

    @Test("codes that no codebook has fail the waves that would be made of them")
    func impossibleCodes() throws {
        let altered = try AlteredCase("speechtokenizer-elu")
        let codes = try altered.expected("short960.codes")
        try altered.changeTensors(["short960.codes": codes.with(1 << 40, at: 0)])
        let failures = try altered.failures()
        #expect(failures.keys.sorted() == ["short960.codes", "short960.wave_from_all_codes"])
    }

    @Test("margins and choices of another shape, or missing, fail what hangs on them")
    func missingChoices() throws {
        let storm = try AlteredCase("soundstorm")
        try storm.changeTensors(["padded_rows": nil])
        #expect(try storm.failures().keys.sorted() == ["forward.logits_last5_padded", "padded_rows"])

        let speech = try AlteredCase("speechtokenizer-elu")
        let margin = try speech.expected("short960.margin")
        let codes = try speech.expected("short320.codes")
        try speech.changeTensors([
            "short960.margin": TypedArray(margin.floats, shape: [3, 8]),
            "short320.codes": TypedArray(codes.integers ?? [], shape: [8]),
        ])
        let failures = try speech.failures()
        #expect(failures.keys.sorted() == ["short320.codes", "short960.codes"])
        #expect(failures["short320.codes"]?.note == "the shape is [8, 1], expected [8]")
    }
}
