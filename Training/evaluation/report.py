"""The report: one page with tables, plots and samples, and the tables alone for documents."""

from pathlib import Path
from typing import Any

from . import page, plots, samples
from .asked import Asked
from .plots import Series
from .sounds import Recordings
from .store import Store
from .tables import by_voice, markdown, tables, text


def write(
    folder: Path, scores: dict[str, Any], asked: Asked, recordings: Recordings, answers: Store, verdicts: Store
) -> Path:
    """Writes report.html and report.md into the run's folder. The page's path."""
    (folder / "report.md").write_text(markdown(scores))
    parts = [_head(scores)]
    for table in tables(scores):
        parts.append(f"<section>{page.table(table)}{_plot(table.title, scores)}</section>")
    parts.append(
        f"<h2>Listen</h2><p>The first question of each row.</p>{samples.turns(asked, recordings, answers, folder)}"
    )
    if asked.drawn:
        parts.append(f"<h2>Drawn</h2><p>Under each what was asked for, and what the classifier sees.</p>"
                     f"{samples.drawn(asked, answers, verdicts, folder)}")  # fmt: skip
        parts.append(
            f"<h2>Seen</h2><p>Under each what it is, and what the daemon says.</p>{samples.shown(asked, answers)}"
        )
    if asked.pieces:
        parts.append(f"<h2>Played</h2><p>Under each what was asked for, and what the classifier hears.</p>"
                     f"{samples.pieces(asked, answers, verdicts, folder)}")  # fmt: skip
        parts.append(f"<h2>Heard</h2><p>What it is, and what the daemon says.</p>{samples.clips(asked, answers)}")
    parts.append(_how(scores))
    path = folder / "report.html"
    path.write_text(page.page("The pocket model through the daemon", "".join(parts)))
    return path


def _head(scores: dict[str, Any]) -> str:
    speech, about = scores["speech"], scores["about"]
    reply_voice = by_voice(speech)["reply voice"][False]
    sound = scores["latency"]["after the end of the turn"]["first sound"]["p50"]

    def value(number: dict[str, Any] | None, unit: str = " %", digits: int = 0) -> str:
        return f"{number['value']:.{digits}f}{unit}" if number else "–"

    tiles = [
        page.tile(value(reply_voice["transcript"], digits=1), "of the words misheard: seen questions, reply voice"),
        page.tile(value(speech["seen"]["reply right"]), "of the replies right: seen questions, all voices"),
        page.tile(value(speech["held out"]["reply right"]), "of the replies right: held-out questions"),
        page.tile(value(speech["all"]["reply's speech"], digits=1), "of the words lost in the spoken reply"),
        page.tile(value(sound, " ms"), "from the end of the turn to the first sound that is heard"),
    ]
    if pictures := scores["pictures"]:
        tiles.append(
            page.tile(
                value(pictures["generation"]["in writing"]["right"]), "of the pictures asked for are the right ones"
            )
        )
        tiles.append(
            page.tile(value(pictures["understanding"]["caption right"]), "of the pictures shown are named right")
        )
    if music := scores["music"]:
        tiles.append(
            page.tile(value(music["generation"]["in writing"]["right"]["all three"]),
                      "of the pieces asked for in writing are the right ones")
        )  # fmt: skip
        tiles.append(
            page.tile(value(music["understanding"]["right"]["all three"]), "of the pieces played are named right")
        )
    return (
        "<h1>The pocket model through the daemon</h1>"
        f"<p>{about['questions']} spoken questions were streamed to anygptd {page.escape(about['version'])} as a "
        "microphone does; judges heard and saw what came back. Small numbers and whiskers are 95 % intervals.</p>"
        f'<div class="tiles">{"".join(tiles)}</div>'
    )


def _plot(title: str, scores: dict[str, Any]) -> str:
    voices = by_voice(scores["speech"])

    def series(score: str) -> list[Series]:
        return [
            Series("seen", "seen", [kind[False][score] for kind in voices.values()]),
            Series("held out", "held", [kind[True][score] for kind in voices.values()]),
        ]

    if title == "Speech recognition":
        whisper = Series("Whisper, seen", "ceiling", [kind[False]["whisper"] for kind in voices.values()])
        return plots.intervals(list(voices), [*series("transcript"), whisper], " %", "Words misheard")
    if title == "Answers to spoken questions":
        return plots.intervals(list(voices), series("reply right"), " %", "Replies right", 100)
    if title == "Latency":
        return plots.strips(
            scores["latency"]["values"], " ms", "After the end of the turn: every question, and the median"
        )
    if title == "Image generation":
        made = scores["pictures"]["generation"]
        rows = [Series("the daemon's", "seen", [one["right"] for one in made.values()]),
                Series("originals", "ceiling", [one["ceiling"] for one in made.values()])]  # fmt: skip
        return plots.intervals(list(made), rows, " %", "Pictures that the classifier names right", 100)
    if title == "Music generation":
        made = scores["music"]["generation"]
        parts = list(scores["music"]["understanding"]["right"])
        styles = ("seen", "held", "ceiling")
        rows = [Series(way, style, [one["right"][part] for part in parts])
                for (way, one), style in zip(made.items(), styles, strict=False)]  # fmt: skip
        rows.append(Series("originals", "ceiling", [made["in writing"]["ceiling"][part] for part in parts]))
        return plots.intervals(parts, rows, " %", "Pieces that the classifier hears right", 100)
    return ""


def _how(scores: dict[str, Any]) -> str:
    about, row = scores["about"], scores["speech"]["all"]
    counts = scores["not completed"]

    def percent(number: dict[str, Any]) -> str:
        value, interval = text(number)
        return f"{value} % ({interval})"

    told = {
        "machine": about["machine"],
        "conversations at a time": f"{about['side by side']}; one for the times",
        "seed": about["seed"],
        "chains completed": percent(row["completed"]),
        "taken for one turn": percent(row["one turn"]),
        "not completed": ", ".join(f"{count} × {status}" for status, count in counts.items()) or "none",
        "intervals": "by bootstrap over sentences; those of shares by Wilson's formula",
        "voices": "synthetic, all of them: hibari, flite; awb was never trained on",
    }
    return f"<h2>How it was made</h2>{page.facts(told)}"
