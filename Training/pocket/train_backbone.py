"""Stage `backbone`: the LLaMA on the encoder's own codes, in the chat model's format."""

import glob
import os
import random
from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from . import domain
from .conversations import Sequence, Writer
from .latent import SEMANTIC
from .llama import Llama, LlamaConfig
from .muon import muon
from .picture_lessons import Pictures
from .recordings import Question, load_questions
from .run import Run, cheap, share
from .vocabulary import IMAGE_CODES, MUSIC_CODES, SPEECH_CODES, Vocabulary

ALOUD = 0.4  # share of spoken chats with the last reply's speech: a third of the tokens, soon known by heart
MOVED, FARTHEST = 0.4, 3.0  # share of the recordings that are heard as if by another voice, and how far that is
SUMS, DRAWINGS = 0.18, 0.15  # shares of spoken turns that are drawn from the sums and from what asks for a picture
SHARES = {
    "spoken": 35, "listening": 15, "transcription": 7, "reading": 3, "typed": 6, "sums": 5, "drawing": 24, "seeing": 5,
}  # fmt: skip


class Mixture:
    """Draws sequences; easy ones first. Question files that appear while it runs are taken in."""

    def __init__(self, folder: str, vocabulary: Vocabulary) -> None:
        self.folder = folder
        self.fresh = not os.path.exists(f"{folder}/start/backbone.pt")
        replies = torch.load(f"{folder}/replies.pt")
        codes = {text: entry.get("kept", entry["true"]).tolist() for text, entry in replies.items()}
        self.writer = Writer(vocabulary, codes, Pictures.of(folder))
        self.shares = dict(SHARES)
        if self.writer.pictures is None:
            print("backbone: there are no pictures, so none will be drawn", flush=True)
            del self.shares["drawing"], self.shares["seeing"]
        self.texts = domain.all_replies()
        self.questions: list[Question] = []  # by length, like `practice`
        self.practice: list[Question] = []
        self.sums: list[Question] = []
        self.drawings: list[Question] = []
        self.read: set[str] = set()
        self.book = torch.load(f"{folder}/books.pt")["books"][0, :, :SEMANTIC]
        self.near: list[list[int]] = torch.cdist(self.book, self.book).topk(9, largest=False).indices[:, 1:].tolist()
        self.refresh()

    def refresh(self) -> None:
        for path in sorted(glob.glob(f"{self.folder}/questions-train*.npz")):
            if path not in self.read and not path.endswith(".new.npz"):
                self.read.add(path)
                rows = load_questions(self.folder, path.rsplit("questions-", 1)[1][:-4])
                for pool, new in ((self.questions, True), (self.practice, False)):
                    pool += [row for row in rows if bool(row.reply) == new]
                    pool.sort(key=lambda question: len(question.codes))
                self.sums = [row for row in self.questions if row.reply.startswith(domain.SUM)]
                self.drawings = [row for row in self.questions if row.text in domain.drawn()]
                print(f"backbone: {len(self.questions)} spoken questions, {len(self.practice)} to practise", flush=True)

    def moved(self, codes: list[int], rng: random.Random) -> list[int]:
        """Codes as another speaker might have them: all moved the same way in the latent space."""
        generator = torch.Generator().manual_seed(rng.getrandbits(31))
        way = torch.randn(SEMANTIC, generator=generator) * self.book.std(0)
        way *= rng.uniform(0, FARTHEST) / way.norm()
        return torch.cdist(self.book[torch.tensor(codes).long()] + way, self.book).argmin(1).tolist()

    def heard(self, question: Question, rng: random.Random) -> list[int]:
        """A question's codes, slower here and faster there, moved like a voice, some exchanged for near ones."""
        source = question.codes.tolist()
        if rng.random() < MOVED:
            source = self.moved(source, rng)
        codes: list[int] = []
        lost, twice, other = rng.uniform(0.0, 0.1), rng.uniform(0.9, 1.0), 0.25 * rng.random() ** 2
        for code in source:
            dice = rng.random()
            if dice < lost:
                continue
            if rng.random() < other:
                code = self.near[code][rng.randrange(len(self.near[code]))]
            codes += [code, code] if dice > twice else [code]
        return codes

    def draw(self, rng: random.Random, done: float) -> Sequence:
        easy = min(1.0, 0.35 + 3 * done) if self.fresh else 1.0  # of the questions by length, for a fifth of the time
        kind = rng.choices(list(self.shares), weights=list(self.shares.values()))[0]
        if kind == "spoken":
            turns = rng.choices([1, 2, 3], weights=[80, 15, 5])[0] if done > 0.3 else 1
            pool = self.questions[: max(1, int(len(self.questions) * easy))]
            pools = rng.choices(
                [self.sums, self.drawings, pool], weights=[SUMS, DRAWINGS, 1 - SUMS - DRAWINGS], k=turns
            )
            chosen = [rng.choice(pool) for pool in pools]
            heard = [self.heard(question, rng) for question in chosen]
            return self.writer.spoken_chat(rng, chosen, heard, rng.random() < ALOUD)
        if kind in ("listening", "transcription"):
            pool = self.practice if kind == "listening" or rng.random() < 0.5 else self.questions
            question = pool[rng.randrange(max(1, int(len(pool) * easy)))]
            write = self.writer.listening if kind == "listening" else self.writer.transcription
            return write(rng, self.heard(question, rng), question.text)
        if kind == "reading":
            return self.writer.reading(rng, rng.choice(self.texts))
        writers = {
            "typed": self.writer.typed_chat, "sums": self.writer.sums,
            "drawing": self.writer.drawing, "seeing": self.writer.seeing,
        }  # fmt: skip
        return writers[kind](rng)


def start_from_code_vectors(net: Llama, vocabulary: Vocabulary, book: Tensor) -> None:
    """Speech tokens begin as a random map of their code vectors, so that codes that sound alike begin alike.

    book [1024, 32] is the part of level 0 that carries what is said.
    """
    vectors = (book - book.mean(0)) / book.std()
    first, last = vocabulary.first_speech, vocabulary.first_speech + SPEECH_CODES
    with torch.no_grad():
        for table in (net.model.embed_tokens.weight, net.lm_head.weight):
            table[first:last] *= 0.3
            table[first:last] += vectors @ torch.randn(book.shape[1], table.shape[1]) * (0.02 / book.shape[1] ** 0.5)


def used_rows(vocabulary: Vocabulary, pictures: bool) -> Tensor:
    """Ids that the data holds: music codes are for later, and image codes where there are no pictures."""
    used = torch.ones(vocabulary.size, dtype=torch.bool)
    for first, last in (("<🎶0>", "<eomu>"), *([] if pictures else [("<👀0>", "<eoim>")])):
        used[vocabulary.added[first] : vocabulary.added[last] + 1] = False
    assert SPEECH_CODES + MUSIC_CODES < vocabulary.size
    return used.nonzero()[:, 0]


def batches(mixture: Mixture, run: Run, tokens: int, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
    """(ids [row, token], weights [row, token]) of at most so many tokens; rows of like length lie together."""
    while True:
        rng = random.Random(seed + run.steps)
        mixture.refresh()
        rows = sorted((mixture.draw(rng, run.done) for _ in range(160)), key=lambda row: len(row.ids))
        groups: list[list[Sequence]] = [[]]
        for row in rows:
            if (len(groups[-1]) + 1) * len(row.ids) > tokens and groups[-1]:
                groups.append([])
            groups[-1].append(row)
        rng.shuffle(groups)
        for group in groups:
            longest = max(len(row.ids) for row in group)
            ids, weights = torch.zeros(len(group), longest, dtype=torch.long), torch.zeros(len(group), longest)
            for index, row in enumerate(group):
                ids[index, : len(row.ids)] = torch.tensor(row.ids)
                weights[index, : len(row.ids)] = torch.tensor(row.weights)
            yield ids, weights


def train_backbone(
    folder: str, seconds: float, rate: float = 1.5e-3, tokens: int = 2600,
    rank: int = 0, processes: int = 1,
) -> None:  # fmt: skip
    share(folder, rank, processes)
    torch.manual_seed(4)
    vocabulary = Vocabulary(f"{folder}/llama")
    mixture = Mixture(folder, vocabulary)
    net = Llama(LlamaConfig(vocabulary.size))
    start_from_code_vectors(net, vocabulary, torch.load(f"{folder}/books.pt")["books"][0, :, :SEMANTIC])
    run = Run(folder, "backbone", net, rate, seconds, warmup=100, optimizers=muon(net, rate, ".layers."))
    used = used_rows(vocabulary, mixture.writer.pictures is not None)
    place = torch.zeros(vocabulary.size, dtype=torch.long)
    place[used] = torch.arange(len(used))
    first, last = vocabulary.first_speech, vocabulary.first_speech + SPEECH_CODES
    source = batches(mixture, run, tokens, 4_000_000 + 1_000_000 * rank)
    for step in run:
        ids, weights = next(source)
        target, weight = ids[:, 1:].flatten(), weights[:, 1:].flatten()
        counted = weight > 0
        if step % 4:  # the person's own speech is predicted in every fourth batch only
            counted &= weight != 0.04
        whole = run.done > 0.93  # at the end the unused codes learn that they are
        with cheap():
            hidden = net.hidden(ids[:, :-1]).flatten(0, 1)[counted]
            logits = F.linear(hidden, net.lm_head.weight if whole else net.lm_head.weight[used])
        target, weight = target[counted], weight[counted]
        losses = F.cross_entropy(logits.float(), target if whole else place[target], reduction="none")
        speech = (target >= first) & (target < last)
        image = (target >= vocabulary.first_image) & (target < vocabulary.first_image + IMAGE_CODES)
        means = {
            "text": losses[~speech & ~image].mean().item(),
            "speech": losses[speech & (weight > 0.04)].mean().item() if (speech & (weight > 0.04)).any() else np.nan,
            "image": losses[image].mean().item() if image.any() else np.nan,
            "first": losses[image & (weight > 1)].mean().item() if (image & (weight > 1)).any() else np.nan,
            "ktokens": ids.numel() / 1000,
        }
        run.step((losses * weight).sum() / weight.sum(), **{k: v for k, v in means.items() if v == v})
