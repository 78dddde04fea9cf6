"""A lesson beside the backbone's own: what was said must be readable, letter by letter, from its hidden states.

Connectionist temporal classification (Graves et al., 2006) over the positions of a person's speech. Every letter of a
recording teaches that way, not only the few text tokens behind it, and none can be guessed from the words before. The
head is thrown away afterwards: the model that ships is a plain LLaMA.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LETTERS = " abcdefghijklmnopqrstuvwxyz'"
HASTE = 10  # the head learns that much faster than the network, which can then listen to it
NUMBER = {letter: index + 1 for index, letter in enumerate(LETTERS)}  # 0 is the blank


class Spoken(NamedTuple):
    """Speech in a batch: the row, its first token and the one behind its last, and what it says."""

    row: int
    first: int
    end: int
    text: str


class Listening(nn.Module):
    def __init__(self, hidden_size: int) -> None:
        super().__init__()
        self.norm = nn.RMSNorm(hidden_size)
        self.to_letters = nn.Linear(hidden_size, 1 + len(LETTERS))
        nn.init.zeros_(self.to_letters.weight)

    def forward(self, hidden: Tensor, spoken: list[Spoken]) -> Tensor:
        """[row, token, hidden] -> nats a letter. What is too short for its letters teaches nothing."""
        rows = [hidden[part.row, part.first : part.end] for part in spoken]
        lengths = torch.tensor([len(row) for row in rows])
        texts = [[NUMBER[letter] for letter in part.text if letter in NUMBER] for part in spoken]
        counts = torch.tensor([len(text) for text in texts])
        states = nn.utils.rnn.pad_sequence(rows)
        scores = F.log_softmax(HASTE * self.to_letters(self.norm(states)), -1)
        letters = torch.tensor([number for text in texts for number in text])
        losses = F.ctc_loss(scores, letters, lengths, counts, reduction="none", zero_infinity=True)
        return losses.sum() / counts.sum()
