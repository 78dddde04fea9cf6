"""The evaluation from the first recording to the report."""

import json
import os
import platform
import shutil
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from . import daemon, plan, report, verdicts
from .asked import Asked
from .asking import Asker
from .progress import Progress
from .sounds import Recordings
from .store import Store


@dataclass
class Settings:
    """What is evaluated, and where."""

    config: Path
    program: Path
    url: str | None  # of a daemon that runs already
    work: Path
    size: plan.Size
    side_by_side: int
    anew: bool


def evaluate(settings: Settings, judges: Callable[[Path], verdicts.Judges]) -> Path:
    """Asks, has it judged (by what `judges` makes of a recording of the reference voice), and writes the report."""
    tables = daemon.configuration(settings.config, settings.work)
    voice = tables["model"].get("voice")
    if not voice:
        raise daemon.NoDaemon("the configuration names no model.voice, which the replies' voice is compared with")
    folder = settings.work / "runs" / _name(settings, tables)
    if settings.anew and folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    recordings = Recordings(settings.work / "recordings")
    answers, found = Store(folder / "answers.jsonl"), Store(folder / "verdicts.jsonl")
    served: AbstractContextManager[str] = (
        nullcontext(settings.url) if settings.url else daemon.running(settings.program, tables, folder)
    )
    with served as url:
        about = daemon.about(url)
        asked = Asked.of(settings.size, about.get("makes", []), settings.work)
        progress = Progress(asked.steps(recordings, answers, found))
        print(f"{about['model']}: what lies ahead\n{progress.plan()}", file=sys.stderr, flush=True)
        asked.record(recordings, progress)
        asked.ask(Asker(url, answers, folder, progress), recordings, settings.side_by_side)
    progress.begin("judgements")
    verdicts.judge(asked.to_judge(judges(Path(voice)), recordings, answers, folder), found, progress)
    progress.end()
    scores = asked.scores(answers, found) | {
        "about": {
            "model": about["model"],
            "version": about["version"],
            "questions": len(asked.questions),
            "seed": tables["seed"],
            "side by side": settings.side_by_side,
            "machine": machine(),
        }
    }
    (folder / "scores.json").write_text(json.dumps(scores, indent=1, ensure_ascii=False) + "\n")
    return report.write(folder, scores, asked, recordings, answers, found)


def _name(settings: Settings, tables: dict) -> str:
    """The run's: of all that is evaluated, so that another model's answers are never taken for this one's."""
    if settings.url is None:
        return daemon.fingerprint(settings.program, tables)
    about = daemon.about(settings.url)
    return "".join(
        letter if letter.isalnum() else "-" for letter in f"{settings.url} {about['model']} {about['version']}"
    )


def machine() -> str:
    """The processor and how many cores of it."""
    try:
        with open("/proc/cpuinfo") as file:
            name = next(line.split(":")[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        name = platform.machine()
    return f"{len(os.sched_getaffinity(0))} cores of {name}"
