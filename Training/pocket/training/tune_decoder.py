"""Stages `fill` and `tune`: the decoder learns on what it will really be given.

In a dialogue that is level 0 with SoundStorm's levels in the reply voice; in resynthesis it is the encoder's codes.
"""

import os
import random

import numpy as np
import torch
from torch import Tensor

from .. import device
from ..data.signal import MelDistance
from ..data.voices import HOP
from ..networks.soundstorm import SoundStorm, SoundStormConfig
from ..networks.speechtokenizer import Decoder, SpeechTokenizerConfig
from ..words import domain
from .codec import PRECISE, SIZES, Pieces
from .run import Run, begun, cheap, load_net
from .soundstorm import TiedSoundStorm

PROMPT, CHUNK = 80, 50  # frames


def storm(folder: str) -> SoundStorm:
    """The trained SoundStorm in its official form, a silent one where none was trained."""
    if not begun(folder, "soundstorm"):
        return SoundStorm.silent()
    books = device.load(f"{folder}/books.pt")["books"]
    return load_net(folder, "soundstorm", TiedSoundStorm(books, SoundStormConfig())).official().eval()


def fill(folder: str, parts: list[int], count: int = 120) -> None:
    """SoundStorm's levels for every reply and some sentences, after prompts in the reply voice.

    filled.pt: {"replies": text -> codes [8, frame], "sentences": [(first frame, codes [8, frame])]}
    """
    if os.path.exists(f"{folder}/filled.pt"):
        return
    random.seed(6)
    pieces, net = Pieces(folder, parts), storm(folder)
    true, recoded = device.load(f"{folder}/ids.pt").long(), device.load(f"{folder}/recoded.pt")
    prompts = [recoded[u.start].long() for u in pieces.reply if u.start in recoded]

    def filled(semantic: Tensor) -> Tensor:
        if net.is_silent:
            return torch.cat([semantic[None], torch.zeros(7, len(semantic), dtype=torch.long)]).short()
        prompt = random.choice(prompts)[:, :PROMPT].T
        return torch.cat([net.generate(chunk, prompt) for chunk in semantic.split(CHUNK)]).T.short()

    replies = {text: filled(entry["true"].long()) for text, entry in device.load(f"{folder}/replies.pt").items()}
    print(f"fill: {len(replies)} replies", flush=True)
    long = [u for u in pieces.reply if u.end - u.start > 45]
    chosen = random.sample(long, min(len(long), count))
    sentences = [(u.start, filled(true[0, u.start : u.end])) for u in chosen]
    torch.save({"replies": replies, "sentences": sentences}, f"{folder}/filled.pt")


def tune_decoder(folder: str, parts: list[int], seconds: float) -> None:
    """A third of what it hears are the replies themselves, a closed set; the rest is speech through the codec."""
    torch.manual_seed(7)
    random.seed(7)
    pieces, true = Pieces(folder, parts), device.load(f"{folder}/ids.pt").long()
    books = device.load(f"{folder}/books.pt")["books"]
    own = list(device.load(f"{folder}/recoded.pt").items())
    filled, recordings = device.load(f"{folder}/filled.pt"), device.load(f"{folder}/replies.pt")
    texts = domain.all_replies()

    def draw() -> tuple[np.ndarray, Tensor]:
        """(wave [samples] int16, codes [level, frame]) of a whole utterance"""
        way = random.random()
        if way < 0.35:
            text = random.choice(texts)
            entry = recordings[text]
            return entry["wave"].cpu().numpy(), filled["replies"][text] if way < 0.25 else entry["true"][None]
        if way < 0.9:
            start, codes = random.choice(own if way > 0.45 else filled["sentences"])
        else:
            u = random.choice(pieces.reply)
            start, codes = u.start, true[: random.choice([1, 8, 8]), u.start : u.end]
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
        with cheap(run.done < PRECISE):
            sound = net(torch.stack(latents).transpose(1, 2))[:, 0]
        run.step(distance(torch.tensor(np.stack(waves)), sound.float()))
