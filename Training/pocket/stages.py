"""The stages in order, what each needs, and how long it trains."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

PARTS = [0, 1, 9]  # of the corpus: the reply voice half of the time; any voices; the held-out voice
PART_SECONDS = {0: 2400, 1: 3000, 9: 420}

# (file, recordings, seed): questions of every kind, those that are answered in words alone, and what is hard to hear.
MIXED = [(f"train-{part}", 800, 60 + part) for part in range(14)]
TALK = [(f"train-{part}", 800, 60 + part) for part in (14, 15, 16, 19, 20, 21)]
HARD = [(f"train-{part}", 800, 60 + part) for part in (17, 18)]
QUESTIONS = MIXED + TALK + HARD


def _takes() -> list[tuple[str, int]]:
    """(name, seed) of every way in which these are heard."""
    from .data.recordings import takes

    return [(take, seed) for name, _, seed in QUESTIONS for take in takes(name)]


@dataclass
class Stage:
    run: Callable[[str, str, float], None]  # (work folder, model folder, pace)
    needs: list[str]
    minutes: float  # of one core at pace 1, as measured
    trains: bool = False  # it takes as long as it is given, and uses a GPU where there is one
    shared: bool = False  # it runs by itself, in as many processes as there are jobs
    # Shipped weights have had what is not "always": they go on without it, but for what is "hear" with --hear.
    when: Literal["always", "hear", "anew"] = "always"


def _corpus(parts: list[int]) -> Callable[[str, str, float], None]:
    def run(work: str, model: str, pace: float) -> None:
        from .data.corpus import make_part

        for part in parts:
            make_part(work, part, PART_SECONDS[part])

    return run


def _start(work: str, model: str, pace: float) -> None:
    from .shipping.start import unpack

    unpack(work, model)


def _latent(work: str, model: str, pace: float) -> None:
    from .data.latent import build

    build(work, PARTS)


def _encoder(work: str, model: str, pace: float) -> None:
    from .training.codec import train_encoder

    train_encoder(work, PARTS, 900 * pace)


def _decoder(work: str, model: str, pace: float) -> None:
    from .training.codec import train_decoder

    train_decoder(work, PARTS, (300 if os.path.exists(f"{work}/start/decoder.pt") else 900) * pace)


def _recode(work: str, model: str, pace: float) -> None:
    from .training.soundstorm import recode

    recode(work, PARTS)


def _soundstorm(work: str, model: str, pace: float) -> None:
    from .lessons.soundstorm import prompt
    from .training.soundstorm import train_soundstorm

    prompt(work, model)
    train_soundstorm(work, PARTS, 1320 * pace)


def _spoken(work: str, model: str, pace: float) -> None:
    from .data.recordings import hard_rows, speak_questions, talk_rows, test_rows, training_rows

    for index, (name, tests) in enumerate(test_rows().items()):
        speak_questions(work, f"test {name}", tests, 100 + index)
    for parts, rows in ((MIXED, training_rows), (TALK, talk_rows), (HARD, hard_rows)):
        for name, count, seed in parts:
            speak_questions(work, name, rows(count, seed), seed)


def _recordings(work: str, model: str, pace: float) -> None:
    from .data.heard import hear_questions

    for take, seed in _takes():
        hear_questions(work, take, seed)


def _hearing(work: str, model: str, pace: float) -> None:
    from .training.hearing import train_hearing

    train_hearing(work, [take for take, _ in _takes()], 7200 * pace)


def _codes(work: str, model: str, pace: float) -> None:
    from .data.heard import code_questions

    for take, _ in _takes():
        code_questions(work, take)


def _probe(work: str, model: str, pace: float) -> None:
    from .training.probe import align, train_probe

    names = [take for take, _ in _takes()]
    train_probe(work, names, 900 * pace)
    for name in names:
        align(work, name)


def _replies(work: str, model: str, pace: float) -> None:
    from .data.recordings import make_replies
    from .lessons.kept import keep_replies

    make_replies(work)
    keep_replies(work)


def _tune(work: str, model: str, pace: float) -> None:
    from .training.tune_decoder import fill, tune_decoder

    fill(work, PARTS)
    tune_decoder(work, PARTS, 600 * pace)


def _instruct(work: str, model: str, pace: float) -> None:
    from .words.instruct import write
    from .words.vocabulary import write_folder

    write(work)
    # Here, since `front` and `backbone`, which read it, are several processes.
    if not os.path.exists(f"{work}/llama/tokenizer.model"):
        write_folder(f"{work}/llama")


def _instruct_page(work: str, model: str, pace: float) -> None:
    from .words.instruct_page import write

    write(work)


def _front(work: str, model: str, pace: float) -> None:
    from .training.front import train_front

    train_front(work, 1320 * pace)


def _backbone(work: str, model: str, pace: float) -> None:
    from .training.backbone import train_backbone

    train_backbone(work, 7200 * pace)


def _picture_codes(work: str, model: str, pace: float) -> None:
    from .data import picture_codes, picture_latents

    if not os.path.exists(f"{work}/picture-latents.pt"):  # else those that the shipped weights rest on
        picture_codes.build(work)
        picture_latents.build(work)


def _picture_encoder(work: str, model: str, pace: float) -> None:
    from .training.seed import say_what_is_seen, train_encoder

    train_encoder(work, 660 * pace)
    say_what_is_seen(work)


def _picture_decoder(work: str, model: str, pace: float) -> None:
    from .training.unclip import train_decoder

    train_decoder(work, 540 * pace)


def _picture_unet(work: str, model: str, pace: float) -> None:
    from .training.unclip import train_unet

    train_unet(work, 1500 * pace)


def _picture_tune(work: str, model: str, pace: float) -> None:
    from .training.unclip import tune_decoder

    tune_decoder(work, 240 * pace)


def _music_codes(work: str, model: str, pace: float) -> None:
    from .data.music_codes import build

    build(work)


def _music_encoder(work: str, model: str, pace: float) -> None:
    from .training.encodec import say_what_is_heard, train_encoder

    train_encoder(work, 400 * pace)
    say_what_is_heard(work)


def _music_decoder(work: str, model: str, pace: float) -> None:
    from .training.encodec import train_decoder

    train_decoder(work, 340 * pace)


def _export(work: str, model: str, pace: float) -> None:
    from .shipping.export import export

    export(work, model)


def _judge(work: str, model: str, pace: float) -> None:
    from .judging.report import judge

    judge(work, model, PARTS)


def _picture_judge(work: str, model: str, pace: float) -> None:
    from .judging.pictures import judge_pictures

    judge_pictures(work, model)


def _music_judge(work: str, model: str, pace: float) -> None:
    from .judging.music import judge_music

    judge_music(model)


STAGES = {
    "start": Stage(_start, [], 0.2),
    "corpus-a": Stage(_corpus([0, 9]), [], 6),
    "corpus-b": Stage(_corpus([1]), [], 6),
    "latent": Stage(_latent, ["start", "corpus-a", "corpus-b"], 3),
    "spoken": Stage(_spoken, [], 18),
    "encoder": Stage(_encoder, ["latent"], 15, trains=True, when="anew"),  # it would undo `hearing`
    "decoder": Stage(_decoder, ["latent"], 15, trains=True),
    "replies": Stage(_replies, ["latent"], 1),
    "recordings": Stage(_recordings, ["encoder", "spoken"], 75),
    "hearing": Stage(_hearing, ["recordings"], 120, trains=True, shared=True, when="hear"),
    "codes": Stage(_codes, ["hearing"], 30),
    "probe": Stage(_probe, ["codes"], 18, trains=True),
    "recode": Stage(_recode, ["hearing"], 5),
    "soundstorm": Stage(_soundstorm, ["recode", "replies"], 22, trains=True),
    "tune": Stage(_tune, ["soundstorm", "decoder", "replies"], 14, trains=True),
    "picture-codes": Stage(_picture_codes, ["start"], 0.2),
    "picture-encoder": Stage(_picture_encoder, ["picture-codes"], 13, trains=True),
    "picture-decoder": Stage(_picture_decoder, ["picture-codes"], 9, trains=True),
    "picture-unet": Stage(_picture_unet, ["picture-encoder"], 25, trains=True),
    "picture-tune": Stage(_picture_tune, ["picture-decoder", "picture-unet"], 5, trains=True),
    "music-codes": Stage(_music_codes, ["start"], 0.2),
    "music-encoder": Stage(_music_encoder, ["music-codes"], 9, trains=True),
    "music-decoder": Stage(_music_decoder, ["music-codes"], 6, trains=True),
    "instruct": Stage(_instruct, [], 0.5),
    "instruct-page": Stage(_instruct_page, ["instruct", "spoken", "replies"], 0.5),
    "front": Stage(
        _front,
        ["probe", "replies", "picture-encoder", "music-encoder", "instruct"],
        22,
        trains=True,
        shared=True,
        when="hear",
    ),
    "backbone": Stage(_backbone, ["front"], 120, trains=True, shared=True),
    "export": Stage(_export, ["tune", "backbone", "picture-tune", "music-decoder"], 0.2),
    "judge": Stage(_judge, ["export"], 22),
    "picture-judge": Stage(_picture_judge, ["export"], 6),
    "music-judge": Stage(_music_judge, ["export"], 4),
}


def left_out(name: str, shipped: bool, hear: bool) -> bool:
    """Whether a stage has nothing to do: where shipped weights are trained further, and whether their ear is, too."""
    return shipped and STAGES[name].when in (("anew",) if hear else ("anew", "hear"))


def estimate(names: list[str], pace: float, jobs: int) -> str:
    """What lies ahead, in words."""
    minutes = {name: STAGES[name].minutes * (pace if STAGES[name].trains else 1) for name in names}
    total = sum(minutes.values())
    lines = [f"  {name:15s} {value:5.0f} min" for name, value in minutes.items()]
    least = total / min(jobs, 2)  # more stages than two seldom have what they need at the same time
    head = f"{len(names)} stages, about {total:.0f} min of one free core, so at least {least:.0f} min with {jobs}:"
    return "\n".join([head, *lines])
