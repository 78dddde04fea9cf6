"""Lessons beside the backbone's own: what was said must be readable from its hidden states, letter by letter and word
by word.

At each frame of a person's speech a head is asked which letters were said last, a moment before, and a head behind
deeper layers which word; stage `probe` tells when each letter is said. Every frame of a recording teaches that way, not
only the few text tokens behind it, and nothing can be guessed from the words before. Without such lessons the layers
behind the first hardly listened, and each word was a bag of frames. The heads are thrown away afterwards: the model
that ships is a plain LLaMA.
"""

from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..data.alignment import latest, words_heard
from ..words import domain

LETTERS = " abcdefghijklmnopqrstuvwxyz'"
HASTE = 8  # the heads learn that much faster than the network, which can then listen to them
LATEST = 3  # letters that are asked for
DELAY = 5  # frames from a letter to the place where it must be known: what follows tells much about it
WHOLE = 6  # frames from a word's last letter to the place where the word must be known
UNKNOWN = -100  # no question is asked
NUMBER = {letter: index + 1 for index, letter in enumerate(LETTERS)}  # 0 is nothing
WORD = {word: index + 1 for index, word in enumerate(domain.WORDS)}  # 0 is none yet


def numbers(text: str) -> list[int]:
    """A text's letters."""
    return [NUMBER[letter] for letter in text if letter in NUMBER]


def latest_words(text: str, letters: np.ndarray) -> np.ndarray:
    """The number of the word said last, at each frame of a recording with these letters. [frame]"""
    text = f" {text}" if len(letters) and letters.any() and letters[letters > 0][0] == NUMBER[" "] else text
    heard = words_heard(text, numbers(text), letters, WHOLE)
    if heard is None:
        return np.full(len(letters), UNKNOWN)
    return np.array([0, *(WORD[word] for word in text.split())])[heard]


class Heard(NamedTuple):
    """A recording as the backbone hears it: codes, and at each the letter and the word said last, if that is known."""

    codes: list[int]
    letters: list[int] | None = None
    words: list[int] | None = None


class Spoken(NamedTuple):
    """Speech in a batch: the row, its first token, and the letter and the word said last at each token."""

    row: int
    first: int
    letters: list[int]
    words: list[int]


def states(hidden: Tensor, spoken: list[Spoken]) -> Tensor:
    """[row, token, hidden] -> [frame, hidden], of all speech"""
    return torch.cat([hidden[part.row, part.first : part.first + len(part.letters)] for part in spoken])


class Letters(nn.Module):
    """The head that is asked for letters."""

    def __init__(self, hidden_size: int) -> None:
        super().__init__()
        self.norm = nn.RMSNorm(hidden_size)
        self.to_letters = nn.Linear(hidden_size, LATEST * (1 + len(LETTERS)))
        nn.init.zeros_(self.to_letters.weight)

    def forward(self, hidden: Tensor, spoken: list[Spoken]) -> tuple[Tensor, Tensor]:
        """[row, token, hidden] -> nats a letter, share of the frames whose last letter is heard right"""
        asked = [latest(np.array(part.letters), DELAY, LATEST) for part in spoken]
        letters = torch.tensor(np.concatenate(asked))
        scores = self.to_letters(HASTE * self.norm(states(hidden, spoken))).view(*letters.shape, -1)
        said = letters[:, 0] > 0
        right = (scores[:, 0].argmax(1) == letters[:, 0])[said].float().mean()
        return F.cross_entropy(scores.flatten(0, 1), letters.flatten()), right


class Words(nn.Module):
    """The head that is asked for words."""

    def __init__(self, hidden_size: int) -> None:
        super().__init__()
        self.norm = nn.RMSNorm(hidden_size)
        self.to_words = nn.Linear(hidden_size, 1 + len(WORD))
        nn.init.zeros_(self.to_words.weight)

    def forward(self, hidden: Tensor, spoken: list[Spoken]) -> tuple[Tensor, Tensor]:
        """[row, token, hidden] -> nats a frame, share of the frames whose last word is heard right"""
        words = torch.tensor([word for part in spoken for word in part.words])
        scores = self.to_words(HASTE * self.norm(states(hidden, spoken)))
        said = words > 0
        right = (scores.argmax(1) == words)[said].float().mean()
        return F.cross_entropy(scores, words, ignore_index=UNKNOWN, reduction="sum") / max(1, (words >= 0).sum()), right
