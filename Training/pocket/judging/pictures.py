"""Judges pictures: by an independent classifier of other build and seed than the encoder, and by contact sheets."""

import os
import random

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F

from .. import device
from ..data.picture_latents import latents
from ..data.pictures import SEEN, clean, layers, seen_batch
from ..networks import unclip
from ..networks.seed import Seed, SeedConfig
from ..shipping.export import dump
from ..shipping.pictures import read_seed, read_unclip
from ..training.run import Run, load_net
from ..training.seed import measure_encoder, photographs
from ..training.unclip import Codes
from .judges import bootstrap


class Classifier(nn.Module):
    """A plain convolutional network: which name's picture is this?"""

    def __init__(self, names: int = 256) -> None:
        super().__init__()
        widths = [3, 24, 48, 96, 160]
        self.layers = nn.Sequential(
            *(
                nn.Sequential(nn.Conv2d(a, b, 3, padding=1, bias=False), nn.BatchNorm2d(b), nn.ReLU(), nn.MaxPool2d(2))
                for a, b in zip(widths, widths[1:], strict=False)
            )
        )
        self.head = nn.Linear(widths[-1], names)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        return self.head(self.layers(pictures * 2 - 1).amax((2, 3)))


def train_judge(folder: str, seconds: float, batch: int = 48) -> None:
    torch.manual_seed(25)
    net = Classifier()
    stock = layers()
    run = Run(folder, "picture-judge", net, 3e-3, seconds, warmup=50)
    rng = random.Random(2500 + run.steps)
    for _ in run:
        which = [rng.randrange(len(stock)) for _ in range(batch)]
        guess = net(seen_batch(stock, which, rng, ease=max(0.0, 0.5 - run.done)))
        truth = torch.tensor(which)
        run.step(F.cross_entropy(guess, truth), right=(guess.argmax(1) == truth).float().mean().item())


def interval(right: torch.Tensor) -> str:
    """Percent, with its 95 % interval by bootstrap; where all are right, which says nothing, by the rule of three."""
    if right.all():
        return f"100.0% ({1 - 3 / len(right):.0%} to 100%)"
    low, high = bootstrap(right.float().numpy(), np.mean)
    return f"{right.float().mean():.1%} ({low:.0%} to {high:.0%})"


@torch.no_grad()
def top1(judge: Classifier, pictures: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    small = F.interpolate(pictures, (SEEN, SEEN), mode="bicubic", antialias=True, align_corners=False)
    return judge(small.clamp(0, 1)).argmax(1) == truth


@torch.no_grad()
def decoded(net: unclip.Decoder, z: torch.Tensor) -> torch.Tensor:
    return (torch.cat([net(part) for part in z.split(32)]) / 2 + 0.5).clamp(0, 1)


def sheet(pictures: torch.Tensor, path: str, columns: int = 16) -> None:
    """A contact sheet of [rows, 3, side, side], 0 to 1."""
    side = pictures.shape[-1]
    lines = -(-len(pictures) // columns)
    whole = np.full((lines * side, columns * side, 3), 255, np.uint8)
    for index, picture in enumerate((pictures * 255).round().byte().permute(0, 2, 3, 1).numpy()):
        top, left = index // columns * side, index % columns * side
        whole[top : top + side, left : left + side] = picture
    Image.fromarray(whole).save(path)


REPORT = os.path.join(os.path.dirname(__file__), "..", "..", "reports", "pictures.json")
WAYS = ((10, 1.5), (5, 1.0), (10, 1.0), (20, 1.5))  # steps and guidance; the first is the default


def judge_pictures(folder: str, model: str, seconds: float = 240) -> None:
    """Scores of the model folder's pictures; contact sheets in the work folder."""
    train_judge(folder, seconds)
    judge = load_net(folder, "picture-judge", Classifier())
    seed = Seed(SeedConfig()).eval()
    seed.load_state_dict(read_seed(f"{model}/seed"))
    unet, decoder = unclip.unet().eval(), unclip.decoder().eval()
    states = read_unclip(f"{model}/unclip")
    unet.load_state_dict(states[0])
    decoder.load_state_dict(states[1])
    drawings, truth, codes = clean(), torch.arange(256), Codes(folder)
    made = device.load(f"{folder}/picture-latents.pt")
    scores: dict = {"seeing": measure_encoder(folder, seed)}
    sets = {"clean drawings": drawings, "through the latents": decoded(decoder, latents(drawings * 2 - 1, made))}
    torch.manual_seed(26)
    said_of = {
        "canonical codes": codes.canonical,
        "codes with mistakes": codes.mistaken(codes.canonical),
        "what the encoder says of held-out pictures": seed.encode(photographs(2301, 1, held_out=True)[:, 0]),
    }
    for title, said in said_of.items():
        embeddings = seed.quantizer.embedding(said).detach()
        for steps, guidance in WAYS if said is codes.canonical else WAYS[:1]:
            drawn = decoded(decoder, unclip.draw(unet, embeddings, steps, guidance, 7))
            sets[f"drawn from {title}, {steps} steps, guidance {guidance:g}"] = drawn
    for title, pictures in sets.items():
        right = top1(judge, pictures, truth)
        l1 = (pictures - drawings).abs().mean().item()
        scores[title] = f"{interval(right)}, mean difference {l1:.3f}"
        sheet(pictures, f"{folder}/picture-sheet-{title.replace(' ', '-').replace(',', '')}.png")
    for title, score in scores.items():
        print(f"{title}: {score}", flush=True)
    dump(REPORT, scores)
