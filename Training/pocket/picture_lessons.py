"""What the backbone knows of pictures: each name's codes to draw, and the codes that its pictures are seen as.

pictures.pt of the picture networks: "names", "canonical" [name, 32] int16 (codes to draw), "seen" [name, variant, 32]
int16 (the image tokenizer's codes of changed renderings: other sizes, places and backgrounds).
"""

import os
import random

import torch
from torch import Tensor

KEPT = 0.25  # share of the seen variants that are kept for the judge


class Pictures:
    """The pictures of a work folder."""

    def __init__(self, path: str) -> None:
        saved = torch.load(path)
        self.names: list[str] = list(saved["names"])
        self.canonical: Tensor = saved["canonical"].long()
        seen: Tensor = saved["seen"].long()
        kept = max(1, int(seen.shape[1] * KEPT))
        self.seen, self.unseen = seen[:, kept:], seen[:, :kept]
        self.number = {name: index for index, name in enumerate(self.names)}

    @staticmethod
    def of(folder: str) -> "Pictures | None":
        """The folder's pictures, once they are there."""
        path = f"{folder}/pictures.pt"
        return Pictures(path) if os.path.exists(path) else None

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
