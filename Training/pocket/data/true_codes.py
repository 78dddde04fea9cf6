"""Level 0 as the teacher has it: Whisper's features of recordings, in its windows of 30 s, projected and quantised."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from .. import device
from .latent import Projection, quantise
from .signal import frame_features
from .teacher import WINDOW, Whisper
from .voices import HOP


class Recording(NamedTuple):
    """A wave of whole frames [sample], and the first frame of it in which somebody speaks and one after the last."""

    wave: np.ndarray
    start: int
    end: int


def true_codes(folder: str, recordings: Iterable[Recording]) -> Iterator[tuple[np.ndarray, Tensor]]:
    """What the teacher heard of each recording, with a trace of noise [sample], and its level 0 [frame].

    A window costs the teacher the same whatever is in it, so as many as fit share one.
    """
    whisper, noise = Whisper(), np.random.default_rng(5)
    projection, books = Projection(device.load(f"{folder}/projection.pt")), device.load(f"{folder}/books.pt")["books"]

    def codes(window: list[Recording]) -> Iterator[tuple[np.ndarray, Tensor]]:
        sound, places = noise.standard_normal(WINDOW).astype(np.float32) * 2e-4, []
        for recording in window:
            place = places[-1][1] if places else 0
            places.append((place, place + len(recording.wave)))
            sound[slice(*places[-1])] += recording.wave
        mel = frame_features(sound)[: WINDOW // HOP]
        rows = list(zip(window, places, strict=True))
        spoken = [(start // HOP + recording.start, start // HOP + recording.end) for recording, (start, _) in rows]
        latent = projection.latents(torch.tensor(whisper.features(sound)), mel, spoken)
        for start, end in places:
            yield sound[start:end], quantise(latent[start // HOP : end // HOP], books[:1])[0]

    window: list[Recording] = []
    for recording in recordings:
        if sum(len(other.wave) for other in window) + len(recording.wave) > WINDOW:
            yield from codes(window)
            window = []
        window.append(recording)
    if window:
        yield from codes(window)
