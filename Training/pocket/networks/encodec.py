"""Encodec (SEANet encoder, residual vector quantiser, SEANet decoder) with the key names of transformers' EncodecModel.

Of its configurations those that facebook/encodec_32khz is one of: not causal, reflecting padding, no shortcuts with
weights. Shapes: wave [batch, 1, samples] <-> latent [batch, hidden_size, frames], codes [level, batch, frames].
"""

from dataclasses import asdict, dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .speechtokenizer import Normed, ResidualLSTM, nearest, reflect


@dataclass
class EncodecConfig:
    num_filters: int = 8
    hidden_size: int = 102
    upsampling_ratios: list[int] = field(default_factory=lambda: [8, 5, 4, 4])
    num_lstm_layers: int = 2
    num_residual_layers: int = 1
    codebook_size: int = 256
    target_bandwidths: list[float] = field(default_factory=lambda: [1.6])  # kilobits: 4 levels of 8 bits at 50 Hz
    sampling_rate: int = 32_000
    audio_channels: int = 1
    kernel_size: int = 7
    last_kernel_size: int = 7
    residual_kernel_size: int = 3
    dilation_growth_rate: int = 2
    compress: int = 2
    norm_type: str = "weight_norm"
    pad_mode: str = "reflect"
    use_causal_conv: bool = False
    use_conv_shortcut: bool = False
    trim_right_ratio: float = 1.0
    normalize: bool = False
    chunk_length_s: float | None = None
    overlap: float | None = None

    @classmethod
    def of(cls, values: dict) -> "EncodecConfig":
        return cls(**{name: values[name] for name in cls.__dataclass_fields__ if name in values})

    def json(self) -> dict:
        return {"architectures": ["EncodecModel"], "model_type": "encodec", "codebook_dim": self.hidden_size} | asdict(
            self
        )


class Conv(nn.Module):
    """Convolution that keeps ceil(length / stride) frames, by reflection."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, dilation: int = 1) -> None:
        super().__init__()
        self.stride, self.dilation = stride, dilation
        self.effective = (kernel - 1) * dilation + 1
        self.conv = Normed(outputs, inputs, kernel, outputs)

    def forward(self, x: Tensor) -> Tensor:
        total = self.effective - self.stride
        extra = -x.shape[-1] % self.stride
        x = reflect(x, total - total // 2, total // 2 + extra)
        return F.conv1d(x, self.conv.weight(), self.conv.bias, self.stride, dilation=self.dilation)


class TransposedConv(nn.Module):
    """Lengthens by its stride; what hangs over is cut, the larger half on the left."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.conv = Normed(inputs, outputs, 2 * stride, outputs)

    def forward(self, x: Tensor) -> Tensor:
        y = F.conv_transpose1d(x, self.conv.weight(), self.conv.bias, self.stride)
        right = self.stride // 2
        return y[..., self.stride - right : y.shape[-1] - right]


class ResidualBlock(nn.Module):
    def __init__(self, channels: int, c: EncodecConfig, dilation: int) -> None:
        super().__init__()
        hidden = channels // c.compress
        into = Conv(channels, hidden, c.residual_kernel_size, dilation=dilation)
        self.block = nn.ModuleList([nn.ELU(), into, nn.ELU(), Conv(hidden, channels, 1)])

    def forward(self, x: Tensor) -> Tensor:
        y = x
        for layer in self.block:
            y = layer(y)
        return x + y


class Layers(nn.Module):
    def __init__(self, layers: list[nn.Module]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x)
        return x


def residual(width: int, c: EncodecConfig) -> list[nn.Module]:
    return [ResidualBlock(width, c, c.dilation_growth_rate**j) for j in range(c.num_residual_layers)]


class Encoder(Layers):
    def __init__(self, c: EncodecConfig) -> None:
        width = c.num_filters
        layers: list[nn.Module] = [Conv(c.audio_channels, width, c.kernel_size)]
        for ratio in reversed(c.upsampling_ratios):
            layers += [*residual(width, c), nn.ELU(), Conv(width, 2 * width, 2 * ratio, ratio)]
            width *= 2
        layers += [ResidualLSTM(width, c.num_lstm_layers, False), nn.ELU()]
        super().__init__([*layers, Conv(width, c.hidden_size, c.last_kernel_size)])


class Decoder(Layers):
    def __init__(self, c: EncodecConfig) -> None:
        width = c.num_filters * 2 ** len(c.upsampling_ratios)
        layers: list[nn.Module] = [Conv(c.hidden_size, width, c.kernel_size)]
        layers.append(ResidualLSTM(width, c.num_lstm_layers, False))
        for ratio in c.upsampling_ratios:
            layers += [nn.ELU(), TransposedConv(width, width // 2, ratio)]
            width //= 2
            layers += residual(width, c)
        super().__init__([*layers, nn.ELU(), Conv(width, c.audio_channels, c.last_kernel_size)])


class Codebook(nn.Module):
    """What a level adds. Of the statistics that the reference trains with, the largest (`embed_avg`) is left out."""

    def __init__(self, size: int, dimension: int) -> None:
        super().__init__()
        self.register_buffer("inited", torch.ones(1))
        self.register_buffer("cluster_size", torch.ones(size))
        self.register_buffer("embed", torch.zeros(size, dimension))


class Level(nn.Module):
    def __init__(self, size: int, dimension: int) -> None:
        super().__init__()
        self.codebook = Codebook(size, dimension)


class Quantizer(nn.Module):
    def __init__(self, c: EncodecConfig, levels: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList([Level(c.codebook_size, c.hidden_size) for _ in range(levels)])

    def fill(self, books: Tensor) -> None:
        """[level, code, hidden_size]"""
        for level, book in zip(self.layers, books, strict=True):
            level.codebook.embed.copy_(book)

    def encode(self, latent: Tensor) -> Tensor:
        """[batch, hidden_size, frames] -> [level, batch, frames]"""
        rest = latent.transpose(1, 2).reshape(-1, latent.shape[1])
        codes = []
        for level in self.layers:
            code = nearest(rest, level.codebook.embed)
            rest = rest - level.codebook.embed[code]
            codes.append(code.view(latent.shape[0], -1))
        return torch.stack(codes)

    def decode(self, codes: Tensor) -> Tensor:
        """[level, batch, frames] -> [batch, hidden_size, frames]"""
        return sum(level.codebook.embed[code] for level, code in zip(self.layers, codes, strict=True)).transpose(1, 2)


class Encodec(nn.Module):
    def __init__(self, config: EncodecConfig, levels: int = 4) -> None:
        super().__init__()
        if config.use_causal_conv or config.use_conv_shortcut or config.normalize or config.pad_mode != "reflect":
            raise ValueError("only configurations like that of facebook/encodec_32khz")
        self.config = config
        self.encoder, self.decoder = Encoder(config), Decoder(config)
        self.quantizer = Quantizer(config, levels)

    def encode(self, wave: Tensor) -> Tensor:
        """[samples] -> [level, frame]"""
        with torch.no_grad():
            return self.quantizer.encode(self.encoder(wave[None, None]))[:, 0]

    def decode(self, codes: Tensor) -> Tensor:
        """[level, frame] -> [samples]"""
        with torch.no_grad():
            return self.decoder(self.quantizer.decode(codes[:, None]))[0, 0]
