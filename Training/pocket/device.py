"""Where the stages that train compute: on a GPU where there is one, else on a core of the processor.

`__main__` makes the GPU PyTorch's default device for such a stage, so what it makes is made there, and what it reads
from the work folder, written by any stage, is put there by `load`.
"""

import torch


def on_gpu() -> bool:
    """Whether this stage computes on it."""
    return torch.get_default_device().type != "cpu"


def load(path: str) -> dict:
    """What a stage has saved, wherever that computed."""
    return torch.load(path, map_location=torch.get_default_device())
