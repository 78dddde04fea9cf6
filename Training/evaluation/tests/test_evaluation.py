"""The whole evaluation with the real daemon, on one recording under every question's name, with played judges."""

import json
import os
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest

from evaluation import asking, daemon, plan, sounds
from evaluation.asked import Asked
from evaluation.run import Settings, evaluate
from evaluation.scores import STAGES

ROOT = Path(__file__).resolve().parents[3]
QUESTION = ROOT / "Models/pocket/demo/question.wav"
SIZE = plan.Size(1, (plan.CLEAN,), 1, 0, 0, 0, 0)


class Played:
    """Judges that hear a fixed sentence in everything."""

    def __init__(self, reference: Path) -> None:
        assert reference.is_file()

    def words(self, recording: Path) -> str:
        assert len(sounds.read(recording)[0])
        return "the capital of france is paris"

    def likeness(self, recording: Path) -> float | None:
        return 0.5

    def picture(self, file: Path) -> str:
        raise AssertionError("no picture was to be judged")

    def piece(self, file: Path) -> dict[str, str]:
        assert len(sounds.decode(file, 16_000)) > 8_000
        return {"instrument": "piano", "tempo": "slow", "mood": "sad"}


class Page(HTMLParser):
    """A page's elements and what it would load."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loaded: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loaded += [value or "" for name, value in attributes if name in ("src", "href")]


def prepared(folder: Path, size: plan.Size, **model: str) -> Settings:
    """An evaluation whose recordings are there already; `model` is set in the configuration."""
    tables = daemon.configuration(ROOT / "config.toml", folder)
    tables["model"] |= model
    config = folder / "config.toml"
    config.write_text(daemon.toml(tables))
    recordings = sounds.Recordings(folder / "recordings")
    asked = Asked.of(size, ["music"] if tables["model"].get("encodec") else [], folder)
    for question in asked.spoken:
        shutil.copy(QUESTION, recordings.folder / f"question-{question.key}.wav")
    for text in asked.replies:
        shutil.copy(QUESTION, recordings._path("reply", sounds._digest(text)))
    for name in [clip.key for clip in asked.clips] + [
        f"original-{piece.name.replace(' ', '-')}" for piece in asked.pieces
    ]:
        shutil.copy(QUESTION, asked.files / f"{name}.wav")
    program = Path(os.environ.get("ANYGPTD", ROOT / ".build/release/anygptd"))
    return Settings(config, program, None, folder, size, 4, False)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Of the model without pictures and music."""
    return prepared(tmp_path, SIZE, seed="", unclip="", encodec="")


def test_evaluation(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    path = evaluate(settings, Played)
    scores = json.loads((path.parent / "scores.json").read_text())
    everything = scores["speech"]["all"]
    assert not scores["not completed"]
    assert (
        everything["completed"]["value"] == everything["one turn"]["value"] == everything["with speech"]["value"] == 100
    )
    assert everything["likeness"]["value"] == 0.5 and everything["recordings' likeness"]["value"] == 0.5
    times = scores["latency"]["after the end of the turn"]
    first, audio, sound, done = (times[stage]["p50"]["value"] for stage in STAGES)
    assert 0 <= first <= audio <= done < 30_000 and audio <= sound <= audio + 1000
    assert scores["latency"]["after the last voice"]["first audio"]["p50"]["value"] > 300, "the silence is in it"

    text = path.read_text()
    page = Page(text)
    assert page.tags.count("audio") == 2 * 2 * len(plan.VOICES) and page.tags.count("svg") == 3
    assert page.loaded and all(place.startswith("data:") for place in page.loaded)
    assert "http" not in re.sub(r'"data:[^"]*"', "", text), "it needs nothing from elsewhere"
    answers = [json.loads(line)["value"] for line in (path.parent / "answers.jsonl").read_text().splitlines()]
    assert all(answer["heard"] for answer in answers)
    tables = (path.parent / "report.md").read_text()
    assert "not trained" in tables and not any(answer["heard"] in tables for answer in answers)

    async def asked_again(url: str, wave: object) -> None:
        raise AssertionError("what was answered is asked again")

    monkeypatch.setattr(asking.turns, "speak", asked_again)
    assert evaluate(settings, Played) == path


@pytest.mark.skipif(
    not daemon.configuration(ROOT / "config.toml", ROOT)["model"].get("encodec"), reason="the model has no music"
)
def test_music(tmp_path: Path) -> None:
    path = evaluate(prepared(tmp_path, plan.Size(1, (plan.CLEAN,), 1, 0, 0, 1, 1), seed="", unclip=""), Played)
    answers = [json.loads(line) for line in (path.parent / "answers.jsonl").read_text().splitlines()]
    given = {row["key"]: row["value"] for row in answers}
    assert all(answer["status"] == "completed" for answer in given.values())
    written = next(answer for key, answer in given.items() if key.startswith("piece") and not answer["heard"])
    assert len(written["pieces"]) == 1 and 0 < written["times"]["piece"] < 60_000
    assert (path.parent / written["pieces"][0]).read_bytes().startswith(b"fLaC")
    assert next(answer for key, answer in given.items() if key.startswith("clip"))["reply"]
    scores = json.loads((path.parent / "scores.json").read_text())["music"]
    assert scores["generation"][plan.WRITTEN]["came"]["value"] == 100 and scores["understanding"]["ceiling"]
    tables = (path.parent / "report.md").read_text()
    assert "| Music generation |" in tables and "not trained" not in tables


def test_no_daemon(settings: Settings, tmp_path: Path) -> None:
    settings.program = tmp_path / "nothing"
    settings.program.write_text("no program")
    with pytest.raises(daemon.NoDaemon, match="make build"):
        evaluate(settings, Played)
    settings.config.write_text(settings.config.read_text() + "\nnonsense = 1\n")
    settings.program = Path(os.environ.get("ANYGPTD", ROOT / ".build/release/anygptd"))
    with pytest.raises(daemon.NoDaemon, match="nonsense"):
        evaluate(settings, Played)
