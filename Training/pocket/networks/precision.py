"""The daemon's int8 matrices, as `anygpt convert --precision int8` writes them too, and plain ones out of them.

NAME.weight uint8 [row / 16, column / 4, 16, 4], rows filled up to whole sixteens, and NAME.weight_scale bfloat16
[row / 16, column / 32, 16]: a value is (byte - 128) times the scale of its row's 32 columns.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

GROUP, LANES, SCALE = 32, 16, "_scale"
SETTINGS = {"bits": 8, "group_size": GROUP, "quant_method": "anygpt"}  # "quantization_config" of config.json


def plain(state: dict[str, Tensor], rows: dict[str, int]) -> dict[str, Tensor]:
    """A checkpoint's tensors in float32; `rows` are the true numbers of rows of matrices."""
    out = {}
    for name, tensor in state.items():
        if name.endswith(SCALE):
            continue
        scale = state.get(name + SCALE)
        out[name] = tensor.float() if scale is None else unpacked(tensor, scale)[: rows[name]]
    return out


def unpacked(packed: Tensor, scale: Tensor) -> Tensor:
    """Bytes and scales -> [row, column]"""
    blocks, quarters = packed.shape[:2]
    values = packed.float().sub(128).permute(0, 2, 1, 3).reshape(blocks * LANES, quarters * 4)
    scales = scale.float().permute(0, 2, 1).reshape(blocks * LANES, -1)
    return values * scales.repeat_interleave(GROUP, 1)


def int8(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """A checkpoint with its matrices in int8; what has no two dimensions stays as it is."""
    out = {}
    for name, tensor in state.items():
        if tensor.dim() == 2:
            out[name], out[name + SCALE] = packed(tensor.float())
        else:
            out[name] = tensor
    return out


def packed(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """[row, column], columns a multiple of 32 -> bytes and scales; a scale is rounded away from zero to bfloat16."""
    matrix = F.pad(matrix, (0, 0, 0, -matrix.shape[0] % LANES))
    groups = matrix.reshape(matrix.shape[0], -1, GROUP)
    exact = groups.abs().amax(2) / 127
    bits = exact.view(torch.int32)
    scale = ((bits + 0xFFFF) & ~0xFFFF).view(torch.float32)
    inverse = torch.where(scale > 0, 1 / scale, 0.0)
    values = (groups * inverse[..., None]).round().clamp(-127, 127).reshape(matrix.shape) + 128
    blocks = matrix.shape[0] // LANES
    placed = values.to(torch.uint8).reshape(blocks, LANES, -1, 4).permute(0, 2, 1, 3).contiguous()
    return placed, scale.reshape(blocks, LANES, -1).permute(0, 2, 1).contiguous().bfloat16()
