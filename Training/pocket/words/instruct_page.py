"""Stage `instruct-page`: dialogues of AnyInstruct to be looked at and listened to, in one file that needs nothing else.

One dialogue of every combination whose questions were recorded. Each description becomes the real thing: the person's
recordings, the replies' recordings, pictures as they are shown and drawn, music as it is heard and played.
"""

import base64
import glob
import io
import json
import random
from html import escape

import numpy as np

from evaluation.opus import ogg

from .. import device
from ..data import music, pictures
from ..judging.report import REPORTS
from . import instruct
from .instruct import Dialogue, Turn
from .names import pictures as named
from .tunes import tune_names

SIDE = 112  # pixels of a picture's side on the page

STYLE = """
:root { color-scheme: light dark; --page: #faf9f7; --card: #fff; --ink: #1d1c1a; --soft: #6a6762; --line: #e4e1db;
  --person: #e3ecf8; --answer: #fff }
@media (prefers-color-scheme: dark) { :root { --page: #161615; --card: #1f1f1d; --ink: #eceae5; --soft: #a29f98;
  --line: #363532; --person: #23344c; --answer: #262624 } }
* { box-sizing: border-box }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.45 system-ui, sans-serif }
main { max-width: 1120px; margin: 0 auto; padding: 36px 20px 80px }
h1 { font-size: 28px; line-height: 1.2; margin: 0 0 8px }
p { color: var(--soft); max-width: 75ch; margin: 0 }
details { margin: 20px 0 } summary { cursor: pointer; color: var(--soft) }
.counts { columns: 330px; column-gap: 24px; padding: 0; margin: 10px 0 0; list-style: none; font-size: 14px;
  font-variant-numeric: tabular-nums }
.counts li { display: flex; break-inside: avoid; padding: 1px 0 }
.counts span { flex: none; width: 4ch; margin-right: 10px; text-align: right; color: var(--soft) }
.counts a { color: inherit; text-decoration-color: var(--soft); text-underline-offset: 3px }
.all { columns: 2; column-gap: 18px }
section { break-inside: avoid; background: var(--card); border: 1px solid var(--line); border-radius: 12px;
  padding: 14px 16px; margin: 0 0 18px }
section:target { border-color: var(--soft) }
h2 { font-size: 15px; margin: 0 } h2 + p { font-size: 13px; margin: 2px 0 10px }
.turn { width: fit-content; max-width: 86%; padding: 7px 12px; margin: 6px 0; border-radius: 12px;
  background: var(--answer); border: 1px solid var(--line) }
.person { margin-left: auto; background: var(--person); border-color: transparent }
.turn img { display: block; border-radius: 8px; margin: 4px 0; width: 112px; height: 112px; object-fit: contain }
.turn small { color: var(--soft); display: block; font-size: 12px }
audio { display: block; width: 250px; max-width: 100%; height: 32px; margin: 4px 0 }
@media (max-width: 800px) { .all { columns: 1 } }
"""


def uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


class Renderer:
    """Makes what can be seen and heard of a turn; `seconds` of music at most."""

    def __init__(self, work: str, seconds: float = 5.0, bitrate: int = 24_000) -> None:
        self.work, self.seconds, self.bitrate = work, seconds, bitrate
        self.replies: dict[str, dict] = device.load(f"{work}/replies.pt")
        self.places: dict[str, list[tuple[str, int, str]]] = {}  # text -> file, row and voice of its recordings
        for path in sorted(glob.glob(f"{work}/spoken-train-*.npz")):
            for row, (text, _, voice) in enumerate(json.loads(str(np.load(path)["rows"]))):
                self.places.setdefault(text, []).append((path, row, voice))
        self.waves: dict[str, np.ndarray] = {}
        self.kinds = dict(zip(tune_names(), music.KINDS, strict=True))

    def can(self, dialogue: Dialogue) -> bool:
        return all(turn.text in self.places for turn in dialogue.turns if turn.spoken)

    def question(self, text: str, rng: random.Random) -> tuple[np.ndarray, str]:
        """A recording of it and its voice. [samples] int16 at 16 kHz"""
        path, row, voice = rng.choice(self.places[text])
        data = np.load(path)
        if path not in self.waves:
            self.waves[path] = data["waves"]
        end = int(data["lengths"][: row + 1].sum())
        return self.waves[path][end - int(data["lengths"][row]) : end], voice

    def player(self, wave: np.ndarray, rate: int) -> str:
        if wave.dtype != np.int16:
            wave = (wave * 32767).astype(np.int16)
        source = uri("audio/ogg", ogg(wave, rate, self.bitrate))
        # The file is in the page already: with its metadata the player shows how long it is.
        return f'<audio controls controlslist="nodownload noplaybackrate" preload="metadata" src="{source}"></audio>'

    def tune(self, name: str, seed: int) -> str:
        """Seed 0 is what is played, others are pieces of the same kind as they may be met."""
        kind = self.kinds[name]
        wave = music.heard(kind, seed) if seed else music.canonical(kind)
        return self.player(wave[: int(self.seconds * music.RATE)], music.RATE)

    def image(self, name: str, rng: random.Random | None = None) -> str:
        """As it is drawn, or with `rng` as somebody may show it."""
        if rng:
            picture = pictures.photograph(name, rng).resize((SIDE, SIDE))
        else:
            front = pictures.emoji(named()[name]).resize((SIDE, SIDE))
            picture = pictures.Image.new("RGBA", front.size, "white")
            picture.alpha_composite(front)
        file = io.BytesIO()
        picture.convert("RGB").quantize(64).save(file, "PNG", optimize=True)
        return f'<img alt="{escape(name)}" src="{uri("image/png", file.getvalue())}">'

    def turn(self, turn: Turn, rng: random.Random) -> str:
        """Two bubbles: the person's and the answer's."""
        person, answer = [], []
        if turn.shown:
            person.append(self.image(turn.shown, rng) + f"<small>picture: {escape(turn.shown)}</small>")
        if turn.heard:
            person.append(self.tune(turn.heard, rng.randint(1, 99)) + f"<small>music: {escape(turn.heard)}</small>")
        person.append(escape(turn.text) if turn.text else "<small>(to be described)</small>")
        if turn.spoken:
            wave, voice = self.question(turn.text, rng)
            person.append(self.player(wave, 16_000) + f"<small>spoken by {escape(voice)}</small>")
        if turn.reply and turn.aloud and not turn.spoken:
            answer.append(f"<small>said without a text: {escape(turn.reply)}</small>")
        elif turn.reply:
            answer.append(escape(turn.reply))
        if turn.picture:
            answer.append(self.image(turn.picture))
        if turn.aloud:
            answer.append(self.player(self.replies[turn.reply]["wave"].numpy(), 16_000))
            if turn.reply and turn.spoken:
                answer.append("<small>the reply's voice</small>")
        if turn.music:
            answer.append(self.tune(turn.music, 0) + f"<small>music: {escape(turn.music)}</small>")
        return f'<div class="turn person">{"".join(person)}</div><div class="turn">{"".join(answer)}</div>'

    def dialogue(self, dialogue: Dialogue, rng: random.Random) -> str:
        turns = "".join(self.turn(turn, rng) for turn in dialogue.turns)
        name = str(dialogue.combination)
        return f'<section id="{place(name)}"><h2>{name}</h2><p>{escape(dialogue.scenario)}</p>{turns}</section>'


def place(combination: str) -> str:
    """A combination's name as an address within the page."""
    return combination.replace(" → ", "-to-").replace(" + ", "-")


def sample(rows: list[Dialogue], renderer: Renderer, rng: random.Random) -> list[Dialogue]:
    """The first recorded dialogue of every combination, of rows in random order."""
    firsts: dict[str, Dialogue] = {}
    for row in rng.sample(rows, len(rows)):
        if str(row.combination) not in firsts and renderer.can(row):
            firsts[str(row.combination)] = row
    return [firsts[name] for name in dict.fromkeys(str(row.combination) for row in rows) if name in firsts]


def page(chosen: list[Dialogue], rows: list[Dialogue], renderer: Renderer, rng: random.Random) -> str:
    head, *counts = instruct.table(rows).split("\n")
    body, there = "".join(renderer.dialogue(row, rng) for row in chosen), {str(row.combination) for row in chosen}
    cells = []
    for count, name in (line.split(None, 1) for line in counts):
        shown = f'<a href="#{place(name)}">{name}</a>' if name in there else name
        cells.append(f"<li><span>{count}</span><div>{shown}</div></li>")
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>AnyInstruct of the pocket model</title><style>{STYLE}</style><main>"
        f"<h1>AnyInstruct of the pocket model</h1><p>{escape(head)}. Here are {len(chosen)} of them, made of what the "
        "model learns from. The person's side is on the right: typed, spoken, shown or heard; the answer's is on the "
        "left.</p>"
        "<details><summary>How many dialogues each combination has</summary>"
        f'<ul class="counts">{"".join(cells)}</ul></details>'
        f'<div class="all">{body}</div></main></html>\n'
    )


def write(work: str) -> None:
    """instruct.html in the work folder, and a small one in the reports, of some dialogues with shorter music."""
    rows = instruct.read(work)
    renderer = Renderer(work)
    chosen = sample(rows, renderer, random.Random(1))
    with open(f"{work}/instruct.html", "w") as file:
        file.write(page(chosen, rows, renderer, random.Random(2)))
    few = [row for row in chosen if str(row.combination) in FEW]
    renderer.seconds, renderer.bitrate = 3.0, 14_000
    with open(f"{REPORTS}/instruct.html", "w") as file:
        file.write(page(few, rows, renderer, random.Random(2)))
    print(f"instruct.html: {len(chosen)} dialogues, {len(few)} in the reports", flush=True)


# One of everything that can be given, and of everything that can be made.
FEW = {
    "text → speech + music", "text → image + music", "speech → text + speech + image",
    "text + speech → text + speech + music", "image → text", "text + image → text + image + music",
    "speech + image → text + speech", "text + speech + image → text + speech + image", "music → text",
    "text + music → text + image", "speech + music → text + speech + image", "text + speech + music → text + speech",
    "image + music → text", "text + image + music → text + speech + image",
    "speech + image + music → text + speech + image + music",
}  # fmt: skip
