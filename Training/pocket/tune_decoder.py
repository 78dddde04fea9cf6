"""Stages `fill` and `tune`: the decoder learns on what it will really be given.

In a dialogue that is level 0 with SoundStorm's levels in the reply voice; in resynthesis it is the encoder's own codes.
"""

import os
import random

import numpy as np
import torch
from torch import Tensor

from . import domain
from .run import Run, load_net
from .signal import MelDistance
from .soundstorm import SoundStorm, SoundStormConfig
from .speechtokenizer import Decoder, SpeechTokenizerConfig
from .train_codec import PRECISE, SIZES, Pieces
from .train_soundstorm import TiedSoundStorm
from .voices import HOP

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
    true = torch.load(f"{folder}/ids.pt").long()
    prompts = [codes.long() for codes in torch.load(f"{folder}/recoded.pt").values()][:300]  # of the reply voice
    out = []
    for index, u in enumerate(random.sample([u for u in pieces.reply if u.end - u.start > 45], count)):
        prompt = random.choice(prompts)[:, :PROMPT].T
        out.append((u.start, net.generate(true[0, u.start : u.end], prompt).T.short()))
        if index % 100 == 99:
            print(f"fill: {index + 1} of {count}", flush=True)
    torch.save(out, f"{folder}/filled.pt")


def tune_decoder(folder: str, parts: list[int], seconds: float) -> None:
    """Half of what it hears are the replies themselves: they are a closed set, and level 0 alone must speak them."""
    torch.manual_seed(7)
    random.seed(7)
    pieces, true = Pieces(folder, parts), torch.load(f"{folder}/ids.pt").long()
    books = torch.load(f"{folder}/books.pt")["books"]
    own = list(torch.load(f"{folder}/recoded.pt").items())
    filled = torch.load(f"{folder}/filled.pt") if os.path.exists(f"{folder}/filled.pt") else []
    recordings = torch.load(f"{folder}/replies.pt")
    replies = [recordings[text] for text in domain.all_replies()]

    def draw() -> tuple[np.ndarray, Tensor]:
        """(wave [samples] int16, codes [level, frame]) of a whole utterance"""
        way = random.random()
        if way < 0.5:
            reply = random.choice(replies)
            return reply["wave"].numpy(), reply["true"][None]
        if way < 0.8:
            start, codes = random.choice(filled if filled and way < 0.6 else own)
        else:
            u = random.choice(pieces.reply)
            start, codes = u.start, true[: random.choice([1, 1, 8]), u.start : u.end]
        return pieces.wave[start * HOP : (start + codes.shape[1]) * HOP], codes

    net, distance = Decoder(SpeechTokenizerConfig()), MelDistance()
    if not os.path.exists(f"{folder}/decoder_tuned.checkpoint"):
        load_net(folder, "decoder", net)
    run = Run(folder, "decoder_tuned", net, 5e-4, seconds, warmup=50, betas=(0.8, 0.99), decay=1e-3, clip=2.0)
    for _ in run:
        count, frames = random.choice(SIZES)
        waves, latents = [], []
        while len(waves) < count:
            wave, codes = draw()
            if codes.shape[1] < frames:
                continue
            start = random.randint(0, codes.shape[1] - frames)
            codes = codes[:, start : start + frames].long()
            waves.append(wave[start * HOP : (start + frames) * HOP].astype(np.float32) / 32768)
            latents.append(sum(books[level][row] for level, row in enumerate(codes)))
        with torch.autocast("cpu", torch.bfloat16, enabled=run.done < PRECISE):
            sound = net(torch.stack(latents).transpose(1, 2))[:, 0]
        run.step(distance(torch.tensor(np.stack(waves)), sound.float()))
