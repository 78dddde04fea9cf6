"""SoundStorm: a Conformer that fills levels 1-7 in, given level 0, with the official checkpoint's key names.

Grids are [batch, frame, 7] codes 0..1023, 1024 where masked.
"""

import math
from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .speechtokenizer import Named

CODES, MASK, LEVELS = 1024, 1024, 7
# Frames, as config.toml has them: a reply's first chunk, each later one, and what is seen again before it.
FIRST, CHUNK, CONTEXT = 20, 50, 50


@dataclass
class SoundStormConfig:
    dim: int = 128
    depth: int = 2
    heads: int = 4
    dim_head: int = 32
    ff_mult: int = 4
    conv_expansion_factor: int = 2
    conv_kernel_size: int = 31

    def json(self) -> dict:
        return asdict(self)

    @classmethod
    def smallest(cls) -> "SoundStormConfig":
        """As few and as narrow layers as the layout allows, for a network that has nothing to say."""
        return cls(dim=8, depth=1, heads=1, dim_head=8, ff_mult=1, conv_expansion_factor=1, conv_kernel_size=3)


class Swish(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return F.silu(x)


class PreNorm(nn.Module):
    def __init__(self, dim: int, fn: nn.Module) -> None:
        super().__init__()
        self.fn = fn
        self.norm = nn.LayerNorm(dim)

    def forward(self, x: Tensor, **context) -> Tensor:
        return self.fn(self.norm(x), **context)


class FeedForward(nn.Module):
    def __init__(self, dim: int, mult: int) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(dim, dim * mult), Swish(), nn.Identity(), nn.Linear(dim * mult, dim), nn.Identity()
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x)


class Attention(nn.Module):
    def __init__(self, c: SoundStormConfig) -> None:
        super().__init__()
        inner = c.heads * c.dim_head
        self.heads = c.heads
        self.to_q = nn.Linear(c.dim, inner, bias=False)
        self.to_kv = nn.Linear(c.dim, 2 * inner, bias=False)
        self.to_out = nn.Linear(inner, c.dim)

    def forward(self, x: Tensor, rotary: tuple[Tensor, Tensor], mask: Tensor | None) -> Tensor:
        """[batch, frame, dim]; mask [batch, frame] is true where there is something to look at."""
        batch, frames, _ = x.shape
        q, k, v = (
            t.view(batch, frames, self.heads, -1).transpose(1, 2) for t in (self.to_q(x), *self.to_kv(x).chunk(2, -1))
        )
        looked = None if mask is None else mask[:, None, None]
        y = F.scaled_dot_product_attention(rotate(q, rotary), rotate(k, rotary), v, attn_mask=looked)
        return self.to_out(y.transpose(1, 2).reshape(batch, frames, -1))


def rotary_table(frames: int, dim: int) -> tuple[Tensor, Tensor]:
    """(cosine, sine), each [frame, dim]; element i is paired with i + dim / 2."""
    angle = torch.arange(frames)[:, None] / 10_000 ** (torch.arange(0, dim, 2) / dim)
    angle = torch.cat([angle, angle], -1)
    return angle.cos(), angle.sin()


def rotate(x: Tensor, table: tuple[Tensor, Tensor]) -> Tensor:
    first, second = x.chunk(2, -1)
    return x * table[0] + torch.cat([-second, first], -1) * table[1]


class ChannelNorm(nn.Module):
    """Layer norm over the channels of [batch, channel, frame]: the variance is clamped, not padded; a gain alone."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(1, channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        variance = x.var(1, unbiased=False, keepdim=True).clamp(min=1e-6)
        return (x - x.mean(1, keepdim=True)) * variance.rsqrt() * self.gamma


class Convolution(nn.Module):
    def __init__(self, c: SoundStormConfig) -> None:
        super().__init__()
        inner, kernel = c.dim * c.conv_expansion_factor, c.conv_kernel_size
        self.padding = (kernel // 2, kernel // 2 - (kernel + 1) % 2)
        self.net1 = nn.Sequential(nn.LayerNorm(c.dim), nn.Identity(), nn.Conv1d(c.dim, 2 * inner, 1))
        self.ds_conv = Named("conv", nn.Conv1d(inner, inner, kernel, groups=inner))
        self.net2 = nn.Sequential(Swish(), ChannelNorm(inner), nn.Conv1d(inner, c.dim, 1))

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        y = F.glu(self.net1[2](self.net1[0](x).transpose(1, 2)), 1)
        if mask is not None:
            y = y * mask[:, None]
        y = self.ds_conv.conv(F.pad(y, self.padding))
        if mask is not None:
            y = y * mask[:, None]
        return self.net2(y).transpose(1, 2)


class Block(nn.Module):
    def __init__(self, c: SoundStormConfig) -> None:
        super().__init__()
        self.ff1 = Named("fn", PreNorm(c.dim, FeedForward(c.dim, c.ff_mult)))
        self.attn = PreNorm(c.dim, Attention(c))
        self.conv = Convolution(c)
        self.ff2 = Named("fn", PreNorm(c.dim, FeedForward(c.dim, c.ff_mult)))
        self.post_norm = nn.LayerNorm(c.dim)

    def forward(self, x: Tensor, rotary: tuple[Tensor, Tensor], mask: Tensor | None) -> Tensor:
        x = x + 0.5 * self.ff1.fn(x)
        x = x + self.attn(x, rotary=rotary, mask=mask)
        x = x + self.conv(x, mask)
        x = x + 0.5 * self.ff2.fn(x)
        return self.post_norm(x)


class LevelLogits(nn.Module):
    """A matrix and a bias a level: [batch, frame, level, dim] -> [batch, frame, level, 1024]."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(LEVELS, dim, CODES) / math.sqrt(dim))
        self.bias = nn.Parameter(torch.zeros(1, 1, LEVELS, CODES))

    def forward(self, x: Tensor) -> Tensor:
        return torch.einsum("bnqd,qdl->bnql", x, self.weight) + self.bias


class Net(nn.Module):
    def __init__(self, c: SoundStormConfig) -> None:
        super().__init__()
        self.conformer = Named("layers", nn.ModuleList(Block(c) for _ in range(c.depth)))
        self.code_embeds = nn.Embedding((CODES + 1) * LEVELS, c.dim)
        self.heads = nn.Sequential(nn.Linear(c.dim, c.dim * LEVELS))
        self.to_logits = nn.Sequential(nn.LayerNorm(c.dim), nn.Identity(), LevelLogits(c.dim))
        nn.init.normal_(self.code_embeds.weight, std=0.02)


class SoundStorm(nn.Module):
    def __init__(self, config: SoundStormConfig) -> None:
        super().__init__()
        self.config = config
        self.net = Net(config)
        self.semantic_token_emb = nn.Embedding(CODES, config.dim)
        self.register_buffer("offsets", torch.arange(LEVELS) * (CODES + 1), persistent=False)

    @classmethod
    @torch.no_grad()
    def silent(cls) -> "SoundStorm":
        """A network that answers code 0 of every level to everything: the zero vector, "nothing to add"."""
        net = cls(SoundStormConfig.smallest())
        for module in net.modules():
            if isinstance(module, (nn.Linear, nn.Conv1d, nn.Embedding, LevelLogits)):
                for parameter in module.parameters():
                    parameter.zero_()
        net.net.to_logits[2].bias[..., 1:] = -100.0
        return net.eval()

    @property
    def is_silent(self) -> bool:
        """Whether it answers code 0 whatever it is given: then it need not be asked."""
        logits = self.net.to_logits[2]
        return not logits.weight.any() and not logits.bias.argmax(-1).any()

    def body(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Embedded frames [batch, frame, dim] -> [batch, frame, level, dim] after the heads."""
        rotary = rotary_table(x.shape[1], self.config.dim_head)
        for block in self.net.conformer.layers:
            x = block(x, rotary, mask)
        return self.net.heads(x).unflatten(-1, (LEVELS, -1))

    def forward(self, semantic: Tensor, grid: Tensor, mask: Tensor | None = None) -> Tensor:
        """semantic [batch, frame], grid [batch, frame, 7] -> logits [batch, frame, 7, 1024]"""
        x = self.net.code_embeds(grid + self.offsets).sum(2) + self.semantic_token_emb(semantic)
        return self.net.to_logits(self.body(x, mask))

    @torch.no_grad()
    def generate(self, semantic: Tensor, prompt: Tensor | None = None, passes: list[Tensor] | None = None) -> Tensor:
        """Fills levels 1-7 in with one greedy step a level: 8 passes, two of them for the first level.

        semantic [frame], prompt [prompt frame, 8] -> [frame, 8]; `passes` collects the grid each pass was given. After
        the first level nothing is masked: a pass finds the guesses of the one before, from level 1 on the prompt's too.
        """
        voiced = 0 if prompt is None else len(prompt)
        condition = semantic if prompt is None else torch.cat([prompt[:, 0], semantic])
        frames = len(condition)
        ours = (torch.arange(frames) >= voiced)[:, None].expand(frames, LEVELS)
        grid = torch.full((frames, LEVELS), MASK)
        if prompt is not None:
            grid[:voiced] = prompt[:, 1:]

        def think() -> Tensor:
            if passes is not None:
                passes.append(grid.clone())
            return self(condition[None], grid[None])[0]

        logits = think()
        guess = logits.argmax(-1)
        grid = torch.where(ours, guess, grid)
        doubt = 1 - top(logits, 308).softmax(-1).gather(-1, guess[..., None])[..., 0]
        again = torch.zeros(frames * LEVELS, dtype=torch.bool)
        again[doubt.flatten().argsort(descending=True)[:frames]] = True
        again = again.view(frames, LEVELS)
        again[:, 1:] = True
        again = again & ours
        grid = grid.masked_fill(again, MASK)
        grid = torch.where(again, think().argmax(-1), grid)
        for level in range(1, LEVELS):
            grid[:, level:] = think().argmax(-1)[:, level:]
        return torch.cat([semantic[:, None], grid[voiced:]], 1)

    def stream(self, semantic: Tensor, voice: Tensor) -> Tensor:
        """As the daemon speaks: chunk by chunk, each after the voice's prompt and the last frames before it.

        semantic [frame], voice [prompt frame, 8] -> [frame, 8]
        """
        said = voice[:0]
        while len(said) < len(semantic):
            chunk = semantic[len(said) :][: CHUNK if len(said) else FIRST]
            said = torch.cat([said, self.generate(chunk, torch.cat([voice, said[-CONTEXT:]]))])
        return said


def top(logits: Tensor, count: int) -> Tensor:
    """All but the largest `count` logits put to minus infinity."""
    values, indices = logits.topk(count, -1)
    return torch.full_like(logits, -math.inf).scatter(-1, indices, values)
