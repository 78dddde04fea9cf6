"""Log-mel features, and the multi-resolution log-mel distance that trains and judges the decoder."""

from functools import cache

import numpy as np
import torch
from torch import Tensor

from .voices import HOP, SAMPLE_RATE

FLOOR = 0.02  # quieter than this nothing is heard; a lower floor would let digital silence rule the loss


def mel_bank(window: int, bands: int, rate: int = SAMPLE_RATE) -> Tensor:
    """[bands, window / 2 + 1] triangles on the mel scale"""
    frequency = torch.linspace(0, rate / 2, window // 2 + 1)
    top = 2595 * np.log10(1 + rate / 2 / 700)
    corner = 700 * (10 ** (torch.linspace(0, top, bands + 2) / 2595) - 1)
    low, middle, high = corner[:-2, None], corner[1:-1, None], corner[2:, None]
    return torch.clamp(torch.minimum((frequency - low) / (middle - low), (high - frequency) / (high - middle)), min=0)


@cache
def _bank(where: torch.device) -> Tensor:
    return mel_bank(512, 48).to(where)


def frame_features(wave: np.ndarray | Tensor) -> Tensor:
    """[samples], whole frames -> [frame, 96]: two half frames of 48 log-mel bands, centred at samples 80 and 240."""
    x = torch.nn.functional.pad(torch.as_tensor(wave)[None], (256 - 80, 256))[0]
    spectrum = torch.stft(x, 512, 160, 400, torch.hann_window(400), center=False, return_complex=True).abs()
    mel = torch.log(_bank(spectrum.device) @ spectrum + FLOOR).T
    return mel[: mel.shape[0] // 2 * 2].reshape(-1, 96)


def long_features(wave: np.ndarray, step: int = 15_000) -> np.ndarray:
    """`frame_features` of a long int16 recording, piece by piece. [samples] -> [frame, 96] float32"""
    pieces = []
    for start in range(0, len(wave), step * HOP):
        piece = wave[start : start + step * HOP].astype(np.float32) / 32768
        pieces.append(frame_features(piece).numpy()[: len(piece) // HOP])
    return np.concatenate(pieces)


class MelDistance:
    """Mean absolute log-mel difference over several window lengths. [batch, samples] twice -> scalar"""

    SPEECH = ((128, 16), (256, 32), (512, 64), (1024, 80), (2048, 80))  # (window, bands)

    def __init__(self, sizes: tuple[tuple[int, int], ...] = SPEECH, rate: int = SAMPLE_RATE) -> None:
        self.scales = [(window, mel_bank(window, bands, rate), torch.hann_window(window)) for window, bands in sizes]

    def __call__(self, x: Tensor, y: Tensor) -> Tensor:
        def mel(wave: Tensor, window: int, bank: Tensor, shape: Tensor) -> Tensor:
            spectrum = torch.stft(wave, window, window // 4, window, shape, return_complex=True).abs()
            return torch.log(bank @ spectrum + FLOOR)

        return sum((mel(x, *scale) - mel(y, *scale)).abs().mean() for scale in self.scales) / len(self.scales)
