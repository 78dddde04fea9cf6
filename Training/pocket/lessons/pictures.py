"""What the backbone knows of pictures: each name's codes to draw, and the codes that its pictures are seen as.

pictures.pt of the picture networks: "names", "canonical" [name, 32] int16 (codes to draw), "seen" [name, variant, 32]
int16 (the image tokenizer's codes of changed renderings: other sizes, places and backgrounds).
"""

import random

import torch

from .named import Named


class Pictures(Named):
    """The pictures of a work folder."""

    FILE = "pictures.pt"

    def codes(self, name: str) -> list[int]:
        """What is drawn."""
        return self.canonical[self.number[name]].tolist()

    def look(self, name: str, rng: random.Random) -> list[int]:
        """What the picture might be seen as: a variant, part of its codes as in another one or as they are drawn."""
        rows = [self.canonical[self.number[name]], *self.seen[self.number[name]]]
        first, other = rng.choice(rows).tolist(), rng.choice(rows).tolist()
        share = rng.uniform(0, 0.4)
        return [b if rng.random() < share else a for a, b in zip(first, other, strict=True)]

    def nearest(self, codes: list[int]) -> tuple[str, float]:
        """The name whose picture has most of these codes in their places, and the share of them; "" for no codes."""
        if not codes:
            return "", 0.0
        row = torch.tensor((codes + [-1] * 32)[:32])
        equal = (self.canonical == row).float().mean(1)
        return self.names[int(equal.argmax())], float(equal.max())
