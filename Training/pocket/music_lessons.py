"""What the backbone knows of music: each piece's codes to play, and the codes that its renderings are heard as.

music.pt of the music codec: "names", "canonical" [name, frame, level] int16 (codes to play), "seen" [name, variant,
frame, level] int16 (Encodec's codes of other melodies of the same kind, at other levels and through noise).
"""

import os
import random

import torch
from torch import Tensor

from .picture_lessons import KEPT

SHORTEST, LONGEST = 50, 100  # frames of most clips that are heard: one second to two
WHOLE = 0.25  # share of clips of any length


class Music:
    """The music of a work folder."""

    def __init__(self, path: str) -> None:
        saved = torch.load(path)
        self.names: list[str] = list(saved["names"])
        self.canonical: Tensor = saved["canonical"].long()
        seen: Tensor = saved["seen"].long()
        kept = max(1, int(seen.shape[1] * KEPT))
        self.seen, self.unseen = seen[:, kept:], seen[:, :kept]
        self.number = {name: index for index, name in enumerate(self.names)}

    @staticmethod
    def of(folder: str) -> "Music | None":
        """The folder's music, once it is there."""
        path = f"{folder}/music.pt"
        return Music(path) if os.path.exists(path) else None

    def codes(self, name: str) -> Tensor:
        """What is played. [frame, level]"""
        return self.canonical[self.number[name]]

    def clip(self, name: str, rng: random.Random) -> Tensor:
        """What a recording of the piece might be heard as: any part of a variant, at least a second.

        [frame, level]"""
        rows = self.seen[self.number[name]]
        row = rows[rng.randrange(len(rows))] if rng.random() < 0.9 else self.codes(name)
        count = rng.randint(SHORTEST, len(row) if rng.random() < WHOLE else LONGEST)
        first = 0 if rng.random() < 0.5 else rng.randint(0, len(row) - count)
        return row[first : first + count]

    def nearest(self, codes: Tensor) -> tuple[str, float]:
        """The piece that has most of these codes in their places, and the share of them; "" for none. [frame, level]"""
        if not len(codes):
            return "", 0.0
        frames = min(len(codes), self.canonical.shape[1])
        equal = (self.canonical[:, :frames] == codes[:frames]).float().mean((1, 2))
        return self.names[int(equal.argmax())], float(equal.max())
