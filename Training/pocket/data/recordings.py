"""Stages `replies` and `spoken`: what the backbone says, as codes of level 0, and what it hears, as waves."""

import glob
import itertools
import json
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .. import device
from ..networks.speechtokenizer import SpeechTokenizer, SpeechTokenizerConfig
from ..training.codec import disturb
from ..training.run import begun, load_net
from ..words import domain
from ..words.names import picture_names
from ..words.tunes import tune_names
from .true_codes import Recording, true_codes
from .voices import FLITE_VOICES, HELD_OUT_VOICE, HIBARI_FACTORS, HOP, Speaker, any_voice, heard

BEFORE, AFTER = 3, 5  # frames of quiet that a reply keeps
CALLED, AGAIN = ", called", 1000  # ends the name of a file whose recordings are heard once more, through Opus; its seed


def tokenizer(folder: str) -> SpeechTokenizer:
    """The trained encoder and the codebooks; the decoder too once there is one."""
    net = SpeechTokenizer(SpeechTokenizerConfig())
    load_net(folder, "encoder_tuned" if begun(folder, "encoder_tuned") else "encoder", net.encoder)
    saved = device.load(f"{folder}/books.pt")
    for level in range(8):
        net.quantizer.book(level).copy_(saved["books"][level])
    net.quantizer.vq.layers[0]._codebook.cluster_size.copy_(saved["count"])
    net.transform.weight.data.copy_(saved["transform"][:, :-1])
    net.transform.bias.data.copy_(saved["transform"][:, -1])
    for name in ("decoder", "decoder_tuned"):
        if begun(folder, name):
            load_net(folder, name, net.decoder)
    return net.eval()


def audible(wave: np.ndarray) -> slice:
    """The frames of a recording in which something is heard, and a little quiet around them."""
    frames = heard(wave, HOP)
    return slice(max(0, int(frames[0]) - BEFORE), min(len(wave) // HOP, int(frames[-1]) + 1 + AFTER))


def make_replies(folder: str) -> None:
    """Every reply's one recording and its level 0 by the true features, without the quiet that it begins and ends with:
    nearly half of a recording, which the backbone would have to learn, and the listener to wait for.

    replies.pt: text -> {"wave" [samples] int16, "true" [frame]}
    """
    path = f"{folder}/replies.pt"
    out = device.load(path) if os.path.exists(path) else {}
    missing = [text for text in domain.all_replies() if text not in out]
    if not missing:
        return
    speaker = Speaker()
    waves = [speaker.reply(text) for text in missing]
    recordings = [Recording(wave, 5, len(wave) // HOP - 5) for wave in waves]
    for text, (sound, codes) in zip(missing, true_codes(folder, recordings), strict=True):
        frames = audible(sound)
        sound = sound[frames.start * HOP : frames.stop * HOP]
        out[text] = {"wave": torch.tensor((sound * 32767).astype(np.int16)), "true": codes[frames].short()}
    torch.save(out, path)
    frames = sum(len(entry["true"]) for entry in out.values())
    print(f"replies: {len(out)} recordings, {frames / 50 / 60:.1f} min", flush=True)


@dataclass
class Question:
    text: str
    reply: str
    voice: str
    codes: np.ndarray  # [frame] int16, level 0
    letters: np.ndarray | None = None  # [frame] int8, the letter said last: see lessons/listening.py


def answered(row: list[str]) -> list[str]:
    """(question, reply, voice) with the reply of the domain as it is now: recordings outlive changed answers."""
    return [row[0], domain.answers()[row[0]] if row[1] else "", row[2]]


def microphone(wave: np.ndarray, rng: random.Random, clean: bool = False) -> tuple[Tensor, int]:
    """A recording as a microphone gives it: quiet around it, any level and any phase of the frames. [sample]

    With it goes the sample at which the recording begins. Room, noise and colour are added to three in five, unless it
    is to be `clean`.
    """
    before, after = int(rng.uniform(0.04, 0.5) * 16000), int(rng.uniform(0.1, 0.8) * 16000)
    sound = torch.tensor(np.pad(wave * rng.uniform(0.25, 0.9), (before, after)))
    sound = sound + torch.randn_like(sound) * rng.uniform(0, 3e-4)
    rough = rng.random() < 0.6
    return disturb(sound[None])[0][0] if rough and not clean else sound, before


def speak_questions(folder: str, name: str, rows: list[tuple[str, str, str]], seed: int) -> None:
    """Speaks (question, reply, voice) rows; spoken-NAME.npz, resumable as a whole."""
    path = f"{folder}/spoken-{name}.npz"
    if os.path.exists(path):
        return
    rng, speaker, waves = random.Random(seed), Speaker(), []
    for text, _, voice in rows:
        waves.append((speaker.speak(text, voice, rng) * 32767).astype(np.int16))
    lengths = np.array([len(wave) for wave in waves])
    np.savez(path[:-4] + ".new.npz", waves=np.concatenate(waves), lengths=lengths, rows=json.dumps(rows))
    os.replace(path[:-4] + ".new.npz", path)
    print(f"spoken {name}: {len(rows)} questions, {lengths.sum() / 16000 / 60:.0f} min", flush=True)


def heard_questions(
    folder: str, name: str, seed: int, clean: bool = False
) -> Iterator[tuple[list[str], Tensor, tuple[int, int]]]:
    """Of every spoken question of a file: (question, reply, voice), the wave [sample] as its microphone gives it, and
    the first sample and one after the last of the recording in it."""
    torch.manual_seed(seed)
    rng, spoken = random.Random(seed), np.load(f"{folder}/spoken-{name}.npz")
    waves, ends = spoken["waves"], np.cumsum(spoken["lengths"])
    for row, start, end in zip(json.loads(str(spoken["rows"])), ends - spoken["lengths"], ends, strict=True):
        wave, first = microphone(waves[start:end].astype(np.float32) / 32767, rng, clean)
        yield answered(row), wave, (first, first + int(end - start))


def takes(name: str) -> list[str]:
    """The files in which spoken questions are heard: as a microphone gives them, and another one behind Opus."""
    return [name, name + CALLED]


def load_questions(folder: str, name: str) -> list[Question]:
    """A file's questions, with their letters where stage `probe` has aligned them."""
    data, aligned = np.load(f"{folder}/questions-{name}.npz"), f"{folder}/aligned-{name}.npz"
    codes, ends, rows = data["codes"], np.cumsum(data["lengths"]), json.loads(str(data["rows"]))
    letters = np.load(aligned)["letters"] if os.path.exists(aligned) else None
    return [
        Question(*answered(row), codes[first:end], None if letters is None else letters[first:end])
        for row, first, end in zip(rows, ends - data["lengths"], ends, strict=True)
    ]


def reply_codes(folder: str) -> dict[str, list[int]]:
    """Level 0 of every reply, as the backbone is to say it."""
    return {text: codes_to_say(entry).tolist() for text, entry in device.load(f"{folder}/replies.pt").items()}


def codes_to_say(entry: dict[str, Tensor]) -> Tensor:
    """Level 0 of an entry of replies.pt: what the shipped backbone says already, where that was kept."""
    return entry.get("kept", entry["true"])


def recorded(folder: str) -> list[str]:
    """The training recordings that are encoded and aligned."""
    paths = glob.glob(f"{folder}/aligned-train-*.npz")
    return sorted(path.rsplit("aligned-", 1)[1][:-4] for path in paths if not path.endswith(".new.npz"))


def practised(rng: random.Random) -> tuple[str, str, str]:
    """Something without a reply, in a training voice."""
    return domain.practice(rng), "", any_voice(rng)


def asked_picture(rng: random.Random) -> tuple[str, str, str]:
    """A request for any picture, in a training voice."""
    text = rng.choice(domain.drawing_questions()[rng.choice(picture_names())])
    return text, domain.DRAW_REPLY, any_voice(rng)


def training_rows(count: int, seed: int) -> list[tuple[str, str, str]]:
    """Questions of the training set in training voices.

    One in five is practice without reply; nearly half ask for a picture, so that all the names are heard often, one in
    ten for music; the rest are of each kind by its share.
    """
    rng = random.Random(seed)

    def row() -> tuple[str, str, str]:
        dice = rng.random()
        if dice < 0.20:
            return practised(rng)
        if dice < 0.65:
            return asked_picture(rng)
        if dice < 0.75:
            text = rng.choice(domain.playing_questions()[rng.choice(tune_names())])
            return text, domain.PLAY_REPLY, any_voice(rng)
        return *domain.pair(rng), any_voice(rng)

    return [row() for _ in range(count)]


def talk_rows(count: int, seed: int) -> list[tuple[str, str, str]]:
    """Questions that are answered in words alone, in training voices, each kind by its share."""
    rng = random.Random(seed)
    pairs = (domain.pair(rng) for _ in itertools.count())
    talk = (pair for pair in pairs if pair[1] not in (domain.DRAW_REPLY, domain.PLAY_REPLY))
    return [(*pair, any_voice(rng)) for pair in itertools.islice(talk, count)]


def hard_rows(count: int, seed: int) -> list[tuple[str, str, str]]:
    """Words in an order that tells nothing about them, three in five, and requests for pictures, in training voices."""
    rng = random.Random(seed)
    return [practised(rng) if rng.random() < 0.6 else asked_picture(rng) for _ in range(count)]


def test_rows() -> dict[str, list[tuple[str, str, str]]]:
    """Held-out tests by name: unseen questions by seen voices, and by the voice never heard."""
    rng = random.Random(99)
    _, held = domain.split()
    rows: dict[str, list[tuple[str, str, str]]] = {}
    tests = {"reply voice": ["hibari"], "hibari voices": [f"hibari{f}" for f in HIBARI_FACTORS], "flite": FLITE_VOICES}
    for name, voices in (tests | {"awb": [HELD_OUT_VOICE]}).items():
        rows[f"held out, {name}"] = [(*pair, rng.choice(voices)) for pair in rng.sample(held, 80)]
        rows[f"seen, {name}"] = [(*domain.pair(rng), rng.choice(voices)) for _ in range(60)]
    for name, voices in (tests | {"awb": [HELD_OUT_VOICE]}).items():
        seen = [rng.choice(domain.drawing_questions()[thing]) for thing in rng.sample(picture_names(), 48)]
        apart = [text for text, reply in held if reply == domain.DRAW_REPLY]
        for kind, texts in (("drawing", seen), ("drawing in held-out words", rng.sample(apart, 48))):
            rows[f"{kind}, {name}"] = [(text, domain.DRAW_REPLY, rng.choice(voices)) for text in texts]
    for name, voices in (tests | {"awb": [HELD_OUT_VOICE]}).items():
        texts = [rng.choice(domain.playing_questions()[tune]) for tune in tune_names()]
        rows[f"playing, {name}"] = [(text, domain.PLAY_REPLY, rng.choice(voices)) for text in texts]
    return rows
