"""Judges: Whisper word error rates of made speech, exactness of transcripts and replies, with confidence intervals."""

import random
import re

import numpy as np

from .domain import say
from .teacher import Whisper

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
    counts = np.array([(edits(plain(r).split(), plain(h).split()), max(1, len(plain(r).split()))) for r, h in pairs])
    rng = np.random.default_rng(0)
    draws = [counts[rng.integers(0, len(counts), len(counts))].sum(0) for _ in range(1000)]
    low, high = np.percentile([100 * errors / words for errors, words in draws], [2.5, 97.5])
    errors, words = counts.sum(0)
    exact = float(np.mean([plain(r) == plain(h) for r, h in pairs]))
    return {
        "wer": round(float(100 * errors / words), 1),
        "interval": [round(float(low), 1), round(float(high), 1)],
        "exact": round(100 * exact, 1),
        "sentences": len(pairs),
    }


class Listener:
    """Whisper on made speech."""

    def __init__(self) -> None:
        self.whisper = Whisper()

    def rate(self, spoken: list[tuple[np.ndarray, str]]) -> dict:
        """(wave, text) pairs -> word error rate and some of what was heard"""
        pairs = [(text, self.whisper.transcribe(wave)) for wave, text in spoken]
        wrong = [f"{plain(text)} -> {plain(heard)}" for text, heard in pairs if plain(text) != plain(heard)]
        random.Random(0).shuffle(wrong)
        return word_error_rate(pairs) | {"misheard": wrong[:6]}
