"""Stages `music-encoder` and `music-decoder`: two regressions on the latent that `music_codes` fixed.

The encoder learns waveform -> latent, from other melodies than the canonical ones, detuned, noisy, coloured, cut at any
sample: what counts is that the nearest codes are the true ones. The decoder learns quantised latent -> how loud each
multiple of 50 Hz is; what is known of the rest of the way is in `encodec_filters`.
"""

import random

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .. import device
from ..data.music import FRAME, FRAMES, KINDS, RATE, Kind, Note, compose, heard, loudness, render
from ..data.music_codes import CODES, LEVELS, MELODY, PARTS, QUIET, VARIANTS, codes, quantise, save
from ..networks.encodec import Decoder, Encodec, EncodecConfig, Encoder
from ..networks.encodec_filters import (
    BLOCK,
    EARLY,
    SPAN,
    TONES,
    read_filters,
    write_filters,
    write_rows,
    write_synthesis,
)
from .codec import colour
from .run import Run, load_net

TRAINING_SEEDS = range(1000, 1_000_000)  # what the backbone hears and what is held out have other seeds
SHARPNESS = 6.0  # of the nearest codes, in the encoder's loss
WEIGHTS = (1.0, 1.0, 0.7, 0.4)  # of the levels there
LOUD = 0.25  # a tone's loudness where the decoder's LSTM says 1
QUIETEST = 0.005  # softer than this no tone is heard
WRONG = 0.02  # share of codes that the decoder gets wrong, so that it bears mistakes


def piece() -> tuple[list[Note], Kind]:
    """Mostly as composed; some with any pitches and a rest, so that more than 32 tunes can be said."""
    kind = random.choice(KINDS)
    notes = compose(kind, random.choice(TRAINING_SEEDS) if random.random() < 0.8 else 0)
    if random.random() < 0.15:
        pitches = {note.pitch: random.choice(MELODY[1:24]) for note in notes if not note.bass}
        notes = [n if n.bass else Note(n.start, n.length, pitches[n.pitch]) for n in notes if random.random() < 0.9]
    return notes, kind


def crop(wave: np.ndarray, ids: np.ndarray, frames: int, stretch: float) -> tuple[np.ndarray, np.ndarray]:
    """Some frames from any sample on, played so much faster. -> [frames * 640], [frames, level]"""
    samples = frames * FRAME
    start = random.uniform(-6 * FRAME, len(wave) - samples * stretch)
    if random.random() < 0.2:
        start = random.uniform(-6 * FRAME, 0)  # beginnings
    where = start + np.arange(samples) * stretch
    out = np.interp(where, np.arange(len(wave)), wave, 0, 0).astype(np.float32)
    frame = np.floor((start + (np.arange(frames) + 0.5) * FRAME * stretch) / FRAME).astype(int)
    told = ids[frame.clip(0, len(ids) - 1)].copy()
    told[frame < 0] = QUIET
    return out, told


def disturb(wave: Tensor) -> Tensor:
    """Other levels, colours and noise. [batch, samples]"""
    batch = len(wave)
    plain = torch.rand(batch, 1) < 0.25
    heard = torch.where(plain, wave, colour(wave, 6.0)) * torch.empty(batch, 1).uniform_(-1.8, 0.3).exp()
    level = torch.rand(batch, 1).pow(3) * 1.2e-2
    return heard + torch.randn_like(heard) * torch.where(plain, level * 0.02, level)


def disagreement(guess: Tensor, ids: Tensor, books: Tensor) -> tuple[Tensor, list[Tensor]]:
    """How far the nearest codes are from being the true ones; share of equal codes. [point, LATENT], [point, level]"""
    total, equal, place = torch.zeros(()), [], 0
    for level, width in enumerate(PARTS):
        part, book = guess[:, place : place + width], books[level, :, place : place + width]
        scores = SHARPNESS * (2 * part @ book.T - book.pow(2).sum(1))
        total = total + WEIGHTS[level] * F.cross_entropy(scores, ids[:, level])
        equal.append((scores.argmax(1) == ids[:, level]).float().mean())
        place += width
    return total, equal


class Listener(nn.Module):
    """The learned part of an encoder: filters of 160 samples, 400 times a second, and all layers behind them."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        pitch = torch.cat([torch.arange(1, 17) * 100.0, 1600 + torch.arange(1, 17) ** 1.2 * 150])[:, None]  # Hz
        angle = 2 * torch.pi * pitch * (torch.arange(SPAN) - (SPAN - 1) / 2) / RATE
        window = torch.hann_window(SPAN, periodic=False)
        self.filters = nn.Parameter(torch.cat([window * angle.cos(), window * angle.sin()]) / 2)
        self.bias = nn.Parameter(torch.zeros(len(self.filters)))
        self.rest = nn.Sequential(*encoder.layers[10:])

    def forward(self, wave: Tensor) -> Tensor:
        """[batch, samples] -> [batch, LATENT, frame]"""
        return self.rest(F.conv1d(wave[:, None], self.filters[:, None], self.bias, BLOCK))

    def hear(self, wave: Tensor) -> Tensor:
        return self(F.pad(wave, (EARLY, SPAN - BLOCK - EARLY)))


def train_encoder(folder: str, seconds: float) -> None:
    torch.manual_seed(41)
    random.seed(41)
    books = device.load(f"{folder}/music-books.pt")
    net = Listener(Encoder(EncodecConfig()))
    run = Run(folder, "music-encoder", net, 3e-3, seconds, warmup=100, decay=1e-4, clip=2.0)
    for _ in run:
        pairs = []
        for _ in range(4):
            notes, kind = piece()
            stretch = 2 ** (random.uniform(-0.25, 0.25) / 12)
            pairs.append(crop(render(notes, kind.instrument), codes(notes, kind.instrument), 100, stretch))
        heard = disturb(torch.tensor(np.stack([wave for wave, _ in pairs])))
        ids = torch.tensor(np.stack([told for _, told in pairs])).long().flatten(0, 1)
        guess = net.hear(heard).transpose(1, 2).flatten(0, 1)
        target = sum(books[level][ids[:, level]] for level in range(LEVELS))
        loss, equal = disagreement(guess, ids, books)
        run.step(loss + (guess - target).pow(2).sum(1).mean(), **{f"equal{k}": e.item() for k, e in enumerate(equal)})


@torch.no_grad()
def say_what_is_heard(folder: str) -> None:
    """Puts the encoder's own codes of the variants into the backbone's lessons."""
    listener = load_net(folder, "music-encoder", Listener(Encoder(EncodecConfig())))
    books = device.load(f"{folder}/music-books.pt")
    codes_of = lambda wave: quantise(listener.hear(torch.tensor(wave)[None])[0].T, books).short().cpu().numpy()
    seen = np.stack([[codes_of(heard(kind, seed)) for seed in VARIANTS] for kind in KINDS])
    save(folder, device.load(f"{folder}/music.pt")["canonical"].cpu().numpy(), seen)


def train_decoder(folder: str, seconds: float) -> None:
    """Codes to the loudness of the multiples of 50 Hz; from there the way to sound is known."""
    torch.manual_seed(42)
    random.seed(42)
    books = device.load(f"{folder}/music-books.pt")
    net = nn.Sequential(*Decoder(EncodecConfig()).layers[:3])
    known = [piece() for _ in range(1200)]
    ids = torch.tensor(np.stack([codes(notes, kind.instrument) for notes, kind in known]))
    loud = torch.tensor(np.stack([loudness(notes, kind.instrument) for notes, kind in known])).half()
    run = Run(folder, "music-decoder", net, 4e-3, seconds, warmup=100, decay=1e-4)
    for _ in run:
        which = torch.randint(0, len(known), (16,))
        start = random.choice((0, random.randint(0, FRAMES - 64)))
        target = loud[which, start : start + 64].float()
        said = ids[which, start : start + 64].long()
        wrong = torch.rand(said.shape) < WRONG * random.choice((0, 0, 1))
        said = torch.where(wrong, torch.randint(0, CODES, said.shape), said)
        latent = sum(books[level][said[..., level]] for level in range(LEVELS))
        guess = net(latent.transpose(1, 2))[:, :TONES].transpose(1, 2) * LOUD
        apart = (guess - target).square().mean() / target.square().mean()
        heard = (torch.log(guess.clamp(min=0) + QUIETEST) - torch.log(target + QUIETEST)).abs().mean()
        below = guess.clamp(max=0).square().mean()
        run.step(apart + 3 * heard + 10 * below, apart=apart.item(), heard=heard.item())


def take_apart(net: Encodec) -> tuple[Listener, nn.Sequential]:
    """What is learned of a network: the encoder's part, and the decoder's."""
    listener = Listener(net.encoder)
    with torch.no_grad():
        filters, bias = read_filters(net.encoder)
        listener.filters.copy_(filters)
        listener.bias.copy_(bias)
    return listener, nn.Sequential(*net.decoder.layers[:3])


def assemble(folder: str) -> Encodec:
    """The whole network of what was trained."""
    net = Encodec(EncodecConfig())
    net.quantizer.fill(device.load(f"{folder}/music-books.pt"))
    write_rows(net.encoder)
    write_synthesis(net.decoder, LOUD)
    listener, front = take_apart(net)  # these share the network's layers
    load_net(folder, "music-encoder", listener)
    load_net(folder, "music-decoder", front)
    write_filters(net.encoder, listener.filters, listener.bias)
    return net.eval()
