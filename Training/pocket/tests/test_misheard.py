"""Names that are misheard come more often."""

import random
from collections import Counter

from pocket.lessons.misheard import FLOOR, MOST, Misheard

NAMES = ["cat", "egg", "hat", "sun"]


def heard(nats: dict[str, float]) -> Misheard:
    misheard = Misheard()
    for _ in range(40):
        for name, value in nats.items():
            misheard.learn(name, value)
    return misheard


def test_worse_ones_are_drawn_more_often_and_none_is_forgotten() -> None:
    misheard, rng = heard({"cat": 0.0, "egg": 1.5, "hat": 0.0, "sun": 90.0}), random.Random(5)
    drawn = Counter(misheard.draw(NAMES, 1, rng)[0] for _ in range(20_000))
    weights = {"cat": FLOOR, "egg": FLOOR + 1.5, "hat": FLOOR, "sun": FLOOR + MOST}
    for name, weight in weights.items():
        share = weight / sum(weights.values())
        assert abs(drawn[name] / 20_000 - share) < 0.02, name


def test_names_drawn_together_are_different() -> None:
    misheard, rng = heard({"sun": 9.0}), random.Random(6)
    for _ in range(200):
        assert len(set(misheard.draw(NAMES, 3, rng))) == 3
    assert set(misheard.draw(NAMES, 9, rng)) == set(NAMES)


def test_what_is_heard_now_counts_more_than_what_was() -> None:
    misheard = heard({"egg": 2.0})
    before = misheard.weight("egg")
    for _ in range(10):
        misheard.learn("egg", 0.1)
    assert FLOOR < misheard.weight("egg") < before / 2
