"""The spoken tests of a work folder, by name: each is heard through a microphone and clean."""

import os
from collections.abc import Iterator

from torch import Tensor

from .recordings import heard_questions

SEED = 100
CLEAN = ", clean"  # ends the name of a test whose recordings are heard without room, noise and colour


def tests_in(folder: str) -> list[str]:
    """Names of the recorded tests, both ways."""
    start = "spoken-test "
    names = [name[len(start) : -4] for name in sorted(os.listdir(folder)) if name.startswith(start)]
    return [name + way for name in names for way in ("", CLEAN)]


def heard_test(folder: str, test: str) -> Iterator[tuple[list[str], Tensor, tuple[int, int]]]:
    """`heard_questions` of the test."""
    return heard_questions(folder, f"test {test.removesuffix(CLEAN)}", SEED, test.endswith(CLEAN))
