"""Recordings as they are after a call."""

import random

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("av")

from pocket.data.call import called  # noqa: E402


def melody(samples: int) -> torch.Tensor:
    """A tone that glides and swells. [sample]"""
    time = torch.arange(samples) / 16_000
    return 0.5 * (2 * np.pi * (200 + 60 * time) * time).sin() * (0.6 + 0.4 * (9 * time).sin())


@pytest.mark.parametrize("samples", [320 * 50, 320 * 50 + 1, 12_345, 320])
def test_a_call_keeps_a_recording_s_length(samples: int) -> None:
    assert called(melody(samples), random.Random(samples)).shape == (samples,)


def test_a_call_changes_a_recording_little_and_always_in_the_same_way() -> None:
    wave = melody(32_000)
    for seed in range(8):
        heard = called(wave, random.Random(seed))
        assert torch.equal(heard, called(wave, random.Random(seed)))
        assert not torch.equal(heard, wave)
        late = [float(torch.dot(heard[shift:30_000], wave[: 30_000 - shift])) for shift in range(400)]
        best = int(np.argmax(late))
        quiet = heard[best:30_000] - wave[: 30_000 - best]
        assert quiet.norm() < 0.3 * wave.norm(), f"seed {seed}: {quiet.norm() / wave.norm():.2f} of it is lost"
