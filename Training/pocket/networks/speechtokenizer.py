"""SpeechTokenizer (SEANet encoder, residual vector quantiser, SEANet decoder) with the official checkpoint's key names.

Shapes: wave [batch, 1, samples] <-> latent [batch, dimension, frames], codes [level, batch, frames]. A frame has 320
samples.
"""

import math
from dataclasses import asdict, dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass
class SpeechTokenizerConfig:
    n_filters: int = 24
    strides: list[int] = field(default_factory=lambda: [2, 4, 5, 8])  # decoder order; the encoder goes backwards
    dimension: int = 128
    semantic_dimension: int = 384
    bidirectional: bool = True
    dilation_base: int = 2
    residual_kernel_size: int = 3
    n_residual_layers: int = 1
    lstm_layers: int = 1
    activation: str = "ELU"
    codebook_size: int = 1024
    n_q: int = 8
    sample_rate: int = 16000

    @classmethod
    def of(cls, values: dict) -> "SpeechTokenizerConfig":
        return cls(**{name: values[name] for name in cls.__dataclass_fields__ if name in values})

    def json(self) -> dict:
        return asdict(self)


class Snake(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.ones(1, channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        return x + torch.sin(self.alpha * x).pow(2) / (self.alpha + 1e-9)


def activation(name: str, channels: int) -> nn.Module:
    return Snake(channels) if name == "Snake" else nn.ELU()


class Normed(nn.Module):
    """A weight-normed kernel: weight_g * weight_v / |weight_v|, the norm over all dimensions but the first."""

    def __init__(self, first: int, second: int, kernel: int, outputs: int) -> None:
        super().__init__()
        self.weight_v = nn.Parameter(torch.empty(first, second, kernel))
        nn.init.kaiming_uniform_(self.weight_v, a=math.sqrt(5))
        self.weight_g = nn.Parameter(self.weight_v.detach().norm(dim=(1, 2), keepdim=True).clone())
        self.bias = nn.Parameter(torch.zeros(outputs))

    def weight(self) -> Tensor:
        return torch._weight_norm(self.weight_v, self.weight_g, 0)


class Named(nn.Module):
    """One child under a given name, for the doubled prefixes of the official keys."""

    def __init__(self, name: str, child: nn.Module) -> None:
        super().__init__()
        setattr(self, name, child)


class Conv(nn.Module):
    """Convolution that keeps ceil(length / stride) frames, by reflection."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, dilation: int = 1) -> None:
        super().__init__()
        self.stride, self.dilation = stride, dilation
        self.effective = (kernel - 1) * dilation + 1
        self.conv = Named("conv", Normed(outputs, inputs, kernel, outputs))

    def forward(self, x: Tensor) -> Tensor:
        total = self.effective - self.stride
        length = x.shape[-1]
        frames = math.ceil((length - self.effective + total) / self.stride) + 1
        extra = (frames - 1) * self.stride + self.effective - total - length
        right = total // 2
        kernel = self.conv.conv
        x = reflect(x, total - right, right + extra)
        return F.conv1d(x, kernel.weight(), kernel.bias, self.stride, dilation=self.dilation)


def reflect(x: Tensor, left: int, right: int) -> Tensor:
    """Reflection at both ends; a signal no longer than the padding is lengthened by zeros for the while."""
    lacking = max(left, right) - x.shape[-1] + 1
    if lacking <= 0:
        return F.pad(x, (left, right), mode="reflect")
    padded = F.pad(F.pad(x, (0, lacking)), (left, right), mode="reflect")
    return padded[..., : padded.shape[-1] - lacking]


class TransposedConv(nn.Module):
    """Lengthens by its stride; what hangs over is cut, the larger half on the left."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.convtr = Named("convtr", Normed(inputs, outputs, 2 * stride, outputs))

    def forward(self, x: Tensor) -> Tensor:
        kernel = self.convtr.convtr
        y = F.conv_transpose1d(x, kernel.weight(), kernel.bias, self.stride)
        right = self.stride // 2
        return y[..., self.stride - right : y.shape[-1] - right]


class ResidualBlock(nn.Module):
    def __init__(self, channels: int, kernel: int, dilation: int, act: str) -> None:
        super().__init__()
        hidden = channels // 2
        self.block = nn.Sequential(
            activation(act, channels),
            Conv(channels, hidden, kernel, dilation=dilation),
            activation(act, hidden),
            Conv(hidden, channels, 1),
        )
        self.shortcut = Conv(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.shortcut(x) + self.block(x)


class ResidualLSTM(nn.Module):
    """LSTM plus its own input (repeated for both directions). [batch, channels, frames]"""

    def __init__(self, channels: int, layers: int, bidirectional: bool) -> None:
        super().__init__()
        self.lstm = nn.LSTM(channels, channels, layers, bidirectional=bidirectional)

    def forward(self, x: Tensor) -> Tensor:
        x = x.permute(2, 0, 1)
        y, _ = self.lstm(x)
        y = y + (torch.cat([x, x], -1) if self.lstm.bidirectional else x)
        return y.permute(1, 2, 0)


class Encoder(nn.Module):
    def __init__(self, c: SpeechTokenizerConfig) -> None:
        super().__init__()
        width = c.n_filters
        layers: list[nn.Module] = [Conv(1, width, 7)]
        for stride in reversed(c.strides):
            for j in range(c.n_residual_layers):
                layers.append(ResidualBlock(width, c.residual_kernel_size, c.dilation_base**j, c.activation))
            layers += [activation(c.activation, width), Conv(width, 2 * width, 2 * stride, stride)]
            width *= 2
        layers.append(ResidualLSTM(width, c.lstm_layers, c.bidirectional))
        width *= 2 if c.bidirectional else 1
        layers += [activation(c.activation, width), Conv(width, c.dimension, 7)]
        self.model = nn.Sequential(*layers)

    def forward(self, wave: Tensor) -> Tensor:
        return self.model(wave)


class Decoder(nn.Module):
    def __init__(self, c: SpeechTokenizerConfig) -> None:
        super().__init__()
        width = c.n_filters * 2 ** len(c.strides)
        layers: list[nn.Module] = [Conv(c.dimension, width, 7), ResidualLSTM(width, c.lstm_layers, False)]
        for stride in c.strides:
            layers += [activation(c.activation, width), TransposedConv(width, width // 2, stride)]
            width //= 2
            for j in range(c.n_residual_layers):
                layers.append(ResidualBlock(width, c.residual_kernel_size, c.dilation_base**j, c.activation))
        layers += [activation(c.activation, width), Conv(width, 1, 7)]
        self.model = nn.Sequential(*layers)

    def forward(self, latent: Tensor) -> Tensor:
        return self.model(latent)


class Codebook(nn.Module):
    def __init__(self, size: int, dimension: int) -> None:
        super().__init__()
        self.register_buffer("inited", torch.ones(1))
        self.register_buffer("cluster_size", torch.zeros(size))
        self.register_buffer("embed", torch.randn(size, dimension))


class Quantizer(nn.Module):
    """Eight codebooks, each on what the ones before left over."""

    def __init__(self, c: SpeechTokenizerConfig) -> None:
        super().__init__()
        books = [Named("_codebook", Codebook(c.codebook_size, c.dimension)) for _ in range(c.n_q)]
        self.vq = Named("layers", nn.ModuleList(books))

    def book(self, level: int) -> Tensor:
        return self.vq.layers[level]._codebook.embed

    def encode(self, latent: Tensor, levels: int = 8) -> Tensor:
        """[batch, dimension, frames] -> [level, batch, frames]"""
        rest = latent.transpose(1, 2).reshape(-1, latent.shape[1])
        codes = []
        for level in range(levels):
            code = nearest(rest, self.book(level))
            rest = rest - self.book(level)[code]
            codes.append(code.view(latent.shape[0], -1))
        return torch.stack(codes)

    def decode(self, codes: Tensor) -> Tensor:
        """[level, batch, frames] -> [batch, dimension, frames]; fewer than all levels will do."""
        return sum(self.book(level)[code] for level, code in enumerate(codes)).transpose(1, 2)


def nearest(points: Tensor, book: Tensor) -> Tensor:
    """[points, dimension] -> [points] index of the nearest row of the book."""
    norms = book.pow(2).sum(1)
    return torch.cat([(norms - 2 * part @ book.T).argmin(1) for part in points.split(8192)])


class SpeechTokenizer(nn.Module):
    def __init__(self, config: SpeechTokenizerConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.quantizer = Quantizer(config)
        self.decoder = Decoder(config)
        # A by-product of distillation: level 0 -> the teacher's features. Speech never passes through it.
        self.transform = nn.Linear(config.dimension, config.semantic_dimension)

    @torch.no_grad()
    def encode(self, wave: Tensor, levels: int = 8) -> Tensor:
        """[samples] -> [level, frames]"""
        return self.quantizer.encode(self.encoder(wave[None, None]), levels)[:, 0]

    @torch.no_grad()
    def decode(self, codes: Tensor) -> Tensor:
        """[level, frames] -> [320 * frames]"""
        return self.decoder(self.quantizer.decode(codes[:, None]))[0, 0]
