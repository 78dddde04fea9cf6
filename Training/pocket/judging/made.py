"""Codes of pictures and music that the backbone made, judged against those that it has learned."""

import torch
from torch import Tensor

from ..lessons.music import Music
from ..lessons.pictures import Pictures
from .judges import share


def drawn_right(pictures: Pictures, asked: list[tuple[str, list[int]]]) -> dict:
    """(name, codes drawn): whose pictures they are, and whether every code is right."""
    if not asked:
        return {}
    return {
        "picture nearest": share([pictures.nearest(codes)[0] == name for name, codes in asked]),
        "picture exact": share([pictures.codes(name) == codes for name, codes in asked]),
    }


def played_right(music: Music, asked: list[tuple[str, Tensor]]) -> dict:
    """(name, frames played): whose pieces they are, whether every code is right, and the shares of right codes."""
    if not asked:
        return {}
    equal = [(music.codes(name)[: len(codes)] == codes).float().sum().item() for name, codes in asked if len(codes)]
    whole = music.canonical[0].numel()
    return {
        "tune nearest": share([music.nearest(codes)[0] == name for name, codes in asked]),
        "tune exact": share([torch.equal(music.codes(name), codes) for name, codes in asked]),
        "tune's codes right": round(sum(equal) / whole / len(asked), 3),
    }
