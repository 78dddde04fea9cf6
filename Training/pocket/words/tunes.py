"""How the pieces of music of `data/music.py` are asked for and spoken of."""

from functools import cache

from ..data.music import INSTRUMENTS, KINDS, MOODS
from ..data.music import name as kind_name


@cache
def tune_names() -> list[str]:
    """ "slow sad piano" and the like in an order that is never changed: a piece's number is its name's place here."""
    return [kind_name(kind) for kind in KINDS]


def tune(name: str) -> str:
    """A piece as it is spoken of: "a slow sad piano tune"."""
    return f"a {name} tune"


@cache
def asked_tunes() -> dict[str, str]:
    """What may be asked for -> the name of the piece that is played.

    Who does not say how fast gets a happy piece fast and a sad one slow; who does not say its mood gets a happy one.
    """
    asked = {tune(name): name for name in tune_names()}
    for instrument in INSTRUMENTS:
        for mood in MOODS:
            name = f"{'fast' if mood == 'happy' else 'slow'} {mood} {instrument}"
            asked[f"a {mood} {instrument} tune"] = name
        asked[f"some {instrument} music"] = f"fast happy {instrument}"
    return asked
