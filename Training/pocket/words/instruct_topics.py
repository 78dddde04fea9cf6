"""AnyInstruct's first stage, after the paper: topics, and scenarios of who wants what, in which modalities.

A topic is a subject of a field with its pictures, its pieces of music and the questions that belong to it; all of them
are the domain's own, of its training half. A scenario gives a topic a person and a combination of modalities.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from ..data.music import INSTRUMENTS, KINDS, name
from . import domain
from .names import picture_names

MODALITIES = ("text", "speech", "image", "music")


@dataclass(frozen=True)
class Combination:
    """What comes in and what goes out in a whole dialogue."""

    given: frozenset[str]
    made: frozenset[str]

    def __str__(self) -> str:
        sides = (" + ".join(m for m in MODALITIES if m in side) for side in (self.given, self.made))
        return " → ".join(sides)


@dataclass(frozen=True)
class Topic:
    field: str
    subject: str
    pictures: tuple[str, ...]  # the subject's own first, where it has one
    tunes: tuple[str, ...]
    questions: tuple[str, ...]  # about the subject
    around: tuple[str, ...]  # about the field


@dataclass(frozen=True)
class Scenario:
    topic: Topic
    person: str
    combination: Combination

    def __str__(self) -> str:
        given, made = self.combination.given, self.combination.made
        ways = {"text": "writes", "speech": "speaks", "image": "shows pictures", "music": "has music heard"}
        wants = {"text": "words", "speech": "a voice", "image": "a picture", "music": "music"}
        does = _listed([ways[m] for m in MODALITIES if m in given])
        return f"{self.person} {does}; it is about {self.topic.subject}; wanted: " + _listed(
            [wants[m] for m in MODALITIES if m in made]
        )


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


@dataclass(frozen=True)
class Field:
    """Its pictures, as ranges of names or names; words that its facts hold; who talks of it; how its music is."""

    pictures: str
    facts: str
    people: str
    music: tuple[str, ...] = ("slow", "fast")  # tempi and moods, or instruments


FIELDS = {
    "animals": Field("cat-mammoth frog-snake", "animal dog cows", "a child|a farmer|a keeper at the zoo", ("happy",)),
    "birds": Field("duck-goose", "animal", "a child|somebody who watches birds", ("flute", "violin")),
    "the sea": Field("shark-shrimp wave ship anchor", "river", "a sailor|a diver", ("slow",)),
    "insects": Field("bee-ladybug", "bees spider", "a gardener|a child", ("fast",)),
    "tales": Field("dragon dinosaur unicorn ghost castle crown", "joke", "a child|somebody who tells tales", ("harp",)),
    "fruit": Field("apple-avocado", "hungry", "a greengrocer|a cook", ("happy",)),
    "vegetables": Field("carrot-garlic", "hungry cows", "a cook|a gardener", ("happy",)),
    "food": Field("sandwich-teapot", "hungry bread drink", "a cook|a baker|a hungry guest", ("happy",)),
    "plants": Field("tree-leaf", "winter summer", "a gardener|a florist", ("slow",)),
    "the sky": Field("sun-lightning planet earth umbrella tornado", "sun planet weather ice", "an astronomer|a hiker",
                     ("bells", "organ")),
    "landscapes": Field("fire-volcano desert mountain island tent palm", "mountain river", "a hiker|a painter",
                        ("slow",)),
    "buildings": Field("house-bridge fountain door window", "live", "an architect|a tourist", ("organ",)),
    "vehicles": Field("car-parachute", "car", "a driver|a pilot|a child", ("fast",)),
    "instruments": Field("piano-headphones bell", "music sing", "a musician|a teacher of music|a dancer"),
    "play": Field("doll-trophy", "joke happy", "a child|a trainer", ("happy",)),
    "clothes": Field("crown-suitcase", "weather winter", "a tailor|a traveller", ("guitar",)),
    "the house": Field("hammer-heart", "time live", "a craftsman|a housekeeper", ("piano",)),
}  # fmt: skip
# Fields of matters that have no picture of their own.
MATTERS = {
    "countries": Field("airplane train suitcase map compass ship camera", "mountain river", "a traveller|a pupil",
                       ("fast",)),
    "sums": Field("pencil book computer dice apple", "days months hours minutes", "a pupil|a teacher", ("piano",)),
    "opposites": Field("book pencil sun moon mouse elephant", "name", "a pupil|a poet", ("violin",)),
    "feelings": Field("heart teddy balloon gift flower cake cat bed", "happy sad tired joke",
                      "a friend|somebody who is alone", ("happy", "sad")),
    "the calendar": Field("clock hourglass snowman sunflower leaf bell", "days months monday friday winter",
                          "a secretary|a pupil", ("bells",)),
    "the machine": Field("robot computer battery telephone camera", "name robot machine computer help",
                         "a curious visitor|an engineer", ("organ",)),
}  # fmt: skip
GREETINGS = ("hello", "hello there", "good morning", "a good morning to you", "how are you", "how are you today")
PARTINGS = ("thank you", "thank you very much", "thanks a lot", "good bye", "see you later", "good night")


def _names(ranges: str) -> list[str]:
    """ "cat-dog bee" -> the names from cat to dog, and bee; no other names than there are."""
    names, out = picture_names(), []
    for part in ranges.split():
        first, _, last = part.partition("-")
        if first in names:
            out += names[names.index(first) : names.index(last or first) + 1]
    return list(dict.fromkeys(out))


def _tunes(ways: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name(kind) for kind in KINDS if {kind.tempo, kind.mood, kind.instrument} & set(ways))


@cache
def about() -> dict[str, tuple[str, ...]]:
    """The training questions about a picture's thing, by its name."""
    out: dict[str, list[str]] = {}
    train, names = domain.split()[0], set(picture_names())
    for kind in ("what", "color", "sound", "say", "fact"):
        for question, _ in train[kind]:
            words = question.split()
            for word in dict.fromkeys(words + [word.removesuffix("s") for word in words]):
                if word in names and not (kind == "color" and word in ("orange", "chocolate") and word != words[-1]):
                    out.setdefault(word, []).append(question)
    return {word: tuple(dict.fromkeys(questions)) for word, questions in out.items()}


def _holding(kinds: tuple[str, ...], words: set[str]) -> tuple[str, ...]:
    train = domain.split()[0]
    return tuple(question for kind in kinds for question, _ in train[kind] if words & set(question.split()))


@cache
def topics() -> tuple[Topic, ...]:
    out: list[Topic] = []
    for title, field in FIELDS.items():
        names, around = _names(field.pictures), _holding(("fact",), set(field.facts.split()))
        for subject in names:
            others = tuple(other for other in names if other != subject)
            ways = (subject.replace("bell", "bells"),) if subject in (*INSTRUMENTS, "bell") else field.music
            questions = about().get(subject, ())
            out.append(Topic(title, domain.one(subject), (subject, *others), _tunes(ways), questions, around))
    subjects: dict[str, list[tuple[str, tuple[str, ...]]]] = {
        "countries": [(country, _holding(("capital",), {country})) for country in domain.CAPITALS],
        "sums": [(f"sums with {word}", _holding(("sum",), {word})) for word in domain.ONES[:11]],
        "opposites": [(f"the opposite of {word}", _holding(("opposite",), {word})) for word in domain.OPPOSITES],
        "feelings": [(f"being {word}", _holding(("fact",), {word})) for word in ("happy", "sad", "tired", "hungry")],
        "the calendar": [
            (label, _holding(("fact",), {label.split()[-1]}))
            for label in "a week|a year|a day|an hour|monday|friday|winter|summer|the time".split("|")
        ],
        "the machine": [
            (f"its {word}", _holding(("fact",), words))
            for word, words in {
                "name": {"name", "who"}, "birth": {"born", "old", "built"}, "kind": {"robot", "machine", "human"},
                "home": {"live", "where"}, "talents": {"sing", "joke", "help", "can"},
            }.items()
        ],
    }  # fmt: skip
    for title, rows in subjects.items():
        field = MATTERS[title]
        around = _holding(("fact",), set(field.facts.split()))
        for subject, questions in rows:
            ways = (subject.removeprefix("being "),) if subject in ("being happy", "being sad") else field.music
            out.append(Topic(title, subject, tuple(_names(field.pictures)), _tunes(ways), questions, around))
    return tuple(out)


@cache
def combinations() -> dict[Combination, float]:
    """Every combination that the chat format knows, with the weight of its dialogues.

    Who speaks is spoken to. Who writes is answered in words, and spoken to on demand. What is only shown is described.
    Without words go a picture, a piece of music or speech that a written request asks for. A picture that is shown and
    speech are never in one turn, which the format has no row for, but in one dialogue. Music is long, so there is less.
    """
    out: dict[Combination, float] = {}

    def subsets(*parts: str) -> Iterator[frozenset[str]]:
        for number in range(2 ** len(parts)):
            yield frozenset(part for place, part in enumerate(parts) if number >> place & 1)

    for given in subsets(*MODALITIES):
        for made in subsets(*MODALITIES):
            spoken, written = "speech" in given, "text" in given
            if not given or not made or (spoken and not {"speech", "text"} <= made):
                continue
            if not spoken and not written and made != {"text"}:
                continue
            if "text" not in made and given != {"text"}:
                continue
            weight = 1.0 if "text" in made else 0.3
            weight *= 0.4 if "music" in given else 1.0
            weight *= 0.6 if "music" in made else 1.0
            weight *= 0.5 if written and not spoken and "speech" in made else 1.0
            out[Combination(given, made)] = weight
    return out


def scenarios(count: int, rng: random.Random) -> Iterator[Scenario]:
    """About so many, every combination by its weight, the topics in turn."""
    weights = combinations()
    scale, order = count / sum(weights.values()), list(topics())
    for combination, weight in weights.items():
        for _ in range(round(scale * weight)):
            if len(order) == 0:
                order = list(topics())
            topic = order.pop(rng.randrange(len(order)))
            people = (FIELDS | MATTERS)[topic.field].people.split("|")
            yield Scenario(topic, rng.choice(people), combination)
