"""What the backbone knows of music: each piece's codes to play, and the codes that its renderings are heard as.

music.pt of the music codec: "names", "canonical" [name, frame, level] int16 (codes to play), "seen" [name, variant,
frame, level] int16 (Encodec's codes of other melodies of the same kind, at other levels and through noise).
"""

import random

from torch import Tensor

from .named import Named

MELODY = 1  # the level that tells the melody's pitch
SHORTEST, LONGEST = 50, 100  # frames of most clips that are heard: one second to two
WHOLE = 0.25  # share of clips of any length


class Music(Named):
    """The music of a work folder."""

    FILE = "music.pt"

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
