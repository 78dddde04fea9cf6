"""Makes the small pictures beside this script, and expected.json: what Pillow reads out of each.

    python3 -m venv /tmp/pictures && /tmp/pictures/bin/pip install pillow==13.0.0
    /tmp/pictures/bin/python Tests/ImagesTests/Pictures/make_pictures.py

expected.json: file -> [width, height, base64 of Image.open(file).convert("RGB")]. One thing is not Pillow's: grey of 16
bits, of which Pillow clips all but the lowest 256 values to white; here it is the high byte, as of colours.
"""

import base64
import json
import random
import struct
import zlib
from pathlib import Path

from PIL import Image

HERE = Path(__file__).parent
RANDOM = random.Random(20)
WIDTH, HEIGHT = 23, 17


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def packed(rows, depth: int, channels: int) -> bytes:
    """Rows of samples as a PNG holds them, unfiltered."""
    out = bytearray()
    for row in rows:
        out.append(0)
        samples = [sample for pixel in row for sample in pixel]
        if depth == 16:
            for sample in samples:
                out += struct.pack(">H", sample)
        else:
            bits, filled = 0, 0
            for sample in samples:
                bits, filled = bits << depth | sample, filled + depth
                if filled == 8:
                    out.append(bits)
                    bits, filled = 0, 0
            if filled:
                out.append(bits << (8 - filled))
    return bytes(out)


def png(name: str, color: int, depth: int, interlaced=False, before=b"", inside=b"") -> None:
    """A PNG of random pixels that are alike in neighbourhoods, written without Pillow, which can't write all kinds."""
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[color]
    top = (1 << depth) - 1
    pixels = [[[min(top, max(0, int(top * ((x * (c + 1) + y * 2) % 29) / 28) + RANDOM.randint(-1, 1)))
                for c in range(channels)] for x in range(WIDTH)] for y in range(HEIGHT)]
    passes = [(0, 0, 1, 1)]
    if interlaced:
        passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    data = b"".join(packed([row[x::dx] for row in pixels[y::dy]], depth, channels) for x, y, dx, dy in passes)
    file = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", WIDTH, HEIGHT, depth, color, 0, 0, interlaced))
    file += before + chunk(b"IDAT", zlib.compress(data, 9)) + inside + chunk(b"IEND", b"")
    (HERE / name).write_bytes(file)
    if color == 0 and depth == 16:
        grey = [pixel[0] >> 8 for row in pixels for pixel in row]
        expected[name] = [WIDTH, HEIGHT, base64.b64encode(bytes(v for v in grey for _ in range(3))).decode()]


def palette(count: int) -> bytes:
    return chunk(b"PLTE", bytes(RANDOM.randrange(256) for _ in range(3 * count)))


def photo(width=WIDTH, height=HEIGHT) -> Image.Image:
    noise = Image.frombytes("L", (width, height), bytes(RANDOM.randint(60, 200) for _ in range(width * height)))
    ramp = Image.linear_gradient("L").resize((width, height))
    return Image.merge("RGB", (ramp, noise, ramp.transpose(Image.Transpose.ROTATE_180)))


expected: dict = {}

# Truecolour, grey and palettes of every depth.
png("rgb8.png", 2, 8)
png("rgb8_interlaced.png", 2, 8, interlaced=True)
png("rgb16.png", 2, 16)
png("rgba8.png", 6, 8)
png("rgba16_interlaced.png", 6, 16, interlaced=True)
png("grey_alpha8.png", 4, 8)
png("grey_alpha16.png", 4, 16)
for depth in (1, 2, 4, 8, 16):
    png(f"grey{depth}.png", 0, depth)
png("grey2_interlaced.png", 0, 2, interlaced=True)
for depth in (1, 2, 4, 8):
    png(f"palette{depth}.png", 3, depth, before=palette(1 << depth))
png("palette4_transparent.png", 3, 4, before=palette(16) + chunk(b"tRNS", bytes([0, 128, 255, 7])))
png("rgb8_transparent.png", 2, 8, before=chunk(b"tRNS", struct.pack(">HHH", 0, 9, 18)))
png("rgb8_gamma.png", 2, 8, before=chunk(b"gAMA", struct.pack(">I", 100000)))
# An animation: the picture of IDAT is its first.
control = struct.pack(">IIIIIHHBB", 0, WIDTH, HEIGHT, 0, 0, 1, 10, 0, 0)
second = struct.pack(">IIIIIHHBB", 1, 1, 1, 0, 0, 1, 10, 0, 0)
png("animated.png", 2, 8, before=chunk(b"acTL", struct.pack(">II", 2, 0)) + chunk(b"fcTL", control),
    inside=chunk(b"fcTL", second) + chunk(b"fdAT", struct.pack(">I", 2) + zlib.compress(b"\0\1\2\3")))

image = photo()
image.save(HERE / "baseline444.jpg", quality=90, subsampling=0)
image.save(HERE / "baseline420.jpg", quality=80, subsampling=2)
image.save(HERE / "baseline422.jpg", quality=80, subsampling=1, restart_marker_blocks=1)
image.save(HERE / "progressive.jpg", quality=80, progressive=True)
image.save(HERE / "rgb.jpg", quality=90, keep_rgb=True)
image.convert("L").save(HERE / "grey.jpg", quality=85)
image.convert("CMYK").save(HERE / "cmyk.jpg", quality=90)
image.convert("CMYK").save(HERE / "cmyk_progressive.jpg", quality=90, progressive=True)
exif = Image.Exif()
exif[0x0112] = 6
image.save(HERE / "orientation6.jpg", quality=80, exif=exif)

image.save(HERE / "lossy.webp", quality=70)
image.save(HERE / "lossless.webp", lossless=True)
veiled = image.copy()
veiled.putalpha(Image.linear_gradient("L").resize(image.size))
veiled.save(HERE / "lossy_alpha.webp", quality=70)
veiled.save(HERE / "lossless_alpha.webp", lossless=True, exact=True)
image.save(HERE / "animated.webp", save_all=True, append_images=[photo(), photo()], duration=40, quality=70)

for file in sorted(HERE.iterdir()):
    if file.suffix in (".png", ".jpg", ".webp") and file.name not in expected:
        with Image.open(file) as opened:
            read = opened.convert("RGB")
            expected[file.name] = [*read.size, base64.b64encode(read.tobytes()).decode()]
(HERE / "expected.json").write_text(json.dumps(expected, indent=0, sort_keys=True) + "\n")
print(f"{len(expected)} pictures")
