"""The stages in order, what each needs, and how long it trains."""

from collections.abc import Callable
from dataclasses import dataclass

PARTS = [0, 1, 2, 3, 9]  # of the corpus: four of training voices, one of the held-out voice
PART_SECONDS = {0: 4800, 1: 4800, 2: 4800, 3: 4800, 9: 420}

QUESTIONS = [  # (file, recordings, seed)
    ("train", 1200, 11), ("train-1", 1500, 21), ("train-2", 800, 31), ("train-3", 800, 32), ("train-4", 800, 33),
    ("train-5", 900, 34),
]  # fmt: skip


@dataclass
class Stage:
    run: Callable[[str, str, float], None]  # (work folder, model folder, pace)
    needs: list[str]
    minutes: float  # of one core at pace 1, as measured


def _corpus(parts: list[int]) -> Callable[[str, str, float], None]:
    def run(work: str, model: str, pace: float) -> None:
        from .corpus import make_part
        from .voices import HELD_OUT_VOICE

        for part in parts:
            make_part(work, part, PART_SECONDS[part], HELD_OUT_VOICE if part == 9 else None)

    return run


def _latent(work: str, model: str, pace: float) -> None:
    from .latent import build

    build(work, PARTS)


def _encoder(work: str, model: str, pace: float) -> None:
    from .train_codec import train_encoder

    train_encoder(work, PARTS, 900 * pace)


def _decoder(work: str, model: str, pace: float) -> None:
    from .train_codec import train_decoder

    train_decoder(work, PARTS, 900 * pace)


def _recode(work: str, model: str, pace: float) -> None:
    from .train_soundstorm import recode

    recode(work, PARTS)


def _soundstorm(work: str, model: str, pace: float) -> None:
    from .train_soundstorm import train_soundstorm

    train_soundstorm(work, PARTS, 600 * pace)


def _recordings(work: str, model: str, pace: float) -> None:
    from .recordings import make_questions, make_replies, test_rows, training_rows

    make_replies(work)
    for name, count, seed in QUESTIONS:
        make_questions(work, name, training_rows(count, seed), seed)
    for index, (name, rows) in enumerate(test_rows().items()):
        make_questions(work, f"test {name}", rows, 100 + index)


def _tune(work: str, model: str, pace: float) -> None:
    from .tune_decoder import fill, tune_decoder

    fill(work, PARTS)
    tune_decoder(work, PARTS, 600 * pace)


def _backbone(work: str, model: str, pace: float) -> None:
    from .train_backbone import train_backbone
    from .vocabulary import write_folder

    write_folder(f"{work}/llama")
    train_backbone(work, 3600 * pace, "true")


def _export(work: str, model: str, pace: float) -> None:
    from .export import export

    export(work, model)


def _judge(work: str, model: str, pace: float) -> None:
    from .report import judge

    judge(work, model, PARTS)


STAGES = {
    "corpus-a": Stage(_corpus([0, 2, 9]), [], 6),
    "corpus-b": Stage(_corpus([1, 3]), [], 6),
    "latent": Stage(_latent, ["corpus-a", "corpus-b"], 3),
    "encoder": Stage(_encoder, ["latent"], 15),
    "decoder": Stage(_decoder, ["latent"], 15),
    "recode": Stage(_recode, ["encoder"], 5),
    "recordings": Stage(_recordings, ["encoder"], 12),
    "soundstorm": Stage(_soundstorm, ["recode"], 10),
    "tune": Stage(_tune, ["soundstorm", "decoder", "recordings"], 14),
    "backbone": Stage(_backbone, ["recordings"], 60),
    "export": Stage(_export, ["tune", "backbone"], 0.2),
    "judge": Stage(_judge, ["export"], 15),
}


def estimate(names: list[str], pace: float, jobs: int) -> str:
    """What lies ahead, in words."""
    trained = {"encoder", "decoder", "soundstorm", "tune", "backbone"}
    minutes = {name: STAGES[name].minutes * (pace if name in trained else 1) for name in names}
    total = sum(minutes.values())
    lines = [f"  {name:12s} {value:5.0f} min" for name, value in minutes.items()]
    least = total / min(jobs, 2)
    head = f"{len(names)} stages, about {total:.0f} min of one free core, so at least {least:.0f} min with {jobs}:"
    return "\n".join([head, *lines])
