"""The page of scores has a line for everything that the judges give."""

import numpy as np
import pytest

pytest.importorskip("torch")

from pocket.judging.letters import summary  # noqa: E402
from pocket.judging.report import page  # noqa: E402

NOTHING: dict = {"codec": {}, "replies": {}, "voices": {}, "letters": {}, "backbone": {}, "aloud": {}, "written": {}}
RIGHT = {"percent": 50.0, "interval": [25.0, 75.0], "of": 8}
WORDS = {"wer": 12.5, "interval": [0.0, 25.0], "exact": 80.0, "sentences": 8}
TUNES = {"tune nearest": RIGHT, "tune exact": RIGHT, "tune's codes right": 0.875}


def line(text: str, start: str) -> str:
    return next(line.strip() for line in text.split("\n") if line.strip().startswith(start))


def test_music_is_told() -> None:
    spoken = {"transcript": WORDS, "reply right": RIGHT, "chain formed": RIGHT, "reply's speech": None} | TUNES
    text = page(NOTHING | {"backbone": {"playing, awb": spoken}, "written": {"playing, asked in a chat": TUNES}})
    assert line(text, "tune nearest").split()[2:] == ["50.0", "%", "(25.0-75.0,", "of", "8)"]
    assert line(text, "tune's codes right").endswith(" 87.5 %")
    assert line(text, "playing, asked in a chat, tune's codes right").endswith(" 87.5 %")


def test_letters_are_told_in_both_ways() -> None:
    counts = np.array([[[2, 10], [1, 10]], [[4, 20], [5, 20]]])
    score = summary(counts)
    assert [score[way]["rate"] for way in ("encoder", "true features", "difference")] == [20.0, 20.0, 0.0]
    assert score["difference"]["interval"] == [-5.0, 10.0] and score["of"] == 2
    row = line(page(NOTHING | {"letters": {"seen, awb": score}}), "seen, awb")
    assert row.split()[2:6] == ["20.0", "%", "(20.0", "to"] and row.endswith("(-5.0 to 10.0), 2 sentences")


def test_what_is_said_is_told() -> None:
    aloud = {"as written": RIGHT, "codes wrong": 3.25, "lost": [["a", "b"]]}
    text = page(NOTHING | {"aloud": aloud})
    assert line(text, "spoken as written").endswith("50.0 %  (25.0-75.0, of 8)")
    assert line(text, "codes wrong").endswith("3.2 %")
    assert "codes wrong" not in page(NOTHING)
