"""Sound as the daemon's JSON door takes it: 16-bit samples, mono, 24,000 a second."""

from __future__ import annotations

import math
import os
import sys
import wave
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from operator import mul

from .errors import SoundError

#: Samples a second, both ways.
RATE = 24_000


@dataclass(frozen=True)
class Sound:
    """A sound: 16-bit little-endian samples, mono, 24,000 a second."""

    pcm: bytes = b""

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.pcm) / 2 / RATE

    @staticmethod
    def read(path: str | os.PathLike[str]) -> Sound:
        """Reads a WAV file of 16 bits, of any rate and number of channels."""
        try:
            with wave.open(os.fspath(path), "rb") as file:
                if file.getsampwidth() != 2:
                    raise SoundError(
                        f"{path}: {8 * file.getsampwidth()} bits a sample; convert it to 16"
                    )
                samples = array("h", file.readframes(file.getnframes()))
                channels, rate = file.getnchannels(), file.getframerate()
        except (OSError, EOFError, wave.Error) as error:
            reason = error.strerror if isinstance(error, OSError) else f"not a WAV file ({error})"
            raise SoundError(f"{path}: {reason}") from error
        if sys.byteorder == "big":
            samples.byteswap()
        if channels > 1:
            frames = zip(*(samples[channel::channels] for channel in range(channels)))
            samples = array("h", (round(sum(frame) / channels) for frame in frames))
        samples = resample(samples, rate, RATE)
        if sys.byteorder == "big":
            samples.byteswap()
        return Sound(samples.tobytes())

    def write(self, path: str | os.PathLike[str]) -> None:
        """Writes a WAV file."""
        try:
            with wave.open(os.fspath(path), "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(2)
                file.setframerate(RATE)
                file.writeframes(self.pcm)
        except OSError as error:
            raise SoundError(f"{path}: {error.strerror}") from error


def resample(samples: Sequence[int], source: int, target: int) -> array[int]:
    """Another rate: a windowed sinc, 16 zero crossings on each side of a sample."""
    if source == target or not samples:
        return array("h", samples)
    divisor = math.gcd(source, target)
    up, down = target // divisor, source // divisor
    # What the lower of the two rates cannot hold is filtered out.
    cutoff = min(1.0, target / source)
    reach = math.ceil(16 / cutoff)
    filters = [_taps(phase / up, cutoff, reach) for phase in range(up)]
    padded = [0] * reach + list(samples) + [0] * (reach + 1)
    result = array("h")
    for index in range(len(samples) * up // down):
        start, phase = divmod(index * down, up)
        value = round(sum(map(mul, padded[start : start + 2 * reach + 1], filters[phase])))
        result.append(max(-32768, min(32767, value)))
    return result


def _taps(offset: float, cutoff: float, reach: int) -> list[float]:
    taps = []
    for index in range(-reach, reach + 1):
        x = index - offset
        sinc = 1.0 if x == 0 else math.sin(math.pi * cutoff * x) / (math.pi * cutoff * x)
        window = 0.5 + 0.5 * math.cos(math.pi * x / (reach + 1))
        taps.append(sinc * window)
    total = sum(taps)
    return [tap / total for tap in taps]
