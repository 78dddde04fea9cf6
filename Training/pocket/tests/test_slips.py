"""Slips of the tongue: what is marked as right is what should be said there, and most of it is."""

import random

from pocket.lessons.slips import LONGEST, MOST, slipped

CODES = list(range(100))
OTHERS = [[1000 + code for code in range(60)], [2000, 2001]]


def test_what_is_right_is_the_lesson_itself_in_its_order() -> None:
    for seed in range(300):
        said = slipped(CODES, OTHERS, random.Random(seed))
        right = [code for code, should in said if should]
        assert right == sorted(set(right)) and set(right) <= set(CODES), f"seed {seed}"
        assert all(code in CODES or code >= 1000 for code, _ in said), f"seed {seed}"
        assert len(right) >= len(CODES) * (1 - 4 * MOST * (LONGEST + 2) / 2), f"seed {seed}"


def test_behind_a_right_code_stands_the_next_one_or_a_slip() -> None:
    """A code that is said too early or again is no lesson, and the one behind it is."""
    for seed in range(300):
        said = slipped(CODES, OTHERS, random.Random(seed))
        for (before, _), (code, should) in zip(said, said[1:], strict=False):
            if should and before in CODES:
                assert code == before + 1, f"seed {seed}"


def test_there_are_slips_of_every_kind_and_faultless_ones() -> None:
    rng, lost, twice, astray, faultless = random.Random(5), 0, 0, 0, 0
    for _ in range(300):
        said = slipped(CODES, OTHERS, rng)
        codes = [code for code, _ in said]
        faultless += said == [(code, True) for code in CODES]
        astray += any(code >= 1000 for code in codes)
        twice += any(a == b for a, b in zip(codes, codes[1:], strict=False))
        lost += any(a in CODES and b == a + 2 for a, b in zip(codes, codes[1:], strict=False))
    assert 0.35 < faultless / 300 < 0.65 and min(lost, twice, astray) > 30


def test_frames_slip_as_a_whole() -> None:
    frames = [[code, code + 1] for code in range(50)]
    said = slipped(frames, [[[900, 901]] * 50], random.Random(3))
    assert all(frame in frames or frame == [900, 901] for frame, _ in said)
