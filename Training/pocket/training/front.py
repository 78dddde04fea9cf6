"""Stage `front`: the backbone's first two layers alone, before all others.

They begin as ones that look a few frames back (`networks/nearby.py`) and learn to tell the letters that were said
last. Alone they see many more recordings a minute than under the whole backbone: there, the letters were after 13
minutes where it had been after three.

Where the encoder has learned to hear better, shipped layers are trained further on its new codes: they are held to what
they made before everywhere but at speech, and loosely there, since the layers behind them go on from what they know.
"""

import copy
import random

import torch
from torch import Tensor

from .. import device
from ..data.latent import SEMANTIC
from ..data.recordings import Question
from ..lessons.listening import Letters, Spoken
from ..networks.llama import Llama, LlamaConfig
from ..networks.soundstorm import rotary_table
from ..words.vocabulary import SPEECH_CODES, Vocabulary
from .backbone import FRONT, Mixture, start_from_code_vectors
from .muon import muon
from .run import Run, share

RATE, GOING_ON = 1.2e-3, 6e-4
ALONE = 0.1  # share of the time for the letters' head alone, where the layers are trained further
TOKENS = 3500  # of a batch
SMALL = 0.01  # weight of what the layers add at speech's positions, as a share of what is there
ELSEWHERE = 3.0  # the same at all others, where they have nothing to say yet; asked in every third batch
CONVERSATIONS, LONGEST = 6, 500  # sequences that are looked at for that, and their tokens


class Front:
    """The first layers, and what they are held to: what comes to them, or what they made of it before."""

    def __init__(self, net: Llama, shipped: bool) -> None:
        self.net, self.layers = net, net.model.layers[:FRONT]
        self.held_to = copy.deepcopy(self.layers).requires_grad_(False) if shipped else None

    def __call__(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """[row, token] -> what they are held to and what they make, [row, token, hidden]"""
        x = y = self.net.model.embed_tokens(ids).detach()
        table = rotary_table(ids.shape[1], x.shape[2] // self.net.config.num_attention_heads)
        for layer in self.layers:
            y = layer(y, table, None)
        with torch.no_grad():
            for layer in self.held_to or []:
                x = layer(x, table, None)
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
    begun = f"{folder}/start/backbone.pt"
    if mixture.fresh:
        start_from_code_vectors(net, vocabulary, device.load(f"{folder}/books.pt")["books"][0, :, :SEMANTIC])
    else:
        net.load_state_dict(device.load(begun))
    first_layers = Front(net, not mixture.fresh)
    net.requires_grad_(False)
    first_layers.layers.requires_grad_(True)
    letters_head, rate = Letters(net.config.hidden_size), RATE if mixture.fresh else GOING_ON
    optimizers = [*muon(net, rate, ".layers."), torch.optim.AdamW(letters_head.parameters(), rate, weight_decay=0.01)]
    run = Run(folder, "front", net, rate, seconds, warmup=50, optimizers=optimizers, helper=letters_head)
    first, last = vocabulary.first_speech, vocabulary.first_speech + SPEECH_CODES
    rows = sorted(mixture.questions + mixture.practice, key=lambda row: len(row.codes))
    for step in run:
        rng = random.Random(8_000_000 + 1_000_000 * rank + step)
        ids, spoken = recordings(mixture, rows, rng)
        with torch.set_grad_enabled(mixture.fresh or run.done >= ALONE):
            before, after = first_layers(ids)
        letters, right = letters_head(after, spoken)
        speech = (ids >= first) & (ids < last)
        loss = letters + SMALL * added(before, after, speech)
        means = {"letters": letters.item(), "right": right.item()}
        if step % 3 == 0:
            ids = padded([mixture.draw(rng, 1.0).ids[:LONGEST] for _ in range(CONVERSATIONS)])
            elsewhere = added(*first_layers(ids), (ids < first) | (ids >= last))
            loss = loss + ELSEWHERE * elsewhere
            means["elsewhere"] = elsewhere.item()
        run.step(loss, **means)
    if not mixture.fresh and rank == 0:
        torch.save(net.state_dict(), begun)  # what stage `backbone` begins with
