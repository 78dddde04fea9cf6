"""When letters are said: the likeliest way through blanks and letters, and the lesson made of it."""

import itertools
import random

import numpy as np
import pytest

from pocket.alignment import said


def every_way(frames: int, text: list[int]) -> list[tuple[int, ...]]:
    """All rows of blanks (0) and letters that collapse to the text."""

    def collapsed(row: tuple[int, ...]) -> list[int]:
        return [n for n, before in zip(row, (0, *row), strict=False) if n and n != before]

    return [row for row in itertools.product([0, *sorted(set(text))], repeat=frames) if collapsed(row) == text]


def test_the_likeliest_of_all_ways_is_taken() -> None:
    rng = random.Random(3)
    for text in ([1, 2], [2, 2], [1], [3, 1, 1], [1, 2, 1]):
        for _ in range(5):
            scores = np.log([[rng.random() + 1e-3 for _ in range(4)] for _ in range(6)])
            best = max(every_way(6, text), key=lambda row: sum(scores[frame, n] for frame, n in enumerate(row)))
            place, last, expected = 0, 0, []
            for n in best:
                place += bool(n and n != last)
                last = n
                expected.append(text[place - 1] if place else 0)
            assert said(scores, text).tolist() == expected, (text, best)


def test_letters_are_known_a_moment_after_they_are_said() -> None:
    """Hidden states that hold each frame's letter, as late as it must be known, are read without a mistake."""
    torch = pytest.importorskip("torch")
    from pocket.listening import DELAY, LETTERS, Listening, Spoken, numbers

    net = Listening(1 + len(LETTERS))
    with torch.no_grad():
        net.to_letters.weight.copy_(torch.eye(1 + len(LETTERS)))
    letters = numbers("aab b")
    states = torch.zeros(2, 12, 1 + len(LETTERS))
    for frame, n in enumerate(([0] * DELAY + letters)[: len(letters)]):
        states[1, 4 + frame, n] = 1
    loss, right = net(states, [Spoken(1, 4, letters)])
    early, _ = net(states.roll(-1, 1), [Spoken(1, 4, letters)])
    assert right == 1 and loss < 0.01 < early
