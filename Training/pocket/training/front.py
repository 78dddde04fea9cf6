"""Stage `front`: the backbone's first two layers alone, before all others.

They begin as ones that look a few frames back (`networks/nearby.py`) and learn to tell the letters that were said
last. Alone they see many more recordings a minute than under the whole backbone: there, the letters were after 13
minutes where it had been after three.
"""

import random

import torch
from torch import Tensor

from ..data.latent import SEMANTIC
from ..data.recordings import Question
from ..lessons.listening import Letters, Spoken
from ..networks.llama import Llama, LlamaConfig
from ..networks.soundstorm import rotary_table
from ..words.vocabulary import SPEECH_CODES, Vocabulary
from .backbone import FRONT, Mixture, start_from_code_vectors
from .muon import muon
from .run import Run, share

RATE = 1.2e-3
TOKENS = 3500  # of a batch
SMALL = 0.01  # weight of what the layers add at speech's positions, as a share of what is there
ELSEWHERE = 3.0  # the same at all others, where they have nothing to say yet; asked in every third batch
CONVERSATIONS, LONGEST = 6, 500  # sequences that are looked at for that, and their tokens


def first_layers(net: Llama, ids: Tensor) -> tuple[Tensor, Tensor]:
    """[row, token] -> what comes to the first layers and what they make of it, [row, token, hidden]"""
    x = y = net.model.embed_tokens(ids).detach()
    table = rotary_table(ids.shape[1], x.shape[2] // net.config.num_attention_heads)
    for layer in net.model.layers[:FRONT]:
        y = layer(y, table, None)
    return x, y


def added(before: Tensor, after: Tensor, where: Tensor) -> Tensor:
    """The energy of what was added, as a share of what was there."""
    return (after - before)[where].pow(2).mean() / before[where].pow(2).mean()


def padded(rows: list[list[int]]) -> Tensor:
    """[row, token], zeros behind the shorter ones"""
    return torch.nn.utils.rnn.pad_sequence([torch.tensor(row) for row in rows], batch_first=True)


def recordings(mixture: Mixture, rows: list[Question], rng: random.Random) -> tuple[Tensor, list[Spoken]]:
    """Neighbours by length as they are heard: ids [row, token] that begin with speech's mark, and their letters."""
    ids: list[list[int]] = []
    spoken: list[Spoken] = []
    for question in rows[rng.randrange(len(rows)) :]:
        heard = mixture.heard(question, rng)
        if ids and (len(ids) + 1) * (len(heard.codes) + 1) > TOKENS:
            break
        spoken.append(Spoken(len(ids), 1, heard.letters, heard.words))
        ids.append(mixture.writer.vocabulary.speech(heard.codes)[:-1])
    return padded(ids), spoken


def train_front(folder: str, seconds: float) -> None:
    rank = share()
    torch.manual_seed(8)
    vocabulary = Vocabulary(f"{folder}/llama")
    mixture, net = Mixture(folder, vocabulary), Llama(LlamaConfig(vocabulary.size))
    start_from_code_vectors(net, vocabulary, torch.load(f"{folder}/books.pt")["books"][0, :, :SEMANTIC])
    net.requires_grad_(False)
    net.model.layers[:FRONT].requires_grad_(True)
    letters_head = Letters(net.config.hidden_size)
    optimizers = [*muon(net, RATE, ".layers."), torch.optim.AdamW(letters_head.parameters(), RATE, weight_decay=0.01)]
    run = Run(folder, "front", net, RATE, seconds, warmup=50, optimizers=optimizers, helper=letters_head)
    first, last = vocabulary.first_speech, vocabulary.first_speech + SPEECH_CODES
    rows = sorted(mixture.questions + mixture.practice, key=lambda row: len(row.codes))
    for step in run:
        rng = random.Random(8_000_000 + 1_000_000 * rank + step)
        ids, spoken = recordings(mixture, rows, rng)
        before, after = first_layers(net, ids)
        letters, right = letters_head(after, spoken)
        speech = (ids >= first) & (ids < last)
        loss = letters + SMALL * added(before, after, speech)
        means = {"letters": letters.item(), "right": right.item()}
        if step % 3 == 0:
            ids = padded([mixture.draw(rng, 1.0).ids[:LONGEST] for _ in range(CONVERSATIONS)])
            elsewhere = added(*first_layers(net, ids), (ids < first) | (ids >= last))
            loss = loss + ELSEWHERE * elsewhere
            means["elsewhere"] = elsewhere.item()
        run.step(loss, **means)
