"""Stages `fill` and `tune`: the decoder learns on what it will really be given.

In a dialogue that is level 0 with SoundStorm's levels in the reply voice; in resynthesis it is the encoder's own codes.
"""

import os
import random

import numpy as np
import torch

from .run import Run, load_net
from .signal import MelDistance
from .soundstorm import SoundStorm, SoundStormConfig
from .speechtokenizer import Decoder, SpeechTokenizerConfig
from .train_codec import PRECISE, SIZES, Pieces
from .train_soundstorm import TiedSoundStorm

PROMPT = 80


def storm(folder: str) -> SoundStorm:
    """The trained SoundStorm in its official form."""
    books = torch.load(f"{folder}/books.pt")["books"]
    return load_net(folder, "soundstorm", TiedSoundStorm(books, SoundStormConfig())).official().eval()


def fill(folder: str, parts: list[int], count: int = 420) -> None:
    """SoundStorm's levels for recordings of the reply voice: filled.pt, a list of (first frame, codes [8, frame])."""
    if os.path.exists(f"{folder}/filled.pt"):
        return
    random.seed(6)
    pieces, net = Pieces(folder, parts), storm(folder)
    own, true = torch.load(f"{folder}/encoder_ids.pt").long(), torch.load(f"{folder}/ids.pt").long()
    out = []
    for index, u in enumerate(random.sample([u for u in pieces.reply if u.end - u.start > 45], count)):
        voice = random.choice(pieces.reply)
        prompt = own[:, voice.start : min(voice.end, voice.start + PROMPT)].T
        first = (own if index % 2 else true)[0, u.start : u.end]
        out.append((u.start, net.generate(first, prompt).T.short()))
        if index % 100 == 99:
            print(f"fill: {index + 1} of {count}", flush=True)
    torch.save(out, f"{folder}/filled.pt")


def tune_decoder(folder: str, parts: list[int], seconds: float) -> None:
    torch.manual_seed(7)
    random.seed(7)
    pieces, filled = Pieces(folder, parts), torch.load(f"{folder}/filled.pt")
    own, true = torch.load(f"{folder}/encoder_ids.pt").long(), torch.load(f"{folder}/ids.pt").long()
    books = torch.load(f"{folder}/books.pt")["books"]
    net, distance = Decoder(SpeechTokenizerConfig()), MelDistance()
    if not os.path.exists(f"{folder}/decoder_tuned.checkpoint"):
        load_net(folder, "decoder", net)
    run = Run(folder, "decoder_tuned", net, 4e-4, seconds, warmup=50, betas=(0.8, 0.99), decay=1e-3, clip=2.0)
    for _ in run:
        count, frames = random.choice(SIZES[1:])
        waves, latents = [], []
        while len(waves) < count:
            way = random.random()
            if way < 0.45:
                start, codes = random.choice(filled)
                if codes.shape[1] < frames:
                    continue
                offset = random.randint(0, codes.shape[1] - frames)
                start, codes = start + offset, codes[:, offset : offset + frames].long()
            else:
                u, start = pieces.where(pieces.reply if way < 0.7 else pieces.train, frames)
                if start < u.start or start + frames > u.end:
                    continue
                source = own if random.random() < 0.7 else true
                levels = 1 if way < 0.58 else random.choice([8, 8, 8, 4])
                codes = source[:levels, start : start + frames]
            waves.append(pieces.sound(start, frames))
            latents.append(sum(books[level][row] for level, row in enumerate(codes)))
        with torch.autocast("cpu", torch.bfloat16, enabled=run.done < PRECISE):
            sound = net(torch.stack(latents).transpose(1, 2))[:, 0]
        run.step(distance(torch.tensor(np.stack(waves)), sound.float()))
