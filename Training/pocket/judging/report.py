"""Stage `judge`: every score as JSON and as a page of text, with the gates it is held against."""

import glob
import json
import os

from ..data.spoken_tests import tests_in
from ..lessons.music import Music
from ..lessons.pictures import Pictures
from .aloud import judge_aloud
from .evaluate import Shipped
from .judges import Listener
from .letters import judge_letters
from .speech import judge_codec, judge_replies, judge_voices
from .spoken import judge_backbone
from .written import judge_typed

TUNES = ("tune nearest", "tune exact", "tune's codes right")
REPORTS = os.path.join(os.path.dirname(__file__), "..", "..", "reports")


def judge(work: str, model: str, parts: list[int], count: int = 60) -> None:
    """Judges the model folder and writes Training/reports/scores.json, scores.txt and training.json.

    `count` is the number of sentences a row, of recordings other than the reply voice's half of it.
    """
    judge_speech(work, model, parts, count)
    judge_read(work, model, tests_in(work), count // 2)
    judge_answers(work, model, tests_in(work), count)
    keep(work, "aloud", {"aloud": judge_aloud(Shipped(model), work)})
    judge_written(work, model, 2 * count)
    write(work)


def judge_speech(work: str, model: str, parts: list[int], count: int) -> None:
    """Speech tokenizer and SoundStorm: scores-speech.json in the work folder."""
    shipped, listener = Shipped(model), Listener()
    scores = {
        "codec": judge_codec(shipped, work, parts, listener, count),
        "replies": judge_replies(shipped, work, listener, count),
    }
    if not shipped.storm.is_silent:
        scores["voices"] = judge_voices(shipped, work, parts, listener, count // 2)
    keep(work, "speech", scores)


def judge_read(work: str, model: str, tests: list[str], count: int) -> None:
    """Speech tokenizer, by what stage `probe` reads from its codes: scores-letters.json."""
    keep(work, "letters", {"letters": judge_letters(Shipped(model), work, tests, count)})


def judge_answers(work: str, model: str, tests: list[str], count: int, name: str = "answers") -> None:
    """Backbone, the first third of the answers aloud: scores-NAME.json in the work folder."""
    shipped, listener = Shipped(model), Listener()
    keep(work, name, {"backbone": judge_backbone(shipped, work, listener, tests, count, count // 3)})


def judge_written(work: str, model: str, count: int) -> None:
    """Backbone, what is typed and shown: scores-written.json."""
    keep(work, "written", {"written": judge_typed(Shipped(model), Pictures.of(work), Music.of(work), count)})


def keep(work: str, name: str, scores: dict) -> None:
    with open(f"{work}/scores-{name}.json", "w") as file:
        json.dump(scores, file, ensure_ascii=False)


def write(work: str) -> None:
    """All scores so far to the reports folder."""
    scores: dict = {"codec": {}, "replies": {}, "voices": {}, "letters": {}, "backbone": {}, "aloud": {}, "written": {}}
    for path in sorted(glob.glob(f"{work}/scores-*.json")):
        with open(path) as file:
            for part, values in json.load(file).items():
                scores[part] |= values
    # What a recogniser makes of slurred speech may be unfit for company: it stays in the work folder.
    for score in (score for part in scores.values() for score in part.values() if isinstance(score, dict)):
        for values in [score, *score.values()]:
            if isinstance(values, dict):
                values.pop("misheard", None)
    os.makedirs(REPORTS, exist_ok=True)
    with open(f"{REPORTS}/scores.json", "w") as file:
        json.dump(scores, file, indent=1, ensure_ascii=False)
        file.write("\n")
    with open(f"{REPORTS}/scores.txt", "w") as file:
        file.write(page(scores))
    histories = {}
    for path in sorted(glob.glob(f"{work}/*.history.json")):
        with open(path) as file:
            rows = json.load(file)
        histories[os.path.basename(path).split(".")[0]] = rows[:: max(1, len(rows) // 40)] + rows[-1:]
    with open(f"{REPORTS}/training.json", "w") as file:
        file.write("{\n" + ",\n".join(f' "{name}": {json.dumps(rows)}' for name, rows in histories.items()) + "\n}\n")


def page(scores: dict) -> str:
    """The scores as a table for people."""

    def rate(score: dict) -> str:
        low, high = score["interval"]
        share = f"{score['sentences']} sentences, {score['exact']:.0f} % exact"
        return f"{score['wer']:6.1f} %  ({low:.1f}-{high:.1f}, {share}){beside(score)}"

    def spread(score: dict) -> str:
        return f"{score['mean']:.2f} ({score['interval'][0]:.2f}-{score['interval'][1]:.2f})"

    def beside(score: dict) -> str:
        text = ""
        if phones := score.get("phonemes"):
            text += f"; phoneme errors {phones['rate']} % ({phones['interval'][0]}-{phones['interval'][1]})"
            text += f"; STOI {spread(score['stoi'])}"
        if likeness := score.get("similarity"):
            text += f"; like the prompt {spread(likeness)}, level 0 alone {spread(score['without'])}"
        return text

    def part_right(score: dict | float) -> str:
        if isinstance(score, float):
            return f"{100 * score:6.1f} %"
        return f"{score['percent']:6.1f} %  ({score['interval'][0]:.1f}-{score['interval'][1]:.1f}, of {score['of']})"

    def letters(score: dict) -> str:
        low, high = score["interval"]
        return f"{score['rate']:5.1f} %  ({low:.1f} to {high:.1f})"

    lines = [
        "Word error rates by Whisper tiny.en, 95 % intervals by bootstrap over sentences. Phoneme errors by hama's CTC",
        "against what it hears in the recording; STOI against the recording; voices compared by Resemblyzer.",
        "",
        "Speech tokenizer, SoundStorm",
    ]
    for part in ("codec", "replies", "voices"):
        for name, score in scores[part].items():
            lines.append(f"  {name:62s} {rate(score) if isinstance(score, dict) else score}")
    if scores["letters"]:
        lines += ["", "Speech tokenizer: letters that the probe reads wrong from level 0, in clean recordings"]
        lines.append(f"  {'':43s}{'by the encoder':25s}{'of the true features':25s}difference")
    for name, score in scores["letters"].items():
        ours, true, more = (letters(score[way]) for way in ("encoder", "true features", "difference"))
        lines.append(f"  {name:43s}{ours:25s}{true:25s}{more}, {score['of']} sentences")
    lines += ["", "Backbone: greedy answers to spoken questions"]
    for name, score in scores["backbone"].items():
        lines.append(f"  {name}")
        lines.append(f"    transcript          {rate(score['transcript'])}")
        for label in ("reply right", "sums right", "picture nearest", "picture exact", *TUNES, "chain formed"):
            if label in score:
                lines.append(f"    {label:19s} {part_right(score[label])}")
        if spoken := score["reply's speech"]:
            lines.append(f"    reply's speech      {rate(spoken)}")
    if score := scores["aloud"]:
        lines += ["", "Backbone: every reply's speech behind its own codes, against what it has learned"]
        lines.append(f"  {'spoken as written':62s} {part_right(score['as written'])}")
        lines.append(f"  {'codes wrong':62s} {score['codes wrong']:6.1f} %")
    lines += ["", "Backbone: what is written to it, pictures that are shown, music that is played to it"]
    for name, score in scores["written"].items():
        for label, value in {"": score}.items() if "percent" in score else score.items():
            lines.append(f"  {f'{name}, {label}'.rstrip(', '):62s} {part_right(value)}")
    return "\n".join(lines) + "\n"
