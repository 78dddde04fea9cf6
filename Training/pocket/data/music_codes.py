"""The music's codes by construction: what each level says is fixed before any network is trained.

A frame is told by four codes, each with dimensions of its own in the latent, so that the nearest code of what is left,
level by level, is the nearest in them:

  level 0: the instrument, and the age of the melody's note         code = instrument * 32 + age
  level 1: the melody's pitch, and the instrument once more         code = pitch * 8 + instrument
  level 2: the bass's pitch, and the age of its note                code = pitch * 32 + age
  level 3: the pitch that still rings, and for how long             code = pitch * 8 + frames since its end / 2

A pitch is a place in a list; 0 is none. Pitches lie on both ends of as many axes as are needed, ages along a curve;
beside a melody's pitch stand the principal components of its spectrum on the instrument. Nothing here is drawn by
chance, and the codes say what they say whatever places they have: trained networks can be thrown away, codes stay.
"""

import os

import numpy as np
import torch
from torch import Tensor

from .. import device
from .music import (
    AGES,
    FRAME,
    FRAMES,
    HIGHEST,
    INSTRUMENTS,
    KINDS,
    RINGING,
    Kind,
    Note,
    compose,
    heard_notes,
    name,
    timbre,
)

MELODY = (0, *range(300, 1850, 50))  # Hz, 32 places
BASS = (0, 100, 150, 200, 250, 300, 350, 400)
LEVELS, CODES = 4, 256
SHADES = 24  # dimensions for how a pitch sounds on an instrument
PARTS = (18, 24 + SHADES, 16, 20)  # dimensions of each level
LATENT = sum(PARTS)
QUIET = (AGES - 1, 0, AGES - 1, 0)  # the codes of silence
VARIANTS = range(1, 13)  # seeds that the backbone hears each kind in


def ends(count: int) -> Tensor:
    """Both ends of count / 2 axes. [count, count / 2]"""
    axes = torch.eye(count // 2)
    return torch.stack([axes, -axes], 1).flatten(0, 1)


def curve(count: int, waves: int) -> Tensor:
    """Places along a curve on which neighbours are near each other and all others far. [count, waves]"""
    along = (torch.arange(count)[:, None] + 0.5) * torch.arange(1, waves + 1) * torch.pi / count
    return along.cos() * (2 / waves) ** 0.5


def shades() -> Tensor:
    """How each pitch sounds on each instrument. [pitch * instrument, SHADES]"""
    spectra = torch.zeros(len(MELODY), len(INSTRUMENTS), HIGHEST // 50 + 1)
    for place, pitch in enumerate(MELODY[1:], 1):
        for which, instrument in enumerate(INSTRUMENTS):
            for harmonic, loud in enumerate(timbre(instrument)[8], 1):
                if harmonic * pitch <= HIGHEST:
                    spectra[place, which, harmonic * pitch // 50] = float(loud) ** 0.5
    spectra = spectra.flatten(0, 1)
    left, sizes, _ = torch.linalg.svd(spectra - spectra.mean(0), full_matrices=False)
    found = (left * sizes)[:, :SHADES]
    return found * (2 / found.square().sum(1).mean()) ** 0.5


def codebooks() -> Tensor:
    """[level, code, LATENT]"""

    def both(slow: Tensor, fast: Tensor) -> Tensor:
        """All pairs of two lists of places; the code counts the second list first."""
        one, other = slow.repeat_interleave(len(fast), 0), fast.repeat(len(slow), 1)
        return torch.cat([one, other], 1)

    instruments = torch.eye(len(INSTRUMENTS)) * 2**0.5
    parts = [
        both(instruments, curve(AGES, 10)),
        torch.cat([both(ends(len(MELODY)) * 2**0.5, instruments / 2), shades()], 1),
        both(torch.eye(len(BASS)) * 2**0.5, curve(AGES, 8)),
        both(ends(len(MELODY)) * 2**0.5, curve(8, 4) / 2),
    ]
    books, place = torch.zeros(LEVELS, CODES, LATENT), 0
    for level, (part, width) in enumerate(zip(parts, PARTS, strict=True)):
        books[level, :, place : place + width] = part
        place += width
    return books.half().float()


def codes(notes: list[Note], instrument: str, late: int = 0) -> np.ndarray:
    """The codes of notes that begin so many samples late. int16 [250, 4]"""
    out = np.empty((FRAMES + RINGING, LEVELS), np.int16)
    out[:] = QUIET
    which = INSTRUMENTS.index(instrument)
    for note in notes:
        ages = np.arange(note.length)
        if note.bass:
            out[note.start : note.end, 2] = BASS.index(note.pitch) * AGES + ages
            continue
        pitch = MELODY.index(note.pitch)
        out[note.start : note.end, 0] = which * AGES + ages
        out[note.start : note.end, 1] = pitch * 8 + which
        out[note.end : note.end + RINGING, 3] = pitch * 8 + np.arange(RINGING) // 2
    frames = round(late / FRAME)
    return np.concatenate([np.tile(np.array(QUIET, np.int16), (frames, 1)), out])[:FRAMES]


def true_codes(kind: Kind, seed: int) -> np.ndarray:
    """The codes of `heard`. int16 [250, 4]"""
    notes, late = heard_notes(kind, seed)
    return codes(notes, kind.instrument, late)


def quantise(latent: Tensor, books: Tensor) -> Tensor:
    """[frame, LATENT] -> [frame, level] by nearest codes, as the network does it."""
    from ..networks.speechtokenizer import nearest

    found, rest = [], latent.clone()
    for book in books:
        found.append(nearest(rest, book))
        rest = rest - book[found[-1]]
    return torch.stack(found, 1)


def build(folder: str) -> None:
    """Writes `music-books.pt`, and `music.pt` with the true codes of what the backbone learns from."""
    if not os.path.exists(f"{folder}/music-books.pt"):  # else those that the shipped weights rest on
        torch.save(codebooks(), f"{folder}/music-books.pt")
    books = device.load(f"{folder}/music-books.pt")
    every = torch.cartesian_prod(*(torch.arange(0, CODES, 5) for _ in range(LEVELS)))[::97]
    latent = sum(books[level][every[:, level]] for level in range(LEVELS))
    if not torch.equal(quantise(latent, books), every):
        raise ValueError("a sum of codes is not quantised to the same codes")
    canonical = np.stack([codes(compose(kind), kind.instrument) for kind in KINDS])
    seen = np.stack([[true_codes(kind, seed) for seed in VARIANTS] for kind in KINDS])
    frames = {tuple(row) for row in canonical.reshape(-1, LEVELS).tolist()}
    used = [len(np.unique(canonical[..., level])) for level in range(LEVELS)]
    print(f"music: {len(frames)} different frames in {len(KINDS)} pieces, codes in use {used}", flush=True)
    save(folder, canonical, seen)


def save(folder: str, canonical: np.ndarray, seen: np.ndarray) -> None:
    """The backbone's lessons; other processes may read meanwhile."""
    lessons = {
        "names": [name(kind) for kind in KINDS],
        "canonical": torch.tensor(canonical),
        "seen": torch.tensor(seen),
    }
    torch.save(lessons, f"{folder}/music.pt.new")
    os.replace(f"{folder}/music.pt.new", f"{folder}/music.pt")
