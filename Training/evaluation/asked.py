"""Everything that one evaluation asks, plays, shows and has judged."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from . import music, pictures, plan, scores
from .asking import Asker
from .progress import Progress
from .requests import Request
from .sounds import Recordings
from .store import Store
from .turns import Written
from .verdicts import Judges


@dataclass
class Asked:
    """The questions, pictures and music of a size."""

    questions: list[plan.Spoken]
    latency: list[plan.Spoken]
    drawn: list[pictures.Drawn]
    shown: list[pictures.Shown]
    pieces: list[music.Piece]
    clips: list[music.Clip]
    files: Path  # the pictures that are shown, the clips that are played, and the originals of what is asked for

    @staticmethod
    def of(size: plan.Size, makes: Collection[str], work: Path) -> "Asked":
        """`makes`: what the daemon has beside speech, of "image" and "music"."""
        files = work / "files"
        files.mkdir(parents=True, exist_ok=True)
        drawn, shown = (pictures.requests(size), pictures.shown(size)) if "image" in makes else ([], [])
        pieces, clips = (music.requests(size), music.clips(size)) if "music" in makes else ([], [])
        return Asked(plan.questions(size), plan.latency_questions(size), drawn, shown, pieces, clips, files)

    @property
    def spoken(self) -> list[plan.Spoken]:
        """All that is spoken."""
        requests = [request.spoken for request in [*self.drawn, *self.pieces] if request.spoken]
        return [*self.questions, *self.latency, *requests]

    @property
    def alone(self) -> int:
        """How many spoken requests of a kind are asked while nothing else is."""
        return len(self.latency)

    @property
    def replies(self) -> list[str]:
        """The replies whose recordings are judged beside the daemon's speech."""
        return sorted({question.reply for question in self.questions})

    def steps(self, recordings: Recordings, answers: Store, verdicts: Store) -> dict[str, tuple[int, float]]:
        """What lies ahead: units, and the seconds that each is guessed to take on two cores."""
        made = [recordings.has_question(q) for q in self.spoken] + [recordings.has_reply(text) for text in self.replies]

        def missing(keys: list[str]) -> int:
            return sum(key not in answers for key in keys)

        judged = 3 * len(self.questions) + 2 * len(self.replies) + 2 * len(self.drawn) + len(self.shown)
        judged += 2 * len(self.pieces) + len(self.clips)
        steps = {
            "recordings made": (made.count(False), 0.25),
            "questions, one at a time": (missing([f"latency-{q.key}" for q in self.latency]), 5.0),
            "questions, side by side": (missing([f"spoken-{q.key}" for q in self.questions]), 1.6),
            "pictures asked for": (missing([request.key for request in self.drawn]), 1.0),
            "pictures shown": (missing([picture.key for picture in self.shown]), 0.5),
            "music asked for": (missing([request.key for request in self.pieces]), 3.0),
            "music played": (missing([clip.key for clip in self.clips]), 0.5),
            "judgements": (max(0, judged - len(verdicts.values)), 0.3),
        }
        return {name: step for name, step in steps.items() if self._has(name)}

    def _has(self, step: str) -> bool:
        """Whether a step is one of this daemon's."""
        return bool({"pictures": self.drawn, "music": self.pieces}.get(step.split()[0], True))

    def record(self, recordings: Recordings, progress: Progress) -> None:
        """Makes the recordings, pictures and music that are missing."""
        progress.begin("recordings made")
        for ask, item in [(recordings.question, q) for q in self.spoken] + [
            (recordings.reply, r) for r in self.replies
        ]:
            if ask(item)[1]:
                progress.advance()
        for picture in self.shown:
            picture.file(self.files)
        for request in self.drawn:
            pictures.original(request.name, self.files)
        for clip in self.clips:
            clip.file(self.files)
        for piece in self.pieces:
            music.original(piece.name, self.files)
        progress.end()

    def ask(self, asker: Asker, recordings: Recordings, side_by_side: int) -> None:
        """Asks all of it. Times are taken while nothing else is asked."""
        progress = asker.progress

        def play(kind: str, questions: list[plan.Spoken]) -> list[tuple[str, Path]]:
            return [(f"{kind}-{question.key}", recordings.question(question)[0]) for question in questions]

        progress.begin("questions, one at a time")
        asker.spoken(play("latency", self.latency), 1)
        progress.end()
        progress.begin("questions, side by side")
        asker.spoken(play("spoken", self.questions), side_by_side)
        progress.end()
        if self.drawn:
            progress.begin("pictures asked for")
            self._request(asker, recordings, self.drawn, "image", side_by_side)
            progress.end()
            progress.begin("pictures shown")
            asker.written((p.key, Written(p.question, picture=p.file(self.files).read_bytes())) for p in self.shown)
            progress.end()
        if self.pieces:
            progress.begin("music asked for")
            self._request(asker, recordings, self.pieces, "music", side_by_side)
            progress.end()
            progress.begin("music played")
            asker.written((c.key, Written(c.question, music=c.file(self.files).read_bytes())) for c in self.clips)
            progress.end()

    def _request(
        self,
        asker: Asker,
        recordings: Recordings,
        requests: Sequence[Request],
        artifact: Literal["image", "music"],
        side_by_side: int,
    ) -> None:
        """Asks for pictures or music in writing, then by voice: as many as there are times to be taken one by one."""
        asker.written((r.key, Written(r.text, artifact=artifact)) for r in requests if not r.spoken)
        rows = [(r.key, recordings.question(r.spoken)[0]) for r in requests if r.spoken]
        asker.spoken(rows[: self.alone], 1)
        asker.spoken(rows[self.alone :], side_by_side)

    def to_judge(
        self, judges: Judges, recordings: Recordings, answers: Store, folder: Path
    ) -> list[tuple[str, Callable[[], Any]]]:
        """What the judges are asked: the originals and what came back. `folder` has the replies."""
        rows: list[tuple[str, Callable[[], Any]]] = []
        for question in self.questions:
            rows.append((scores.heard(question), partial(judges.words, recordings.question(question)[0])))
            key = f"spoken-{question.key}"
            if speech := answers[key]["speech"]:
                rows.append((f"said {key}", partial(judges.words, folder / speech)))
                rows.append((f"like {key}", partial(judges.likeness, folder / speech)))
        for text in self.replies:
            rows.append((f"said recording of {text}", partial(judges.words, recordings.reply(text)[0])))
            rows.append((f"like recording of {text}", partial(judges.likeness, recordings.reply(text)[0])))
        for request in self.drawn:
            original = pictures.original(request.name, self.files)
            rows.append((f"shows original of {request.name}", partial(judges.picture, original)))
            if drawn := answers[request.key]["pictures"]:
                rows.append((f"shows {request.key}", partial(judges.picture, folder / drawn[0])))
        rows += [(f"shows {picture.key}", partial(judges.picture, picture.file(self.files))) for picture in self.shown]
        for piece in self.pieces:
            original = music.original(piece.name, self.files)
            rows.append((f"plays original of {piece.name}", partial(judges.piece, original)))
            if played := answers[piece.key]["pieces"]:
                rows.append((f"plays {piece.key}", partial(judges.piece, folder / played[0])))
        rows += [(f"plays {clip.key}", partial(judges.piece, clip.file(self.files))) for clip in self.clips]
        return rows

    def scores(self, answers: Store, verdicts: Store) -> dict[str, Any]:
        """All numbers."""
        made = scores.speech(self.questions, answers, verdicts)
        found = {"speech": made, "latency": scores.latency(self.latency, answers), "pictures": None, "music": None}
        if self.drawn:
            found["pictures"] = scores.pictures(self.drawn, self.shown, self.alone, answers, verdicts)
        if self.pieces:
            found["music"] = scores.music(self.pieces, self.clips, self.alone, answers, verdicts)
        return found | {"not completed": scores.unanswered(answers.values.values())}
