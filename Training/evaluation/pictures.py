"""The pictures that are asked for and shown, where the daemon can draw: names, words and files."""

import random
from functools import cache
from pathlib import Path

from pocket.judging.judges import plain
from pocket.words import domain
from pocket.words.names import picture_names

from .plan import ASKING, BY_VOICE, WRITTEN, Size, Spoken, digest
from .requests import Presented, Request


class Drawn(Request):
    """A request for a picture."""

    KIND = "drawn"


class Shown(Presented):
    """A picture that is shown, on a ground and in a size that training didn't have."""

    KIND = "shown"

    def file(self, folder: Path) -> Path:
        """The picture, made once."""
        path = folder / f"{self.key}.png"
        if not path.exists():
            from pocket.data.pictures import photograph

            photograph(self.name, random.Random(self.seed), held_out=True).save(path)
        return path

    def named_in(self, caption: str) -> bool:
        """Whether a caption names it, and nothing else that has a longer name ("fire" and "fire truck")."""
        words = f" {plain(caption)} "
        named = [name for name in picture_names() if f" {plain(name)} " in words]
        return bool(named) and max(named, key=len) == self.name


def requests(size: Size) -> list[Drawn]:
    """Pictures asked for in writing and, others, by voice."""
    rng = random.Random("drawn")
    names = rng.sample(picture_names(), 2 * min(size.drawn, len(picture_names()) // 2))
    rows = []
    for typed, spoken in zip(names[::2], names[1::2], strict=True):
        rows.append(Drawn(typed, domain.picture_text(typed, rng), WRITTEN))
        text = domain.article(rng.choice(domain.DRAW).format(domain.one(spoken)))
        voice = rng.choice(rng.choice(ASKING))
        said = Spoken(text, domain.DRAW_REPLY, voice, "requests for pictures", False, asks=spoken)
        rows.append(Drawn(spoken, text, BY_VOICE, said))
    return rows


def shown(size: Size) -> list[Shown]:
    """Pictures that are shown: different names while there are enough."""
    rng = random.Random("shown")
    names = rng.sample(picture_names(), len(picture_names()))
    questions = [rng.choice(["", rng.choice(domain.LOOK)]) for _ in range(size.shown)]
    return [Shown(names[i % len(names)], question, i) for i, question in enumerate(questions)]


def original(name: str, folder: Path) -> Path:
    """The clean drawing that the model learned to draw, as a file."""
    path = folder / f"original-{digest(name)}.png"
    if not path.exists():
        from PIL import Image

        pixels = _drawings()[picture_names().index(name)]
        Image.fromarray((pixels.permute(1, 2, 0) * 255).round().byte().numpy()).save(path)
    return path


@cache
def _drawings():
    from pocket.data.pictures import clean

    return clean()
