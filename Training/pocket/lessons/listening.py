"""A lesson beside the backbone's own: what was said must be readable, letter by letter, from its hidden states.

At each frame of a person's speech a head is asked which letters were said last, a moment before; stage `probe` tells
when each is said. Every frame of a recording teaches that way, not only the few text tokens behind it, and no letter
can be guessed from the words before. The head is thrown away afterwards: the model that ships is a plain LLaMA.
"""

from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..data.alignment import latest

LETTERS = " abcdefghijklmnopqrstuvwxyz'"
HASTE = 8  # the head learns that much faster than the network, which can then listen to it
LATEST = 3  # letters that are asked for
DELAY = 3  # frames from a letter to the place where it must be known: what follows tells much about it
NUMBER = {letter: index + 1 for index, letter in enumerate(LETTERS)}  # 0 is nothing


def numbers(text: str) -> list[int]:
    """A text's letters."""
    return [NUMBER[letter] for letter in text if letter in NUMBER]


class Heard(NamedTuple):
    """A recording as the backbone hears it: codes, and at each the letter that was said last, where that is known."""

    codes: list[int]
    letters: list[int] | None = None


class Spoken(NamedTuple):
    """Speech in a batch: the row, its first token, and the letter said last at each token."""

    row: int
    first: int
    letters: list[int]


class Listening(nn.Module):
    def __init__(self, hidden_size: int) -> None:
        super().__init__()
        self.norm = nn.RMSNorm(hidden_size)
        self.to_letters = nn.Linear(hidden_size, LATEST * (1 + len(LETTERS)))
        nn.init.zeros_(self.to_letters.weight)

    def forward(self, hidden: Tensor, spoken: list[Spoken]) -> tuple[Tensor, Tensor]:
        """[row, token, hidden] -> nats a letter, share of the frames whose last letter is heard right"""
        states = torch.cat([hidden[row, first : first + len(letters)] for row, first, letters in spoken])
        asked = [latest(np.array(part.letters), DELAY, LATEST) for part in spoken]
        letters = torch.tensor(np.concatenate(asked))
        scores = self.to_letters(HASTE * self.norm(states)).view(*letters.shape, -1)
        said = letters[:, 0] > 0
        right = (scores[:, 0].argmax(1) == letters[:, 0])[said].float().mean()
        return F.cross_entropy(scores.flatten(0, 1), letters.flatten()), right
