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
from .recordings import Question, load_questions
from .run import Run, cheap, share
from .vocabulary import MUSIC_CODES, SPEECH_CODES, Vocabulary

ALOUD = 0.4  # share of spoken chats with the last reply's speech: a third of the tokens, soon known by heart
SHARES = {"spoken": 46, "listening": 20, "transcription": 12, "reading": 8, "typed": 14}


class Mixture:
    """Draws sequences; easy ones first. Question files that appear while it runs are taken in."""

    def __init__(self, folder: str, vocabulary: Vocabulary) -> None:
        self.folder = folder
        self.fresh = not os.path.exists(f"{folder}/start/backbone.pt")
        replies = torch.load(f"{folder}/replies.pt")
        self.writer = Writer(
            vocabulary, {text: entry.get("kept", entry["true"]).tolist() for text, entry in replies.items()}
        )
        self.texts = domain.all_replies()
        self.questions: list[Question] = []  # by length, like `practice`
        self.practice: list[Question] = []
        self.read: set[str] = set()
        book = torch.load(f"{folder}/books.pt")["books"][0, :, :SEMANTIC]
        self.near: list[list[int]] = torch.cdist(book, book).topk(9, largest=False).indices[:, 1:].tolist()
        self.refresh()

    def refresh(self) -> None:
        for path in sorted(glob.glob(f"{self.folder}/questions-train*.npz")):
            if path not in self.read and not path.endswith(".new.npz"):
                self.read.add(path)
                rows = load_questions(self.folder, path.rsplit("questions-", 1)[1][:-4])
                for pool, new in ((self.questions, True), (self.practice, False)):
                    pool += [row for row in rows if bool(row.reply) == new]
                    pool.sort(key=lambda question: len(question.codes))
                print(f"backbone: {len(self.questions)} spoken questions, {len(self.practice)} to practise", flush=True)

    def heard(self, question: Question, rng: random.Random) -> list[int]:
        """A question's codes, a little slower here and faster there, some exchanged for near ones."""
        codes: list[int] = []
        for code in question.codes.tolist():
            dice = rng.random()
            if dice < 0.05:
                continue
            if dice < 0.13:
                code = self.near[code][rng.randrange(len(self.near[code]))]
            codes += [code, code] if dice > 0.95 else [code]
        return codes

    def draw(self, rng: random.Random, done: float) -> Sequence:
        easy = min(1.0, 0.35 + 3 * done) if self.fresh else 1.0  # of the questions by length, for a fifth of the time
        kind = rng.choices(list(SHARES), weights=list(SHARES.values()))[0]
        if kind == "spoken":
            turns = rng.choices([1, 2, 3], weights=[80, 15, 5])[0] if done > 0.3 else 1
            pool = self.questions[: max(1, int(len(self.questions) * easy))]
            chosen = rng.choices(pool, k=turns)
            heard = [self.heard(question, rng) for question in chosen]
            return self.writer.spoken_chat(rng, chosen, heard, rng.random() < ALOUD)
        if kind in ("listening", "transcription"):
            pool = self.practice if kind == "listening" or rng.random() < 0.5 else self.questions
            question = pool[rng.randrange(max(1, int(len(pool) * easy)))]
            write = self.writer.listening if kind == "listening" else self.writer.transcription
            return write(rng, self.heard(question, rng), question.text)
        if kind == "reading":
            return self.writer.reading(rng, rng.choice(self.texts))
        return self.writer.typed_chat(rng)


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


def used_rows(vocabulary: Vocabulary) -> Tensor:
    """Ids that the data holds: image and music codes are for later."""
    used = torch.ones(vocabulary.size, dtype=torch.bool)
    for first, last in (("<👀0>", "<eoim>"), ("<🎶0>", "<eomu>")):
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
    used = used_rows(vocabulary)
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
        means = {
            "text": losses[~speech].mean().item(),
            "speech": losses[speech & (weight > 0.04)].mean().item() if (speech & (weight > 0.04)).any() else np.nan,
            "ktokens": ids.numel() / 1000,
        }
        run.step((losses * weight).sum() / weight.sum(), **{k: v for k, v in means.items() if v == v})
