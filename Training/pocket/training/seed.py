"""The pictures' encoder: a regression from a picture as it may be seen to the code vectors of its clean drawing."""

import os
import random

import torch
from torch.nn import functional as F

from .. import device
from ..data.picture_codes import write_way_back
from ..data.pictures import layers, photograph, pixels, seen_batch
from ..networks.seed import Seed, SeedConfig
from ..words.names import picture_names
from .muon import muon
from .run import Run, load_net

TEMPERATURE = 0.3
CLOSED = 6.0  # how far a unit is closed to the queries that it is not for
RATE = 2e-3
VARIANTS = 40  # pictures of each name that the backbone sees


def blank(folder: str) -> Seed:
    """The network with its codebook and the way back, the rest random but for the Q-Former's experts."""
    torch.manual_seed(21)
    net = Seed(SeedConfig())
    write_way_back(net, device.load(f"{folder}/picture-codes.pt"))
    make_experts(net)
    return net


@torch.no_grad()
def make_experts(net: Seed) -> None:
    """Gives each query units of its own in the feed-forward networks, to begin with.

    What a token says is a reading of the whole picture that is this token's alone, while all tokens share weights:
    left to itself the network finds the picture's name soon and the readings late. So a query is its place as one hot
    channel; the other channels are what was seen; and a unit's bias closes it for every query but its own.
    """
    c, q = net.config, net.quantizer
    places = c.queries
    q.query_tokens.zero_()
    q.query_tokens[0].fill_diagonal_(1.0)
    own = torch.arange(c.hidden) * places // c.hidden  # the query of a unit
    hot = c.width**0.5 / 1.3  # about what the norms leave of the hot channel
    for layer in q.Qformer["bert"]["encoder"]["layer"]:
        for part in (layer.attention, getattr(layer, "crossattention", None)):
            if part is not None:
                part.output["dense"].weight[:places] = 0
        layer.attention.output["dense"].weight.mul_(0.2)
        wide, narrow = layer.intermediate_query["dense"], layer.output_query["dense"]
        wide.weight[:, places:].normal_(std=(c.width - places) ** -0.5)
        wide.weight[:, :places] = 0
        wide.weight[torch.arange(c.hidden), own] = CLOSED / hot
        wide.bias.fill_(-CLOSED)
        narrow.weight.normal_(std=(c.hidden / places) ** -0.5)
        narrow.weight[:places] = 0


def train_encoder(folder: str, seconds: float, batch: int = 48) -> None:
    net = blank(folder)
    made = device.load(f"{folder}/picture-codes.pt")
    canonical, book, c = made["canonical"], made["book"], net.config
    own = book.view(c.queries, -1, c.dimension)[..., : c.down[-1]]
    local = canonical - torch.arange(c.queries) * own.shape[1]
    drawings = book[canonical][..., : c.down[-1]].flatten(1)
    stock = layers()
    optimizers = muon(net, RATE, "layer", "blocks.")
    run = Run(folder, "picture-encoder", net, RATE, seconds, warmup=100, optimizers=optimizers)
    rng = random.Random(2100 + run.steps)
    for _ in run:
        which = [rng.randrange(len(stock)) for _ in range(batch)]
        pictures = seen_batch(stock, which, rng, ease=max(0.0, 1 - 4 * run.done))
        vectors = net.vectors(pictures)
        near = F.mse_loss(vectors, book[canonical[which]])
        # Which of the token's own codes is nearest, as a choice.
        distances = (vectors[:, :, None, : c.down[-1]] - own).square().sum(-1)
        choice = F.cross_entropy((-distances / TEMPERATURE).flatten(0, 1), local[which].flatten())
        # Which of all names' drawings is nearest, over all tokens.
        far = torch.cdist(vectors[..., : c.down[-1]].flatten(1), drawings).square()
        name = F.cross_entropy(-far / TEMPERATURE / 8, torch.tensor(which))
        with torch.no_grad():
            hits = (distances.argmin(-1) == local[which]).float().mean().item()
            right = (far.argmin(-1) == torch.tensor(which)).float().mean().item()
        run.step(near + choice + 0.25 * name, near=near.item(), choice=choice.item(), codes=hits, names=right)


def name_of(codes: torch.Tensor, made: dict[str, torch.Tensor]) -> torch.Tensor:
    """The name whose canonical sequence's values are nearest, for each row of codes."""
    values = made["book"][codes].flatten(1)
    return torch.cdist(values, made["book"][made["canonical"]].flatten(1)).argmin(1)


def photographs(seed: int, variants: int, held_out: bool) -> torch.Tensor:
    """[names, variants, 3, SIDE, SIDE]"""
    rng = random.Random(seed)
    names = picture_names()
    rows = [torch.stack([pixels(photograph(name, rng, held_out)) for _ in range(variants)]) for name in names]
    return torch.stack(rows)


def measure_encoder(folder: str, net: Seed, variants: int = 4) -> dict[str, float]:
    """Share of equal codes and of right names, for pictures like the training's and for held-out ones."""
    made = device.load(f"{folder}/picture-codes.pt")
    out = {}
    for title, held_out in (("like training", False), ("held out", True)):
        seen = photographs(2300 + held_out, variants, held_out)
        codes = net.encode(seen.flatten(0, 1))
        truth = torch.arange(len(seen)).repeat_interleave(variants)
        out[f"codes, {title}"] = (codes == made["canonical"][truth]).float().mean().item()
        out[f"names, {title}"] = (name_of(codes, made) == truth).float().mean().item()
        out[f"in place, {title}"] = (codes // 32 == torch.arange(32)).float().mean().item()
    return out


def say_what_is_seen(folder: str) -> None:
    """Writes `pictures.pt` for the backbone: what drawing says, and what the encoder says of pictures that are seen."""
    net = exported(load_net(folder, "picture-encoder", blank(folder)))
    print({name: round(value, 4) for name, value in measure_encoder(folder, net).items()}, flush=True)
    seen = photographs(2200, VARIANTS, held_out=False)
    codes = net.encode(seen.flatten(0, 1)).view(len(seen), VARIANTS, -1)
    canonical = device.load(f"{folder}/picture-codes.pt")["canonical"]
    out = {"names": picture_names(), "canonical": canonical.short(), "seen": codes.short()}
    torch.save(out, f"{folder}/pictures.pt.new")
    os.replace(f"{folder}/pictures.pt.new", f"{folder}/pictures.pt")


def exported(net: Seed) -> Seed:
    """The network with its weights as they are written, in half precision."""
    net.load_state_dict({name: tensor.half().float() for name, tensor in net.state_dict().items()})
    return net.eval()
