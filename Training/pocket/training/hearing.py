"""Stage `hearing`: the encoder's upper layers, by the letters that can be read from level 0.

The latent space was made from a teacher's features, which tell apart what a listener should not: the same words in
another voice, on another microphone, half a frame later had other codes, and stage `probe` read every sixth letter of
known questions wrong. So the encoder learns to choose codes that are read right, by the probe, through connectionist
temporal classification (as CosyVoice's tokens are learned by a recogniser around a quantiser: Du et al., 2024). The
codebooks stay as they are, so every id goes on meaning the sound that it meant; and how speech sounds, the latent's
other 96 numbers, is held to what the encoder said before.
"""

import copy
import random

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..data.heard import LOWER, STEPS, load_heard, together, upper
from ..data.latent import ACOUSTIC_ENERGY, SEMANTIC
from ..lessons.batching import by_length
from ..lessons.listening import numbers
from ..networks.speechtokenizer import Encoder, SpeechTokenizerConfig
from .probe import HOLES, LONGEST_HOLE, MISSING, Probe, book
from .run import Run, load_net, share

RATE = 8e-4
FRAMES = 1600  # of a batch
POOL = 400  # recordings that batches of like length are made of at a time
SOFT = 1.0  # the squared distance by which a code is e times less likely, where gradients pass through the choice
NEAR, SOUND, SAID = 0.3, 0.5, 0.1  # weights: of a code's distance, and of what was said and how it sounded before
ALONE = 0.1  # share of the time for the probe alone, before the encoder is told anything by it
HELD = 3  # every so many batches it is held to what it said before
BLURRED = 0.1  # noise on what the lower layers have, as a share of its deviation


def chosen(said: Tensor, codes: Tensor) -> tuple[Tensor, Tensor]:
    """[point, 32] -> which code is the nearest [point, 1024], with the gradients of how near each one is; and the
    squared distance of the nearest one. [point]"""
    distance = torch.cdist(said, codes).pow(2)
    near = (-distance / SOFT).softmax(1)
    least, index = distance.min(1)
    return F.one_hot(index, len(codes)).float() + near - near.detach(), least


def read(probe: Probe, codes: Tensor, missing: Tensor) -> Tensor:
    """Codes [row, frame, 1024] and which frames are not there [row, frame] -> log-probabilities [row, frame, letter]"""
    x = codes @ probe.embed.weight[:MISSING]
    x = torch.where(missing[..., None], probe.embed.weight[MISSING], x).transpose(1, 2)
    return probe.read(x, ~missing[:, None])


def gone(lengths: Tensor, rng: random.Random) -> Tensor:
    """Frames behind a row's end, and some that are taken away. [row, frame]"""
    missing = torch.arange(int(lengths.max())) >= lengths[:, None]
    for row, length in zip(missing, lengths.tolist(), strict=True):
        for _ in range(HOLES):
            first = rng.randrange(length)
            row[first : first + rng.randint(0, LONGEST_HOLE)] = True
    return missing


def train_hearing(folder: str, takes: list[str], seconds: float) -> None:
    """Several processes may do it together, each with batches of its own (`share`)."""
    rank = share()
    torch.manual_seed(10 + rank)
    before, codes = load_net(folder, "encoder", Encoder(SpeechTokenizerConfig())), book(folder)
    encoder = copy.deepcopy(before)
    probe = Probe(codes)
    encoder.model[:LOWER].requires_grad_(False)
    rows = [(numbers(row[0]), values) for take in takes for row, values in load_heard(folder, take)]
    blur = BLURRED * torch.tensor(np.concatenate([values for _, values in rows[::50]]).astype(np.float32)).std()
    trained = [*encoder.model[LOWER:].parameters(), *probe.parameters()]
    optimizer = torch.optim.AdamW(trained, RATE, (0.9, 0.98), weight_decay=0.01)
    run = Run(folder, "encoder_tuned", encoder, RATE, seconds, warmup=50, optimizers=[optimizer], helper=probe)
    groups: list[list[tuple[list[int], np.ndarray]]] = []
    for step in run:
        rng = random.Random(1_000_000 * rank + step)
        if not groups:
            some = rng.sample(rows, min(len(rows), POOL))
            groups = by_length(some, lambda row: len(row[1]) // STEPS, FRAMES)
            rng.shuffle(groups)
        texts, pieces = zip(*groups.pop(), strict=True)
        x = together(list(pieces))
        lengths = torch.tensor([len(piece) // STEPS for piece in pieces])
        missing = gone(lengths, rng)
        with torch.set_grad_enabled(run.done >= ALONE):
            latent = upper(encoder, x + blur * torch.randn_like(x)).transpose(1, 2)
        here = torch.arange(latent.shape[1]) < lengths[:, None]
        said = latent[..., :SEMANTIC]
        one, least = chosen(said.reshape(-1, SEMANTIC), codes)
        letters = read(probe, one.view(*said.shape[:2], -1), missing).transpose(0, 1)
        counts = torch.tensor([len(text) for text in texts])
        right = torch.tensor([number for text in texts for number in text])
        losses = F.ctc_loss(letters, right, lengths, counts, reduction="none", zero_infinity=True)
        reading = losses.sum() / counts.sum()
        near = least.view(said.shape[:2])[here].mean() / SEMANTIC
        loss, means = reading + NEAR * near, {"letters": reading.item(), "near": near.item()}
        if step % HELD == 0 and run.done >= ALONE:
            with torch.no_grad():
                was = upper(before, x).transpose(1, 2)
            change = (latent - was)[here].pow(2)
            moved = change[:, :SEMANTIC].mean()
            sound = change[:, SEMANTIC:].sum(1).mean() / (ACOUSTIC_ENERGY * SEMANTIC)
            means |= {"moved": moved.item(), "sound": sound.item()}
            loss = loss + HELD * (SAID * moved + SOUND * sound)
        run.step(loss, **means)
