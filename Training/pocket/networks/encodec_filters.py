"""What of Encodec needs no training: the way between the waveform and what is learned, written into its weights.

Decoder: every frequency has one phase in all notes, so a frame is told by 120 loudnesses, those of the multiples of
50 Hz. The layers behind the LSTM turn them into sound: to coefficients of a lapped cosine transform, 400 times a second
(loudness goes straight from one frame's middle to the next's), to its samples, to a row of them.

Encoder: the first three convolutions only put samples in rows of 16; the fourth, which sees 160 samples 400 times a
second, is the first that is learned.

Values are small on the way, where ELU is nearly straight; the residual blocks passed on the way add nothing.
"""

import math

import torch
from torch import Tensor, nn

from ..data.music import FRAME, HIGHEST, RATE
from .encodec import Conv, Decoder, Encoder, ResidualBlock, TransposedConv

SMALL = 1 / 256
TONES = HIGHEST // 50
BLOCK, SPAN, EARLY = 80, 160, 48  # samples of a block, of its window, and how many of them are before it


def phases() -> Tensor:
    """[tone]"""
    number = torch.arange(1, TONES + 1, dtype=torch.float64)
    return math.pi * number**2 / TONES


def tones(count: int) -> Tensor:
    """The first samples of every multiple of 50 Hz at loudness 1. [tone, count]"""
    number = torch.arange(1, TONES + 1, dtype=torch.float64)[:, None]
    return torch.sin(2 * math.pi * 50 * number * torch.arange(count, dtype=torch.float64) / RATE + phases()[:, None])


def cosines(count: int) -> Tensor:
    """The first functions of the lapped cosine transform of blocks of 80 samples. [count, 160]"""
    n = torch.arange(SPAN, dtype=torch.float64)
    window = torch.sin(math.pi * (n + 0.5) / SPAN)
    k = torch.arange(count, dtype=torch.float64)[:, None]
    return math.sqrt(2 / BLOCK) * window * torch.cos(math.pi / BLOCK * (n + 0.5 + BLOCK / 2) * (k + 0.5))


def silence(layer: nn.Module) -> None:
    """A convolution that gives nothing, whatever direction its kernel has."""
    layer.conv.weight_g.data.zero_()
    layer.conv.bias.data.zero_()


def write(layer: nn.Module, weight: Tensor, bias: float | Tensor = 0.0) -> None:
    """Any kernel as direction and length; a row of zeros keeps some direction."""
    norm = weight.norm(dim=(1, 2), keepdim=True)
    conv = layer.conv
    conv.weight_v.data.copy_(torch.where(norm > 0, weight / norm.clamp(min=1e-30), conv.weight_v.double()))
    conv.weight_g.data.copy_(norm)
    conv.bias.data.copy_(torch.as_tensor(bias).expand_as(conv.bias))


def straighten(blocks: nn.Module) -> None:
    for block in blocks.modules():
        if isinstance(block, ResidualBlock):
            silence(block.block[3])


def kernel(layer: nn.Module) -> Tensor:
    return torch.zeros(layer.conv.weight_v.shape, dtype=torch.float64)


@torch.no_grad()
def write_synthesis(net: Decoder, loud: float) -> None:
    """Loudnesses [tone] behind the decoder's LSTM, in units of `loud`, become sound."""
    straighten(net)
    first, second, third, fourth = [layer for layer in net.layers if isinstance(layer, TransposedConv)]
    coefficients = first.conv.weight_v.shape[1]
    basis = cosines(coefficients)
    # A tone repeats with the frame: block b of any frame has the same coefficients.
    wave = tones(4 * FRAME)
    weight = kernel(first)
    for tap in range(2 * FRAME // BLOCK):
        block = tap - FRAME // BLOCK // 2
        start = FRAME + block * BLOCK - EARLY
        middle = block * BLOCK - EARLY + SPAN / 2
        share = max(0.0, 1 - abs(middle - FRAME / 2) / FRAME)
        weight[:TONES, :, tap] = share * wave[:, start : start + SPAN] @ basis.T * SMALL * loud
    write(first, weight)
    weight = kernel(second)
    for tap in range(10):
        weight[:, :16, tap] = basis[:, tap * 16 : (tap + 1) * 16]
    write(second, weight)
    for layer, count in ((third, 4), (fourth, 1)):  # 16 rows to 4, 4 to 1
        weight = kernel(layer)
        for place in range(4):
            for row in range(count):
                weight[place * count + row, row, place + 2] = 1
        write(layer, weight)
    last = net.layers[-1]
    weight = kernel(last)
    weight[0, 0, 3] = 1 / SMALL
    write(last, weight)


@torch.no_grad()
def write_rows(net: Encoder) -> None:
    """The first convolutions put samples in rows of 16, 2000 times a second."""
    convolutions = [layer for layer in net.layers if isinstance(layer, Conv)]
    for block in [layer for layer in net.layers if isinstance(layer, ResidualBlock)][:3]:
        straighten(block)
    weight = kernel(convolutions[0])
    weight[0, 0, 3] = SMALL
    write(convolutions[0], weight)
    for layer, count in ((convolutions[1], 1), (convolutions[2], 4)):
        weight = kernel(layer)
        for place in range(4):
            for row in range(count):
                weight[place * count + row, row, place + 2] = 1
        write(layer, weight)


@torch.no_grad()
def write_filters(net: Encoder, filters: Tensor, bias: Tensor) -> None:
    """Filters of 160 samples, [filter, 160], as the fourth convolution."""
    layer = [layer for layer in net.layers if isinstance(layer, Conv)][3]
    weight = kernel(layer)
    for tap in range(10):
        weight[:, :16, tap] = filters[:, tap * 16 : (tap + 1) * 16].double() / SMALL
    write(layer, weight, bias.double())


def read_filters(net: Encoder) -> tuple[Tensor, Tensor]:
    """The way back of `write_filters`: [filter, 160] and [filter]."""
    layer = [layer for layer in net.layers if isinstance(layer, Conv)][3]
    weight = layer.conv.weight()[:, :16] * SMALL
    return weight.transpose(1, 2).flatten(1), layer.conv.bias
