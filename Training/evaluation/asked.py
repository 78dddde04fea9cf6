"""Everything that one evaluation asks, plays, shows and has judged."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from . import pictures, plan, scores
from .asking import Asker
from .progress import Progress
from .sounds import Recordings
from .store import Store
from .verdicts import Judges


@dataclass
class Asked:
    """The questions and pictures of a size."""

    questions: list[plan.Spoken]
    latency: list[plan.Spoken]
    drawn: list[pictures.Drawn]
    shown: list[pictures.Shown]
    files: Path  # the pictures that are shown, and the originals of those that are drawn

    @staticmethod
    def of(size: plan.Size, draws: bool, work: Path) -> "Asked":
        """`draws`: whether the daemon has pictures."""
        files = work / "pictures"
        files.mkdir(parents=True, exist_ok=True)
        drawn, shown = (pictures.requests(size), pictures.shown(size)) if draws else ([], [])
        return Asked(plan.questions(size), plan.latency_questions(size), drawn, shown, files)

    @property
    def spoken(self) -> list[plan.Spoken]:
        """All that is spoken."""
        return [*self.questions, *self.latency, *(request.spoken for request in self.drawn if request.spoken)]

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
        return {
            "recordings made": (made.count(False), 0.25),
            "questions, one at a time": (missing([f"latency-{q.key}" for q in self.latency]), 5.0),
            "questions, side by side": (missing([f"spoken-{q.key}" for q in self.questions]), 1.6),
            "pictures asked for": (missing([request.key for request in self.drawn]), 2.0),
            "pictures shown": (missing([picture.key for picture in self.shown]), 0.5),
            "judgements": (max(0, judged - len(verdicts.values)), 0.4),
        }

    def record(self, recordings: Recordings, progress: Progress) -> None:
        """Makes the recordings and pictures that are missing."""
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
        progress.begin("pictures asked for")
        asker.written([(r.key, r.text, None, True) for r in self.drawn if not r.spoken])
        asker.spoken([(r.key, recordings.question(r.spoken)[0]) for r in self.drawn if r.spoken], 1)
        progress.end()
        progress.begin("pictures shown")
        asker.written([(p.key, p.question, p.file(self.files).read_bytes(), False) for p in self.shown])
        progress.end()

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
        return rows

    def scores(self, answers: Store, verdicts: Store) -> dict[str, Any]:
        """All numbers."""
        made = scores.speech(self.questions, answers, verdicts)
        found = {"speech": made, "latency": scores.latency(self.latency, answers), "pictures": None}
        if self.drawn:
            found["pictures"] = scores.pictures(self.drawn, self.shown, answers, verdicts)
        return found | {"not completed": scores.unanswered(answers.values.values())}
