"""A LLaMA with Hugging Face's key names. [batch, token] ids -> [batch, token, vocabulary] logits."""

from dataclasses import dataclass, fields

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..words.runs import Grammar
from .soundstorm import rotary_table, rotate


@dataclass
class LlamaConfig:
    vocab_size: int
    hidden_size: int = 256
    intermediate_size: int = 576
    num_hidden_layers: int = 7
    num_attention_heads: int = 4
    max_position_embeddings: int = 4096
    rms_norm_eps: float = 1e-5

    @classmethod
    def of(cls, values: dict) -> "LlamaConfig":
        """Of an official `config.json`."""
        return cls(**{field.name: values[field.name] for field in fields(cls)})

    def json(self) -> dict:
        """The official `config.json`."""
        return {
            "architectures": ["LlamaForCausalLM"],
            "attention_bias": False,
            "bos_token_id": 1,
            "eos_token_id": 2,
            "hidden_act": "silu",
            "hidden_size": self.hidden_size,
            "initializer_range": 0.02,
            "intermediate_size": self.intermediate_size,
            "max_position_embeddings": self.max_position_embeddings,
            "model_type": "llama",
            "num_attention_heads": self.num_attention_heads,
            "num_hidden_layers": self.num_hidden_layers,
            "num_key_value_heads": self.num_attention_heads,
            "pretraining_tp": 1,
            "rms_norm_eps": self.rms_norm_eps,
            "rope_scaling": None,
            "rope_theta": 10000.0,
            "tie_word_embeddings": False,
            "torch_dtype": "float16",
            "transformers_version": "4.34.1",
            "use_cache": True,
            "vocab_size": self.vocab_size,
        }


Cache = list[Tensor]  # keys and values of a layer, [batch, head, token, head_dim] each; empty at first


class Attention(nn.Module):
    def __init__(self, c: LlamaConfig) -> None:
        super().__init__()
        self.heads = c.num_attention_heads
        for name in ("q_proj", "k_proj", "v_proj", "o_proj"):
            setattr(self, name, nn.Linear(c.hidden_size, c.hidden_size, bias=False))

    def forward(self, x: Tensor, rotary: tuple[Tensor, Tensor], cache: Cache | None) -> Tensor:
        batch, tokens, _ = x.shape
        q, k, v = (
            project(x).view(batch, tokens, self.heads, -1).transpose(1, 2)
            for project in (self.q_proj, self.k_proj, self.v_proj)
        )
        q, k = rotate(q, rotary).to(v.dtype), rotate(k, rotary).to(v.dtype)
        causal = True
        if cache is not None:
            if cache:
                k, v = torch.cat([cache[0], k], 2), torch.cat([cache[1], v], 2)
                causal = False
                assert tokens == 1, "with a filled cache, tokens come one at a time"
            cache[:] = [k, v]
        y = F.scaled_dot_product_attention(q, k, v, is_causal=causal)
        return self.o_proj(y.transpose(1, 2).reshape(batch, tokens, -1))


class MLP(nn.Module):
    def __init__(self, c: LlamaConfig) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(c.hidden_size, c.intermediate_size, bias=False)
        self.up_proj = nn.Linear(c.hidden_size, c.intermediate_size, bias=False)
        self.down_proj = nn.Linear(c.intermediate_size, c.hidden_size, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    def __init__(self, c: LlamaConfig) -> None:
        super().__init__()
        self.input_layernorm = nn.RMSNorm(c.hidden_size, c.rms_norm_eps)
        self.self_attn = Attention(c)
        self.post_attention_layernorm = nn.RMSNorm(c.hidden_size, c.rms_norm_eps)
        self.mlp = MLP(c)

    def forward(self, x: Tensor, rotary: tuple[Tensor, Tensor], cache: Cache | None) -> Tensor:
        x = x + self.self_attn(self.input_layernorm(x), rotary, cache)
        return x + self.mlp(self.post_attention_layernorm(x))


class Model(nn.Module):
    def __init__(self, c: LlamaConfig) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(c.vocab_size, c.hidden_size)
        self.layers = nn.ModuleList(Layer(c) for _ in range(c.num_hidden_layers))
        self.norm = nn.RMSNorm(c.hidden_size, c.rms_norm_eps)


class Llama(nn.Module):
    def __init__(self, config: LlamaConfig) -> None:
        super().__init__()
        self.config = config
        self.model = Model(config)
        self.lm_head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
        for parameter in self.parameters():
            if parameter.dim() > 1:
                nn.init.normal_(parameter, std=0.02)

    def hidden(
        self, ids: Tensor, offset: int = 0, caches: list[Cache] | None = None, between: list[Tensor] | None = None
    ) -> Tensor:
        """[batch, token] -> [batch, token, hidden] after the last norm; `between` takes what each layer gives."""
        c = self.config
        x = self.model.embed_tokens(ids)
        table = rotary_table(offset + ids.shape[1], c.hidden_size // c.num_attention_heads)
        rotary = table[0][offset:], table[1][offset:]
        for index, layer in enumerate(self.model.layers):
            x = layer(x, rotary, None if caches is None else caches[index])
            if between is not None:
                between.append(x)
        return self.model.norm(x)

    def forward(self, ids: Tensor, offset: int = 0, caches: list[Cache] | None = None) -> Tensor:
        return self.lm_head(self.hidden(ids, offset, caches))

    @torch.no_grad()
    def generate(self, prompt: list[int], stop: int, limit: int, grammar: Grammar | None = None) -> list[int]:
        """Greedy continuation up to and with `stop`, of what the grammar lets come; it has seen the prompt."""
        caches: list[Cache] = [[] for _ in self.model.layers]
        logits = self(torch.tensor([prompt]), 0, caches)[0, -1]
        out: list[int] = []
        while len(out) < limit:
            if grammar is not None and (allowed := grammar.allowed) is not None:
                logits = logits.masked_fill(~allowed, -torch.inf)
            out.append(int(logits.argmax()))
            if grammar is not None:
                grammar.accept(out[-1])
            if out[-1] == stop:
                break
            logits = self(torch.tensor([out[-1:]]), len(prompt) + len(out) - 1, caches)[0, -1]
        return out
