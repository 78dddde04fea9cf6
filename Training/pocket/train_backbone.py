"""Stage `backbone`: the LLaMA on the encoder's own codes, in the chat model's format."""

import random

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .conversations import Sequence, Writer
from .corpus import load
from .latent import corpus_split
from .llama import Llama, LlamaConfig
from .recordings import Question, load_questions
from .run import Run
from .vocabulary import MUSIC_CODES, SPEECH_CODES, Vocabulary

SHARES = {"spoken": 58, "transcription": 20, "reading": 16, "typed": 6}


class Mixture:
    """Draws sequences; easy ones first."""

    def __init__(self, folder: str, parts: list[int], vocabulary: Vocabulary, reply_codes: str) -> None:
        replies = {text: entry[reply_codes] for text, entry in torch.load(f"{folder}/replies.pt").items()}
        self.writer = Writer(vocabulary, {t: (c[0] if c.dim() == 2 else c).tolist() for t, c in replies.items()})
        self.texts = list(replies)
        self.questions: list[Question] = load_questions(folder, "train")
        self.questions.sort(key=lambda question: len(question.codes))
        _, _, utterances = load(folder, parts)
        own = torch.load(f"{folder}/encoder_ids.pt")[0].numpy()
        train = corpus_split(utterances)[0]
        self.spoken = [(own[u.start : u.end], u.text.replace(",", "")) for u in train]
        self.spoken.sort(key=lambda row: len(row[0]))

    def draw(self, rng: random.Random, done: float) -> Sequence:
        easy = min(1.0, 0.35 + 3 * done)  # of the questions by length, until a fifth of the time is gone
        kind = rng.choices(list(SHARES), weights=list(SHARES.values()))[0]
        if kind == "spoken":
            turns = rng.choices([1, 2, 3], weights=[75, 18, 7])[0] if done > 0.1 else 1
            pool = self.questions[: int(len(self.questions) * easy)]
            return self.writer.spoken_chat(rng, rng.choices(pool, k=turns))
        if kind == "transcription":
            codes, text = self.spoken[rng.randrange(int(len(self.spoken) * easy))]
            return self.writer.transcription(rng, codes.tolist(), text)
        if kind == "reading":
            return self.writer.reading(rng, rng.choice(self.texts))
        return self.writer.typed_chat(rng)


def used_rows(vocabulary: Vocabulary) -> Tensor:
    """Ids that the data holds: image and music codes are for later."""
    used = torch.ones(vocabulary.size, dtype=torch.bool)
    for first, last in (("<👀0>", "<eoim>"), ("<🎶0>", "<eomu>")):
        used[vocabulary.added[first] : vocabulary.added[last] + 1] = False
    assert SPEECH_CODES + MUSIC_CODES < vocabulary.size
    return used.nonzero()[:, 0]


def make_batch(mixture: Mixture, rng: random.Random, done: float, tokens: int) -> tuple[Tensor, Tensor]:
    """(ids [row, token], weights [row, token]) of about so many tokens; rows of like length lie together."""
    rows = [mixture.draw(rng, done) for _ in range(max(4, tokens // 200))]
    while sum(len(row.ids) for row in rows) > tokens and len(rows) > 4:
        rows.pop()
    longest = max(len(row.ids) for row in rows)
    ids, weights = torch.zeros(len(rows), longest, dtype=torch.long), torch.zeros(len(rows), longest)
    for index, row in enumerate(rows):
        ids[index, : len(row.ids)] = torch.tensor(row.ids)
        weights[index, : len(row.ids)] = torch.tensor(row.weights)
    return ids, weights


def train_backbone(folder: str, parts: list[int], seconds: float, reply_codes: str, rate: float = 2e-3, tokens: int = 4000) -> None:
    torch.manual_seed(4)
    vocabulary = Vocabulary(f"{folder}/llama")
    mixture = Mixture(folder, parts, vocabulary, reply_codes)
    net = Llama(LlamaConfig(vocabulary.size))
    matrices = [p for name, p in net.named_parameters() if p.dim() == 2 and ".layers." in name]
    others = [p for name, p in net.named_parameters() if p.dim() != 2 or ".layers." not in name]
    optimizers = [
        torch.optim.Muon(matrices, rate, weight_decay=0.05, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(others, rate, betas=(0.9, 0.98), weight_decay=0.01),
    ]
    run = Run(folder, "backbone", net, rate, seconds, warmup=100, optimizers=optimizers)
    used = used_rows(vocabulary)
    place = torch.zeros(vocabulary.size, dtype=torch.long)
    place[used] = torch.arange(len(used))
    first, last = vocabulary.first_speech, vocabulary.first_speech + SPEECH_CODES
    total = 0
    for step in run:
        rng = random.Random(1_000_003 * 7 + step)
        ids, weights = make_batch(mixture, rng, run.done, tokens)
        total += ids.numel()
        target, weight = ids[:, 1:].flatten(), weights[:, 1:].flatten()
        counted = weight > 0
        if step % 4:  # the person's own speech is predicted in every fourth batch only
            counted &= weight != 0.04
        whole = run.done > 0.93  # at the end the unused codes learn that they are
        with torch.autocast("cpu", torch.bfloat16):
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
