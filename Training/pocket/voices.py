"""Who speaks: hibari (one natural voice, varied by speed and resampling) and flite's diphone voices, at 16 kHz."""

import os
import random
import subprocess
import tempfile

import numpy as np

SAMPLE_RATE = 16_000
HOP = 320  # samples a frame: 50 frames a second

REPLY_VOICE = "hibari"  # factor 1, speed 1, seed 0: every sentence has exactly one recording
HIBARI_FACTORS = [0.80, 0.85, 0.92, 1.08, 1.18]  # pitch and formants together: other speakers to the ear
FLITE_VOICES = ["slt", "rms", "kal16"]
HELD_OUT_VOICE = "awb"  # flite, Scottish English: never trained on


class Speaker:
    """Speaks a sentence in any of the voices."""

    def __init__(self) -> None:
        from hibari import Hibari

        self.hibari = Hibari(threads=1)

    def reply(self, text: str) -> np.ndarray:
        """The one recording of a reply: 16 kHz, peak 0.6, 120 ms of quiet at both ends."""
        return pad(normalise(self._hibari(text, 1.0, 1.0, 0), 0.6), 6)

    def speak(self, text: str, voice: str, rng: random.Random) -> np.ndarray:
        """A sentence by a named voice, its speed varied by rng. [samples], a multiple of HOP, peak 1."""
        if voice.startswith("hibari"):
            factor = float(voice[6:] or 1)
            wave = self._hibari(text, factor, rng.uniform(0.88, 1.12), rng.randint(0, 1 << 30))
        else:
            wave = flite(text, voice, rng.uniform(0.88, 1.14))
        return normalise(wave, 1.0)

    def _hibari(self, text: str, factor: float, speed: float, seed: int) -> np.ndarray:
        import soxr

        wave = np.asarray(self.hibari(text, speed=speed / factor, seed=seed), np.float32)
        return soxr.resample(wave, 24_000, int(SAMPLE_RATE / factor))


def flite(text: str, voice: str, stretch: float) -> np.ndarray:
    """A sentence by one of flite's voices. [samples]"""
    import soundfile

    handle, path = tempfile.mkstemp(suffix=".wav")
    os.close(handle)
    try:
        command = ["flite", "-voice", voice, "--setf", f"duration_stretch={stretch:.2f}", "-t", text, "-o", path]
        subprocess.run(command, check=True)
        wave, rate = soundfile.read(path, dtype="float32")
    finally:
        os.unlink(path)
    if rate != SAMPLE_RATE:
        import soxr

        wave = soxr.resample(wave, rate, SAMPLE_RATE)
    return wave


def normalise(wave: np.ndarray, peak: float) -> np.ndarray:
    """Cuts to whole frames and scales to the given peak."""
    wave = wave[: len(wave) // HOP * HOP].astype(np.float32)
    return wave / (np.abs(wave).max() + 1e-6) * peak


def pad(wave: np.ndarray, frames: int) -> np.ndarray:
    """Quiet of that many frames at both ends."""
    return np.pad(wave, (frames * HOP, frames * HOP))


def any_voice(rng: random.Random) -> str:
    """A training voice for a question."""
    if rng.random() < 0.75:
        return "hibari" if rng.random() < 0.4 else f"hibari{rng.choice(HIBARI_FACTORS)}"
    return rng.choice(FLITE_VOICES)
