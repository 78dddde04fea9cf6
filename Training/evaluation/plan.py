"""What is asked: spoken questions by voice, seen and held out, and how many of each a size has."""

import hashlib
import random
from dataclasses import dataclass

from pocket.data.voices import FLITE_VOICES, HELD_OUT_VOICE, HIBARI_FACTORS, REPLY_VOICE
from pocket.words import domain

VOICES = {
    "reply voice": [REPLY_VOICE],
    "the voice's other pitches": [f"{REPLY_VOICE}{factor}" for factor in HIBARI_FACTORS],
    "flite": FLITE_VOICES,
    "awb, never heard": [HELD_OUT_VOICE],
}
CLEAN, MICROPHONE = "clean", "microphone"
WRITTEN, BY_VOICE = "in writing", "by voice"
# The voices of requests, all of which training had: how voices differ is told by the questions.
ASKING = [VOICES["reply voice"], VOICES["the voice's other pitches"], VOICES["flite"]]
# Requests for pictures and music are asked by themselves.
REQUESTS = {"draw", "picture", "play"}


@dataclass(frozen=True)
class Size:
    """How much is asked."""

    per_row: int  # questions of each voice, seen as well as held out
    ways: tuple[str, ...]  # how they are recorded
    latency: int  # questions asked one at a time
    drawn: int  # pictures asked for in writing, and as many by voice
    shown: int  # pictures shown
    played: int  # pieces of music asked for in writing, and as many by voice
    heard: int  # pieces played to it


SIZES = {
    "quick": Size(7, (CLEAN,), 8, 24, 24, 12, 24),
    "full": Size(40, (CLEAN, MICROPHONE), 40, 60, 100, 32, 64),
}


@dataclass(frozen=True)
class Spoken:
    """A question that is spoken to the daemon."""

    text: str
    reply: str
    voice: str
    group: str  # of voices
    held_out: bool
    way: str = CLEAN
    asks: str = ""  # the name of the picture or piece of music that it asks for

    @property
    def key(self) -> str:
        """A name for its files that changes with everything that is heard."""
        return digest(self.text, self.voice, self.way)


def digest(*parts: str) -> str:
    """A name for files that changes with what is in them."""
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:16]


def by_kind(held_out: bool) -> dict[str, list[tuple[str, str]]]:
    """The domain's (question, reply) pairs by kind, those that training had or those that it never sees."""
    apart = set(domain.split()[1])
    kinds = {
        kind: [(question, reply) for question, reply, _ in rows if ((question, reply) in apart) == held_out]
        for kind, rows in domain.catalogue().items()
        if kind not in REQUESTS
    }
    return {kind: rows for kind, rows in kinds.items() if rows}


def choose(kinds: dict[str, list[tuple[str, str]]], count: int, rng: random.Random) -> list[tuple[str, str]]:
    """Different questions, kinds by their share in the domain. A larger count begins with those of a smaller one."""
    chosen: dict[tuple[str, str], None] = {}
    most = sum(map(len, kinds.values()))
    weights = [domain.SHARES[kind] for kind in kinds]
    while len(chosen) < min(count, most):
        chosen[rng.choice(kinds[rng.choices(list(kinds), weights)[0]])] = None
    return list(chosen)


def questions(size: Size) -> list[Spoken]:
    """The spoken questions of a size, the rows of the tables taking turns."""
    rows = []
    for group, voices in VOICES.items():
        for held_out in (False, True):
            rng = random.Random(f"questions {group} {held_out}")
            pairs = choose(by_kind(held_out), size.per_row, rng)
            said = [(*pair, random.Random(f"{group} {pair[0]}").choice(voices)) for pair in pairs]
            rows += [[Spoken(*row, group, held_out, way) for row in said] for way in size.ways]
    return [question for turn in zip(*rows, strict=True) for question in turn]


def latency_questions(size: Size) -> list[Spoken]:
    """Questions that training had, in the reply voice, for the times alone."""
    pairs = choose(by_kind(False), size.latency, random.Random("latency"))
    return [Spoken(*pair, REPLY_VOICE, "latency", False) for pair in pairs]
