"""Stage `corpus`: speech with whisper features, texts and voices, in resumable parts.

A part `NN` is three files: waveNN.npy [samples] int16, featNN.npy [frames, 384] float16, metaNN.json (one entry per
utterance: text, voice, first frame, frames). Utterances are packed into 30 s windows because the teacher's cost is a
window's; between them lie short gaps with a trace of noise.
"""

import json
import os
import random
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..words.domain import codec_sentence, pair
from .teacher import WINDOW, Whisper
from .voices import FLITE_VOICES, HELD_OUT_VOICE, HIBARI_FACTORS, HOP, SAMPLE_RATE, Speaker, any_voice


@dataclass
class Utterance:
    start: int  # first frame in the whole corpus
    end: int  # one after the last frame
    text: str
    voice: str


def codec_voice(rng: random.Random) -> str:
    """The reply voice half of the time, the others for the rest."""
    dice = rng.random()
    if dice < 0.48:
        return "hibari"
    if dice < 0.74:
        return f"hibari{rng.choice(HIBARI_FACTORS)}"
    return rng.choice(FLITE_VOICES)


VOICES: dict[int, Callable[[random.Random], str]] = {0: codec_voice, 1: any_voice, 9: lambda rng: HELD_OUT_VOICE}


def make_part(folder: str, part: int, seconds: float) -> None:
    """Writes one part unless it is there already."""
    if os.path.exists(f"{folder}/meta{part}.json"):
        return
    rng, noise = random.Random(1000 + part), np.random.default_rng(part)
    speaker, whisper = Speaker(), Whisper()
    waves: list[np.ndarray] = []
    features: list[np.ndarray] = []
    meta: list[dict] = []
    window: list[tuple[int, np.ndarray, dict]] = []
    position = base = 0
    total, began = 0.0, time.time()

    def flush() -> None:
        nonlocal window, position, base
        wave = np.zeros(WINDOW, np.float32)
        for start, speech, entry in window:
            wave[start : start + len(speech)] = speech
            meta.append(entry | {"start": (base + start) // HOP, "frames": len(speech) // HOP})
        wave += noise.standard_normal(WINDOW).astype(np.float32) * 2e-4
        waves.append((wave[:position] * 32767).astype(np.int16))
        features.append(whisper.features(wave)[: position // HOP].astype(np.float16))
        base += position
        window, position = [], 0

    while total < seconds:
        who = VOICES[part](rng)
        text = pair(rng, whole=True)[0] if who == HELD_OUT_VOICE else codec_sentence(rng)
        speech = speaker.speak(text, who, rng) * rng.uniform(0.3, 0.9)
        gap = rng.randint(5, 15) * HOP
        if position + len(speech) + gap > WINDOW:
            flush()
            if len(waves) % 20 == 0:
                rate = total / (time.time() - began)
                print(
                    f"corpus part {part}: {total / 60:.0f} of {seconds / 60:.0f} min, {rate:.0f} x real time",
                    flush=True,
                )
        window.append((position, speech, {"text": text, "voice": who}))
        position += len(speech) + gap
        total += len(speech) / SAMPLE_RATE
    flush()
    np.save(f"{folder}/wave{part}.npy", np.concatenate(waves))
    np.save(f"{folder}/feat{part}.npy", np.concatenate(features))
    with open(f"{folder}/meta{part}.json", "w") as file:
        json.dump(meta, file)
    print(f"corpus part {part}: done, {len(meta)} utterances, {total / 60:.0f} min", flush=True)


def load(folder: str, parts: list[int]) -> tuple[np.ndarray, np.ndarray, list[Utterance]]:
    """All parts as one: wave [samples] int16, features [frames, 384] float16, utterances."""
    waves, features, utterances, offset = [], [], [], 0
    for part in parts:
        waves.append(np.load(f"{folder}/wave{part}.npy"))
        features.append(np.load(f"{folder}/feat{part}.npy"))
        with open(f"{folder}/meta{part}.json") as file:
            for entry in json.load(file):
                start = offset + entry["start"]
                utterances.append(Utterance(start, start + entry["frames"], entry["text"], entry["voice"]))
        offset += len(features[-1])
    return np.concatenate(waves), np.concatenate(features), utterances
