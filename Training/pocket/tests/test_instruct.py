"""AnyInstruct: how many dialogues there are, that they are what they say, and that nothing held out is in them."""

import gzip
import json
from collections import Counter
from itertools import islice
from pathlib import Path

import pytest

from pocket.words import domain, instruct, tunes
from pocket.words.instruct import Dialogue, Turn
from pocket.words.instruct_topics import combinations


@pytest.fixture(scope="module")
def rows() -> list[Dialogue]:
    return list(instruct.dialogues())


def test_there_are_enough_and_no_two_are_the_same(rows: list[Dialogue]) -> None:
    assert len({row.turns for row in rows}) == len(rows) >= 20_000
    assert all(2 <= len(row.turns) <= 5 for row in rows)


def test_the_seed_decides() -> None:
    first, again, other = (list(islice(instruct.dialogues(300, seed), 200)) for seed in (1, 1, 2))
    assert first == again and first != other


def test_every_combination_is_there(rows: list[Dialogue]) -> None:
    counts = Counter(row.combination for row in rows)
    assert set(counts) == set(combinations()) and min(counts.values()) >= 40
    names = {str(combination) for combination in counts}
    assert {"text → image", "image → text", "speech + image → text + speech + music"} <= names
    assert "speech → image" not in names  # who speaks is spoken to


def test_nothing_held_out_is_said(rows: list[Dialogue]) -> None:
    assert not domain.apart() & {turn.text for row in rows for turn in row.turns}


def test_spoken_turns_are_the_domains(rows: list[Dialogue]) -> None:
    """So recordings of them exist, and the chain's picture and music are those that the question asks for."""
    known = {pair for pairs in domain.split()[0].values() for pair in pairs}
    for turn in {turn for row in rows for turn in row.turns if turn.spoken}:
        assert (turn.text, turn.reply) in known and turn.aloud
        assert turn.picture == domain.drawn().get(turn.text, "") and turn.music == domain.played().get(turn.text, "")


def test_answers_are_right(rows: list[Dialogue]) -> None:
    replies = set(domain.all_replies())
    for turn in {turn for row in rows for turn in row.turns}:
        if turn.aloud:
            assert turn.reply in replies
        if turn.shown and not (turn.picture or turn.music):
            assert turn.reply == (domain.this_is(turn.shown) if turn.text else domain.one(turn.shown))
        if turn.heard and not (turn.picture or turn.music):
            assert turn.reply == (domain.this_tune(turn.heard) if turn.text else tunes.tune(turn.heard))
        if not turn.reply:
            assert turn.text and not turn.spoken and bool(turn.picture) != bool(turn.music)
        assert not (turn.spoken and (turn.shown or turn.heard))  # the chat format has no such turn


def test_turns_belong_together(rows: list[Dialogue]) -> None:
    """Of the turns behind one with a picture, a fifth name it or show it again (21 %)."""
    after = [(before, turn) for row in rows for before, turn in zip(row.turns, row.turns[1:], strict=False)]
    after = [(before.picture or before.shown, turn) for before, turn in after if before.picture or before.shown]
    near = [name in (turn.picture, turn.shown) or name in turn.text.split() for name, turn in after]
    assert sum(near) > 0.15 * len(near)


def test_the_file_keeps_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few = list(instruct.dialogues(200))
    monkeypatch.setattr(instruct, "dialogues", lambda: iter(few))
    instruct.write(str(tmp_path))
    first = (tmp_path / instruct.FILE).read_bytes()
    assert instruct.read(str(tmp_path)) == few
    instruct.write(str(tmp_path))
    assert (tmp_path / instruct.FILE).read_bytes() == first
    with gzip.open(tmp_path / instruct.FILE, "rt") as file:
        line = json.loads(next(file))
    assert line["combination"] == str(few[0].combination) and Turn(**line["turns"][0]) == few[0].turns[0]
