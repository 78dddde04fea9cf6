"""Stages `encoder` and `decoder`: two regressions on the latent that `latent` fixed, side by side.

The encoder learns waveform -> latent with noise, tilt and level changes on its input; the decoder learns quantised
latent -> waveform, from all levels, from a few and from level 0 alone.
"""

import random

import numpy as np
import torch
from torch import Tensor

from .corpus import Utterance, load
from .latent import ACOUSTIC_ENERGY, SEMANTIC, corpus_split
from .run import Run
from .signal import MelDistance
from .speechtokenizer import Decoder, Encoder, SpeechTokenizerConfig
from .voices import HOP

# (pieces a batch, frames a piece): short ones teach the sound, long ones the context
SIZES = [(8, 32), (6, 40), (4, 64), (3, 100)]
PRECISE = 0.75  # after this share of the budget everything is computed in float32, before in bfloat16


class Pieces:
    """Random pieces of the training utterances."""

    def __init__(self, folder: str, parts: list[int]) -> None:
        self.wave, _, utterances = load(folder, parts)
        self.train, _, _ = corpus_split(utterances)
        self.reply = [u for u in self.train if u.voice == "hibari"]
        self.frames = len(self.wave) // HOP

    def where(self, pool: list[Utterance], frames: int) -> tuple[Utterance, int]:
        """An utterance and the first frame of a piece in it or over its edges."""
        u = random.choice(pool)
        start = random.randint(u.start - 8, max(u.start - 8, u.end - frames + 8))
        return u, max(0, min(start, self.frames - frames))

    def sound(self, start: int, frames: int) -> np.ndarray:
        return self.wave[start * HOP : (start + frames) * HOP].astype(np.float32) / 32768


def disturb(wave: Tensor) -> Tensor:
    """[batch, samples]: another level, a spectral tilt, now and then noise as rooms and microphones add it."""
    batch = len(wave)
    tilt = torch.empty(batch, 1).uniform_(-0.5, 0.5)
    before = torch.nn.functional.pad(wave[:, :-1], (1, 0))
    tilted = (wave + tilt * before) / (1 + tilt.abs())
    plain = torch.rand(batch, 1) < 0.5
    wave = torch.where(plain, wave, tilted * torch.empty(batch, 1).uniform_(0.6, 1.5))
    level = torch.rand(batch, 1).pow(2) * 6e-3
    return wave + torch.randn_like(wave) * level


def train_encoder(folder: str, parts: list[int], seconds: float) -> None:
    torch.manual_seed(1)
    random.seed(1)
    pieces, latent = Pieces(folder, parts), torch.load(f"{folder}/latent.pt")
    net = Encoder(SpeechTokenizerConfig())
    run = Run(folder, "encoder", net, 8e-4, seconds, betas=(0.8, 0.99), decay=1e-3, clip=2.0)
    for _ in run:
        count, frames = random.choice(SIZES)
        starts = [pieces.where(pieces.train, frames)[1] for _ in range(count)]
        wave = torch.tensor(np.stack([pieces.sound(start, frames) for start in starts]))
        target = torch.stack([latent[start : start + frames] for start in starts]).float()
        with torch.autocast("cpu", torch.bfloat16, enabled=run.done < PRECISE):
            guess = net(disturb(wave)[:, None])
        error = (guess.float().transpose(1, 2) - target).pow(2)
        said = error[..., :SEMANTIC].mean()
        sound = error[..., SEMANTIC:].sum(-1).mean() / (ACOUSTIC_ENERGY * SEMANTIC)
        run.step(said + 0.5 * sound, said=said.item(), sound=sound.item())


def train_decoder(folder: str, parts: list[int], seconds: float) -> None:
    torch.manual_seed(2)
    random.seed(2)
    pieces, ids = Pieces(folder, parts), torch.load(f"{folder}/ids.pt").long()
    books = torch.load(f"{folder}/books.pt")["books"]
    net, distance = Decoder(SpeechTokenizerConfig()), MelDistance()
    run = Run(folder, "decoder", net, 6e-4, seconds, betas=(0.8, 0.99), decay=1e-3, clip=2.0)
    for _ in run:
        count, frames = random.choice(SIZES)
        waves, latents = [], []
        for _ in range(count):
            u, start = pieces.where(pieces.reply if random.random() < 0.6 else pieces.train, frames)
            few = [1, 1, 2, 2, 3] if u.voice == "hibari" else [2, 3, 5]
            levels = random.choice(few) if random.random() < 0.4 else 8
            waves.append(pieces.sound(start, frames))
            latents.append(sum(books[level][ids[level, start : start + frames]] for level in range(levels)))
        with torch.autocast("cpu", torch.bfloat16, enabled=run.done < PRECISE):
            sound = net(torch.stack(latents).transpose(1, 2))[:, 0]
        run.step(distance(torch.tensor(np.stack(waves)), sound.float()))
