"""What was heard and seen, for the page: the first of each row, not the best."""

from html import escape
from pathlib import Path

from pocket.judges import plain

from . import opus, page, scores, sounds
from .asked import Asked
from .sounds import Recordings
from .store import Store

PICTURES = 16  # of each kind, at most


def turns(asked: Asked, recordings: Recordings, answers: Store, folder: Path) -> str:
    """The first question of each row with its answer, to be listened to."""
    firsts = {(q.group, q.held_out, q.way): q for q in reversed(asked.questions)}
    parts = []
    for question in [q for q in asked.questions if firsts[q.group, q.held_out, q.way] is q]:
        answer = answers[f"spoken-{question.key}"]
        kind = f"{question.group}, {'held out' if question.held_out else 'seen'}, {question.way} ({question.voice})"
        parts.append(
            f'<div class="turn"><h3>{escape(kind)}</h3>'
            f"<div><q>{escape(question.text)}</q>"
            f"<small>heard: {_marked(answer['heard'], plain(answer['heard']) == plain(question.text))}</small>"
            f"{_audio(recordings.question(question)[0])}</div>"
            f"<div><q>{_marked(answer['reply'], scores.right(question.reply, answer))}</q>"
            f"<small>{escape(answer['status'])}</small>"
            f"{_audio(folder / answer['speech']) if answer['speech'] else ''}</div></div>"
        )
    return f'<div class="turns">{"".join(parts)}</div>'


def drawn(asked: Asked, answers: Store, verdicts: Store, folder: Path) -> str:
    """Pictures that were asked for."""
    parts = []
    for request in asked.drawn[:PICTURES]:
        files = answers[request.key]["pictures"]
        seen = verdicts.values.get(f"shows {request.key}", "no picture")
        image = _image(folder / files[0], request.name) if files else ""
        parts.append(
            f"<div>{image}<q>{escape(request.text)}</q> ({request.way})<br>{_marked(seen, seen == request.name)}</div>"
        )
    return f'<div class="pictures">{"".join(parts)}</div>'


def shown(asked: Asked, answers: Store) -> str:
    """Pictures that were shown, with what the daemon said of them."""
    parts = []
    for picture in asked.shown[:PICTURES]:
        reply = answers[picture.key]["reply"]
        image = _image(picture.file(asked.files), picture.name)
        parts.append(f"<div>{image}{escape(picture.name)}<br>{_marked(reply, picture.named_in(reply))}</div>")
    return f'<div class="pictures">{"".join(parts)}</div>'


def _marked(words: str, is_right: bool) -> str:
    kind, sign = ("right", "✓") if is_right else ("wrong", "✗")
    return f'<span class="{kind}">{sign} {escape(words or "nothing")}</span>'


def _audio(path: Path) -> str:
    samples, rate = sounds.read(path)
    return f'<audio controls preload="none" src="{page.uri("audio/ogg", opus.ogg(samples, rate))}"></audio>'


def _image(path: Path, name: str) -> str:
    return f'<img alt="{escape(name)}" src="{page.uri("image/png", path.read_bytes())}">'
