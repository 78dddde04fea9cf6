"""The backbone, judged on what is written to it, and on what is shown and played to it."""

import random

from ..lessons.conversations import Writer
from ..lessons.music import Music
from ..lessons.pictures import Pictures
from ..words import domain, template
from .evaluate import Shipped
from .judges import plain, share
from .made import drawn_right, played_right


def judge_typed(model: Shipped, pictures: Pictures | None, music: Music | None = None, count: int = 256) -> dict:
    """Written requests: sums, pictures to draw and to name, music to play and to name; of each at most `count`."""
    vocabulary, rng = model.vocabulary, random.Random(7)
    stop, opening = vocabulary.added[template.END_MACHINE], f"{template.SYSTEM}\n"

    def said(turn: str, limit: int = 60) -> list[int]:
        return model.write([1, *vocabulary.encode(opening + turn)], stop, limit)

    def right(rows: list[tuple[str, str]]) -> dict:
        return share(
            [
                plain(vocabulary.text(said(turn)).replace(template.END_MACHINE, "")) == plain(reply)
                for turn, reply in rows
            ]
        )

    train, held = domain.split()
    sums = {"seen": train["sum"], "held out": [row for row in held if row[1].startswith(domain.SUM)]}
    scores: dict = {}
    for name, rows in sums.items():
        rows = rng.sample(rows, min(count, len(rows)))
        scores[f"sums, {name}"] = right([(template.question(text), reply) for text, reply in rows])
    if pictures is None:
        return scores
    names = rng.sample(pictures.names, min(count, len(pictures.names)))
    seen = domain.drawing_questions()
    apart = {name: [q for q, of in domain.drawn().items() if of == name and q not in seen[name]] for name in seen}
    ways = {
        "asked in a chat": lambda name: template.question(rng.choice(seen[name])),
        "asked in a chat, held-out words": lambda name: template.question(rng.choice(apart[name])),
        "with the form given": lambda name: f"{template.picture_request(domain.one(name))} <soim>",
        "with the form given, name alone": lambda name: f"{template.picture_request(name)} <soim>",
    }
    for way, turn in ways.items():
        made = []
        for name in names:
            text = turn(name)
            ids = said(text)
            made.append((name, vocabulary.image_in([vocabulary.added["<soim>"], *ids] if "<soim>" in text else ids)))
        scores[f"drawing, {way}"] = drawn_right(pictures, made)
        print(f"drawing, {way}: {scores[f'drawing, {way}']}", flush=True)
    writer = Writer(vocabulary, {})
    looks = {
        "the picture as it is drawn": lambda name: pictures.codes(name),
        "variants of training": lambda name: rng.choice(pictures.seen[pictures.number[name]].tolist()),
        "variants kept apart": lambda name: rng.choice(pictures.unseen[pictures.number[name]].tolist()),
    }
    for look, codes in looks.items():
        captions = [(writer.shown(codes(name), template.DESCRIBE), domain.one(name)) for name in names]
        scores[f"caption, {look}"] = right(captions)
    asks = [(writer.shown(looks["variants kept apart"](name), "what is this"), domain.this_is(name)) for name in names]
    scores["what is this, variants kept apart"] = right(asks)
    if music is not None:
        for way, turn in {
            "asked in a chat": lambda name: template.question(rng.choice(domain.playing_questions()[name])),
            "with the form given": lambda name: f"{template.music_request(domain.tune(name))} <somu>",
        }.items():
            made = []
            for name in music.names[: count // 8]:
                text = turn(name)
                ids = said(text, 1100)
                ids = [vocabulary.added["<somu>"], *ids] if "<somu>" in text else ids
                made.append((name, vocabulary.music_in(ids)))
            scores[f"playing, {way}"] = played_right(music, made)
            print(f"playing, {way}: {scores[f'playing, {way}']}", flush=True)
        clips = [(name, rng.choice(music.unseen[music.number[name]])) for name in music.names for _ in range(2)]
        heard = [(writer.played(codes, template.INTERPRET), domain.tune(name)) for name, codes in clips]
        scores["music described, variants kept apart"] = right(heard)
    return scores
