extension LlamaModel {
    /// The tensors that a checkpoint of this configuration has, by name and shape, in the order of the network.
    public static func tensors(_ c: LlamaConfiguration) -> [(name: String, shape: [Int])] {
        let (hidden, keys) = (c.hidden_size, c.keyValueSize)
        var tensors = [(name: "model.embed_tokens.weight", shape: [c.vocab_size, hidden])]
        for layer in 0..<c.num_hidden_layers {
            let prefix = "model.layers.\(layer)."
            tensors.append((prefix + "input_layernorm.weight", [hidden]))
            for (name, rows) in [("q", hidden), ("k", keys), ("v", keys), ("o", hidden)] {
                tensors.append(("\(prefix)self_attn.\(name)_proj.weight", [rows, hidden]))
                if c.attention_bias { tensors.append(("\(prefix)self_attn.\(name)_proj.bias", [rows])) }
            }
            tensors.append((prefix + "post_attention_layernorm.weight", [hidden]))
            tensors.append((prefix + "mlp.gate_proj.weight", [c.intermediate_size, hidden]))
            tensors.append((prefix + "mlp.up_proj.weight", [c.intermediate_size, hidden]))
            tensors.append((prefix + "mlp.down_proj.weight", [hidden, c.intermediate_size]))
        }
        tensors.append(("model.norm.weight", [hidden]))
        if !c.tie_word_embeddings { tensors.append(("lm_head.weight", [c.vocab_size, hidden])) }
        return tensors
    }
}
