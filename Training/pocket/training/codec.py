"""Stages `encoder` and `decoder`: two regressions on the latent that `latent` fixed, side by side.

The encoder learns waveform -> latent with noise, echo, other colours and levels on its input; the decoder learns
quantised latent -> waveform, from all levels, from a few and from level 0 alone.
"""

import random

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .. import device
from ..data.corpus import Utterance, load
from ..data.latent import ACOUSTIC_ENERGY, SEMANTIC, Projection, corpus_split
from ..data.signal import MelDistance, frame_features
from ..data.voices import HOP
from ..networks.speechtokenizer import Decoder, Encoder, SpeechTokenizerConfig
from .run import Run, cheap

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


def disturb(wave: Tensor) -> tuple[Tensor, Tensor]:
    """[batch, samples] -> what a microphone in a room gives of it, and the same without room and noise.

    Level and colour of the sound change in both: they are heard, and the latent shall tell them.
    """
    batch, samples = wave.shape
    plain = torch.rand(batch, 1) < 0.4
    coloured = colour(wave, 9.0) * torch.empty(batch, 1).uniform_(0.3, 1.4)
    coloured = torch.where(plain, wave, coloured / coloured.abs().amax(1, keepdim=True).clamp(min=1))
    echoing = torch.rand(batch, 1) < 0.25
    heard = torch.where(echoing, reverberated(coloured), coloured)
    level = torch.rand(batch, 1).pow(3) * 1.5e-2 * torch.where(plain, 0.05, 1.0)
    return heard + colour(torch.randn(batch, samples), 12.0) * level, coloured


def colour(wave: Tensor, decibels: float) -> Tensor:
    """A random gain over frequency, smooth, of at most so many decibels either way. [batch, samples]"""
    samples = wave.shape[1]
    corners = torch.empty(len(wave), 1, 9).uniform_(-decibels, decibels)
    place = torch.linspace(0, 1, samples // 2 + 1).sqrt()  # finer where speech has its formants
    gain = F.interpolate(corners, 257, mode="linear", align_corners=True)[:, 0]
    gain = gain[:, (place * 256).long()]
    return torch.fft.irfft(torch.fft.rfft(wave) * 10 ** (gain / 20), samples)


def reverberated(wave: Tensor) -> Tensor:
    """With the echo of a small room, 0.1 to 0.4 s long. [batch, samples]"""
    samples = wave.shape[1]
    time = torch.arange(6400) / 16_000
    decay = torch.exp(-6.9 * time / torch.empty(len(wave), 1).uniform_(0.1, 0.4))
    echo = torch.randn(len(wave), 6400) * decay
    echo = echo / echo.norm(dim=1, keepdim=True) * torch.empty(len(wave), 1).uniform_(0.1, 0.5)
    echo[:, 0] += 1
    size = samples + 6400
    return torch.fft.irfft(torch.fft.rfft(wave, size) * torch.fft.rfft(echo, size), size)[:, :samples]


def train_encoder(folder: str, parts: list[int], seconds: float) -> None:
    torch.manual_seed(1)
    random.seed(1)
    pieces, latent = Pieces(folder, parts), device.load(f"{folder}/latent.pt")
    projection = Projection(device.load(f"{folder}/projection.pt"))
    net = Encoder(SpeechTokenizerConfig())
    run = Run(folder, "encoder", net, 8e-4, seconds, betas=(0.8, 0.99), decay=1e-3, clip=2.0)
    for _ in run:
        count, frames = random.choice(SIZES)
        starts = [pieces.where(pieces.train, frames)[1] for _ in range(count)]
        heard, coloured = disturb(torch.tensor(np.stack([pieces.sound(start, frames) for start in starts])))
        target = torch.stack([latent[start : start + frames] for start in starts]).float()
        target[..., SEMANTIC:] = projection.sound(torch.stack([frame_features(wave) for wave in coloured]))
        with cheap(run.done < PRECISE):
            guess = net(heard[:, None])
        error = (guess.float().transpose(1, 2) - target).pow(2)
        said = error[..., :SEMANTIC].mean()
        sound = error[..., SEMANTIC:].sum(-1).mean() / (ACOUSTIC_ENERGY * SEMANTIC)
        run.step(said + 0.5 * sound, said=said.item(), sound=sound.item())


def train_decoder(folder: str, parts: list[int], seconds: float) -> None:
    torch.manual_seed(2)
    random.seed(2)
    pieces, ids = Pieces(folder, parts), device.load(f"{folder}/ids.pt").long()
    books = device.load(f"{folder}/books.pt")["books"]
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
        with cheap(run.done < PRECISE):
            sound = net(torch.stack(latents).transpose(1, 2))[:, 0]
        run.step(distance(torch.tensor(np.stack(waves)), sound.float()))
