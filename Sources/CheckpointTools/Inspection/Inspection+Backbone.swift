import AnyGPT
import Checkpoints
import Foundation
import Llama
import Tensors
import Tokenizers

extension Inspection {
    /// The shape of a backbone, its vocabulary, what memory it takes at each precision, and what is missing.
    mutating func describeBackbone(_ url: URL, _ checkpoint: Checkpoint?) throws {
        let c: LlamaConfiguration
        do {
            c = try LlamaConfiguration(contentsOf: url.appending(path: "config.json"))
        } catch {
            missing.append("\(error)")
            return
        }
        add(
            "shape",
            "\(c.num_hidden_layers) layers, hidden \(c.hidden_size), intermediate \(c.intermediate_size), "
                + "\(c.num_attention_heads) heads"
                + (c.num_key_value_heads == c.num_attention_heads ? "" : " (\(c.num_key_value_heads) of keys)"))
        add("context", "\(c.max_position_embeddings) tokens")
        add("taught", ModelKind(folder: url).taught + ", says the folder's name (model.kind overrules it)")
        describeVocabulary(url, c)
        let tensors = LlamaModel.tensors(c)
        let sizes = Precision.allCases.map { precision in
            let bytes = tensors.reduce(0) {
                $0 + precision.byteCount($1.name, shape: $1.shape, dtype: .float32)
            }
            return "\(precision.rawValue) \(Size.text(bytes))"
        }
        let full = tensors.reduce(0) { $0 + $1.shape.reduce(4, *) }
        add("memory", "weights in fp32 \(Size.text(full)), " + sizes.joined(separator: ", "))
        let position = 8 * c.num_hidden_layers * c.num_key_value_heads * c.headSize
        add(
            "per session",
            "\(Size.text(position)) a token: \(Size.text(position * c.max_position_embeddings)) for the longest")
        if let checkpoint { check(checkpoint, tensors) }
    }

    private mutating func describeVocabulary(_ url: URL, _ c: LlamaConfiguration) {
        guard FileFacts(url.appending(path: "tokenizer.model")).exists else {
            missing.append("tokenizer.model, the tokenizer")
            return
        }
        do {
            let tokenizer = try LlamaTokenizer(folder: url)
            let vocabulary = try ModalityVocabulary(tokenizer)
            var parts = ["\(vocabulary.text.ranges.reduce(0) { $0 + $1.count }) text"]
            for modality in Modality.allCases {
                guard let block = vocabulary.block(modality) else { continue }
                let ids = block.codes
                codes[modality.rawValue] = ids.count
                parts.append("\(modality.rawValue) \(ids.count) (ids \(ids.lowerBound) to \(ids.upperBound - 1))")
            }
            add("vocabulary", "\(c.vocab_size): " + parts.joined(separator: ", "))
            add("assistant", "[\(vocabulary.assistant.rawValue)]")
            if tokenizer.count > c.vocab_size {
                missing.append("embeddings for the last \(tokenizer.count - c.vocab_size) tokens of the tokenizer")
            }
        } catch {
            missing.append("an AnyGPT vocabulary: \(error)")
        }
    }

    /// Holds the names and shapes of a checkpoint against those of the network.
    private mutating func check(_ checkpoint: Checkpoint, _ expected: [(name: String, shape: [Int])]) {
        var left = Set(checkpoint.names)
        for (name, shape) in expected {
            left.remove(name)
            left.remove(name + "_scale")
            guard let info = checkpoint.info(name) else {
                missing.append("tensor \(name) \(shape)")
                continue
            }
            let isQuantized =
                shape.count == 2
                && QuantizedFormat.allCases.contains { $0.shape(outputs: shape[0], inputs: shape[1]) == info.shape }
            if info.shape != shape, !isQuantized {
                missing.append("tensor \(name) as \(shape): it has \(info.shape)")
            }
        }
        left = left.filter { name in !LlamaModel.passedOver.contains { $0.matches(name) } && name != "lm_head.weight" }
        if !left.isEmpty {
            let shown = left.sorted().prefix(5).joined(separator: ", ")
            missing.append(
                "a place for \(left.count) tensors that no LLaMA has: \(shown)\(left.count > 5 ? ", …" : "")")
        }
    }
}
