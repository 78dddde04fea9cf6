"""Stages `recordings` and `codes`: what a microphone gives, as the encoder's lower layers have it, and what its upper
layers make of that.

The layers near the samples cost a third of the encoder's time and are well as they are; the upper ones, where a frame
and its neighbours meet, are trained on what these give (stage `hearing`), so a recording passes the lower ones once.
"""

import json
import os
import random

import numpy as np
import torch
from torch import Tensor

from ..lessons.batching import by_length
from ..networks.speechtokenizer import Encoder, SpeechTokenizer
from .call import called
from .recordings import AGAIN, CALLED, heard_questions, tokenizer

LOWER = 7  # of the encoder's layers: to 400 values a second of 96 channels
STEPS = 8  # of these values in a frame
FRAMES = 4000  # that are encoded together


def hear_questions(folder: str, take: str, seed: int) -> None:
    """The spoken questions, each through a microphone of its own, and through Opus where the take is called, as the
    lower layers have them; heard-TAKE.npy [value, channel] float16, and heard-TAKE.json."""
    path = f"{folder}/heard-{take}"
    if os.path.exists(f"{path}.json"):
        return
    through_opus = take.endswith(CALLED)
    seed += AGAIN if through_opus else 0
    lower, rng = tokenizer(folder).encoder.model[:LOWER], random.Random(seed)
    rows, pieces = [], []
    for row, wave, _ in heard_questions(folder, take.removesuffix(CALLED), seed):
        wave = torch.tensor(called(wave.numpy(), rng)) if through_opus else wave
        with torch.no_grad():
            pieces.append(lower(wave[None, None])[0].T.half().numpy())
        rows.append(row)
    np.save(f"{path}.npy", np.concatenate(pieces))
    with open(f"{path}.json", "w") as file:
        json.dump({"rows": rows, "lengths": [len(piece) for piece in pieces]}, file)
    print(f"heard {take}: {len(rows)} questions", flush=True)


def load_heard(folder: str, take: str) -> list[tuple[list[str], np.ndarray]]:
    """Of every recording of a take: (question, reply, voice), and what the lower layers have of it [value, channel],
    whole frames, still in the file."""
    with open(f"{folder}/heard-{take}.json") as file:
        saved = json.load(file)
    values, ends = np.load(f"{folder}/heard-{take}.npy", mmap_mode="r"), np.cumsum(saved["lengths"])
    starts = ends - saved["lengths"]
    return [
        (row, values[start : start + (end - start) // STEPS * STEPS])
        for row, start, end in zip(saved["rows"], starts, ends, strict=True)
    ]


def together(pieces: list[np.ndarray]) -> Tensor:
    """[row, channel, value], the shorter ones held at their last values."""
    longest = max(len(piece) for piece in pieces)
    rows = [torch.tensor(np.pad(piece, ((0, longest - len(piece)), (0, 0)), "edge")) for piece in pieces]
    return torch.stack(rows).float().transpose(1, 2)


def upper(encoder: Encoder, x: Tensor) -> Tensor:
    """What the lower layers have -> latent [row, channel, frame]"""
    return encoder.model[LOWER:](x)


def code_questions(folder: str, take: str, net: SpeechTokenizer | None = None) -> None:
    """Level 0 of a take's recordings; questions-TAKE.npz."""
    path = f"{folder}/questions-{take}.npz"
    if os.path.exists(path):
        return
    net, heard = net or tokenizer(folder), load_heard(folder, take)
    codes: dict[int, np.ndarray] = {}  # by the recording's number
    for group in by_length(list(enumerate(heard)), lambda row: len(row[1][1]) // STEPS, FRAMES):
        with torch.no_grad():
            latent = upper(net.encoder, together([values for _, (_, values) in group]))
        for (number, (_, values)), row in zip(group, net.quantizer.encode(latent, 1)[0], strict=True):
            codes[number] = row[: len(values) // STEPS].numpy().astype(np.int16)
    in_order = [codes[number] for number in range(len(heard))]
    lengths, rows = np.array([len(row) for row in in_order]), json.dumps([row for row, _ in heard])
    np.savez(path[:-4] + ".new.npz", codes=np.concatenate(in_order), lengths=lengths, rows=rows)
    os.replace(path[:-4] + ".new.npz", path)
    print(f"questions {take}: {len(heard)} encoded", flush=True)
