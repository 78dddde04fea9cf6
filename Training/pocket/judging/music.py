"""Stage `music-judge`: what the shipped music network keeps of tunes, and how alike heard ones and true codes are.

Writes `reports/music.json`. No piece that is heard here was trained on by the codec, but for the canonical melodies,
which every fourth variant has.
"""

import json
import os

import numpy as np
import torch

from ..data.music import AGES, FRAME, INSTRUMENTS, KINDS, RATE, canonical, compose, heard
from ..data.music_codes import CODES, LEVELS, VARIANTS, codes, true_codes
from ..data.signal import mel_bank
from ..networks.encodec import Encodec, EncodecConfig
from ..shipping.music import read_encodec

REPORT = os.path.join(os.path.dirname(__file__), "..", "..", "reports", "music.json")
TESTED = 3  # variants of each kind that the histograms are not made of


def judge_music(model: str) -> None:
    net = Encodec(EncodecConfig()).eval()
    net.load_state_dict(read_encodec(f"{model}/encodec"))
    said = np.stack([codes(compose(kind), kind.instrument) for kind in KINDS])
    found = np.stack([[encoded(net, heard(kind, seed)) for seed in VARIANTS] for kind in KINDS])
    true = np.stack([[true_codes(kind, seed) for seed in VARIANTS] for kind in KINDS])
    clean = np.stack([encoded(net, canonical(kind)) for kind in KINDS])
    report = {
        "decoded": decoded(net, said),
        "codes_in_use": {"canonical": in_use(said), "heard": in_use(found)},
        "encoder_equal": {
            "heard": shares(found, true),
            "canonical_clean": shares(clean, said),
            "instrument": round(float((found[..., 0] // AGES == true[..., 0] // AGES).mean()), 4),
            "pitch": round(float((found[..., 1] // 8 == true[..., 1] // 8).mean()), 4),
        },
        "kind_by_histogram": by_histogram(found),
    }
    with open(REPORT, "w") as file:
        json.dump(report, file, indent=1)
        file.write("\n")
    print(json.dumps(report, indent=1), flush=True)


def encoded(net: Encodec, wave: np.ndarray) -> np.ndarray:
    """[samples] -> [frame, level]"""
    return net.encode(torch.tensor(wave)).T.numpy()


def decoded(net: Encodec, said: np.ndarray) -> dict[str, dict[str, float]]:
    """Of each instrument: sound against what is wrong in decibels, and the mean difference of log-mel values."""
    out: dict[str, list[tuple[float, float]]] = {name: [] for name in INSTRUMENTS}
    for kind, row in zip(KINDS, said, strict=True):
        wanted, made = torch.tensor(canonical(kind)), net.decode(torch.tensor(row).long().T)
        wrong = 10 * torch.log10(wanted.square().mean() / (made - wanted).square().mean())
        apart = (decibels(made, wanted) - decibels(wanted, wanted)).abs().mean()
        out[kind.instrument].append((float(wrong), float(apart)))
    return {
        name: dict(zip(("signal_to_noise_db", "log_mel_db"), np.mean(rows, 0).round(2).tolist(), strict=True))
        for name, rows in out.items()
    }


def decibels(wave: torch.Tensor, beside: torch.Tensor) -> torch.Tensor:
    """128 mel bands of a wave, none of them counted as softer than 60 dB below the loudest of another one."""

    def mel(x: torch.Tensor) -> torch.Tensor:
        spectrum = torch.stft(x, 2048, FRAME, window=torch.hann_window(2048), return_complex=True).abs()
        return mel_bank(2048, 128, RATE) @ spectrum

    return 20 * torch.log10(mel(wave).clamp(min=1e-3 * float(mel(beside).max())))


def in_use(found: np.ndarray) -> list[int]:
    return [len(np.unique(found[..., level])) for level in range(LEVELS)]


def shares(found: np.ndarray, true: np.ndarray) -> list[float]:
    """Share of equal codes, of each level."""
    return [round(float((found[..., level] == true[..., level]).mean()), 4) for level in range(LEVELS)]


def by_histogram(found: np.ndarray) -> float:
    """Share of pieces whose kind is right by how often each code comes, counted in the other variants."""
    offsets = np.arange(LEVELS) * CODES

    def counts(rows: np.ndarray) -> np.ndarray:
        return np.bincount((rows + offsets).ravel(), minlength=LEVELS * CODES)

    known = np.stack([counts(rows[:-TESTED]) for rows in found]) + 1.0
    likely = np.log(known / known.sum(1, keepdims=True))
    right = [(likely @ counts(row)).argmax() == kind for kind, rows in enumerate(found) for row in rows[-TESTED:]]
    return float(np.mean(right))
