"""The network that judges music, and what it looks at: a spectrogram of five seconds.

It shares nothing with Encodec: neither codes nor features nor weights.
"""

from functools import cache

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pocket.data.music import INSTRUMENTS, MOODS, TEMPI

RATE, SECONDS = 16_000, 5
SAMPLES = RATE * SECONDS
WINDOW, HOP = 2048, 1280  # four columns to a fast note
BANDS, LOWEST = 80, 60.0  # Hz
QUIET = 1e-3  # of the loudest: below that nothing is heard
HEADS = {"instrument": list(INSTRUMENTS), "tempo": list(TEMPI), "mood": list(MOODS)}


@cache
def _bank() -> Tensor:
    """[bands, WINDOW / 2 + 1] triangles, equally wide up to 1 kHz and wider above, so that low notes stand apart."""
    frequency = np.linspace(0, RATE / 2, WINDOW // 2 + 1)

    def scale(hertz: np.ndarray | float) -> np.ndarray:
        return np.log1p(np.asarray(hertz) / 1000)

    corners = 1000 * np.expm1(np.linspace(scale(LOWEST), scale(RATE / 2), BANDS + 2))
    low, middle, high = corners[:-2, None], corners[1:-1, None], corners[2:, None]
    rising, falling = (frequency - low) / (middle - low), (high - frequency) / (high - middle)
    return torch.tensor(np.clip(np.minimum(rising, falling), 0, None), dtype=torch.float32)


def features(waves: Tensor) -> Tensor:
    """[batch, SAMPLES] -> [batch, BANDS, columns], whatever the level"""
    spectrum = torch.stft(waves, WINDOW, HOP, window=torch.hann_window(WINDOW), return_complex=True).abs()
    mel = _bank() @ spectrum
    loudest = mel.amax((1, 2), keepdim=True).clamp(min=1e-6)
    return torch.log10(mel / loudest + QUIET) / 3 + 1  # from nearly 0 to 1


class Network(nn.Module):
    """Convolutions over time and pitch, then over time alone, then a guess for each head."""

    def __init__(self) -> None:
        super().__init__()
        widths = [1, 16, 32, 48, 48]
        strides = [(2, 1), (2, 2), (2, 2), (2, 1)]
        self.layers = nn.Sequential(
            *(
                nn.Sequential(nn.Conv2d(a, b, 3, stride, 1, bias=False), nn.BatchNorm2d(b), nn.ReLU())
                for a, b, stride in zip(widths, widths[1:], strides, strict=False)
            )
        )
        high = widths[-1] * (BANDS // 16)
        self.times = nn.Sequential(
            *(
                nn.Sequential(nn.Conv1d(a, 64, size, padding=size // 2, bias=False), nn.BatchNorm1d(64), nn.ReLU())
                for a, size in ((high, 3), (64, 5))
            )
        )
        self.heads = nn.ModuleDict({name: nn.Linear(128, len(values)) for name, values in HEADS.items()})

    def forward(self, spectrograms: Tensor) -> dict[str, Tensor]:
        """`features` -> logits by head"""
        seen = self.layers(spectrograms[:, None])
        heard = self.times(seen.flatten(1, 2))
        both = torch.cat([heard.mean(2), heard.amax(2)], 1)
        return {name: head(both) for name, head in self.heads.items()}


def fitted(wave: np.ndarray) -> Tensor:
    """The first five seconds, filled up with silence. [samples] -> [SAMPLES]"""
    start = torch.as_tensor(np.asarray(wave[:SAMPLES], np.float32))
    return F.pad(start, (0, SAMPLES - len(start)))
