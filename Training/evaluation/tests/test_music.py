"""Music in the evaluation, from the plan to the page, with made-up answers and verdicts."""

import asyncio
import io
from pathlib import Path
from typing import Any

import anygpt
import av
import numpy as np
import pytest

from evaluation import music, plan, report, scores, sounds, tables, turns
from evaluation.asked import Asked
from evaluation.asking import Asker
from evaluation.progress import Progress
from evaluation.store import Store

SIZE = plan.Size(1, (plan.CLEAN,), 1, 0, 0, 4, 6)
TONE = (8000 * np.sin(np.arange(64_000) * 2 * np.pi * 400 / 32_000)).astype(np.int16)


def flac(wave: np.ndarray, rate: int) -> bytes:
    """A piece as the daemon sends it."""
    file = io.BytesIO()
    with av.open(file, "w", format="flac") as container:
        stream = container.add_stream("flac", rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray(wave[None], format="s16", layout="mono")
        frame.sample_rate = rate
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file.getvalue()


def test_descriptions() -> None:
    assert music.described("This is a slow, sad piano tune.") == music.parts("slow sad piano")
    assert music.described("a fast happy tune") == {"instrument": "", "tempo": "fast", "mood": "happy"}
    assert music.described("a piano or a harp")["instrument"] == "", "who names two of them guesses"


def test_the_plan_asks_for_other_pieces_in_writing_and_by_voice() -> None:
    requests = music.requests(SIZE)
    assert [request.way for request in requests] == [plan.WRITTEN] * 4 + [plan.BY_VOICE] * 4
    assert all(music.described(request.text) == music.parts(request.name) for request in requests)
    assert all(bool(request.spoken) == (request.way == plan.BY_VOICE) for request in requests)
    clips = music.clips(plan.Size(1, (plan.CLEAN,), 1, 0, 0, 0, 64))
    assert {clip.name for clip in clips[:32]} == {clip.name for clip in clips[32:]} == set(music.KINDS)
    assert len({clip.key for clip in clips}) == 64 and all(clip.seed % 4 for clip in clips)
    assert not any(plan.REQUESTS & set(plan.by_kind(held)) for held in (False, True))


def test_sound_files_of_any_kind(tmp_path: Path) -> None:
    sounds.write(tmp_path / "piece.wav", TONE, 32_000)
    for file in (tmp_path / "piece.wav", flac(TONE, 32_000)):
        wave = sounds.decode(file, 16_000)
        assert len(wave) == pytest.approx(len(TONE) / 2, abs=64)
        assert wave[1000:-1000].std() == pytest.approx(TONE.std() / 32768, rel=0.02)


class Daemon:
    """A session that answers a request for music as the daemon does."""

    def __init__(self, events: list[anygpt.Event], file: bytes) -> None:
        self._events, self._file = iter(events), file

    async def next(self) -> anygpt.Event:
        return next(self._events)

    async def fetch(self, artifact: anygpt.Artifact) -> bytes:
        return self._file


def test_a_piece_is_kept_apart_from_pictures(tmp_path: Path) -> None:
    file = flac(TONE, 32_000)
    made = anygpt.Artifact("a", "music", "audio/flac", len(file), "", "/a", duration_ms=2000)
    events = [anygpt.ReplyText("i", "here is your music"), anygpt.ArtifactDone("i", made),
              anygpt.ResponseDone("r", "completed", None, {})]  # fmt: skip
    listener = turns.Listener(Daemon(events, file))
    listener.starts()
    for _ in events:
        asyncio.run(listener.event())
    assert listener.answer.pieces == [file] and not listener.answer.pictures
    assert listener.answer.times["piece"] <= listener.answer.times["done"]
    answers = Store(tmp_path / "answers.jsonl")
    Asker("", answers, tmp_path, Progress({}))._keep("piece-1", listener.answer)
    kept = answers["piece-1"]
    assert kept["pieces"] == ["pieces/piece-1.flac"] and kept["reply"] == "here is your music"
    assert (tmp_path / "pieces/piece-1.flac").read_bytes() == file


def answer(**facts: Any) -> dict[str, Any]:
    """What a store keeps of an answer."""
    kept = {"heard": "", "reply": "", "status": "completed", "turns": 1, "times": {}, "server": {}}
    return kept | {"speech": None, "pictures": [], "pieces": []} | facts


@pytest.fixture
def asked(tmp_path: Path) -> Asked:
    """Four pieces each way and six clips, whose files are there already."""
    asked = Asked.of(SIZE, ["music"], tmp_path)
    assert not asked.drawn and not asked.shown
    names = [f"{clip.key}.wav" for clip in asked.clips]
    for name in names + [f"original-{piece.name.replace(' ', '-')}.wav" for piece in asked.pieces]:
        sounds.write(asked.files / name, TONE, 32_000)
    return asked


def filled(asked: Asked, folder: Path) -> tuple[Store, Store]:
    """Answers and verdicts: of the four pieces each way one is right, one slow instead of fast or the other way round,
    one silent and one did not come; every second clip is named right, the others by their instrument alone."""
    answers, verdicts = Store(folder / "answers.jsonl"), Store(folder / "verdicts.jsonl")
    (folder / "pieces").mkdir()
    for index, piece in enumerate(asked.pieces):
        verdicts.put(f"plays original of {piece.name}", music.parts(piece.name))
        heard = "" if not piece.spoken else piece.text if index % 2 else "play a tune"
        if index % 4 == 3:
            answers.put(piece.key, answer(heard=heard, status="failed"))
            continue
        name = f"pieces/{piece.key}.flac"
        (folder / name).write_bytes(flac(TONE, 32_000))
        answers.put(
            piece.key, answer(heard=heard, pieces=[name], times={"piece": 900.0 + index}, server={"artifact": 1500.0})
        )
        other = music.parts(piece.name)
        other["tempo"] = "slow" if other["tempo"] == "fast" else "fast"
        verdicts.put(f"plays {piece.key}", [music.parts(piece.name), other, {}][index % 4])
    for index, clip in enumerate(asked.clips):
        said = f"this is a {clip.name} tune" if index % 2 else f"a {music.parts(clip.name)['instrument']}"
        answers.put(clip.key, answer(reply=said, times={"done": 40.0}))
        verdicts.put(f"plays {clip.key}", music.parts(clip.name))
    for question in [*asked.questions, *asked.latency]:
        for kind in ("spoken", "latency"):
            answers.put(f"{kind}-{question.key}", answer(heard=question.text, reply=question.reply))
        verdicts.put(scores.heard(question), question.text)
    for reply in asked.replies:
        verdicts.put(f"said recording of {reply}", reply)
        verdicts.put(f"like recording of {reply}", 0.8)
    return answers, verdicts


def test_scores(asked: Asked, tmp_path: Path) -> None:
    found = asked.scores(*filled(asked, tmp_path))
    made, heard = found["music"]["generation"], found["music"]["understanding"]
    for way in (plan.WRITTEN, plan.BY_VOICE):
        shares = {part: number["value"] for part, number in made[way]["right"].items()}
        assert shares == {"instrument": 50, "tempo": 25, "mood": 50, "all three": 25}
        assert made[way]["came"]["value"] == 75 and made[way]["ceiling"]["all three"]["value"] == 100
    assert made[plan.WRITTEN]["name heard"] is None and made[plan.BY_VOICE]["name heard"]["value"] == 50
    assert heard["right"]["instrument"]["value"] == 100 and heard["right"]["all three"]["value"] == 50
    assert made[plan.WRITTEN]["time"]["p50"]["value"] == 901
    assert made[plan.WRITTEN]["after the last voice"]["p50"] is None, "nobody spoke"
    spoken = made[plan.BY_VOICE]
    assert spoken["after the last voice"]["p50"]["value"] == 1500
    assert spoken["time"]["p50"]["of"] == 1, "the others were asked side by side"
    assert found["not completed"] == {"failed": 2} and found["pictures"] is None


def test_what_is_judged(asked: Asked, tmp_path: Path) -> None:
    class Judges:
        def __getattr__(self, name: str) -> Any:
            return lambda file: (name, file)

    answers, verdicts = filled(asked, tmp_path)

    class Recordings:
        def __getattr__(self, name: str) -> Any:
            return lambda *_: (Path("recording.wav"), False)

    rows = asked.to_judge(Judges(), Recordings(), answers, tmp_path)  # type: ignore[arg-type]
    judged = {key: ask() for key, ask in rows if key.startswith("plays")}
    assert judged.keys() == {key for key in verdicts.values if key.startswith("plays")}
    assert all(kind == "piece" and file.is_file() for kind, file in judged.values())


def test_page_and_tables(asked: Asked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers, verdicts = filled(asked, tmp_path)
    about = {"model": "pocket", "version": "1", "questions": 8, "seed": 1, "side by side": 4, "machine": "2 cores"}
    found = asked.scores(answers, verdicts) | {"about": about}
    text = tables.markdown(found)
    assert "not trained" not in text and text.count("25 (5–70)") == 4
    assert "| a piece of music asked for in writing | 901 " in text and "| a piece's description | 40 " in text
    monkeypatch.setattr(report.samples, "turns", lambda *_: "")
    found["latency"]["after the end of the turn"]["first sound"]["p50"] = None
    page = report.write(tmp_path, found, asked, None, answers, verdicts).read_text()  # type: ignore[arg-type]
    assert page.count("<audio") == 3 + 3 + 6 and "Pieces that the classifier hears right" in page
    none = tables.markdown(found | {"music": None})
    assert none.count("not trained") == 2
