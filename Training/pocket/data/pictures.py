"""Pictures to learn from: emoji as clean drawings, and as they may be seen: anywhere, on any ground, through JPEG.

Kept apart for the tests: grounds of one band of hues, and one band of sizes (`HELD_OUT_HUES`, `HELD_OUT_SIZES`).
"""

import colorsys
import io
import math
import random
from functools import cache

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from torch.nn import functional as F

from ..words.names import pictures

FONT = "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf"  # Debian's fonts-noto-color-emoji
SIDE = 64  # pixels of a drawing's side
SEEN = 48  # pixels of the side of what the encoder looks at
FILL = 0.9  # how much of a clean drawing the longer side of its emoji takes
HELD_OUT_HUES = (0.44, 0.56)
HELD_OUT_SIZES = (0.70, 0.76)


@cache
def emoji(character: str) -> Image.Image:
    """The emoji in the middle of a transparent square, which its longer side fills."""
    font = ImageFont.truetype(FONT, 109)  # the size of the font's bitmaps
    canvas = Image.new("RGBA", (180, 180), (0, 0, 0, 0))
    ImageDraw.Draw(canvas).text((20, 20), character, font=font, embedded_color=True)
    box = canvas.getbbox()
    if box is None:
        raise ValueError(f"{FONT} has no picture of {character!r}")
    picture = canvas.crop(box)
    side = max(picture.size)
    square = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    square.paste(picture, ((side - picture.width) // 2, (side - picture.height) // 2))
    return square


def clean(side: int = SIDE) -> torch.Tensor:
    """Every named picture as it is drawn, in the middle of white: [names, 3, side, side], 0 to 1."""
    rows = []
    inner = round(side * FILL)
    for character in pictures().values():
        ground = Image.new("RGBA", (side, side), "white")
        small = emoji(character).resize((inner, inner), Image.Resampling.LANCZOS)
        ground.alpha_composite(small, ((side - inner) // 2, (side - inner) // 2))
        rows.append(np.asarray(ground.convert("RGB")))
    return torch.tensor(np.stack(rows)).permute(0, 3, 1, 2).float() / 255


def layers(side: int = SEEN) -> torch.Tensor:
    """Every named picture with its transparency, premultiplied, filling its square: [names, 4, side, side]."""
    rows = [np.asarray(emoji(c).resize((side, side), Image.Resampling.LANCZOS)) for c in pictures().values()]
    out = torch.tensor(np.stack(rows)).permute(0, 3, 1, 2).float() / 255
    out[:, :3] *= out[:, 3:]
    return out


def _apart(value: float, band: tuple[float, float]) -> bool:
    return band[0] <= value <= band[1]


def ground_color(rng: random.Random, held_out: bool = False) -> tuple[float, float, float]:
    """White in a third of the cases, else gray or any color; the held-out hues only for the tests."""
    if held_out:
        return colorsys.hsv_to_rgb(rng.uniform(*HELD_OUT_HUES), rng.uniform(0.35, 0.9), rng.uniform(0.4, 1))
    dice = rng.random()
    if dice < 0.35:
        return (1.0, 1.0, 1.0)
    if dice < 0.5:
        return (rng.random(),) * 3
    hue = rng.random()
    while _apart(hue, HELD_OUT_HUES):
        hue = rng.random()
    return colorsys.hsv_to_rgb(hue, rng.uniform(0.1, 1), rng.uniform(0.15, 1))


def size_of(rng: random.Random, held_out: bool = False) -> float:
    """The share of the picture's side that the emoji fills."""
    if held_out:
        return rng.uniform(*HELD_OUT_SIZES)
    size = rng.uniform(0.5, 1)
    while _apart(size, HELD_OUT_SIZES):
        size = rng.uniform(0.5, 1)
    return size


def seen_batch(stock: torch.Tensor, which: list[int], rng: random.Random, ease: float = 0.0) -> torch.Tensor:
    """Training pictures made quickly: the emoji of these numbers somewhere, turned a little, on some ground.

    `ease` from 1 (large and in the middle) to 0: easy ones first, so that the encoder finds its way sooner.
    """
    count, hard = len(which), 1 - ease
    turns = torch.zeros(count, 2, 3)
    grounds = torch.zeros(count, 3, SEEN, SEEN)
    for row in range(count):
        size = 1 - hard * (1 - size_of(rng)) - 0.1 * ease
        wide = size * math.exp(hard * rng.uniform(-0.12, 0.12))
        angle = math.radians(hard * rng.gauss(0, 5))
        mirror = -1 if rng.random() < 0.3 * hard else 1
        x, y = (hard * rng.uniform(-1, 1) * max(0, 1 - share) for share in (wide, size))
        c, s = math.cos(angle), math.sin(angle)
        turn = torch.tensor([[c, s], [-s, c]]) / torch.tensor([[mirror * wide], [size]])
        turns[row, :, :2] = turn
        turns[row, :, 2] = -turn @ torch.tensor([x, y])
        ground = torch.tensor(ground_color(rng))[:, None, None].expand(3, SEEN, SEEN)
        if rng.random() < 0.25 * hard:
            other = torch.tensor(ground_color(rng))[:, None, None]
            ramp = torch.linspace(0, 1, SEEN)
            ground = torch.lerp(ground, other, (ramp[None] if rng.random() < 0.5 else ramp[:, None]).expand(SEEN, SEEN))
        grounds[row] = ground
    grid = F.affine_grid(turns, [count, 4, SEEN, SEEN], align_corners=False)
    front = F.grid_sample(stock[which], grid, padding_mode="zeros", align_corners=False)
    out = front[:, :3] + (1 - front[:, 3:]).clamp(0, 1) * grounds
    out *= torch.tensor([math.exp(hard * rng.gauss(0, 0.08)) for _ in range(count)])[:, None, None, None]
    for row in range(count):
        dice = rng.random()
        if dice < 0.25:
            out[row] += torch.randn(3, SEEN, SEEN) * rng.uniform(0, 0.06 * hard)
        elif dice < 0.35:
            out[row] = F.avg_pool2d(F.pad(out[row][None], (1, 1, 1, 1), mode="replicate"), 3, 1)[0]
        elif dice < 0.5:
            out[row] = _through_jpeg(out[row], rng)
    return out.clamp(0, 1)


def _through_jpeg(picture: torch.Tensor, rng: random.Random) -> torch.Tensor:
    pixels = (picture.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).contiguous().cpu().numpy()
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=rng.randint(40, 95))
    return torch.tensor(np.array(Image.open(file))).permute(2, 0, 1).float() / 255


def photograph(name: str, rng: random.Random, held_out: bool = False) -> Image.Image:
    """A picture file as somebody may send it: larger, in its own way; the tests' and the backbone's pictures."""
    side = rng.choice([96, 128, 192, 256])
    ground = Image.new("RGBA", (side, side), tuple(round(255 * v) for v in ground_color(rng, held_out)))
    front = emoji(pictures()[name])
    size = round(side * size_of(rng, held_out))
    front = front.resize((size, size), Image.Resampling.BICUBIC).rotate(rng.gauss(0, 4), Image.Resampling.BICUBIC)
    if rng.random() < 0.2:
        front = front.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    place = (rng.randint(0, side - size), rng.randint(0, side - size))
    ground.alpha_composite(front, place)
    out = ground.convert("RGB")
    if rng.random() < 0.2:
        out = out.filter(ImageFilter.GaussianBlur(side / 200))
    if rng.random() < 0.5:
        file = io.BytesIO()
        out.save(file, "JPEG", quality=rng.randint(40, 95))
        out = Image.open(file)
        out.load()
    return out


def pixels(picture: Image.Image) -> torch.Tensor:
    """As the engine makes it ready: squeezed by Pillow's bicubic filter to [3, SEEN, SEEN], 0 to 1."""
    small = picture.convert("RGB").resize((SEEN, SEEN), Image.Resampling.BICUBIC)
    return torch.tensor(np.array(small)).permute(2, 0, 1).float() / 255
