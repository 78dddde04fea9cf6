"""Judges of made speech, with 95 % intervals by bootstrap over sentences.

Whisper counts words. It was the teacher too, so others judge beside it: hama's phonemes (CTC), STOI, Resemblyzer's
similarity of voices.
"""

import random
import re
from collections.abc import Callable
from functools import cached_property

import numpy as np

from ..data.teacher import Whisper
from ..data.voices import SAMPLE_RATE
from ..words.domain import say

# Sounds-like spellings that Whisper chooses for words of the domain; judged alike.
SAME = {
    "okay": "ok", "hooray": "hurray", "grey": "gray", "colour": "color", "goodbye": "good bye", "ba": "baa",
    "bah": "baa", "mu": "moo", "meo": "meow", "cannot": "can not", "mt": "mount",
}  # fmt: skip


def plain(text: str) -> str:
    """Lower case words without signs, numbers in words."""
    text = text.lower().replace("-", " ").replace("'", "")
    text = re.sub(r"\d+", lambda match: say(int(match[0])) if int(match[0]) < 100 else match[0], text)
    words = re.sub(r"[^a-z ]", " ", text).split()
    return " ".join(SAME.get(word, word) for word in words)


def edits(reference: list[str], heard: list[str]) -> int:
    """Word edits from one list to the other."""
    row = list(range(len(heard) + 1))
    for i, word in enumerate(reference, 1):
        last, row[0] = row[0], i
        for j, other in enumerate(heard, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (word != other))
    return row[-1]


def word_error_rate(pairs: list[tuple[str, str]]) -> dict:
    """(reference, heard) pairs -> rate in percent with a 95 % bootstrap interval over sentences."""
    rate, interval = error_rate([(plain(r).split(), plain(h).split()) for r, h in pairs])
    exact = float(np.mean([plain(r) == plain(h) for r, h in pairs]))
    return {"wer": rate, "interval": interval, "exact": round(100 * exact, 1), "sentences": len(pairs)}


def error_rate(pairs: list[tuple[list[str], list[str]]]) -> tuple[float, list[float]]:
    """(reference, heard) lists -> edits in percent of the reference's length, and its interval"""
    counts = np.array([(edits(reference, heard), max(1, len(reference))) for reference, heard in pairs])
    low, high = bootstrap(counts, lambda rows: 100 * rows[:, 0].sum() / rows[:, 1].sum())
    errors, length = counts.sum(0)
    return round(float(100 * errors / length), 1), [round(low, 1), round(high, 1)]


def bootstrap(rows: np.ndarray, statistic: Callable[[np.ndarray], float]) -> tuple[float, float]:
    """The 95 % interval of a statistic over rows drawn with replacement."""
    rng = np.random.default_rng(0)
    draws = [statistic(rows[rng.integers(0, len(rows), len(rows))]) for _ in range(1000)]
    low, high = np.percentile(draws, [2.5, 97.5])
    return float(low), float(high)


def mean(values: list[float]) -> dict:
    """Mean with its interval."""
    low, high = bootstrap(np.array(values), np.mean)
    return {"mean": round(float(np.mean(values)), 3), "interval": [round(low, 3), round(high, 3)], "of": len(values)}


def share(right: list[bool]) -> dict:
    """How many are right, in percent, with its interval."""
    low, high = bootstrap(np.array(right, float), lambda rows: 100 * rows.mean())
    percent = round(100 * float(np.mean(right)), 1)
    return {"percent": percent, "interval": [round(low, 1), round(high, 1)], "of": len(right)}


class Listener:
    """Whisper on made speech, and judges that have nothing to do with it."""

    def __init__(self) -> None:
        self.whisper = Whisper()

    @cached_property
    def phones(self):
        import hama

        return hama.ASRModel()

    @cached_property
    def voices(self):
        from resemblyzer import VoiceEncoder

        return VoiceEncoder("cpu", verbose=False)

    def against(self, recordings: list[np.ndarray], made: list[np.ndarray]) -> dict:
        """Made speech beside the recordings of the same words, frame for frame: phoneme errors and STOI."""
        from pystoi import stoi

        heard = [[self.phones(wave, SAMPLE_RATE).phonemes for wave in waves] for waves in (recordings, made)]
        rate, interval = error_rate(list(zip(*heard, strict=True)))
        pairs = [(a[: len(b)], b[: len(a)]) for a, b in zip(recordings, made, strict=True)]
        return {
            "phonemes": {"rate": rate, "interval": interval},
            "stoi": mean([float(stoi(a, b, SAMPLE_RATE)) for a, b in pairs]),
        }

    def similarity(self, prompt: np.ndarray, made: list[np.ndarray]) -> dict:
        """Cosine similarity of voices to a prompt's; the same speaker in other words has about 0.83."""
        reference = self.voice(prompt)
        return mean([float(reference @ self.voice(wave)) for wave in made])

    def voice(self, wave: np.ndarray) -> np.ndarray:
        """A voice as a vector of length 1. [samples] -> [256]"""
        import resemblyzer

        return self.voices.embed_utterance(resemblyzer.preprocess_wav(wave, SAMPLE_RATE))

    def rate(self, spoken: list[tuple[np.ndarray, str]]) -> dict:
        """(wave, text) pairs -> word error rate and some of what was heard"""
        pairs = [(text, self.whisper.transcribe(wave)) for wave, text in spoken]
        wrong = [f"{plain(text)} -> {plain(heard)}" for text, heard in pairs if plain(text) != plain(heard)]
        random.Random(0).shuffle(wrong)
        return word_error_rate(pairs) | {"misheard": wrong[:6]}
