"""All scores of an evaluation: plain dictionaries, by what is measured."""

from collections.abc import Iterable
from typing import Any

from pocket.judging.judges import plain

from . import intervals as st
from .music import PARTS, Clip, Piece, described, parts
from .pictures import Drawn, Shown
from .plan import Spoken
from .requests import Request
from .store import Store

STAGES = ("first text", "first audio", "first sound", "done")


def heard(question: Spoken) -> str:
    """The key of what Whisper heard in a question's recording."""
    return f"heard {question.key}"


def speech(questions: list[Spoken], answers: Store, verdicts: Store) -> dict[str, Any]:
    """Speech recognition, replies and their speech by voice, seen and held out."""
    rows = []
    for group, held_out, way in dict.fromkeys((q.group, q.held_out, q.way) for q in questions):
        asked = [q for q in questions if (q.group, q.held_out, q.way) == (group, held_out, way)]
        rows.append({"group": group, "held_out": held_out, "way": way} | _row(asked, answers, verdicts))
    seen = [q for q in questions if not q.held_out]
    held = [q for q in questions if q.held_out]
    return {
        "rows": rows,
        "seen": _row(seen, answers, verdicts),
        "held out": _row(held, answers, verdicts),
        "all": _row(questions, answers, verdicts),
    }


def _row(questions: list[Spoken], answers: Store, verdicts: Store) -> dict[str, Any]:
    given = [(q, answers[f"spoken-{q.key}"]) for q in questions]
    voiced = [(f"spoken-{q.key}", a) for q, a in given if a["speech"] and a["reply"]]
    likeness = [verdicts[f"like {key}"] for key, _ in voiced]
    texts = sorted({q.reply for q in questions})
    return {
        "transcript": st.word_errors([(q.text, a["heard"]) for q, a in given]),
        "transcript exact": st.share([plain(q.text) == plain(a["heard"]) for q, a in given]),
        "whisper": st.word_errors([(q.text, verdicts[heard(q)]) for q in questions]),
        "reply right": st.share([right(q.reply, a) for q, a in given]),
        "completed": st.share([a["status"] == "completed" for _, a in given]),
        "one turn": st.share([a["turns"] == 1 for _, a in given]),
        "with speech": st.share([bool(a["speech"]) for _, a in given]),
        "reply's speech": st.word_errors([(a["reply"], verdicts[f"said {key}"]) for key, a in voiced]),
        "likeness": st.mean([value for value in likeness if value is not None]),
        "recordings' speech": st.word_errors([(text, verdicts[f"said recording of {text}"]) for text in texts]),
        "recordings' likeness": st.mean([verdicts[f"like recording of {text}"] for text in texts]),
    }


def right(reply: str, answer: dict[str, Any]) -> bool:
    """Whether it is the domain's reply."""
    return plain(reply) == plain(answer["reply"])


def latency(questions: list[Spoken], answers: Store) -> dict[str, Any]:
    """Milliseconds from the end of the turn, as the client sees it, and from the last voice, as the daemon does."""
    given = [answers[f"latency-{q.key}"] for q in questions]
    ours = {stage: [a["times"][stage] for a in given if stage in a["times"]] for stage in STAGES}
    theirs = {
        stage: [a["server"][stage.replace(" ", "_")] for a in given if stage.replace(" ", "_") in a["server"]]
        for stage in STAGES
    }
    return {
        "after the end of the turn": {stage: _percentiles(values) for stage, values in ours.items()},
        "after the last voice": {stage: _percentiles(values) for stage, values in theirs.items()},
        "values": ours,
    }


def _percentiles(values: list[float]) -> dict[str, st.Number | None]:
    return {f"p{percent}": st.quantile(values, percent) for percent in (50, 90)}


def pictures(drawn: list[Drawn], shown: list[Shown], alone: int, answers: Store, verdicts: Store) -> dict[str, Any]:
    """Drawing and seeing: the right picture by a classifier, the right name in the caption, and the judges' ceiling.

    Only the first `alone` requests by voice were asked while nothing else was.
    """
    ways: dict[str, Any] = {}
    for way in dict.fromkeys(request.way for request in drawn):
        asked = [request for request in drawn if request.way == way]
        given = [(request, answers[request.key]) for request in asked]
        ways[way] = {
            "name heard": st.share([_named(r.name, a["heard"]) for r, a in given if r.spoken]),
            "drawn": st.share([bool(a["pictures"]) for _, a in given]),
            "right": st.share([verdicts.values.get(f"shows {r.key}") == r.name for r, _ in given]),
            "ceiling": st.share([verdicts[f"shows original of {r.name}"] == r.name for r in asked]),
            **_request_times(given, alone, "picture"),
        }
    given = [(picture, answers[picture.key]) for picture in shown]
    return {
        "generation": ways,
        "understanding": {
            "caption right": st.share([picture.named_in(a["reply"]) for picture, a in given]),
            "ceiling": st.share([verdicts[f"shows {picture.key}"] == picture.name for picture in shown]),
            "time": _percentiles([a["times"]["done"] for _, a in given if "done" in a["times"]]),
        },
    }


def music(pieces: list[Piece], clips: list[Clip], alone: int, answers: Store, verdicts: Store) -> dict[str, Any]:
    """Playing and listening: instrument, tempo and mood by a classifier and in replies, and the judge's ceiling."""
    ways: dict[str, Any] = {}
    for way in dict.fromkeys(piece.way for piece in pieces):
        asked = [piece for piece in pieces if piece.way == way]
        given = [(piece, answers[piece.key]) for piece in asked]
        ways[way] = {
            "name heard": st.share([described(a["heard"]) == parts(p.name) for p, a in given if p.spoken]),
            "came": st.share([bool(a["pieces"]) for _, a in given]),
            "right": _parts_right([(p.name, verdicts.values.get(f"plays {p.key}", {})) for p in asked]),
            "ceiling": _parts_right([(p.name, verdicts[f"plays original of {p.name}"]) for p in asked]),
            **_request_times(given, alone, "piece"),
        }
    given = [(clip, answers[clip.key]) for clip in clips]
    return {
        "generation": ways,
        "understanding": {
            "right": _parts_right([(clip.name, described(a["reply"])) for clip, a in given]),
            "ceiling": _parts_right([(clip.name, verdicts[f"plays {clip.key}"]) for clip in clips]),
            "time": _percentiles([a["times"]["done"] for _, a in given if "done" in a["times"]]),
        },
    }


def _request_times(given: list[tuple[Request, dict[str, Any]]], alone: int, what: str) -> dict[str, Any]:
    """Milliseconds until what was asked for was there, as the client sees it and, by voice, as the daemon does."""
    timed = [a for index, (request, a) in enumerate(given) if index < alone or not request.spoken]
    spoken = [a for request, a in given[:alone] if request.spoken]
    return {
        "time": _percentiles([a["times"][what] for a in timed if what in a["times"]]),
        "after the last voice": _percentiles([a["server"]["artifact"] for a in spoken if "artifact" in a["server"]]),
    }


def _parts_right(rows: list[tuple[str, dict[str, str]]]) -> dict[str, st.Number | None]:
    """(kind, what was found) pairs -> how often each part is right, and all of them"""
    out = {part: st.share([found.get(part) == parts(name)[part] for name, found in rows]) for part in PARTS}
    return out | {"all three": st.share([found == parts(name) for name, found in rows])}


def _named(name: str, heard: str) -> bool:
    return f" {plain(name)} " in f" {plain(heard)} "


def unanswered(answers: Iterable[dict[str, Any]]) -> dict[str, int]:
    """How often which status other than completed came."""
    counts: dict[str, int] = {}
    for answer in answers:
        if answer["status"] != "completed":
            counts[answer["status"]] = counts.get(answer["status"], 0) + 1
    return counts
