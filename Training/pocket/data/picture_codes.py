"""The pictures' code by construction: what each of the 32 tokens can say is fixed before any network is trained.

A picture's embedding is 64 numbers: principal components of the clean drawings, small and blurred, partly whitened.
They are rotated so that all say about equally much, and cut into 32 pairs: token k says pair k, as one of its own 32
codes, k · 32 to k · 32 + 31. A code's vector is its pair of values, and the token's place in binary, far apart, so that
a code is nearest in its own place only. The way back from codes to the embedding is linear, and is written into the
weights of SEED's layers; nothing there is trained.

The space is made once and kept in `Training/pictures.safetensors`: with it all codes keep their meaning.
"""

import torch
from torch.nn import functional as F

from ..networks.seed import Seed, SeedConfig
from .pictures import clean

PLACE = 3.0  # how far apart places are, along each binary digit, in deviations of a value
SMALL = 1 / 16  # what values are multiplied by before the tanh, which is nearly straight there


def build(folder: str) -> None:
    """Makes the latent space and the codebook: `picture-codes.pt`, with each name's sequence of codes."""
    c = SeedConfig()
    torch.manual_seed(20)
    drawings = F.avg_pool2d(clean(), 4).flatten(1)
    middle = drawings.mean(0)
    _, sizes, axes = torch.linalg.svd(drawings - middle, full_matrices=False)
    axes, sizes = axes[: c.embedding], sizes[: c.embedding] / len(drawings) ** 0.5
    # Whitened by half, of unit variance in the mean.
    scales = sizes**-0.5
    scales = scales / (sizes * scales).square().mean().sqrt()
    embeddings = (drawings - middle) @ axes.T * scales
    kept = sizes.square().sum() / (drawings - middle).var(0, unbiased=False).sum()
    rotation, _ = torch.linalg.qr(torch.randn(c.embedding, c.embedding, dtype=torch.float64))
    rotation = rotation.float()
    turned = (embeddings @ rotation.T).view(len(drawings), c.queries, c.down[-1])

    own = c.codes // c.queries
    values = torch.zeros(c.queries, own, c.down[-1])
    for place in range(c.queries):
        values[place] = means(turned[:, place], own)
    places = torch.tensor([[PLACE if k >> digit & 1 else -PLACE for digit in range(5)] for k in range(c.queries)])
    book = torch.cat([values, places[:, None].expand(-1, own, -1)], -1).flatten(0, 1).half().float()
    local = torch.cdist(turned.transpose(0, 1), book.view(c.queries, own, -1)[..., : c.down[-1]]).argmin(-1).T
    canonical = local + torch.arange(c.queries) * own
    said = book[canonical][..., : c.down[-1]]
    error = (said - turned).square().mean() / turned.square().mean()
    print(
        f"codes: {kept:.1%} of the variance in {c.embedding} components, {error:.1%} of that lost in quantising; "
        f"{len({tuple(row.tolist()) for row in canonical})} different of {len(canonical)}, nearest two differ in "
        f"{nearest(canonical)} places",
        flush=True,
    )
    torch.save({"book": book, "rotation": rotation, "canonical": canonical}, f"{folder}/picture-codes.pt")


def means(points: torch.Tensor, count: int, rounds: int = 60) -> torch.Tensor:
    """k-means from well spread points."""
    centres = points[torch.randint(len(points), (1,))]
    while len(centres) < count:
        far = torch.cdist(points, centres).min(1).values.square()
        centres = torch.cat([centres, points[torch.multinomial(far, 1)]])
    for _ in range(rounds):
        which = torch.cdist(points, centres).argmin(1)
        for index in range(count):
            if (which == index).any():
                centres[index] = points[which == index].mean(0)
    return centres


def nearest(codes: torch.Tensor) -> int:
    """In how many places the two most alike sequences differ."""
    differ = (codes[:, None] != codes[None]).sum(-1)
    return int((differ + torch.eye(len(codes), dtype=torch.long) * 99).min())


@torch.no_grad()
def write_way_back(net: Seed, made: dict[str, torch.Tensor]) -> None:
    """Writes the codebook and the linear way from codes to the embedding into the network's weights."""
    c, q = net.config, net.quantizer
    q.quantize["embedding"].weight.copy_(made["book"])
    for layer in [*q.decode_task_layer, *q.blocks_image.modules(), *q.image_down, q.distill_image_proj]:
        for parameter in layer.parameters(recurse=False):
            parameter.zero_()
    # Values, small, through the tanh, and large again; the places are let go.
    q.decode_task_layer[0].weight[: c.down[-1], : c.down[-1]] = torch.eye(c.down[-1]) * SMALL
    q.decode_task_layer[2].weight[: c.down[-1], : c.down[-1]] = torch.eye(c.down[-1]) / SMALL
    # The block adds nothing: its last layers are zero, and its norms count for nothing.
    q.pos_embed_image.zero_()
    q.image_down[0].weight[:, : c.down[-1]] = torch.eye(c.down[-1])
    q.distill_image_proj.weight.copy_(made["rotation"].T)
    for part in (q.quantize, q.decode_task_layer, q.blocks_image, q.image_down, q.distill_image_proj):
        part.requires_grad_(False)
    q.pos_embed_image.requires_grad_(False)
