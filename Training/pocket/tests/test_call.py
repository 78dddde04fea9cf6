"""Recordings as they are after a call."""

import random

import numpy as np
import pytest

pytest.importorskip("av")

from pocket.data.call import called  # noqa: E402


def melody(samples: int) -> np.ndarray:
    """A tone that glides and swells. [sample]"""
    time = np.arange(samples) / 16_000
    return (0.5 * np.sin(2 * np.pi * (200 + 60 * time) * time) * (0.6 + 0.4 * np.sin(9 * time))).astype(np.float32)


@pytest.mark.parametrize("samples", [320 * 50, 320 * 50 + 1, 12_345, 320])
def test_a_call_keeps_a_recording_s_length(samples: int) -> None:
    assert called(melody(samples), random.Random(samples)).shape == (samples,)


def test_a_call_changes_a_recording_little_and_always_in_the_same_way() -> None:
    wave = melody(32_000)
    for seed in range(8):
        heard = called(wave, random.Random(seed))
        assert np.array_equal(heard, called(wave, random.Random(seed)))
        assert not np.array_equal(heard, wave)
        late = [float(heard[shift:30_000] @ wave[: 30_000 - shift]) for shift in range(400)]
        best = int(np.argmax(late))
        lost = heard[best:30_000] - wave[: 30_000 - best]
        share = np.linalg.norm(lost) / np.linalg.norm(wave)
        assert share < 0.3, f"seed {seed}: {share:.2f} of it is lost"
