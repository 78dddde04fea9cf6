"""What the probe reads from level 0 of the spoken tests: by the waveform encoder, and of the features it learned from.

That is the speech tokenizer's gate: 12 % of letters wrong in voices that training had, 25 % in the one that it hadn't,
and at most 3 points more by the encoder than of the true features.
"""

from itertools import islice

import numpy as np
import torch

from ..data.spoken_tests import CLEAN, heard_test
from ..data.true_codes import Recording, true_codes
from ..data.voices import HELD_OUT_VOICE, HOP
from ..training.probe import letter_edits
from .evaluate import Shipped
from .judges import bootstrap


def read_test(model: Shipped, folder: str, test: str, count: int) -> np.ndarray:
    """A test's first recordings, each by the encoder and of the true features: edits, letters [row, way, 2]."""
    texts, ours, recordings = [], [], []
    for (text, _, _), wave, (start, end) in islice(heard_test(folder, test), count):
        wave = torch.nn.functional.pad(wave, (0, -len(wave) % HOP))
        texts.append(text)
        ours.append(model.tokenizer.encode(wave, 1)[0].numpy())
        recordings.append(Recording(wave.numpy(), round(start / HOP), round(end / HOP)))
    true = [codes.numpy() for _, codes in true_codes(folder, recordings)]
    return np.stack([letter_edits(folder, list(zip(texts, codes, strict=True))) for codes in (ours, true)], 1)


def summary(counts: np.ndarray) -> dict:
    """[row, way, 2] -> percent of letters wrong in both ways, and the difference of pairs."""

    def rate(rows: np.ndarray, way: int) -> float:
        return float(100 * rows[:, way, 0].sum() / rows[:, way, 1].sum())

    statistics = {
        "encoder": lambda rows: rate(rows, 0),
        "true features": lambda rows: rate(rows, 1),
        "difference": lambda rows: rate(rows, 0) - rate(rows, 1),
    }
    scores: dict = {"of": len(counts)}
    for name, statistic in statistics.items():
        low, high = bootstrap(counts, statistic)
        scores[name] = {"rate": round(statistic(counts), 1), "interval": [round(low, 1), round(high, 1)]}
    return scores


def judge_letters(model: Shipped, folder: str, tests: list[str], count: int) -> dict:
    """Letter errors of every clean test, and of all of them in each kind of voices."""
    seen, unseen = "all in voices that training had", f"all by {HELD_OUT_VOICE}, never heard"
    counts: dict[str, np.ndarray] = {}
    voices: dict[str, list[np.ndarray]] = {seen: [], unseen: []}
    for test in [test for test in tests if test.endswith(CLEAN)]:
        name = test.removesuffix(CLEAN)
        counts[name] = read_test(model, folder, test, count)
        voices[unseen if name.endswith(HELD_OUT_VOICE) else seen].append(counts[name])
        print(f"letters, {name}: {summary(counts[name])}", flush=True)
    counts |= {name: np.concatenate(rows) for name, rows in voices.items() if rows}
    return {name: summary(rows) for name, rows in counts.items()}
