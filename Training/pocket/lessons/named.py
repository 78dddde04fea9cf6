"""What the backbone learns of things that have a name, one sequence of codes to make and many that they are met as.

A FILE of a work folder: "names", "canonical" [name, ...] int16 (codes to make), "seen" [name, variant, ...] int16 (the
tokenizer's codes of changed renderings).
"""

import os
from typing import ClassVar, Self

from torch import Tensor

from .. import device

KEPT = 0.25  # share of the seen variants that are kept for the judge


class Named:
    """The named things of a work folder."""

    FILE: ClassVar[str]

    def __init__(self, path: str) -> None:
        saved = device.load(path)
        self.names: list[str] = list(saved["names"])
        self.canonical: Tensor = saved["canonical"].long()
        seen: Tensor = saved["seen"].long()
        kept = max(1, int(seen.shape[1] * KEPT))
        self.seen, self.unseen = seen[:, kept:], seen[:, :kept]
        self.number = {name: index for index, name in enumerate(self.names)}

    @classmethod
    def of(cls, folder: str) -> Self | None:
        """The folder's, once they are there."""
        path = f"{folder}/{cls.FILE}"
        return cls(path) if os.path.exists(path) else None
