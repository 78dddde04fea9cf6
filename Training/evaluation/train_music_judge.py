"""Trains the judge of music on renderings that are damaged in many ways, and measures it.

usage: python -m evaluation.train_music_judge [--minutes 2] [--out FILE] [--measure]

A lossy codec must not confuse it: it hears pieces cut, late, detuned, filtered, smeared in time and pitch, with frames
lost or taken for others, quantised, overdriven and under noise. What it is measured on are melodies that it never
heard, and, beside these damages, Opus at few bits.
"""

import argparse
import random
import time
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional as F

from pocket.data import music

from . import intervals, opus, sounds
from .music_judge import WEIGHTS, MusicJudge
from .music_network import HEADS, RATE, SAMPLES, Network, features, fitted

TRAINING, TESTING = 1_000_000, 2_000_000  # where the melodies' seeds begin: others' are below
RATE_OF_LEARNING = 4e-3
FRAME = RATE // 50
STFT, STEP = 1024, 512


def rendered(kind: music.Kind, seed: int) -> np.ndarray:
    """A melody of the kind, one in ten the canonical one, a little higher or lower. [samples] int16 at 16 kHz"""
    import soxr

    rng = random.Random(f"{seed} {music.name(kind)}")
    wave = music.render(music.compose(kind, 0 if rng.random() < 0.1 else seed), kind.instrument)
    wave = soxr.resample(wave, music.RATE * 2 ** (rng.uniform(-0.25, 0.25) / 12), RATE)
    return (wave * 20_000).clip(-32768, 32767).astype(np.int16)


def damaged(wave: np.ndarray, rng: random.Random) -> Tensor:
    """A piece as it may reach a listener. [samples] int16 -> [SAMPLES]"""
    x = torch.from_numpy(wave.astype(np.float32) / 32768)
    if rng.random() < 0.6:
        x = cut(x, rng)
    x = F.pad(x, (0, max(0, SAMPLES - len(x))))[:SAMPLES]
    if rng.random() < 0.3:
        x = confused(x, rng)
    if rng.random() < 0.8:
        x = smeared(x, rng)
    loudest = x.abs().max().clamp(min=1e-4)
    if rng.random() < 0.3:
        drive = rng.uniform(1, 4)
        x = torch.tanh(drive * x / loudest) * loudest
    if rng.random() < 0.2:  # few bits, spaced as in telephony
        levels, mu = rng.choice([8, 16, 32, 64]), 255.0
        squeezed = torch.sign(x) * torch.log1p(mu * (x / loudest).abs()) / np.log1p(mu)
        rough = (squeezed * levels).round() / levels
        x = torch.sign(rough) * torch.expm1(rough.abs() * np.log1p(mu)) / mu * loudest
    if rng.random() < 0.7:
        noise = torch.randn(SAMPLES)
        if rng.random() < 0.5:  # darker
            width = rng.choice([3, 5, 9])
            noise = F.avg_pool1d(noise[None, None], width, 1, width // 2)[0, 0]
        ratio = 10 ** (-rng.uniform(3, 45) / 20)
        x = x + noise * (x.std() / noise.std() * ratio)
    return x * 10 ** (rng.uniform(-30, 0) / 20)


def cut(x: Tensor, rng: random.Random) -> Tensor:
    """A part of at least half of it, or a late beginning."""
    if rng.random() < 0.5:
        return F.pad(x, (rng.randint(0, RATE // 4), 0))
    length = rng.randint(SAMPLES // 2, SAMPLES)
    start = rng.randint(0, SAMPLES - length)
    return x[start : start + length]


def confused(x: Tensor, rng: random.Random) -> Tensor:
    """Some frames of 20 ms lost, or taken from elsewhere in the piece."""
    frames = x.reshape(-1, FRAME).clone()
    for _ in range(rng.randint(1, len(frames) // 8)):
        place = rng.randrange(len(frames))
        if rng.random() < 0.3:
            frames[place] = 0
        else:
            frames[place] = frames[rng.randrange(len(frames))]
    return frames.reshape(-1)


def smeared(x: Tensor, rng: random.Random) -> Tensor:
    """Colour, a ceiling, and a spectrum that is not exact: amplitudes and phases trembling, bands and moments mixed."""
    window = torch.hann_window(STFT)
    spectrum = torch.stft(x, STFT, STEP, window=window, return_complex=True)
    bins, columns = spectrum.shape
    places = np.sqrt(np.linspace(0, 1, bins)) * 5
    colour = np.interp(places, np.arange(6), [rng.uniform(-8, 8) for _ in range(6)])
    gain = torch.tensor(10 ** (colour / 20), dtype=torch.float32)
    if rng.random() < 0.4:
        gain[round(rng.uniform(1800, 8000) / RATE * STFT) :] *= 0.01
    spectrum *= gain[:, None]
    if rng.random() < 0.5:
        tremble = 1 + torch.randn(bins, columns) * rng.uniform(0, 0.5)
        spectrum *= torch.polar(tremble.clamp(min=0), torch.randn(bins, columns) * rng.uniform(0, 1.6))
    if rng.random() < 0.3:
        size = rng.choice([(3, 1), (1, 3), (3, 3)])
        loudness = spectrum.abs()
        mixed = F.avg_pool2d(loudness[None], size, 1, (size[0] // 2, size[1] // 2))[0]
        spectrum *= mixed / (loudness + 1e-6)
    return torch.istft(spectrum, STFT, STEP, window=window, length=len(x))


def truth(kinds: list[music.Kind]) -> dict[str, Tensor]:
    """The right answers by head."""
    return {name: torch.tensor([values.index(getattr(kind, name)) for kind in kinds]) for name, values in HEADS.items()}


def varied(spectrograms: Tensor) -> Tensor:
    """Spectrograms moved in time, tilted, dimmed and with gaps, so that each serves more than once."""
    batch, bands, columns = spectrograms.shape
    shift = torch.randint(-5, 6, (batch, 1))
    places = torch.arange(columns) - shift
    moved = spectrograms.gather(2, (places % columns)[:, None].expand(-1, bands, -1))
    gap = torch.randint(0, columns, (batch, 1))
    kept = (places >= 0) & (places < columns) & ((torch.arange(columns) - gap).abs() > torch.randint(0, 4, (batch, 1)))
    pitch = torch.arange(bands) - torch.randint(0, bands, (batch, 1))
    kept = kept[:, None] & (pitch.abs() > torch.randint(0, 4, (batch, 1)))[:, :, None]
    tilt = torch.linspace(-1, 1, bands)[:, None] * torch.randn(batch, 1, 1) * 0.06
    quiet = torch.rand(batch, 1, 1) ** 3 * 0.4
    return torch.maximum((moved + tilt) * kept, quiet).clamp(0, 1.1)


def train(seconds: float, batch: int = 32, fresh: int = 8) -> Network:
    """Trains for so many seconds of processor time. Every step damages `fresh` pieces, every second one renders one."""
    torch.manual_seed(31)
    rng, net = random.Random(31), Network()
    optimizer = torch.optim.AdamW(net.parameters(), RATE_OF_LEARNING, weight_decay=0.02)
    stock: list[tuple[music.Kind, np.ndarray]] = []
    pool: list[tuple[music.Kind, Tensor]] = []
    began, told, step = time.process_time(), time.monotonic(), 0
    while (done := (time.process_time() - began) / seconds) < 1:
        while len(stock) < 3 * len(music.KINDS) + step // 2:
            kind = music.KINDS[len(stock) % len(music.KINDS)]
            stock.append((kind, rendered(kind, TRAINING + len(stock))))
        chosen = [rng.choice(stock) for _ in range(fresh if step else 8 * fresh)]
        made = features(torch.stack([damaged(wave, rng) for _, wave in chosen]))
        pool += [(kind, row) for (kind, _), row in zip(chosen, made.half(), strict=True)]
        for group in optimizer.param_groups:
            group["lr"] = RATE_OF_LEARNING * min(1, (step + 1) / 50) * (1 + np.cos(np.pi * done)) / 2
        # The newest are always among them.
        rows = [*pool[-fresh:], *rng.choices(pool, k=batch - fresh)]
        guesses = net(varied(torch.stack([row for _, row in rows]).float()))
        right = truth([kind for kind, _ in rows])
        loss = sum(F.cross_entropy(guesses[name], right[name]) for name in HEADS)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        step += 1
        if time.monotonic() - told > 20:
            told = time.monotonic()
            shares = [f"{name} {(guesses[name].argmax(1) == right[name])[:fresh].float().mean():.0%}" for name in HEADS]
            print(f"{done:.0%}, step {step}: loss {loss.item():.3f}; of the newest {', '.join(shares)}", flush=True)
    print(f"{step} steps of {batch}; {len(stock)} melodies, damaged {len(pool)} times", flush=True)
    return net.eval()


def through_opus(wave: np.ndarray, bitrate: int) -> Tensor:
    """A codec that training never had."""
    return fitted(sounds.decode(opus.ogg(wave, RATE, bitrate), RATE))


@torch.no_grad()
def measure(net: Network, each: int) -> None:
    """Prints how often the judge is right, on `each` fresh melodies of every kind."""
    rng = random.Random(32)
    torch.manual_seed(32)
    kinds = [kind for kind in music.KINDS for _ in range(each)]
    waves = [rendered(kind, TESTING + index) for index, kind in enumerate(kinds)]
    ways = {
        "as rendered": lambda wave: fitted(wave.astype(np.float32) / 32768),
        "damaged as in training": lambda wave: damaged(wave, rng),
        "Opus, 12 kbit/s": lambda wave: through_opus(wave, 12_000),
        "Opus, 6 kbit/s": lambda wave: through_opus(wave, 6_000),
    }
    right = truth(kinds)
    for way, made in ways.items():
        guesses = net(features(torch.stack([made(wave) for wave in waves])))
        told = []
        for name in HEADS:
            number = intervals.share((guesses[name].argmax(1) == right[name]).tolist())
            assert number is not None
            told.append(f"{name} {number['value']:.1f} % ({number['low']:.1f} to {number['high']:.1f})")
        print(f"{way}, {len(kinds)} pieces: {', '.join(told)}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, default=2, help="of one core's time")
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    parser.add_argument("--measure", action="store_true", help="measure what is there, and train nothing")
    parser.add_argument("--each", type=int, default=12, help="fresh melodies of each kind that it is measured on")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if not options.measure:
        state = train(60 * options.minutes).state_dict()
        save_file(
            {name: value.half().contiguous() for name, value in state.items() if value.is_floating_point()}, options.out
        )
    measure(MusicJudge(options.out).network, options.each)


if __name__ == "__main__":
    main()
