"""A layer that looks a fixed way back, written into the weights instead of being learned.

What was said is told by a few frames beside each other. Trained for hours, no head of the backbone attended to single
frames a fixed way back: the sharpest gave a tenth of its weight to the best one, and most looked at everything. With
rotary embeddings such a head is simple: a query and a key that are the same at every frame make a score that depends on
the distance alone, a sum of cosines, and phases let all of them peak at one distance. Training goes on from there.
"""

import torch
from torch import Tensor

from .llama import Layer

# Frames back, and how much the score falls off one frame beside that: the farther, the wider.
# Of each layer's heads, first layer first.
LOOKS = (
    ((1.0, 2.0), (2.6, 1.2), (5.0, 0.7), (8.5, 0.35)),
    ((1.5, 1.5), (4.0, 0.9), (7.5, 0.5), (12.0, 0.28)),
)
FASTEST = 12  # so many of a head's frequencies are used, the fastest ones
BASE = 10_000.0


def look_back(layer: Layer, vectors: Tensor, looks: tuple[tuple[float, float], ...]) -> None:
    """Lets each head of a layer look its own way back (one of LOOKS), through the main directions of what is there.

    vectors [code, hidden] are what comes to the layer at speech's positions. The layer adds nothing at first.
    """
    heads, hidden = layer.self_attn.heads, vectors.shape[1]
    size = hidden // heads
    with torch.no_grad():
        seen = layer.input_layernorm(vectors)
        ones = torch.ones(len(seen), 1)
        # The direction in which all codes are as alike as they can be: it stands for "here is a frame".
        ridge = 1e-3 * seen.pow(2).sum() / hidden * torch.eye(hidden)
        here = torch.linalg.solve(seen.T @ seen + ridge, seen.T @ ones)[:, 0]
        here /= (seen @ here).mean()
        _, _, main = torch.linalg.svd(seen - seen.mean(0), full_matrices=False)
        frequencies = BASE ** (-2 * torch.arange(size // 2)[:FASTEST] / size)
        fall = (1 - frequencies.cos()).sum()  # of the sum of cosines, one frame beside its peak
        attention = layer.self_attn
        for weights in (attention.q_proj.weight, attention.k_proj.weight, attention.o_proj.weight):
            weights.zero_()
        layer.mlp.down_proj.weight.zero_()
        for head, (back, sharp) in zip(range(heads), looks, strict=True):
            rows = slice(head * size, (head + 1) * size)
            strength = (sharp / fall * size**0.5).sqrt()
            query, key = torch.zeros(size), torch.zeros(size)
            key[:FASTEST] = strength
            query[:FASTEST] = strength * (back * frequencies).cos()
            query[size // 2 : size // 2 + FASTEST] = -strength * (back * frequencies).sin()
            attention.q_proj.weight[rows] = query[:, None] * here
            attention.k_proj.weight[rows] = key[:, None] * here
            attention.v_proj.weight[rows] = main[:size]
