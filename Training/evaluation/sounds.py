"""The recordings that are played to the daemon, and those that its speech is compared with: made once, then kept."""

import hashlib
import io
import random
import wave
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

import av
import numpy as np

from pocket.data.voices import SAMPLE_RATE, Speaker, heard

from .plan import CLEAN, Spoken


class Recordings:
    """A folder of recordings at 16 kHz by the pipeline's own speakers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    @cached_property
    def _speaker(self) -> Speaker:
        return Speaker()

    def has_question(self, asked: Spoken) -> bool:
        """Whether it is recorded already."""
        return self._path("question", asked.key).exists()

    def has_reply(self, text: str) -> bool:
        """Whether it is recorded already."""
        return self._path("reply", _digest(text)).exists()

    def question(self, asked: Spoken) -> tuple[Path, bool]:
        """A spoken question as a microphone gives it: at some level, with quiet around it, perhaps a room and noise.

        With it, whether it was made just now.
        """

        def make() -> np.ndarray:
            import torch

            from pocket.data.recordings import microphone

            rng = random.Random(asked.key)
            said = self._speaker.speak(asked.text, asked.voice, rng)
            torch.manual_seed(rng.getrandbits(32))
            return microphone(said, rng, asked.way == CLEAN)[0].numpy()

        return self._kept(self._path("question", asked.key), make)

    def reply(self, text: str) -> tuple[Path, bool]:
        """A reply as the voice that the model learned speaks it, and whether it was made just now."""
        return self._kept(self._path("reply", _digest(text)), lambda: self._speaker.reply(text))

    def _path(self, kind: str, name: str) -> Path:
        return self.folder / f"{kind}-{name}.wav"

    @staticmethod
    def _kept(path: Path, make: Callable[[], np.ndarray]) -> tuple[Path, bool]:
        if path.exists():
            return path, False
        write(path, (np.clip(make(), -1, 1) * 32767).astype(np.int16), SAMPLE_RATE)
        return path, True


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def write(path: Path, samples: np.ndarray, rate: int) -> None:
    """Writes a WAV file, whole or not at all. [samples] int16"""
    unfinished = path.with_suffix(".part")
    with wave.open(str(unfinished), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.astype("<i2").tobytes())
    unfinished.replace(path)


def read(path: Path) -> tuple[np.ndarray, int]:
    """[samples] int16 of a WAV file, and its rate"""
    with wave.open(str(path), "rb") as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2"), file.getframerate()


def quiet_before(samples: np.ndarray, rate: int) -> float:
    """Milliseconds until something is heard. [samples]"""
    parts = heard(samples, rate // 100)
    return 10.0 * int(parts[0]) if len(parts) else 0.0


def decode(file: Path | bytes, rate: int) -> np.ndarray:
    """[samples] float32 of a sound file of any kind, its channels mixed, at a rate"""
    resampler = av.AudioResampler(format="flt", layout="mono", rate=rate)
    with av.open(io.BytesIO(file) if isinstance(file, bytes) else str(file)) as container:
        frames = [part for frame in container.decode(audio=0) for part in resampler.resample(frame)]
    pieces = [part.to_ndarray()[0] for part in [*frames, *resampler.resample(None)]]
    return np.concatenate(pieces) if pieces else np.zeros(0, np.float32)
