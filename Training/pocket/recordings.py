"""Stages `replies` and `questions`: what the backbone reads and says, as speech codes of the trained encoder."""

import json
import os
import random
import time
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from . import domain
from .latent import SEMANTIC, Projection, quantise
from .run import load_net
from .signal import frame_features
from .speechtokenizer import SpeechTokenizer, SpeechTokenizerConfig
from .teacher import WINDOW, Whisper
from .train_codec import disturb
from .voices import FLITE_VOICES, HELD_OUT_VOICE, HIBARI_FACTORS, HOP, Speaker, any_voice


def tokenizer(folder: str) -> SpeechTokenizer:
    """The trained encoder and the codebooks; the decoder too once there is one."""
    net = SpeechTokenizer(SpeechTokenizerConfig())
    load_net(folder, "encoder", net.encoder)
    saved = torch.load(f"{folder}/books.pt")
    for level in range(8):
        net.quantizer.book(level).copy_(saved["books"][level])
    net.quantizer.vq.layers[0]._codebook.cluster_size.copy_(saved["count"])
    net.transform.weight.data.copy_(saved["transform"][:, :-1])
    net.transform.bias.data.copy_(saved["transform"][:, -1])
    for name in ("decoder", "decoder_tuned"):
        if os.path.exists(f"{folder}/{name}.checkpoint"):
            load_net(folder, name, net.decoder)
    return net.eval()


def smooth(latent: Tensor, book: Tensor, penalty: float) -> Tensor:
    """The codes with the least sum of squared distances and of `penalty` for every change. [frame, dim] -> [frame]"""
    cost = torch.cdist(latent, book).pow(2)
    total, back = cost[0], []
    for row in cost[1:]:
        best, which = total.min(0)
        stay = total <= best + penalty
        back.append(torch.where(stay, torch.arange(len(total)), which))
        total = row + torch.where(stay, total, best + penalty)
    path = [int(total.argmin())]
    for step in reversed(back):
        path.append(int(step[path[-1]]))
    return torch.tensor(path[::-1])


def make_replies(folder: str) -> None:
    """Every reply's one recording, its codes by the encoder and level 0 by the true features.

    replies.pt: text -> {"wave" [samples] int16, "own" [8, frame], "true" [frame], "smooth" [frame]}
    """
    if os.path.exists(f"{folder}/replies.pt"):
        return
    speaker, whisper, net = Speaker(), Whisper(), tokenizer(folder)
    projection, books = Projection(torch.load(f"{folder}/projection.pt")), torch.load(f"{folder}/books.pt")["books"]
    noise, out = np.random.default_rng(5), {}
    waves = {text: speaker.reply(text) for text in domain.all_replies()}
    window: list[tuple[str, int, int]] = []
    sound, position = noise.standard_normal(WINDOW).astype(np.float32) * 2e-4, 0

    def flush() -> None:
        nonlocal sound, position, window
        mel = frame_features(sound)[: WINDOW // HOP]
        spoken = [(start // HOP + 5, end // HOP - 5) for _, start, end in window]
        latent = projection.latents(torch.tensor(whisper.features(sound)), mel, spoken)
        for text, start, end in window:
            piece = latent[start // HOP : end // HOP]
            out[text] = {
                "wave": torch.tensor((sound[start:end] * 32767).astype(np.int16)),
                "own": net.encode(torch.tensor(sound[start:end])).short(),
                "true": quantise(piece, books)[0].short(),
                "smooth": smooth(piece[:, :SEMANTIC], books[0][:, :SEMANTIC], 6.0).short(),
            }
        sound, position, window = noise.standard_normal(WINDOW).astype(np.float32) * 2e-4, 0, []

    for text, wave in waves.items():
        if position + len(wave) > WINDOW:
            flush()
        sound[position : position + len(wave)] += wave
        window.append((text, position, position + len(wave)))
        position += len(wave)
    flush()
    torch.save(out, f"{folder}/replies.pt")
    frames = sum(len(entry["true"]) for entry in out.values())
    print(f"replies: {len(out)} recordings, {frames / 50 / 60:.1f} min", flush=True)


@dataclass
class Question:
    text: str
    reply: str
    voice: str
    codes: np.ndarray  # [frame] int16, level 0


def microphone(wave: np.ndarray, rng: random.Random) -> Tensor:
    """A recording as a microphone gives it: quiet around it, any level, any tilt, any phase of the frames."""
    before, after = int(rng.uniform(0.04, 0.5) * 16000), int(rng.uniform(0.1, 0.8) * 16000)
    sound = torch.tensor(np.pad(wave * rng.uniform(0.25, 0.9), (before, after)))
    sound = sound + torch.randn_like(sound) * rng.uniform(0, 3e-4)
    return disturb(sound[None])[0] if rng.random() < 0.6 else sound


def make_questions(folder: str, name: str, pairs: list[tuple[str, str, str]], seed: int) -> None:
    """Speaks (question, reply, voice) rows and encodes them; questions-NAME.npz, resumable as a whole."""
    path = f"{folder}/questions-{name}.npz"
    if os.path.exists(path):
        return
    torch.manual_seed(seed)
    rng, speaker, net = random.Random(seed), Speaker(), tokenizer(folder)
    codes, began, seconds = [], time.time(), 0.0
    for index, (text, _, voice) in enumerate(pairs):
        wave = microphone(speaker.speak(text, voice, rng), rng)
        seconds += len(wave) / 16000
        # Training needs no exact codes: bfloat16 is faster, and the few codes that differ are as good as any noise.
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=name.startswith("train")):
            latent = net.encoder(wave[None, None])
        codes.append(net.quantizer.encode(latent.float(), 1)[0, 0].numpy().astype(np.int16))
        if index % 1000 == 999:
            print(
                f"questions {name}: {index + 1} of {len(pairs)}, {seconds / (time.time() - began):.0f} x real time",
                flush=True,
            )
    lengths = np.array([len(row) for row in codes])
    np.savez(path[:-4] + ".new.npz", codes=np.concatenate(codes), lengths=lengths, rows=json.dumps(pairs))
    os.replace(path[:-4] + ".new.npz", path)


def load_questions(folder: str, name: str) -> list[Question]:
    data = np.load(f"{folder}/questions-{name}.npz")
    ends = np.cumsum(data["lengths"])
    rows = json.loads(str(data["rows"]))
    return [
        Question(*row, data["codes"][end - length : end])
        for row, end, length in zip(rows, ends, data["lengths"], strict=True)
    ]


def training_rows(count: int, seed: int) -> list[tuple[str, str, str]]:
    """Questions of the training set, each kind by its share, in training voices."""
    rng = random.Random(seed)
    return [(*domain.pair(rng), any_voice(rng)) for _ in range(count)]


def test_rows() -> dict[str, list[tuple[str, str, str]]]:
    """Held-out tests by name: unseen questions by seen voices, and by the voice never heard."""
    rng = random.Random(99)
    _, held = domain.split()
    rows: dict[str, list[tuple[str, str, str]]] = {}
    tests = {"reply voice": ["hibari"], "hibari voices": [f"hibari{f}" for f in HIBARI_FACTORS], "flite": FLITE_VOICES}
    for name, voices in (tests | {"awb": [HELD_OUT_VOICE]}).items():
        rows[f"held out, {name}"] = [(*pair, rng.choice(voices)) for pair in rng.sample(held, 80)]
        rows[f"seen, {name}"] = [(*domain.pair(rng), rng.choice(voices)) for _ in range(60)]
    return rows
