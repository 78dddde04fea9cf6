"""The pieces of music that the pocket model knows, by name: each instrument, slow or fast, happy or sad."""

from functools import cache

TEMPI = ["slow", "fast"]
MOODS = ["happy", "sad"]
INSTRUMENTS = ["piano", "guitar", "violin", "flute", "trumpet", "organ", "harp", "bells"]


@cache
def tune_names() -> list[str]:
    """ "slow sad piano" and the like in an order that is never changed: a piece's number is its name's place here."""
    return [f"{tempo} {mood} {instrument}" for instrument in INSTRUMENTS for mood in MOODS for tempo in TEMPI]


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
