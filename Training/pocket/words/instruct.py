"""AnyInstruct of our own, in the paper's two stages: by grammars, topics → scenarios → chats of several turns.

Here pictures and music are names and speech is text; `lessons/instruct.py` makes codes of them for the backbone,
`instruct_page.py` what can be seen and heard. What the person says is the domain's own, of its training half; what is
answered aloud is one of its replies, so that recordings of both exist.
"""

import gzip
import json
import os
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from . import domain
from .instruct_topics import GREETINGS, PARTINGS, Combination, Scenario, about, scenarios
from .tunes import tune, tune_names

COUNT, SEED = 24_000, 2402
LONGEST = 5  # turns
FILE = "instruct.jsonl.gz"


@dataclass(frozen=True)
class Turn:
    """What a person says with what is shown to it, and the answer."""

    text: str = ""  # empty: what is shown is to be described
    spoken: bool = False  # the person speaks, instead of writing
    shown: str = ""  # the picture that comes with it
    heard: str = ""  # the music that comes with it
    reply: str = ""  # empty: what is asked for and nothing else
    aloud: bool = False  # the answer is spoken: with its text where the person speaks, else without
    picture: str = ""  # what is drawn
    music: str = ""  # what is played

    def given(self) -> set[str]:
        words = {"speech" if self.spoken else "text"} if self.text else set()
        return words | ({"image"} if self.shown else set()) | ({"music"} if self.heard else set())

    def made(self) -> set[str]:
        kinds = {"text": self.reply and (self.spoken or not self.aloud), "speech": self.aloud}
        kinds |= {"image": self.picture, "music": self.music}
        return {kind for kind, there in kinds.items() if there}


@dataclass(frozen=True)
class Dialogue:
    field: str
    scenario: str
    turns: tuple[Turn, ...]

    @property
    def combination(self) -> Combination:
        given = frozenset().union(*(turn.given() for turn in self.turns))
        return Combination(given, frozenset().union(*(turn.made() for turn in self.turns)))


class Chat:
    """Expands one scenario. Every move is about what was drawn, shown or played before, or about the topic."""

    def __init__(self, scenario: Scenario, rng: random.Random) -> None:
        self.topic, self.rng = scenario.topic, rng
        self.given, self.made = scenario.combination.given, scenario.combination.made
        self.turns: list[Turn] = []
        self.ahead = [*self.topic.pictures[:1], *(rng.choice(self.topic.pictures) for _ in range(LONGEST))]
        self.picture = ""  # the last one that was drawn or shown
        self.music = ""
        self.asked: set[str] = set()

    def written(self) -> bool:
        """How the person gives the next words."""
        return "text" in self.given and ("speech" not in self.given or self.rng.random() < 0.4)

    def next_picture(self, again: float) -> str:
        """The last picture again, or the next one of the topic."""
        if self.picture and self.rng.random() < again:
            return self.picture
        self.picture = self.ahead.pop(0)
        return self.picture

    def next_music(self, again: float) -> str:
        """The last piece again, or one of the same instrument, or one of the topic."""
        if self.music and self.rng.random() < again:
            return self.music
        instrument = (self.music or self.picture).split(" ")[-1]
        alike = [name for name in tune_names() if name.endswith(f" {instrument}") and name != self.music]
        self.music = self.rng.choice(alike or self.topic.tunes)
        return self.music

    def say(self, text: str, **more: str) -> bool:
        """Words of the domain, once a dialogue; what they ask for follows from them."""
        if text in self.asked:
            return False
        self.asked.add(text)
        picture, music = domain.drawn().get(text, ""), domain.played().get(text, "")
        spoken = not more and not self.written()
        # Who writes is spoken to where that is wanted, in one turn of two, but not where something is made.
        plain = not (picture or music or more)
        aloud = spoken or (
            plain and "speech" in self.made and "speech" not in self.given
            and ("text" not in self.made or self.rng.random() < 0.5)
        )  # fmt: skip
        reply = domain.answers()[text]
        self.turns.append(Turn(text, spoken, reply=reply, aloud=aloud, picture=picture, music=music, **more))
        return True

    def ask(self) -> bool:
        """About what was met last, else about the topic, else about its field."""
        close = about().get(self.picture, ())
        pools = [close, self.topic.questions, self.topic.around, GREETINGS]
        weights = [6 if close else 0, 3 if self.topic.questions else 0, 1, 0.1]
        given = {turn.reply for turn in self.turns}
        for _ in range(4):
            text = self.rng.choice(self.rng.choices(pools, weights)[0])
            if domain.answers()[text] not in given:
                return self.say(text)
        return False

    def greet(self) -> bool:
        return self.say(self.rng.choice(GREETINGS))

    def part(self) -> bool:
        return self.say(self.rng.choice(PARTINGS))

    def draw(self, **more: str) -> bool:
        name = self.next_picture(again=0.3)
        if "text" not in self.made or (self.given == {"text"} and not more and self.rng.random() < 0.2):
            return self.only(domain.picture_text(name, self.rng), picture=name)
        return self.say(self.rng.choice(domain.drawing_questions()[name]), **more)

    def play(self, **more: str) -> bool:
        name = self.next_music(again=0.3)
        if "text" not in self.made or (self.given == {"text"} and not more and self.rng.random() < 0.2):
            return self.only(domain.tune_text(name, self.rng), music=name)
        return self.say(self.rng.choice(domain.playing_questions()[name]), **more)

    def only(self, text: str, **what: str) -> bool:
        """A written request whose answer is a picture or music and nothing else."""
        if text in self.asked:
            return False
        self.asked.add(text)
        self.turns.append(Turn(text, **what))
        return True

    def see(self) -> bool:
        name = self.next_picture(again=0.5)
        if "text" in self.given and self.rng.random() < 0.6:
            if {"image"} <= self.made and self.rng.random() < 0.25:
                return self.draw(shown=name)
            if {"music"} <= self.made and self.rng.random() < 0.25:
                return self.play(shown=name)
            self.turns.append(Turn(self.rng.choice(domain.LOOK), shown=name, reply=domain.this_is(name)))
        else:
            self.turns.append(Turn(shown=name, reply=domain.one(name)))
        return True

    def hear(self) -> bool:
        name = self.next_music(again=0.6)
        if "text" in self.given and self.rng.random() < 0.6:
            if {"image"} <= self.made and self.rng.random() < 0.25:
                return self.draw(heard=name)
            if {"music"} <= self.made and self.rng.random() < 0.25:
                return self.play(heard=name)
            self.turns.append(Turn(self.rng.choice(domain.HEAR), heard=name, reply=domain.this_tune(name)))
        else:
            self.turns.append(Turn(heard=name, reply=tune(name)))
        return True

    def moves(self) -> Iterator[str]:
        """What the combination needs, in any order, with questions between."""
        words = bool(self.given & {"text", "speech"})
        needed = [move for move, side, kind in NEEDS if kind in (self.given if side == "given" else self.made)]
        count = self.rng.choices([2, 3, 4, 5], [30, 35, 22, 13])[0]
        if not words or not self.made & {"text", "speech"}:  # nothing but what is shown or made: more of it
            needed += self.rng.choices(needed, k=max(0, count - len(needed)))
        self.rng.shuffle(needed)
        spare = max(0, count - len(needed)) if words and self.made & {"text", "speech"} else 0
        if spare and self.rng.random() < 0.15:
            spare -= 1
            yield "greet"
        parting = spare > 0 and self.rng.random() < 0.15
        spare -= parting
        for place, move in enumerate(needed):
            yield move
            if spare and (self.rng.random() < 0.7 or place == len(needed) - 1):
                spare -= 1
                yield "ask"
        for _ in range(spare):
            yield "ask"
        if parting:
            yield "part"

    def expand(self) -> tuple[Turn, ...]:
        """Turns; empty where a move failed."""
        for move in self.moves():
            if not getattr(self, move)():
                return ()
        return tuple(self.turns)


NEEDS = [("see", "given", "image"), ("hear", "given", "music"), ("draw", "made", "image"), ("play", "made", "music")]


def dialogues(count: int = COUNT, seed: int = SEED) -> Iterator[Dialogue]:
    """So many distinct dialogues, give or take rounding, each of the combination that its scenario has."""
    rng, met = random.Random(seed), set()
    for scenario in scenarios(count, rng):
        for _ in range(1000):
            turns = Chat(scenario, rng).expand()
            dialogue = Dialogue(scenario.topic.field, str(scenario), turns)
            if 2 <= len(turns) <= LONGEST and turns not in met and dialogue.combination == scenario.combination:
                met.add(turns)
                yield dialogue
                break
        else:
            raise RuntimeError(f"no dialogue for: {scenario}")


def table(rows: list[Dialogue]) -> str:
    """How many there are of each combination, and what is in all of them."""
    counts = Counter(str(row.combination) for row in rows)
    turns = [turn for row in rows for turn in row.turns]
    voices = sum(turn.spoken + turn.aloud for turn in turns)
    images = sum(bool(turn.shown) + bool(turn.picture) for turn in turns)
    music = sum(bool(turn.heard) + bool(turn.music) for turn in turns)
    lines = [f"{number:6d}  {name}" for name, number in counts.items()]
    return "\n".join(
        [
            f"{len(rows)} dialogues of {len(turns)} turns in {len(counts)} combinations: {voices} voices, {images} "
            f"pictures, {music} pieces of music",
            *lines,
        ]
    )


def write(folder: str) -> None:
    """Stage `instruct`: FILE, one dialogue a line."""
    rows = list(dialogues())
    plain = asdict(Turn())
    # Without a time and a name inside, the same dialogues make the same file.
    with open(f"{folder}/{FILE}.new", "wb") as file, gzip.GzipFile("", "wb", fileobj=file, mtime=0) as packed:
        for row in rows:
            turns = [{k: v for k, v in asdict(turn).items() if v != plain[k]} for turn in row.turns]
            line = {"field": row.field, "scenario": row.scenario, "combination": str(row.combination), "turns": turns}
            packed.write(f"{json.dumps(line, ensure_ascii=False)}\n".encode())
    os.replace(f"{folder}/{FILE}.new", f"{folder}/{FILE}")
    print(table(rows), flush=True)


def read(folder: str) -> list[Dialogue]:
    with gzip.open(f"{folder}/{FILE}", "rt") as file:
        rows = [json.loads(line) for line in file]
    return [Dialogue(row["field"], row["scenario"], tuple(Turn(**turn) for turn in row["turns"])) for row in rows]
