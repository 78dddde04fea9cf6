"""Makes resampled.json: digests of what Pillow's bicubic makes of random pixels, for many pairs of sizes.

    /tmp/pictures/bin/python Tests/ImagesTests/Pictures/make_resampled.py     (see make_pictures.py)

Each entry: source width, height, width, height, seed, CRC-32 of the result's bytes. The pixels are the low bytes of
SplitMix64 with that seed, as the tests' `TestGenerator` gives them; every third picture has two colours only, which makes
the cubic overshoot and clip.
"""

import json
import random
import zlib
from pathlib import Path

from PIL import Image

MASK = (1 << 64) - 1


def pixels(count: int, seed: int, hard: bool) -> bytes:
    state, out = seed, bytearray(count)
    for i in range(count):
        state = (state + 0x9E3779B97F4A7C15) & MASK
        z = state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        value = (z ^ (z >> 31)) & 0xFF
        out[i] = (255 if value & 1 else 0) if hard else value
    return bytes(out)


sizes = random.Random(5)
entries = []
special = [(1, 1, 224, 224), (224, 224, 224, 224), (5, 3, 224, 224), (317, 1, 224, 224), (1, 317, 224, 224), (2, 2, 1, 1),
           (400, 30, 224, 224), (223, 225, 224, 224), (448, 448, 224, 224), (300, 200, 7, 5), (3, 500, 2, 500)]
for index in range(60):
    shape = special[index] if index < len(special) else (
        sizes.randint(1, 300), sizes.randint(1, 200), sizes.choice([224, sizes.randint(1, 300)]),
        sizes.choice([224, sizes.randint(1, 300)]))
    width, height, to_width, to_height = shape
    seed = 1000 + index
    image = Image.frombytes("RGB", (width, height), pixels(width * height * 3, seed, index % 3 == 2))
    result = image.resize((to_width, to_height), Image.Resampling.BICUBIC)
    entries.append([*shape, seed, zlib.crc32(result.tobytes())])
path = Path(__file__).parent / "resampled.json"
path.write_text("[\n" + ",\n".join(map(json.dumps, entries)) + "\n]\n")
