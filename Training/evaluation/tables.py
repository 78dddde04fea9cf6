"""The scores as tables in the shape of the paper's, for the page and for documents."""

from dataclasses import dataclass
from typing import Any

from .plan import CLEAN

Cell = dict[str, Any] | str | None  # a number with its interval, words, or nothing


@dataclass
class Table:
    """A table with a sentence on how it was got."""

    title: str
    note: str
    columns: list[str]
    rows: list[tuple[str, list[Cell]]]


def tables(scores: dict[str, Any]) -> list[Table]:
    """All tables, in the paper's order."""
    speech = scores["speech"]
    return [
        *_images(scores["pictures"]),
        _recognition(speech),
        _answers(speech),
        _generation(speech["all"]),
        *_music(scores["music"]),
        _latency(scores),
    ]


def _images(pictures: dict[str, Any] | None) -> list[Table]:
    if pictures is None:
        rows: list[tuple[str, list[Cell]]] = [("understanding", ["no pictures"]), ("generation", ["no pictures"])]
        return [Table("Images", "This model has no pictures, or the configuration leaves them out.", ["score"], rows)]
    seen, drawn = pictures["understanding"], pictures["generation"]
    return [
        Table(
            "Image understanding",
            "Pictures on grounds and in sizes that training didn't have. Right: the answer names what is shown.",
            ["right, %"],
            [("the daemon's captions", [seen["caption right"]]), ("the classifier on these", [seen["ceiling"]])],
        ),
        Table(
            "Image generation",
            "Right: a classifier that had no part in the training names what was asked for. Beside it, how often the "
            "classifier names the original drawings right.",
            ["name heard, %", "a picture came, %", "right, %", "originals, %"],
            [
                (way, [made[score] for score in ("name heard", "drawn", "right", "ceiling")])
                for way, made in drawn.items()
            ],
        ),
    ]


def _music(music: dict[str, Any] | None) -> list[Table]:
    if music is None:
        note = "The music codes are in the vocabulary, and nothing has been learned of them."
        return [Table("Music", note, ["score"], [("understanding", ["not trained"]), ("generation", ["not trained"])])]
    heard, made = music["understanding"], music["generation"]
    parts = list(heard["right"])
    shares = [f"{part}, %" for part in parts]

    def cells(right: dict[str, Cell]) -> list[Cell]:
        return [right[part] for part in parts]

    return [
        Table(
            "Music understanding",
            "Melodies that training didn't have, at any level, tuning and beginning, with some noise. Right: the "
            "answer names the instrument, slow or fast, happy or sad.",
            shares,
            [
                ("the daemon's descriptions", cells(heard["right"])),
                ("the classifier on these", cells(heard["ceiling"])),
            ],
        ),
        Table(
            "Music generation",
            "Right: a classifier that had no part in the training, and knows nothing of the codec, hears what was "
            "asked for; by chance 12, 50, 50 and 3 % are. Below, what it makes of the original pieces.",
            ["name heard, %", "a piece came, %", *shares],
            [
                *((way, [one["name heard"], one["came"], *cells(one["right"])]) for way, one in made.items()),
                *((f"originals of those {way}", [None, None, *cells(one["ceiling"])]) for way, one in made.items()),
            ],
        ),
    ]


def by_voice(speech: dict[str, Any]) -> dict[str, dict[bool, dict[str, Any]]]:
    """Rows' scores by the voice's name (with the way of recording unless clean), then by held out or not."""
    rows: dict[str, dict[bool, dict[str, Any]]] = {}
    for row in speech["rows"]:
        name = row["group"] if row["way"] == CLEAN else f"{row['group']}, {row['way']}"
        rows.setdefault(name, {})[row["held_out"]] = row
    rows["all voices"] = {False: speech["seen"], True: speech["held out"]}
    return rows


def _recognition(speech: dict[str, Any]) -> Table:
    return Table(
        "Speech recognition",
        "Word error rate of the daemon's transcripts in percent. Seen: new recordings of questions that training had; "
        "held out: questions in words that it didn't have. Beside it, Whisper tiny.en on the same recordings.",
        ["seen", "Whisper", "held out", "Whisper"],
        [
            (name, [kind[held][which] for held in (False, True) for which in ("transcript", "whisper")])
            for name, kind in by_voice(speech).items()
        ],
    )


def _answers(speech: dict[str, Any]) -> Table:
    return Table(
        "Answers to spoken questions",
        "How often the reply is, word for word, the right one, in percent.",
        ["seen", "held out"],
        [(name, [kind[False]["reply right"], kind[True]["reply right"]]) for name, kind in by_voice(speech).items()],
    )


def _generation(row: dict[str, Any]) -> Table:
    return Table(
        "Speech generation",
        "Of the replies' sound: Whisper tiny.en's word errors against the reply's text, and Resemblyzer's similarity "
        "to the reference voice. The recordings are those that the model learned its speech from.",
        ["WER, %", "similarity"],
        [
            ("the daemon's speech", [row["reply's speech"], row["likeness"]]),
            ("recordings of the replies", [row["recordings' speech"], row["recordings' likeness"]]),
        ],
    )


def _latency(scores: dict[str, Any]) -> Table:
    ends, voices = scores["latency"]["after the end of the turn"], scores["latency"]["after the last voice"]
    rows: list[tuple[str, list[Cell]]] = [
        (stage, [times["p50"], times["p90"], voices[stage]["p50"], voices[stage]["p90"]])
        for stage, times in ends.items()
    ]
    if pictures := scores["pictures"]:
        for way, made in pictures["generation"].items():
            rows.append((f"a picture asked for {way}", _times(made)))
        seen = pictures["understanding"]["time"]
        rows.append(("a picture's caption", [seen["p50"], seen["p90"], None, None]))
    if music := scores["music"]:
        for way, made in music["generation"].items():
            rows.append((f"a piece of music asked for {way}", _times(made)))
        heard = music["understanding"]["time"]
        rows.append(("a piece's description", [heard["p50"], heard["p90"], None, None]))
    return Table(
        "Latency",
        "Milliseconds with one conversation at a time: after the daemon announced the end of the turn, as its client "
        "sees it, and after the last voice came in, which holds the silence that ends a turn, as the daemon sees it. "
        "Audio comes with its first packet, sound when something is heard in it. Written requests count from when they "
        "are sent.",
        ["median", "90 %", "after the voice: median", "90 %"],
        rows,
    )


def _times(made: dict[str, Any]) -> list[Cell]:
    return [made[clock][percent] for clock in ("time", "after the last voice") for percent in ("p50", "p90")]


def text(cell: Cell) -> tuple[str, str]:
    """A cell's value and its interval in words."""
    if not isinstance(cell, dict):
        return cell or "–", ""
    value, low, high, digits = (cell[key] for key in ("value", "low", "high", "digits"))
    fine = digits if digits > 1 else 0  # whole percent are enough for an interval's ends
    return f"{value:.{digits}f}", f"{low:.{fine}f}–{high:.{fine}f}"


def markdown(scores: dict[str, Any]) -> str:
    """The tables for a document: numbers alone, nothing that was heard."""
    parts = []
    for table in tables(scores):
        lines = [f"| {table.title} | {' | '.join(table.columns)} |", "|---" * (len(table.columns) + 1) + "|"]
        for name, cells in table.rows:
            shown = [f"{value} ({interval})" if interval else value for value, interval in map(text, cells)]
            lines.append(f"| {name} | {' | '.join(shown)} |")
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"
