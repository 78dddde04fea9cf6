"""Which names are misheard, so that lessons hold those more often.

Drawn as often as any other, some of the pictures' names stayed wrong in nearly every recording ("egg", "balloon",
"hat"), while most were long known. How unlikely the right transcript was held tells which, while training goes on.
"""

import random

START = 1.0  # nats of a transcript that nothing is known about yet
KEPT = 0.8  # share of what was known that stays when a name is heard again
FLOOR, MOST = 0.3, 2.5  # nats: a name is always drawn now and then, and none drives out the others


class Misheard:
    """How badly each name is heard, in nats of the transcript that holds it."""

    def __init__(self) -> None:
        self.nats: dict[str, float] = {}

    def learn(self, name: str, nats: float) -> None:
        """A name was heard in a recording, and what is right took so many nats."""
        self.nats[name] = KEPT * self.nats.get(name, START) + (1 - KEPT) * nats

    def weight(self, name: str) -> float:
        """How often it is drawn, beside others."""
        return FLOOR + min(self.nats.get(name, START), MOST)

    def draw(self, names: list[str], count: int, rng: random.Random) -> list[str]:
        """So many different names, the worse heard ones more often."""
        keys = {name: rng.random() ** (1 / self.weight(name)) for name in names}  # Efraimidis and Spirakis, 2006
        return sorted(names, key=keys.__getitem__, reverse=True)[:count]
