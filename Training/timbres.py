"""Measures how the instruments of `pocket/data/music.py` sound, once: writes `timbres.safetensors` beside this file.

usage: python timbres.py SOUNDFONT.sf2        (FluidR3_GM.sf2 and the program fluidsynth)

An instrument's timbre is the loudness of its harmonics, frame by frame of a note's age: [33 ages, 16 harmonics], the
loudest value 1. Phases, noise and what lies between the harmonics are let go.
"""

import os
import struct
import subprocess
import sys
import tempfile

import numpy as np
import soundfile
import torch
from safetensors.torch import save_file

from pocket.data.music import AGES, FRAME, HARMONICS, INSTRUMENTS, RATE

PROGRAMS = {"piano": 0, "guitar": 24, "violin": 40, "flute": 73, "trumpet": 56, "organ": 19, "harp": 46, "bells": 10}
KEY = 72  # 523 Hz, among the melodies' pitches


def midi(program: int) -> bytes:
    """One note of a second and a half."""
    events = bytes([0, 0xC0, program, 0, 0x90, KEY, 100, 0x8B, 0x20, 0x80, KEY, 0, 0, 0xFF, 0x2F, 0])
    return b"MThd" + struct.pack(">IHHH", 6, 0, 1, 480) + b"MTrk" + struct.pack(">I", len(events)) + events


def recorded(font: str, program: int) -> np.ndarray:
    with tempfile.TemporaryDirectory() as folder:
        with open(f"{folder}/note.mid", "wb") as file:
            file.write(midi(program))
        command = ["fluidsynth", "-ni", "-R", "0", "-C", "0", "-r", str(RATE), "-F", f"{folder}/note.wav"]
        subprocess.run([*command, font, f"{folder}/note.mid"], check=True, capture_output=True)
        wave, _ = soundfile.read(f"{folder}/note.wav")
    return wave.mean(1)


def timbre(wave: np.ndarray) -> np.ndarray:
    """[samples] -> [age, harmonic]"""
    start = int(np.argmax(np.abs(wave) > 0.02 * np.abs(wave).max()))
    size = 4 * FRAME
    window = np.hanning(size)
    steady = np.abs(np.fft.rfft(wave[start + 8000 : start + 8000 + 8192] * np.hanning(8192), 1 << 16))
    near = np.arange(1 << 15) * RATE / (1 << 16)
    around = (near > 500) & (near < 548)
    pitch = near[around][np.argmax(steady[: 1 << 15][around])]
    frequency = np.fft.rfftfreq(1 << 14, 1 / RATE)
    out = np.zeros((AGES + 1, HARMONICS))
    for age in range(AGES + 1):
        middle = start + age * FRAME
        piece = np.zeros(size)
        low, high = max(0, middle - size // 2), middle + size // 2
        part = wave[low:high]
        piece[low - (middle - size // 2) :][: len(part)] = part
        spectrum = np.abs(np.fft.rfft(piece * window, 1 << 14))
        for harmonic in range(HARMONICS):
            band = np.abs(frequency - pitch * (harmonic + 1)) < 40
            out[age, harmonic] = spectrum[band].max()
    return out / out.max()


def main(font: str) -> None:
    table = np.stack([timbre(recorded(font, PROGRAMS[name])) for name in INSTRUMENTS])
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "timbres.safetensors")
    save_file({"timbres": torch.tensor(table).half()}, path, {"instruments": " ".join(INSTRUMENTS)})
    os.chmod(path, 0o644)
    for name, rows in zip(INSTRUMENTS, table, strict=True):
        print(name, *(f"{value:.2f}" for value in rows[8, :8]), "| over time", *(f"{v:.2f}" for v in rows[::8].max(1)))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
