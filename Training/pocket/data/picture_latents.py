"""The space that pictures are drawn in, by construction: an 8 × 8 patch of pixels is 16 numbers.

These are principal components of the clean drawings' patches, partly whitened: so the decoder is a regression from
latents to pictures, the UNet can learn beside it, and no encoder has to be trained.
"""

import torch
from torch.nn import functional as F

from ..networks import unclip
from .pictures import clean


def build(folder: str) -> None:
    """Writes `picture-latents.pt`: `middle` [192], `axes` [LATENTS, 192], which have their scales in them."""
    patches = unfold(clean() * 2 - 1).flatten(0, 1)
    middle = patches.mean(0)
    _, sizes, axes = torch.linalg.svd(patches - middle, full_matrices=False)
    kept = sizes[: unclip.LATENTS].square().sum() / sizes.square().sum()
    scales = sizes[: unclip.LATENTS] ** -0.5
    spread = ((patches - middle) @ axes[: unclip.LATENTS].T * scales).std()
    print(f"latents: {kept:.1%} of the variance in {unclip.LATENTS} components of a patch", flush=True)
    made = {"middle": middle, "axes": axes[: unclip.LATENTS] * scales[:, None] / spread}
    torch.save(made, f"{folder}/picture-latents.pt")


def unfold(pictures: torch.Tensor) -> torch.Tensor:
    """[rows, 3, side, side] → [rows, patches, 192]"""
    return F.unfold(pictures, 8, stride=8).transpose(1, 2)


def latents(pictures: torch.Tensor, made: dict[str, torch.Tensor]) -> torch.Tensor:
    """Pictures of −1 to 1 → [rows, LATENTS, side / 8, side / 8], of unit variance over the clean drawings"""
    out = (unfold(pictures) - made["middle"]) @ made["axes"].T
    grid = pictures.shape[-1] // 8
    return out.transpose(1, 2).reshape(len(pictures), -1, grid, grid)
