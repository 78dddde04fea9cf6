"""Who speaks: hibari (one natural voice), flite's voices, festival's ked and a little espeak, at 16 kHz.

A voice is a name, or a name and a factor: "hibari", "hibari0.85", "slt@1.1", "espeak:en-gb+f2@0.95". The factor changes
pitch and formants together, which makes another speaker to the ear; the speed stays what it was.
"""

import contextlib
import os
import random
import subprocess
import tempfile
from collections.abc import Iterator

import numpy as np

SAMPLE_RATE = 16_000
HOP = 320  # samples a frame: 50 frames a second

REPLY_VOICE = "hibari"  # factor 1, speed 1, seed 0: every sentence has exactly one recording
HIBARI_FACTORS = [0.80, 0.85, 0.92, 1.08, 1.18]  # pitch and formants together: other speakers to the ear
FLITE_VOICES = ["slt", "rms", "kal16"]
HELD_OUT_VOICE = "awb"  # flite, Scottish English: never trained on
ESPEAK_ACCENTS = ["en-us", "en-gb", "en-gb-scotland", "en-gb-x-rp", "en-gb-x-gbclan"]
ESPEAK_VARIANTS = ["m1", "m3", "m5", "m7", "f1", "f2", "f4"]


class Speaker:
    """Speaks a sentence in any of the voices."""

    def __init__(self) -> None:
        from hibari import Hibari

        self.hibari = Hibari(threads=1)
        self.festival: subprocess.Popen | None = None

    def reply(self, text: str) -> np.ndarray:
        """The one recording of a reply: 16 kHz, peak 0.6, 120 ms of quiet at both ends."""
        return pad(normalise(self._hibari(text, 1.0, 1.0, 0), 0.6), 6)

    def speak(self, text: str, voice: str, rng: random.Random) -> np.ndarray:
        """A sentence by a named voice, its speed varied by rng. [samples], a multiple of HOP, peak 1."""
        if voice.startswith("hibari"):
            factor = float(voice[6:] or 1)
            wave = self._hibari(text, factor, rng.uniform(0.88, 1.12), rng.randint(0, 1 << 30))
            return normalise(wave, 1.0)
        base, _, number = voice.partition("@")
        factor = float(number or 1)
        stretch, melody = rng.uniform(0.88, 1.14), rng.uniform(0.85, 1.2) if number else 1.0
        if base == "ked":
            wave = self._ked(text, stretch * factor)
        elif base.startswith("espeak:"):
            wave = espeak(text, base[7:], stretch * factor, melody)
        else:
            wave = flite(text, base, stretch * factor, melody)
        return normalise(shifted(wave, factor), 1.0)

    def _hibari(self, text: str, factor: float, speed: float, seed: int) -> np.ndarray:
        wave = np.asarray(self.hibari(text, speed=speed / factor, seed=seed), np.float32)
        return resample(wave, 24_000, int(SAMPLE_RATE / factor))

    def _ked(self, text: str, stretch: float) -> np.ndarray:
        """Festival's ked, by one process that stays."""
        if self.festival is None:
            self.festival = subprocess.Popen(["festival", "--pipe"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            self._order("(voice_ked_diphone)")
        with spoken_file() as path:
            self._order(f"(Parameter.set 'Duration_Stretch {stretch:.2f})")
            self._order(f'(utt.save.wave (utt.synth (Utterance Text "{text}")) "{path}" \'riff)')
            return read(path)

    def _order(self, command: str) -> None:
        self.festival.stdin.write(f'(begin {command} (format t "done\\n") (fflush nil))\n'.encode())
        self.festival.stdin.flush()
        while (line := self.festival.stdout.readline()).strip() != b"done":
            if not line:
                raise RuntimeError("festival ended; is the package festvox-kdlpc16k installed?")


@contextlib.contextmanager
def spoken_file() -> Iterator[str]:
    """The path of a file for one recording, removed afterwards."""
    handle, path = tempfile.mkstemp(suffix=".wav")
    os.close(handle)
    try:
        yield path
    finally:
        os.unlink(path)


def read(path: str) -> np.ndarray:
    """A recording at 16 kHz. [samples]"""
    import soundfile

    wave, rate = soundfile.read(path, dtype="float32")
    return wave if rate == SAMPLE_RATE else resample(wave, rate, SAMPLE_RATE)


def resample(wave: np.ndarray, rate: float, to: float) -> np.ndarray:
    import soxr

    return soxr.resample(wave, rate, to)


def shifted(wave: np.ndarray, factor: float) -> np.ndarray:
    """Pitch and formants times the factor, the length divided by it."""
    return wave if factor == 1 else resample(wave, SAMPLE_RATE, int(SAMPLE_RATE / factor))


def flite(text: str, voice: str, stretch: float, melody: float = 1.0) -> np.ndarray:
    """A sentence by one of flite's voices; `melody` is a factor on the pitch alone. [samples]"""
    with spoken_file() as path:
        command = ["flite", "-voice", voice, "--setf", f"duration_stretch={stretch:.2f}"]
        subprocess.run([*command, "--setf", f"f0_shift={melody:.2f}", "-t", text, "-o", path], check=True)
        return read(path)


def espeak(text: str, voice: str, stretch: float, melody: float) -> np.ndarray:
    """A sentence by espeak-ng. [samples]"""
    with spoken_file() as path:
        command = ["espeak-ng", "-v", voice, "-s", str(int(155 / stretch)), "-p", str(int(50 * melody)), "-w", path]
        subprocess.run([*command, text], check=True)
        return read(path)


def normalise(wave: np.ndarray, peak: float) -> np.ndarray:
    """Cuts to whole frames and scales to the given peak."""
    wave = wave[: len(wave) // HOP * HOP].astype(np.float32)
    return wave / (np.abs(wave).max() + 1e-6) * peak


def heard(wave: np.ndarray, part: int) -> np.ndarray:
    """Which parts of so many samples are heard: those a hundredth as loud as the loudest, or louder."""
    parts = wave[: len(wave) // part * part].astype(np.float64).reshape(-1, part)
    loudness = np.sqrt(np.square(parts).mean(1))
    return np.flatnonzero(loudness > 0.01 * loudness.max(initial=0))


def pad(wave: np.ndarray, frames: int) -> np.ndarray:
    """Quiet of that many frames at both ends."""
    return np.pad(wave, (frames * HOP, frames * HOP))


def any_voice(rng: random.Random) -> str:
    """Any voice but the held-out one: the natural one at any pitch half of the time, one in eleven by espeak."""
    dice = rng.random()
    if dice < 0.18:
        return REPLY_VOICE
    if dice < 0.52:
        return f"hibari{rng.uniform(0.76, 1.25):.2f}"
    factor = f"@{rng.uniform(0.84, 1.2):.2f}"
    if dice < 0.80:
        return rng.choice(FLITE_VOICES) + (factor if rng.random() < 0.75 else "")
    if dice < 0.91:
        return "ked" + factor
    return f"espeak:{rng.choice(ESPEAK_ACCENTS)}+{rng.choice(ESPEAK_VARIANTS)}{factor}"
