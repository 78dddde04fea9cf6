"""The pieces of music that are asked for and played to the daemon, where it has music: kinds, words and files."""

import random
from pathlib import Path

import numpy as np

from pocket.data import music
from pocket.judging.judges import plain
from pocket.words import domain

from . import sounds
from .plan import ASKING, BY_VOICE, WRITTEN, Size, Spoken
from .requests import Presented, Request

KINDS = {music.name(kind): kind for kind in music.KINDS}
PARTS = {"instrument": list(music.INSTRUMENTS), "tempo": list(music.TEMPI), "mood": list(music.MOODS)}
FRESH = 3_000_001  # seeds of melodies that nobody learned; every fourth one would be a kind's own


class Piece(Request):
    """A request for a piece of music."""

    KIND = "piece"


class Clip(Presented):
    """A melody that training didn't have, as it may be met."""

    KIND = "clip"

    def file(self, folder: Path) -> Path:
        """Its sound, made once."""
        path = folder / f"{self.key}.wav"
        if not path.exists():
            _write(path, music.heard(KINDS[self.name], self.seed))
        return path


def original(name: str, folder: Path) -> Path:
    """The piece that the model learned to play, as a file."""
    path = folder / f"original-{name.replace(' ', '-')}.wav"
    if not path.exists():
        _write(path, music.canonical(KINDS[name]))
    return path


def _write(path: Path, wave: np.ndarray) -> None:
    sounds.write(path, (np.clip(wave, -1, 1) * 32767).astype(np.int16), music.RATE)


def requests(size: Size) -> list[Piece]:
    """Pieces asked for in writing and by voice."""
    rng = random.Random("pieces")
    rows = []
    for name in _names(size.played, rng):
        rows.append(Piece(name, domain.tune_text(name, rng), WRITTEN))
    for name in _names(size.played, rng):
        # The domain has shorter requests too, which leave something out.
        text = rng.choice([question for question in domain.playing_questions()[name] if domain.tune(name) in question])
        voice = rng.choice(rng.choice(ASKING))
        rows.append(
            Piece(name, text, BY_VOICE, Spoken(text, domain.PLAY_REPLY, voice, "requests for music", False, asks=name))
        )
    return rows


def clips(size: Size) -> list[Clip]:
    """Pieces that are played: different kinds while there are enough."""
    rng = random.Random("clips")
    names = _names(len(KINDS), rng)
    questions = [rng.choice(["", rng.choice(domain.HEAR)]) for _ in range(size.heard)]
    return [Clip(names[i % len(names)], question, FRESH + 4 * i) for i, question in enumerate(questions)]


def _names(count: int, rng: random.Random) -> list[str]:
    return rng.sample(list(KINDS), min(count, len(KINDS)))


def parts(name: str) -> dict[str, str]:
    """A kind's instrument, tempo and mood."""
    return {part: getattr(KINDS[name], part) for part in PARTS}


def described(text: str) -> dict[str, str]:
    """The instrument, tempo and mood that a text speaks of; nothing where it names none or several."""
    words = set(plain(text).split())
    named = {part: [value for value in values if value in words] for part, values in PARTS.items()}
    return {part: found[0] if len(found) == 1 else "" for part, found in named.items()}
