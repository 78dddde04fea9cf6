"""Stages `recode` and `soundstorm`.

SoundStorm's tables are tied to the code vectors while it learns: an embedding is a linear map of its code's vector, and
a head predicts the residual vector m that a level should add and scores each code c by (m.c - |c|^2 / 2) / t. Both
products are ordinary tables once learned, so that the saved network is the official one. The best code is then the one
nearest to the expected residual; a thousand near twins need not be told apart.
"""

import os
import random
from collections import Counter

import torch
from torch import Tensor, nn

from .. import device
from ..data import recordings
from ..data.corpus import load
from ..data.latent import DIM, SEMANTIC, corpus_split
from ..data.voices import HOP, REPLY_VOICE
from ..lessons.soundstorm import ACOUSTIC, Lessons, Row
from ..networks.soundstorm import CODES, LEVELS, MASK, SoundStorm, SoundStormConfig
from ..networks.speechtokenizer import nearest
from .muon import muon
from .run import Run, cheap

WEIGHTS = (1.0, 0.7, 0.5, 0.4, 0.3, 0.3, 0.3)  # of the levels in the loss
RATE, GOING_ON = 1.5e-3, 8e-4  # learning rates from the beginning, and from weights that know the replies
ABOVE = 0.3  # of what a pass says of the levels above its own: they are said again


class TiedSoundStorm(nn.Module):
    """SoundStorm with tables made of code vectors."""

    def __init__(self, books: Tensor, config: SoundStormConfig) -> None:
        super().__init__()
        self.storm = SoundStorm(config)
        for table in (self.storm.net.code_embeds, self.storm.net.to_logits[2], self.storm.semantic_token_emb):
            table.requires_grad_(False)
        residual = books[1:, :, SEMANTIC:]
        self.register_buffer("residual", residual, persistent=False)  # [7, 1024, 96]
        self.register_buffer("first", books[0], persistent=False)  # [1024, 128]
        self.register_buffer("scale", residual.pow(2).sum(-1).mean(-1).sqrt(), persistent=False)  # [7]
        self.enter = nn.Parameter(torch.randn(LEVELS, ACOUSTIC, config.dim) * ACOUSTIC**-0.5 * 0.5)
        self.masked = nn.Parameter(torch.randn(LEVELS, config.dim) * 0.02)
        self.condition = nn.Linear(DIM, config.dim)
        self.condition_free = nn.Embedding(CODES, config.dim)
        nn.init.zeros_(self.condition_free.weight)
        self.leave = nn.Parameter(torch.zeros(LEVELS, config.dim, ACOUSTIC))  # untaught, it adds nothing to level 0
        self.leave_bias = nn.Parameter(torch.zeros(LEVELS, ACOUSTIC))

    def forward(self, semantic: Tensor, grid: Tensor, mask: Tensor) -> Tensor:
        """[batch, frame], [batch, frame, 7] -> expected residual vectors [batch, frame, 7, 96]"""
        x = self.condition(self.first[semantic]) + self.condition_free(semantic)
        for level in range(LEVELS):
            code = grid[..., level]
            vector = self.residual[level][code.clamp(max=CODES - 1)] / self.scale[level]
            x = x + torch.where((code == MASK)[..., None], self.masked[level], (vector @ self.enter[level]).to(x.dtype))
        y = self.storm.net.to_logits[0](self.storm.body(x, mask))
        return (torch.einsum("bnqd,qda->bnqa", y, self.leave) + self.leave_bias) * self.scale[:, None]

    def choose(self, expected: Tensor, level: int) -> Tensor:
        """[batch, frame, 96] -> [batch, frame] the code nearest to the expected residual of a level"""
        return nearest(expected.reshape(-1, ACOUSTIC), self.residual[level]).view(expected.shape[:-1])

    @classmethod
    @torch.no_grad()
    def of_official(cls, state: dict[str, Tensor], books: Tensor, config: SoundStormConfig) -> "TiedSoundStorm":
        """The inverse of `official`: tables that were products are taken apart again, by least squares."""
        tied = cls(books, config)
        tied.storm.load_state_dict(state)
        first = torch.cat([tied.first, torch.ones(CODES, 1)], 1)
        solved = torch.linalg.lstsq(first, state["semantic_token_emb.weight"]).solution
        tied.condition.weight.copy_(solved[:-1].T)
        tied.condition.bias.copy_(solved[-1])
        tied.condition_free.weight.copy_(state["semantic_token_emb.weight"] - tied.condition(tied.first))
        tables = state["net.code_embeds.weight"].view(LEVELS, CODES + 1, config.dim)
        vectors = tied.residual / tied.scale[:, None, None]
        tied.enter.copy_(torch.linalg.lstsq(vectors, tables[:, :-1]).solution)
        tied.masked.copy_(tables[:, -1])
        blunt = 0.05 * tied.scale.pow(2)[:, None, None]
        weight = state["net.to_logits.2.weight"] * blunt / tied.scale[:, None, None]  # [7, dim, 1024]
        tied.leave.copy_(torch.linalg.lstsq(tied.residual, weight.transpose(1, 2)).solution.transpose(1, 2))
        bias = state["net.to_logits.2.bias"][0, 0] * blunt[..., 0] + tied.residual.pow(2).sum(-1) / 2
        tied.leave_bias.copy_(torch.linalg.lstsq(tied.residual, bias[..., None]).solution[..., 0] / tied.scale[:, None])
        return tied

    @torch.no_grad()
    def official(self) -> SoundStorm:
        """The products become the official tables."""
        storm, config = SoundStorm(self.storm.config), self.storm.config
        storm.load_state_dict(self.storm.state_dict())
        storm.semantic_token_emb.weight.copy_(self.condition(self.first) + self.condition_free.weight)
        vectors = self.residual / self.scale[:, None, None]
        tables = torch.cat([vectors @ self.enter, self.masked[:, None]], 1)
        storm.net.code_embeds.weight.copy_(tables.reshape(-1, config.dim))
        sharp = 1 / (0.05 * self.scale.pow(2))[:, None, None]
        storm.net.to_logits[2].weight.copy_(
            (self.leave * self.scale[:, None, None]) @ self.residual.transpose(1, 2) * sharp
        )
        bias = (self.leave_bias * self.scale[:, None])[:, None] @ self.residual.transpose(1, 2)
        half_norm = self.residual.pow(2).sum(-1)[:, None] / 2
        storm.net.to_logits[2].bias.copy_(((bias - half_norm) * sharp)[None, None, :, 0])
        return storm


@torch.no_grad()
def recode(folder: str, parts: list[int], count: int = 160) -> None:
    """The trained encoder's own codes of some training utterances: recoded.pt, first frame -> [8, frame]."""
    if os.path.exists(f"{folder}/recoded.pt"):
        return
    random.seed(8)
    wave, _, utterances = load(folder, parts)
    tokenizer, train = recordings.tokenizer(folder), corpus_split(utterances)[0]
    reply = [u for u in train if u.voice == REPLY_VOICE]
    heard = Counter(u.voice for u in train)
    common = [u for u in train if u.voice != REPLY_VOICE and heard[u.voice] >= 20]
    rare = [u for u in train if heard[u.voice] < 20]
    out = {}
    for u in (u for voices in (reply, common, rare) for u in random.sample(voices, min(len(voices), count))):
        sound = torch.tensor(wave[u.start * HOP : u.end * HOP].astype("float32") / 32768)
        out[u.start] = tokenizer.encode(sound).short()
        if len(out) % 200 == 0:
            print(f"recode: {len(out)} utterances", flush=True)
    torch.save(out, f"{folder}/recoded.pt")


def train_soundstorm(folder: str, parts: list[int], seconds: float, frames: int = 900) -> None:
    """`frames` is the size of a batch, padding counted."""
    torch.manual_seed(3)
    random.seed(3)
    books = device.load(f"{folder}/books.pt")["books"]
    lessons, net = Lessons(folder, parts, books), TiedSoundStorm(books, SoundStormConfig())
    rate = GOING_ON if os.path.exists(f"{folder}/start/soundstorm.pt") else RATE
    run = Run(folder, "soundstorm", net, rate, seconds, warmup=50, optimizers=muon(net, rate, ".layers."))
    for _ in run:
        rows: list[Row] = []
        while (longest := max((len(row.semantic) for row in rows), default=0)) * (len(rows) + 1) < frames:
            rows.append(lessons.pick(run.done))
        count = len(rows)
        semantic = torch.zeros(count, longest, dtype=torch.long)
        sound = torch.zeros(count, longest, ACOUSTIC)
        grid = torch.full((count, longest, LEVELS), MASK)
        place = torch.arange(longest).expand(count, -1)
        for index, row in enumerate(rows):
            length = len(row.semantic)
            semantic[index, :length], sound[index, :length], grid[index, :length] = row.semantic, row.sound, row.codes
        voiced = torch.tensor([row.voiced for row in rows])[:, None]
        begin = torch.tensor([row.voiced + row.context for row in rows])[:, None]
        mask = place < torch.tensor([len(row.semantic) for row in rows])[:, None]
        said, ours = mask & (place >= voiced), mask & (place >= begin)

        target = sound - books[0][semantic][..., SEMANTIC:]
        level, rest = prepare(net, semantic, grid, target, mask, said, ours)
        with cheap(run.done < 0.85):
            expected = net(semantic, grid, mask)
        loss, rest = torch.zeros(()), rest[ours]
        for q in range(level, LEVELS):
            guess = expected[..., q, :][ours].float()
            # As a share of what is left: what lower levels missed by chance must not rule the loss of the fine ones.
            left = torch.maximum(rest.pow(2).sum(-1).mean(), net.scale[q].pow(2))
            error = (guess - rest).pow(2).sum(-1).mean() / left
            loss = loss + WEIGHTS[q] * (1.0 if q == level else ABOVE) * error
            rest = rest - net.residual[q][net.choose(guess.detach(), q)]  # the next level mends what this one chose
            if q == level:
                first_error = error.item()
        whole = target[ours].pow(2).sum(-1).mean()
        run.step(loss, **{f"level{level + 1}": first_error, "left": (rest.pow(2).sum(-1).mean() / whole).item()})


@torch.no_grad()
def prepare(
    net: TiedSoundStorm, semantic: Tensor, grid: Tensor, target: Tensor, mask: Tensor, said: Tensor, ours: Tensor
) -> tuple[int, Tensor]:
    """Fills the grid as one of the passes of `SoundStorm.generate` meets it: `said` is context and chunk, `ours` the
    chunk alone.

    Returns the level that the pass is for and what is left of the target [batch, frame, 96] above the levels below it.
    """
    codes = torch.zeros_like(grid)
    true = random.random() < 0.3
    if not true:  # its own guesses
        with cheap():
            expected = net(semantic, grid, mask).float()
        for q in range(LEVELS):
            codes[said, q] = net.choose(expected[..., q, :][said], q)
    else:
        rest = target[said]
        for q in range(LEVELS):
            codes[said, q] = net.choose(rest, q)
            rest = rest - net.residual[q][codes[said, q]]
    grid[said & ~ours] = codes[said & ~ours]  # the context is known
    way = random.random()
    if way < 0.25:  # the first pass: nothing is known beyond that
        return 0, target
    if way < 0.4:  # the second: some of the first level
        known = ours & (torch.rand(ours.shape) < random.random())
        grid[known, 0] = codes[known, 0]
        return 0, target
    level, rest = random.choice([1, 1, 2, 2, 3, 4, 5, 6]), target.clone()
    grid[ours] = codes[ours]
    if true and random.random() < 0.5:
        grid[..., level:][ours] = MASK
    elif level > 1 and not true:  # in the prompt too
        voice = mask & ~said
        for q in range(1, LEVELS):
            grid[voice, q] = net.choose(expected[..., q, :][voice], q)
    for q in range(level):
        rest[ours] -= net.residual[q][grid[..., q][ours]]
    return level, rest
