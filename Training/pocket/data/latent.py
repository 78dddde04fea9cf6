"""Stage `latent`: the codec's latent space and codebooks, made before any network is trained.

A frame's latent has 128 numbers: 32 for what level 0 must carry, 96 for how it sounds.

  32: principal components of [whisper features, 64 half-whitened components | 1.7 x log-mel less the utterance's mean]
  96: principal components of the log-mel values, at a fifth of that energy

Level 0 is k-means on the 32 with the mean of each cluster beside it; levels 1-7 are residual k-means on the 96, their
first 32 numbers zero, and code 0 of each is all zero: "nothing to add".
"""

import math
import os

import numpy as np
import torch
from torch import Tensor

from .. import device
from ..networks.speechtokenizer import nearest
from .corpus import Utterance, load
from .signal import long_features
from .voices import HELD_OUT_VOICE

DIM, SEMANTIC = 128, 32
MEL_WEIGHT = 1.7
ACOUSTIC_ENERGY = 0.2  # of the semantic part's


def principal(x: Tensor) -> tuple[Tensor, Tensor]:
    """Eigenvalues (falling) and eigenvectors (columns) of the covariance of centred rows."""
    values, vectors = np.linalg.eigh(np.cov(x.T.numpy()))
    return torch.tensor(values[::-1].copy()).float(), torch.tensor(vectors[:, ::-1].copy()).float()


class Projection:
    """Whisper features and log-mel to latents; everything it needs is in `state`, fitted once."""

    def __init__(self, state: dict[str, Tensor]) -> None:
        self.state = state

    @classmethod
    def fit(cls, whisper: Tensor, mel: Tensor, spoken: list[tuple[int, int]]) -> "Projection":
        """whisper [frame, 384], mel [frame, 96]; `spoken` are the utterances to fit on."""
        active = torch.cat([torch.arange(start, end) for start, end in spoken])
        s: dict[str, Tensor] = {"whisper_mean": whisper[active].mean(0)}
        values, vectors = principal(whisper[active] - s["whisper_mean"])
        s["whisper_map"] = vectors[:, :64] / values[:64].pow(0.25)
        said = (whisper[active] - s["whisper_mean"]) @ s["whisper_map"]
        s["whisper_map"] /= said.pow(2).sum(1).mean().sqrt()
        shape = torch.cat([mel[start:end] - mel[start:end].mean(0) for start, end in spoken])
        s["shape_scale"] = MEL_WEIGHT / shape.pow(2).sum(1).mean().sqrt()
        self = cls(s)
        joint = self._joint(whisper[active], shape)
        s["joint_mean"] = joint.mean(0)
        values, vectors = principal(joint - s["joint_mean"])
        print(f"latent: {SEMANTIC} components keep {values[:SEMANTIC].sum() / values.sum():.3f}", flush=True)
        s["joint_map"] = vectors[:, :SEMANTIC]
        semantic = (joint - s["joint_mean"]) @ s["joint_map"]
        s["joint_map"] *= math.sqrt(SEMANTIC) / semantic.pow(2).sum(1).mean().sqrt()
        s["mel_mean"], spread = mel[active].mean(0), mel[active].std()
        _, vectors = principal((mel[active] - s["mel_mean"]) / spread)
        s["mel_map"] = vectors / spread
        sound = (mel[active] - s["mel_mean"]) @ s["mel_map"]
        s["mel_map"] *= math.sqrt(ACOUSTIC_ENERGY * SEMANTIC) / sound.pow(2).sum(1).mean().sqrt()
        s["quiet"] = shape.min(0).values * 0.8  # stands for log-mel less the mean where nobody speaks
        return self

    def _joint(self, whisper: Tensor, shape: Tensor) -> Tensor:
        s = self.state
        return torch.cat([(whisper - s["whisper_mean"]) @ s["whisper_map"], shape * s["shape_scale"]], 1)

    def sound(self, mel: Tensor) -> Tensor:
        """The acoustic part alone. [..., 96] -> [..., 96]"""
        return (mel - self.state["mel_mean"]) @ self.state["mel_map"]

    def latents(self, whisper: Tensor, mel: Tensor, spoken: list[tuple[int, int]]) -> Tensor:
        """[frame, 384], [frame, 96] -> [frame, 128]"""
        s = self.state
        shape = s["quiet"].expand_as(mel).clone()
        for start, end in spoken:
            shape[start:end] = mel[start:end] - mel[start:end].mean(0)
        semantic = (self._joint(whisper, shape) - s["joint_mean"]) @ s["joint_map"]
        return torch.cat([semantic, self.sound(mel)], 1)


def kmeans(x: Tensor, generator: torch.Generator, clusters: int = 1024, rounds: int = 14) -> Tensor:
    """[point, dim] -> [cluster, dim]; a cluster that loses all its points starts anew at a random one."""
    centres = x[torch.randperm(len(x), generator=generator)[:clusters]].clone()
    for _ in range(rounds):
        owner = nearest(x, centres)
        count = torch.bincount(owner, minlength=clusters).float()
        mean = torch.zeros_like(centres).index_add_(0, owner, x) / count.clamp(min=1)[:, None]
        fresh = x[torch.randint(0, len(x), (clusters,), generator=generator)]
        centres = torch.where(count[:, None] > 0, mean, fresh)
    return centres


def codebooks(sample: Tensor) -> Tensor:
    """[point, 128] -> [level, code, 128]"""
    generator = torch.Generator().manual_seed(0)
    said, sound = sample[:, :SEMANTIC], sample[:, SEMANTIC:]
    energy = sound.pow(2).sum(1).mean()
    centres = kmeans(said, generator)
    owner = nearest(said, centres)
    count = torch.bincount(owner, minlength=1024).float().clamp(min=1)
    mean = torch.zeros(1024, DIM - SEMANTIC).index_add_(0, owner, sound) / count[:, None]
    books = [torch.cat([centres, mean], 1)]
    rest = sound - mean[nearest(sample, books[0])]
    for level in range(1, 8):
        print(
            f"latent: acoustic energy left before level {level}: {rest.pow(2).sum(1).mean() / energy:.4f}", flush=True
        )
        centres = kmeans(rest, generator, rounds=10)
        centres[0] = 0
        books.append(torch.cat([torch.zeros(1024, SEMANTIC), centres], 1))
        rest = rest - centres[nearest(rest, centres)]
    print(f"latent: acoustic energy left after level 7: {rest.pow(2).sum(1).mean() / energy:.4f}", flush=True)
    return torch.stack(books)


def quantise(latent: Tensor, books: Tensor) -> Tensor:
    """[frame, 128] -> [8, frame] by nearest codes, as the network does it."""
    codes, rest = [], latent.clone()
    for book in books:
        codes.append(nearest(rest, book))
        rest -= book[codes[-1]]
    return torch.stack(codes)


def build(folder: str, parts: list[int], sample: int = 100_000) -> None:
    """Writes latents and ids; projection and codebooks are fitted unless stage `start` took them from the model.

    With the codebooks goes a least-squares map from level 0 back to the teacher's features.
    """
    if os.path.exists(f"{folder}/ids.pt"):
        return
    wave, features, utterances = load(folder, parts)
    mel, whisper = torch.tensor(long_features(wave)), torch.tensor(features).float()
    spoken = [(u.start, u.end) for u in utterances]
    if os.path.exists(f"{folder}/books.pt"):
        projection = Projection(device.load(f"{folder}/projection.pt"))
        latent = projection.latents(whisper, mel, spoken)
        torch.save(latent.half(), f"{folder}/latent.pt")
        torch.save(quantise(latent, device.load(f"{folder}/books.pt")["books"]).short(), f"{folder}/ids.pt")
        return
    known = [(u.start, u.end) for u in utterances if u.voice != HELD_OUT_VOICE]
    projection = Projection.fit(whisper, mel, known)
    latent = projection.latents(whisper, mel, spoken)
    active = torch.cat([torch.arange(start, end) for start, end in known])
    generator = torch.Generator().manual_seed(0)
    chosen = active[torch.randperm(len(active), generator=generator)[:sample]]
    idle = torch.ones(len(latent), dtype=torch.bool)
    for start, end in spoken:
        idle[start:end] = False
    chosen = torch.cat([chosen, torch.arange(len(latent))[idle][::25]])
    books = codebooks(latent[chosen])
    ids = quantise(latent, books)
    known_codes = books[0][ids[0, chosen]]
    ones = torch.ones(len(chosen), 1)
    transform = torch.linalg.lstsq(torch.cat([known_codes, ones], 1), whisper[chosen]).solution.T  # [384, 128 + 1]
    torch.save(projection.state, f"{folder}/projection.pt")
    torch.save(latent.half(), f"{folder}/latent.pt")
    count = torch.bincount(ids[0], minlength=1024)
    torch.save({"books": books, "transform": transform, "count": count}, f"{folder}/books.pt")
    torch.save(ids.short(), f"{folder}/ids.pt")


def corpus_split(utterances: list[Utterance]) -> tuple[list[Utterance], list[Utterance], list[Utterance]]:
    """(training, held-out of the training voices, held-out voice)"""
    ours = [u for u in utterances if u.voice != HELD_OUT_VOICE]
    train = [u for index, u in enumerate(ours) if index % 25]
    return train, ours[::25], [u for u in utterances if u.voice == HELD_OUT_VOICE]
