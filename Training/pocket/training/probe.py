"""Stage `probe`: what can be read from level 0, letter by letter, by a network that does nothing else.

A few convolutions over the codes of a whole recording, trained by connectionist temporal classification (Graves et al.,
2006). Its errors are the speech tokenizer's gate: what it can't read, the backbone can't hear either. And it tells when
each letter of the training recordings is said, which is the backbone's lesson in `lessons/listening.py`.
"""

import os
import random

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .. import device
from ..data.alignment import said
from ..data.latent import SEMANTIC
from ..data.recordings import Question, load_questions
from ..judging.judges import edits
from ..lessons.batching import by_length
from ..lessons.listening import LETTERS, numbers
from .run import Run, load_net

CODES = 1024
WIDTH, KERNEL, DILATIONS = 128, 3, (1, 2, 4, 8, 1, 2)
MISSING = CODES  # stands for what lies around a recording, and for frames that are taken away in training
HOLES, LONGEST_HOLE = 2, 6
FRAMES = 2000  # of a batch


class Block(nn.Module):
    def __init__(self, dilation: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(WIDTH)
        self.conv = nn.Conv1d(WIDTH, 2 * WIDTH, KERNEL, padding=KERNEL // 2 * dilation, dilation=dilation)

    def forward(self, x: Tensor, inside: Tensor) -> Tensor:
        return x + F.glu(self.conv(self.norm(x) * inside), 1)


class Probe(nn.Module):
    def __init__(self, book: Tensor) -> None:
        """book [1024, 32]: the vectors of level 0, which the embedding begins as a random map of."""
        super().__init__()
        self.embed = nn.Embedding(CODES + 1, WIDTH)
        nn.init.zeros_(self.embed.weight)
        with torch.no_grad():
            vectors = (book - book.mean(0)) / book.std()
            self.embed.weight[:CODES] = vectors @ torch.randn(book.shape[1], WIDTH) / book.shape[1] ** 0.5
        self.blocks = nn.ModuleList(Block(dilation) for dilation in DILATIONS)
        self.norm = nn.BatchNorm1d(WIDTH)
        self.to_letters = nn.Conv1d(WIDTH, 1 + len(LETTERS), 1)
        nn.init.zeros_(self.to_letters.weight)

    def forward(self, codes: Tensor) -> Tensor:
        """[row, frame] -> log-probabilities [row, frame, blank and letters]"""
        return self.read(self.embed(codes).transpose(1, 2), (codes != MISSING)[:, None])

    def read(self, x: Tensor, inside: Tensor) -> Tensor:
        """Embedded codes [row, channel, frame] and which of them are there [row, 1, frame] -> the same"""
        for block in self.blocks:
            x = block(x, inside)
        return F.log_softmax(self.to_letters(self.norm(x)), 1).transpose(1, 2)


def padded(rows: list[Question], rng: random.Random | None = None) -> tuple[Tensor, Tensor]:
    """Codes [row, frame] and lengths [row]; with `rng` some frames are taken away."""
    codes = torch.full((len(rows), max(len(row.codes) for row in rows)), MISSING)
    for index, row in enumerate(rows):
        codes[index, : len(row.codes)] = torch.tensor(row.codes)
        for _ in range(HOLES if rng else 0):
            first = rng.randrange(len(row.codes))
            codes[index, first : min(first + rng.randint(0, LONGEST_HOLE), len(row.codes))] = MISSING
    return codes, torch.tensor([len(row.codes) for row in rows])


def batches(rows: list[Question]) -> list[list[Question]]:
    return by_length(rows, lambda row: len(row.codes), FRAMES)


def book(folder: str) -> Tensor:
    return device.load(f"{folder}/books.pt")["books"][0, :, :SEMANTIC]


def train_probe(folder: str, names: list[str], seconds: float) -> None:
    torch.manual_seed(9)
    net, learned = Probe(book(folder)), f"{folder}/encoder_tuned.checkpoint"
    if os.path.exists(learned):  # stage `hearing` has trained one beside the encoder
        net.load_state_dict(device.load(learned)["helper"])
    groups = batches([row for name in names for row in load_questions(folder, name)])
    run, order = Run(folder, "probe", net, 3e-3, seconds, warmup=100), []
    for step in run:
        rng = random.Random(step)
        order = order or rng.sample(range(len(groups)), len(groups))
        rows = groups[order.pop()]
        codes, lengths = padded(rows, rng)
        texts = [numbers(row.text) for row in rows]
        counts = torch.tensor([len(text) for text in texts])
        letters = torch.tensor([number for text in texts for number in text])
        scores = net(codes).transpose(0, 1)
        losses = F.ctc_loss(scores, letters, lengths, counts, reduction="none", zero_infinity=True)
        run.step(losses.sum() / counts.sum())


@torch.no_grad()
def read(net: Probe, codes: np.ndarray) -> str:
    """[frame] -> what the probe reads, by the best letter of each frame"""
    best = net(torch.tensor(codes).long()[None])[0].argmax(1).tolist()
    return "".join(LETTERS[n - 1] for n, before in zip(best, [0, *best], strict=False) if n and n != before)


def letter_edits(folder: str, rows: list[tuple[str, np.ndarray]]) -> np.ndarray:
    """(text, codes [frame]) of each recording -> the edits of what the probe reads, and the letters [row, 2]"""
    net = load_net(folder, "probe", Probe(book(folder)))
    texts = [text.replace(",", "") for text, _ in rows]
    return np.array(
        [(edits(list(text), list(read(net, codes))), len(text)) for text, (_, codes) in zip(texts, rows, strict=True)]
    )


def align(folder: str, name: str) -> None:
    """When each letter of a file's recordings is said; aligned-NAME.npz. What is too short is said nowhere."""
    path = f"{folder}/aligned-{name}.npz"
    if os.path.exists(path):
        return
    net, rows = load_net(folder, "probe", Probe(book(folder))), load_questions(folder, name)
    letters: dict[int, np.ndarray] = {}
    for group in batches(rows):
        with torch.no_grad():
            scores = net(padded(group)[0]).cpu().numpy()
        for row, score in zip(group, scores, strict=True):
            text = numbers(row.text)
            frames = len(row.codes)
            least = len(text) + sum(a == b for a, b in zip(text, text[1:], strict=False))
            letters[id(row)] = said(score[:frames], text) if least <= frames else np.zeros(frames, np.int8)
    np.savez(path[:-4] + ".new.npz", letters=np.concatenate([letters[id(row)] for row in rows]))
    os.replace(path[:-4] + ".new.npz", path)
    print(f"aligned {name}: {len(rows)} recordings", flush=True)
