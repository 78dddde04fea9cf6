"""The pictures' drawing side: the UNet that draws latents, and the decoder that makes pixels of them."""

import copy
import math
import os
import random

import torch
from torch import nn
from torch.nn import functional as F

from .. import device
from ..data.picture_latents import latents
from ..data.pictures import clean
from ..networks import unclip
from .run import Run, load_net

DROPPED = 0.1  # embeddings that are taken away, for guidance
STEPS, GUIDANCE = 10, 1.5  # of the drawings that the decoder is tuned on
ROUGH = 0.25  # the most noise in what the decoder is given: the UNet is not exact


def train_decoder(folder: str, seconds: float, batch: int = 8) -> None:
    torch.manual_seed(22)
    net = unclip.decoder()
    drawings, made = clean(), device.load(f"{folder}/picture-latents.pt")
    run = Run(folder, "picture-decoder", net, 2e-3, seconds, warmup=100, decay=0.0, betas=(0.9, 0.99), floor=0.02)
    rng = random.Random(2200 + run.steps)
    torch.manual_seed(2200 + run.steps)
    for _ in run:
        x = shaken(drawings[[rng.randrange(len(drawings)) for _ in range(batch)]], rng) * 2 - 1
        z = latents(x, made)
        y = net(z + torch.randn_like(z) * torch.rand(batch, 1, 1, 1) * ROUGH)
        _step(run, y, x)


def _step(run: Run, y: torch.Tensor, x: torch.Tensor) -> None:
    """What is decoded should be near at three sizes, and have its edges where they are."""
    near = sum(
        (F.avg_pool2d(y, size) - F.avg_pool2d(x, size)).abs().mean() * weight
        for size, weight in ((1, 1.0), (2, 0.5), (4, 0.5))
    )
    edges = sum((y.diff(dim=axis) - x.diff(dim=axis)).abs().mean() for axis in (2, 3))
    run.step(near + edges, l1=(y - x).abs().mean().item(), edges=edges.item())


def shaken(drawings: torch.Tensor, rng: random.Random) -> torch.Tensor:
    """Half of the drawings moved and sized a little, so that near latents look alike."""
    turns = torch.eye(2, 3).repeat(len(drawings), 1, 1)
    for turn in turns:
        if rng.random() < 0.5:
            turn[:, :2] *= math.exp(rng.uniform(-0.02, 0.15))
            turn[:, 2] = torch.tensor([rng.uniform(-0.06, 0.06), rng.uniform(-0.06, 0.06)])
    grid = F.affine_grid(turns, list(drawings.shape), align_corners=False)
    return 1 - F.grid_sample(1 - drawings, grid, padding_mode="zeros", align_corners=False)


class Averaged(nn.Module):
    """A network, and the mean of its weights over the last steps."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net
        self.mean = copy.deepcopy(net).requires_grad_(False)

    @torch.no_grad()
    def follow(self, step: int) -> None:
        keep = min(0.999, (1 + step) / (10 + step))
        torch._foreach_lerp_(list(self.mean.parameters()), list(self.net.parameters()), 1 - keep)


class Codes:
    """Embeddings as they come out of the tokens, some of which are exchanged for near ones."""

    def __init__(self, folder: str) -> None:
        made = device.load(f"{folder}/picture-codes.pt")
        self.canonical, self.rotation = made["canonical"], made["rotation"]
        self.seen = device.load(f"{folder}/pictures.pt")["seen"].long()
        places, down = self.canonical.shape[1], self.rotation.shape[0] // self.canonical.shape[1]
        self.values = made["book"][:, :down]
        own = self.values.view(places, -1, down)
        order = torch.cdist(own, own).argsort(-1)[..., 1:6]  # the five nearest of the token's own codes
        self.near = (order + torch.arange(places)[:, None, None] * own.shape[1]).flatten(0, 1)

    def embedding(self, codes: torch.Tensor) -> torch.Tensor:
        return self.values[codes].flatten(1) @ self.rotation

    def mistaken(self, codes: torch.Tensor) -> torch.Tensor:
        """Up to ten codes of each row exchanged for near ones, in two thirds of the rows."""
        share = torch.rand(len(codes), 1) * 0.3 * (torch.rand(len(codes), 1) < 0.67)
        other = self.near[codes, torch.randint(5, codes.shape)]
        return torch.where(torch.rand(codes.shape) < share, other, codes)

    def as_said(self, which: torch.Tensor) -> torch.Tensor:
        """Codes of these names as they may come: in three rows of ten those that the encoder says of a seen picture, in
        one the end of another name's, which is drawn as the longer part's."""
        codes = self.mistaken(self.canonical[which])
        dice = torch.rand(len(which), 1)
        seen = self.seen[which, torch.randint(self.seen.shape[1], which.shape)]
        other = self.canonical[torch.randint(len(self.canonical), which.shape)]
        cut = torch.randint(codes.shape[1] * 5 // 8, codes.shape[1] + 1, (len(which), 1))
        spliced = torch.where(torch.arange(codes.shape[1]) < cut, codes, other)
        return torch.where(dice < 0.3, seen, torch.where(dice < 0.4, spliced, codes))


def know_names(unet: nn.Module, codes: Codes, rounds: int = 400) -> None:
    """The class embedding to begin with: a unit for every name, which opens for embeddings near to it, mistakes or not.

    A regression of names on embeddings, over in seconds. Half of what the units say is the embedding of the clean
    drawing, so that like pictures begin alike; half is random, so that each can be drawn in its own way.
    """
    first, second = unet.class_embedding.linear_1, unet.class_embedding.linear_2
    count = len(codes.canonical)
    if first.out_features < count:
        raise ValueError(f"{first.out_features} units of the class embedding can't know {count} names")
    chosen = nn.Linear(first.in_features, count)
    optimizer = torch.optim.Adam(chosen.parameters(), 0.03)
    truth = torch.eye(count)
    for _ in range(rounds):
        said = torch.cat([codes.embedding(codes.mistaken(codes.canonical)), unclip.level(count)], -1)
        loss = F.binary_cross_entropy_with_logits(chosen(said), truth, pos_weight=torch.tensor(20.0))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        first.weight[:count], first.bias[:count] = chosen.weight, chosen.bias
        wide, like = second.out_features, torch.zeros(count, second.out_features)
        clean_ones = codes.embedding(codes.canonical)
        like[:, : wide // 2] = clean_ones @ torch.randn(clean_ones.shape[1], wide // 2) / clean_ones.shape[1] ** 0.5
        like[:, wide // 2 :] = torch.randn(count, wide - wide // 2)
        open_ = F.silu(chosen(torch.cat([clean_ones, unclip.level(count)], -1))).diagonal()
        second.weight[:, :count] = like.T / open_
        right = (chosen(said).argmax(1) == torch.arange(count)).float().mean()
    print(f"names known from embeddings with mistakes: {right:.1%}, units open {open_.mean():.1f}", flush=True)


def train_unet(folder: str, seconds: float, batch: int = 32) -> None:
    torch.manual_seed(23)
    net = Averaged(unclip.unet())
    targets = latents(clean() * 2 - 1, device.load(f"{folder}/picture-latents.pt"))
    codes, states = Codes(folder), unclip.prompt()
    know_names(net.net, codes)
    net.mean.load_state_dict(net.net.state_dict())
    beta = torch.linspace(unclip.SCHEDULER["beta_start"] ** 0.5, unclip.SCHEDULER["beta_end"] ** 0.5, 1000) ** 2
    alphas = (1 - beta).cumprod(0)
    rate = 4e-4 if os.path.exists(f"{folder}/start/picture-unet.pt") else 1e-3
    run = Run(folder, "picture-unet", net, rate, seconds, warmup=200, decay=0.01, betas=(0.9, 0.99), floor=0.02)
    torch.manual_seed(2300 + run.steps)
    for _ in run:
        which = torch.randint(len(targets), (batch,))
        x = targets[which]
        labels = torch.cat([codes.embedding(codes.as_said(which)), unclip.level(batch)], -1)
        labels = labels * (torch.rand(batch, 1) >= DROPPED)
        # First more of a drawing's first steps, where all must come from the embedding; then of all steps alike.
        chance = torch.rand(batch)
        t = (1000 * (chance.sqrt() if run.done < 0.3 else chance)).long()
        a, s = (value[:, None, None, None] for value in (alphas[t].sqrt(), (1 - alphas[t]).sqrt()))
        noise = torch.randn_like(x)
        guess = net.net(a * x + s * noise, t, states.expand(batch, -1, -1), class_labels=labels).sample
        error = (guess - (a * noise - s * x)).square().mean((1, 2, 3))
        late = error[t > 700]
        run.step(error.mean(), late=late.mean().item() if len(late) else float("nan"))
        net.follow(run.steps)


@torch.no_grad()
def draw_all(folder: str) -> torch.Tensor:
    """Every name drawn by the UNet three times, the third time from codes with mistakes: [3, names, LATENTS, 8, 8]."""
    net, codes = load_net(folder, "picture-unet", Averaged(unclip.unet())).mean, Codes(folder)
    torch.manual_seed(29)
    said = (codes.canonical, codes.canonical, codes.mistaken(codes.canonical))
    drawn = [unclip.draw(net, codes.embedding(row), STEPS, GUIDANCE, 290 + seed) for seed, row in enumerate(said)]
    return torch.stack(drawn)


def tune_decoder(folder: str, seconds: float, batch: int = 8) -> None:
    """The decoder on what it will get: half of it latents as the UNet draws them."""
    net = unclip.decoder()
    net.load_state_dict(load_net(folder, "picture-decoder", unclip.decoder()).state_dict())
    drawings, made, drawn = clean(), device.load(f"{folder}/picture-latents.pt"), draw_all(folder)
    run = Run(folder, "picture-tuned", net, 6e-4, seconds, warmup=20, decay=0.0, betas=(0.9, 0.99), floor=0.02)
    rng = random.Random(3000 + run.steps)
    torch.manual_seed(3000 + run.steps)
    for _ in run:
        which = [rng.randrange(len(drawings)) for _ in range(batch)]
        x = drawings[which] * 2 - 1
        z = latents(x, made) + torch.randn(batch, *drawn.shape[2:]) * torch.rand(batch, 1, 1, 1) * ROUGH
        for row in range(0, batch, 2):
            z[row] = drawn[rng.randrange(len(drawn)), which[row]]
        _step(run, net(z), x)
