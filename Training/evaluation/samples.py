"""What was heard and seen, for the page: the first of each row, not the best."""

from html import escape
from pathlib import Path

import numpy as np

from pocket.judging.judges import plain

from . import music, opus, page, scores, sounds
from .asked import Asked
from .sounds import Recordings
from .store import Store

MOST = 16  # pictures of each kind, and pieces, at most


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
    for request in asked.drawn[:MOST]:
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
    for picture in asked.shown[:MOST]:
        reply = answers[picture.key]["reply"]
        image = _image(picture.file(asked.files), picture.name)
        parts.append(f"<div>{image}{escape(picture.name)}<br>{_marked(reply, picture.named_in(reply))}</div>")
    return f'<div class="pictures">{"".join(parts)}</div>'


def pieces(asked: Asked, answers: Store, verdicts: Store, folder: Path) -> str:
    """Music that was asked for."""
    parts = []
    for piece in asked.pieces[:MOST]:
        files = answers[piece.key]["pieces"]
        found = verdicts.values.get(f"plays {piece.key}", {})
        said = " ".join(found.get(part, "") for part in ("tempo", "mood", "instrument")) if files else "no music"
        sound = _audio(folder / files[0]) if files else ""
        parts.append(
            f"<div><q>{escape(piece.text)}</q> ({piece.way})<br>{_marked(said, said == piece.name)}{sound}</div>"
        )
    return f'<div class="pieces">{"".join(parts)}</div>'


def clips(asked: Asked, answers: Store) -> str:
    """Music that was played, with what the daemon said of it."""
    parts = []
    for clip in asked.clips[:MOST]:
        reply = answers[clip.key]["reply"]
        is_right = music.described(reply) == music.parts(clip.name)
        parts.append(f"<div>{escape(clip.name)}<br>{_marked(reply, is_right)}{_audio(clip.file(asked.files))}</div>")
    return f'<div class="pieces">{"".join(parts)}</div>'


def _marked(words: str, is_right: bool) -> str:
    kind, sign = ("right", "✓") if is_right else ("wrong", "✗")
    return f'<span class="{kind}">{sign} {escape(words or "nothing")}</span>'


def _audio(path: Path) -> str:
    samples, rate = sounds.read(path) if path.suffix == ".wav" else _music(path)
    return f'<audio controls preload="none" src="{page.uri("audio/ogg", opus.ogg(samples, rate))}"></audio>'


def _music(path: Path) -> tuple[np.ndarray, int]:
    return (sounds.decode(path, 48_000).clip(-1, 1) * 32767).astype(np.int16), 48_000


def _image(path: Path, name: str) -> str:
    return f'<img alt="{escape(name)}" src="{page.uri("image/png", path.read_bytes())}">'
