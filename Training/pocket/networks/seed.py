"""SEED's tokenizer of pictures, with the official names of its weights; every size is free.

A vision transformer (`eva_vit_g.pth`) and all that stands behind it (`seed_quantizer.pt`): a causal Q-Former, the
codebook, and the way from codes to the embedding that a picture is drawn from.
"""

import math
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

MEAN = (0.48145466, 0.4578275, 0.40821073)
DEVIATION = (0.26862954, 0.26130258, 0.27577711)


@dataclass
class SeedConfig:
    patch: int = 8
    grid: int = 6
    vision: int = 128
    vision_depth: int = 4
    vision_heads: int = 4
    width: int = 96  # of the Q-Former; a multiple of 12, as many heads as the blocks on the way back have
    depth: int = 2  # of the Q-Former, whose every other layer looks at the picture
    heads: int = 6
    queries: int = 32
    codes: int = 1024
    dimension: int = 7
    vision_hidden: int = 512
    hidden: int = 384  # of the Q-Former's feed-forward networks
    back: int = 1  # blocks on the way from codes to the embedding
    back_hidden: int = 96
    down: tuple[int, ...] = (2,)  # widths of a token on the way down to the embedding
    embedding: int = 64

    def json(self) -> dict:
        return {"vision_heads": self.vision_heads, "vision_depth": self.vision_depth, "query_heads": self.heads}


class Attention(nn.Module):
    """Fused queries, keys and values; EVA's keys have no bias."""

    def __init__(self, size: int, heads: int, keys_bias: bool) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(size, 3 * size, bias=keys_bias)
        self.proj = nn.Linear(size, size)
        if not keys_bias:
            self.q_bias = nn.Parameter(torch.zeros(size))
            self.v_bias = nn.Parameter(torch.zeros(size))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        rows, tokens, size = x.shape
        wide = self.qkv(x)
        if self.qkv.bias is None:
            wide = wide + torch.cat([self.q_bias, torch.zeros_like(self.q_bias), self.v_bias])
        q, k, v = wide.view(rows, tokens, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        return self.proj(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(rows, tokens, size))


class Mlp(nn.Module):
    def __init__(self, size: int, hidden: int) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(size, hidden), nn.Linear(hidden, size)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc2(F.gelu(self.fc1(x)))


class Block(nn.Module):
    def __init__(self, size: int, heads: int, hidden: int, keys_bias: bool) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(size, 1e-6), nn.LayerNorm(size, 1e-6)
        self.attn, self.mlp = Attention(size, heads, keys_bias), Mlp(size, hidden)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


def places(grid: int, size: int) -> torch.Tensor:
    """Sines and cosines of a patch's row and column to begin with: [1, 1 + grid², size]."""
    angles = torch.arange(grid)[:, None] * 10 ** (-torch.arange(size // 4) / (size // 4)) * 1.5
    line = torch.cat([angles.sin(), angles.cos()], -1)
    both = torch.cat([line[:, None].expand(-1, grid, -1), line[None].expand(grid, -1, -1)], -1).flatten(0, 1)
    return torch.cat([torch.zeros(1, size), both])[None] * 0.5


class Vision(nn.Module):
    """[rows, 3, side, side] of 0 to 1 → [rows, 1 + grid², size]: the class token first."""

    def __init__(self, c: SeedConfig) -> None:
        super().__init__()
        self.cls_token = nn.Parameter(torch.randn(1, 1, c.vision) * 0.02)
        self.pos_embed = nn.Parameter(places(c.grid, c.vision))
        self.patch_embed = nn.ModuleDict({"proj": nn.Conv2d(3, c.vision, c.patch, c.patch)})
        self.blocks = nn.ModuleList(
            Block(c.vision, c.vision_heads, c.vision_hidden, keys_bias=False) for _ in range(c.vision_depth)
        )
        for name, values in (("middle", MEAN), ("deviation", DEVIATION)):
            self.register_buffer(name, torch.tensor(values)[:, None, None], persistent=False)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        x = (pictures - self.middle) / self.deviation
        x = self.patch_embed["proj"](x).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls_token.expand(len(x), -1, -1), x], 1) + self.pos_embed
        for block in self.blocks:
            x = block(x)
        return x


class BertAttention(nn.Module):
    """BERT's attention with its norm behind; `keys` is the size of what is looked at."""

    def __init__(self, size: int, keys: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.self = nn.ModuleDict(
            {"query": nn.Linear(size, size), "key": nn.Linear(keys, size), "value": nn.Linear(keys, size)}
        )
        self.output = nn.ModuleDict({"dense": nn.Linear(size, size), "LayerNorm": nn.LayerNorm(size, 1e-12)})

    def forward(self, x: torch.Tensor, seen: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        def split(y: torch.Tensor) -> torch.Tensor:
            return y.view(len(y), y.shape[1], self.heads, -1).transpose(1, 2)

        q, k, v = split(self.self["query"](x)), split(self.self["key"](seen)), split(self.self["value"](seen))
        y = F.scaled_dot_product_attention(q, k, v, mask).transpose(1, 2).reshape_as(x)
        return self.output["LayerNorm"](x + self.output["dense"](y))


class QFormerLayer(nn.Module):
    def __init__(self, c: SeedConfig, looks: bool) -> None:
        super().__init__()
        self.attention = BertAttention(c.width, c.width, c.heads)
        if looks:
            self.crossattention = BertAttention(c.width, c.vision, c.heads)
        self.intermediate_query = nn.ModuleDict({"dense": nn.Linear(c.width, c.hidden)})
        self.output_query = nn.ModuleDict(
            {"dense": nn.Linear(c.hidden, c.width), "LayerNorm": nn.LayerNorm(c.width, 1e-12)}
        )

    def forward(self, x: torch.Tensor, picture: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        x = self.attention(x, x, mask)
        if hasattr(self, "crossattention"):
            x = self.crossattention(x, picture, None)
        y = self.output_query["dense"](F.gelu(self.intermediate_query["dense"](x)))
        return self.output_query["LayerNorm"](x + y)


class Quantizer(nn.Module):
    """All that is in `seed_quantizer.pt`."""

    def __init__(self, c: SeedConfig) -> None:
        super().__init__()
        self.query_tokens = nn.Parameter(torch.randn(1, c.queries, c.width))
        self.ln_vision = nn.LayerNorm(c.vision)
        layers = nn.ModuleList(QFormerLayer(c, looks=index % 2 == 0) for index in range(c.depth))
        embeddings = nn.ModuleDict({"LayerNorm": nn.LayerNorm(c.width, 1e-12)})
        bert = nn.ModuleDict({"embeddings": embeddings, "encoder": nn.ModuleDict({"layer": layers})})
        self.Qformer = nn.ModuleDict({"bert": bert})
        self.encode_task_layer = nn.Sequential(nn.Linear(c.width, c.width), nn.Tanh(), nn.Linear(c.width, c.dimension))
        self.quantize = nn.ModuleDict({"embedding": nn.Embedding(c.codes, c.dimension)})
        self.decode_task_layer = nn.Sequential(
            nn.Linear(c.dimension, c.dimension), nn.Tanh(), nn.Linear(c.dimension, c.width)
        )
        self.pos_embed_image = nn.Parameter(torch.zeros(1, c.queries, c.width))
        self.blocks_image = nn.ModuleList(Block(c.width, 12, c.back_hidden, keys_bias=True) for _ in range(c.back))
        steps: list[nn.Module] = []
        for wide, narrow in zip((c.width, *c.down), c.down, strict=False):
            steps += [nn.Linear(wide, narrow, bias=False), nn.ReLU()]
        self.image_down = nn.Sequential(*steps[:-1])
        self.distill_image_proj = nn.Linear(c.queries * c.down[-1], c.embedding)
        mask = torch.full((c.queries, c.queries), -10_000.0).triu(1)
        self.register_buffer("mask", mask, persistent=False)

    def vectors(self, seen: torch.Tensor) -> torch.Tensor:
        """What the vision transformer saw → [rows, queries, dimension], near the codes that are meant."""
        seen = self.ln_vision(seen)
        bert = self.Qformer["bert"]
        x = bert["embeddings"]["LayerNorm"](self.query_tokens).expand(len(seen), -1, -1)
        for layer in bert["encoder"]["layer"]:
            x = layer(x, seen, self.mask)
        return self.encode_task_layer(x)

    def nearest(self, vectors: torch.Tensor) -> torch.Tensor:
        """The nearest code's number for each vector."""
        book = self.quantize["embedding"].weight
        distances = vectors.square().sum(-1, keepdim=True) + book.square().sum(-1) - 2 * vectors @ book.T
        return distances.argmin(-1)

    def embedding(self, codes: torch.Tensor) -> torch.Tensor:
        """[rows, queries] → [rows, embedding]"""
        x = self.decode_task_layer(self.quantize["embedding"](codes)) + self.pos_embed_image
        for block in self.blocks_image:
            x = block(x)
        return self.distill_image_proj(self.image_down(x).flatten(1))


class Seed(nn.Module):
    """Both files' networks: pictures to codes and codes to embeddings."""

    def __init__(self, config: SeedConfig) -> None:
        super().__init__()
        self.config = config
        self.vision, self.quantizer = Vision(config), Quantizer(config)
        for module in [*self.vision.modules(), *self.quantizer.modules()]:
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=1 / math.sqrt(module.in_features) / 1.5)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def vectors(self, pictures: torch.Tensor) -> torch.Tensor:
        return self.quantizer.vectors(self.vision(pictures))

    @torch.no_grad()
    def encode(self, pictures: torch.Tensor) -> torch.Tensor:
        """[rows, 3, side, side] of 0 to 1 → codes [rows, queries]"""
        return torch.cat([self.quantizer.nearest(self.vectors(part)) for part in pictures.split(64)])
