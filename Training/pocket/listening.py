"""A lesson beside the backbone's own: what was said must be readable, letter by letter, from its hidden states.

At each frame of a person's speech a head is asked which letter was said a moment before; stage `probe` tells when each
letter is said. Every frame of a recording teaches that way, not only the few text tokens behind it, and no letter can
be guessed from the words before. The head is thrown away afterwards: the model that ships is a plain LLaMA. (Without
being told when, by connectionist temporal classification, it had hardly learned any letters after an hour.)
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LETTERS = " abcdefghijklmnopqrstuvwxyz'"
HASTE = 10  # the head learns that much faster than the network, which can then listen to it
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
        self.to_letters = nn.Linear(hidden_size, 1 + len(LETTERS))
        nn.init.zeros_(self.to_letters.weight)

    def forward(self, hidden: Tensor, spoken: list[Spoken]) -> tuple[Tensor, Tensor]:
        """[row, token, hidden] -> nats a frame, share of the letters that are heard right"""
        states = torch.cat([hidden[row, first : first + len(letters)] for row, first, letters in spoken])
        letters = torch.tensor([n for part in spoken for n in ([0] * DELAY + part.letters)[: len(part.letters)]])
        scores = HASTE * self.to_letters(self.norm(states))
        said = letters > 0
        return F.cross_entropy(scores, letters), (scores.argmax(1) == letters)[said].float().mean()
