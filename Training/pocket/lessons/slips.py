"""Slips of the tongue: wrong codes in what the model says or plays, behind which it learns to go on as it should.

What is known by heart is foretold nearly without fault behind its own codes. In the daemon it stands behind what the
model has said itself, and a model that never saw a wrong code in its own speech is lost after the first: 97 to 99 codes
of a hundred were right behind right ones, and every fourth reply ended as another. The slips themselves are no lesson:
their targets have no weight.
"""

import random
from typing import TypeVar

Code = TypeVar("Code")  # of speech, or a frame of music
FAULTLESS = 0.4  # share of what is said that has no slip
MOST = 0.06  # slips a code, up to
LOST, TWICE = 0.2, 0.2  # shares of the slips; the others are codes of something else
LONGEST = 6  # codes of something else in a row
FALSE_START = 0.25  # share of what has slips that begins as something else


def slipped(codes: list[Code], others: list[list[Code]], rng: random.Random) -> list[tuple[Code, bool]]:
    """`codes` with slips, a few codes of `others` among them: (code, whether it is the one to say there)."""
    rate = 0.0 if rng.random() < FAULTLESS else rng.uniform(0, MOST)
    said: list[tuple[Code, bool]] = []
    place, right = 0, True
    if rate and rng.random() < FALSE_START:
        said += [(code, False) for code in beginning(others, rng.randint(1, LONGEST), rng)]
        place = len(said)
    while place < len(codes):
        dice = rng.random() if rng.random() < rate else 1.0
        if dice < LOST:
            place, right = place + 1, False  # the next one comes too early
            continue
        said.append((codes[place], right))
        place, right = place + 1, True
        if dice < LOST + TWICE:
            said.append((codes[place - 1], False))
        elif dice < 1.0:
            wrong = astray(others, 1 if rng.random() < 0.5 else rng.randint(2, LONGEST), rng)[: len(codes) - place]
            said += [(code, False) for code in wrong]
            place += len(wrong)
    return said


def beginning(others: list[list[Code]], count: int, rng: random.Random) -> list[Code]:
    """So many codes that one of the others begins with: the likeliest mistake of all."""
    return rng.choice(others)[:count]


def astray(others: list[list[Code]], count: int, rng: random.Random) -> list[Code]:
    """So many codes in a row, somewhere in one of the others."""
    other = rng.choice(others)
    start = rng.randrange(max(1, len(other) - count))
    return other[start : start + count]
