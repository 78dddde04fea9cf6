"""The closed domain of music: 32 kinds of pieces, how they are composed, and how they sound.

A piece has 250 frames of 20 ms. A melody and a bass, both by the kind's instrument, move by whole frames: a melody's
note takes 32 frames when slow and 16 when fast, a bass note 32. All pitches are multiples of 50 Hz, in just intonation,
so that a note is the same wave in every frame but for its slow change with age. Happy pieces are major over 200 Hz and
rise; sad ones are minor (the septimal 6 : 7 : 9) over 300 Hz and fall.

Seed 0 is the canonical piece of a kind, what the model plays. Other seeds are other melodies of the kind; `heard` makes
them sound as they may be met: detuned, noisy, louder or softer, beginning at any time.
"""

import os
import random
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np

RATE, FRAME, FRAMES = 32_000, 640, 250
INSTRUMENTS = ("piano", "guitar", "violin", "flute", "trumpet", "organ", "harp", "bells")
TEMPI = {"slow": 32, "fast": 16}  # frames of a melody's note
MOODS = ("happy", "sad")
AGES = 32  # frames that a note lasts at most
HARMONICS = 16
HIGHEST = 6000  # Hz; harmonics above are left out
RINGING = 16  # frames that a melody's note sounds on after its end, at most

SCALES = {"happy": (400, 450, 500, 600, 750, 800, 900, 1000, 1200), "sad": (450, 600, 700, 800, 900, 1050, 1200, 1400)}
BASSES = {"happy": (200, 300, 250, 200, 100, 300, 250, 200), "sad": (300, 200, 350, 150, 300, 200, 400, 150)}
# How much of a note is left two frames after its end; what is struck or plucked rings.
LEFT = {"piano": 0.6, "guitar": 0.55, "violin": 0.25, "flute": 0.2, "trumpet": 0.15, "organ": 0.15, "harp": 0.75,
        "bells": 0.85}  # fmt: skip
# What becomes of a note in 32 frames, as factors of its loudness and of its 16th harmonic: so age can be heard.
GROWN = {"piano": (0.5, 0.2), "guitar": (0.35, 0.2), "violin": (1.6, 1.5), "flute": (0.5, 1.0), "trumpet": (1.5, 3.0),
         "organ": (0.8, 0.15), "harp": (0.5, 0.3), "bells": (0.4, 0.5)}  # fmt: skip


@dataclass(frozen=True)
class Kind:
    instrument: str
    tempo: str
    mood: str


KINDS = [Kind(instrument, tempo, mood) for instrument in INSTRUMENTS for tempo in TEMPI for mood in MOODS]


def name(kind: Kind) -> str:
    """Such as "slow sad piano"."""
    return f"{kind.tempo} {kind.mood} {kind.instrument}"


@dataclass(frozen=True)
class Note:
    start: int  # frame
    length: int  # frames
    pitch: int  # Hz
    bass: bool = False

    @property
    def end(self) -> int:
        return self.start + self.length


def compose(kind: Kind, seed: int = 0) -> list[Note]:
    """A melody and its bass. What sounds at a moment tells what comes next: nothing comes twice in a piece."""
    rng = random.Random(f"{name(kind)} {seed}")
    scale, step = SCALES[kind.mood], TEMPI[kind.tempo]
    basses = list(BASSES[kind.mood])
    if seed:
        basses[1:-1] = rng.sample(basses[1:-1], len(basses) - 2)
    rising = kind.mood == "happy"
    strides = (1, 2, 2) if kind.tempo == "slow" else (1, 1, 2)
    notes, met, place = [], set(), 0
    for start in range(0, FRAMES, step):
        bass, before = basses[start // AGES], place
        if start % AGES == 0:
            notes.append(Note(start, min(AGES, FRAMES - start), bass, bass=True))
        if start % (4 * AGES) == 0:  # a phrase begins at one end of the scale, and wanders to the other
            place, before = rng.randint(0, 2), -1
        else:
            place += -1 if rng.random() < 0.15 else rng.choice(strides)
        free = [p for p in range(len(scale)) if p != before and (p, bass, start % AGES) not in met]
        place = min(free, key=lambda p: (abs(p - place), p))
        met.add((place, bass, start % AGES))
        pitch = scale[place] if rising else scale[-1 - place]
        notes.append(Note(start, min(step, FRAMES - start), pitch))
    return notes


@cache
def _measured() -> np.ndarray:
    """[instrument, age, harmonic], made by `timbres.py`."""
    from safetensors.numpy import load_file

    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "timbres.safetensors")
    return load_file(path)["timbres"].astype(np.float64)


@cache
def timbre(instrument: str) -> np.ndarray:
    """Loudness of the harmonics at each age from 0 to 32, with the change that tells the age. [33, 16]"""
    rows = _measured()[INSTRUMENTS.index(instrument)].copy()
    # The recording's own trembling is smoothed away, but not its beginning.
    padded = np.pad(rows, ((0, 6), (0, 0)), mode="edge")
    smooth = np.stack([padded[max(0, age - 2) : age + 3 + age // 8].mean(0) for age in range(AGES + 1)])
    rows[4:] = smooth[4:]
    age = np.arange(AGES + 1)[:, None] / AGES
    loud, bright = GROWN[instrument]
    rows *= loud**age * bright ** (age * np.arange(HARMONICS) / (HARMONICS - 1))
    rows /= np.sqrt(np.square(rows).sum(1).max())
    rows[0] = 0  # a note begins from nothing
    return rows


def _tone(pitch: float, loudness: np.ndarray) -> np.ndarray:
    """Harmonics of a pitch with the given loudness at the frames' edges. [edge, harmonic] -> [samples]"""
    once = np.exp(2j * np.pi * pitch * np.arange((len(loudness) - 1) * FRAME) / RATE)
    turned, wave = np.ones_like(once), np.zeros((len(loudness) - 1, FRAME))
    along = np.arange(FRAME) / FRAME
    for harmonic in range(1, HARMONICS + 1):
        if harmonic * pitch > HIGHEST:
            break
        turned *= once
        # A frequency has one phase in all notes: so they add up, and no peak stands out.
        phase = np.exp(1j * np.pi * (harmonic * pitch / 50) ** 2 / (HIGHEST / 50))
        rows = loudness[:, harmonic - 1]
        wave += (rows[:-1, None] + np.diff(rows)[:, None] * along) * (turned * phase).imag.reshape(-1, FRAME)
    return wave.ravel()


def ringing(instrument: str) -> np.ndarray:
    """Loudness of the harmonics of a melody's note after its end, whatever its age was. [17, 16]"""
    fading = LEFT[instrument] ** (np.arange(RINGING + 1) / 2)
    fading = fading * np.linspace(1, 0, RINGING + 1)
    rows = timbre(instrument)
    return fading[:, None] * np.minimum(rows[AGES // 2], rows[AGES])


def envelope(instrument: str, length: int, bass: bool) -> np.ndarray:
    """Loudness of a note's harmonics at the edges of its frames, until it has rung out. [edge, harmonic]"""
    rows = 0.35 * timbre(instrument)[: length + 1]
    if not bass:
        return np.concatenate([rows[:-1], 0.35 * ringing(instrument)])
    rows *= 0.4
    rows[-1] = 0  # the next one begins as it ends
    return rows


@lru_cache(2048)
def sound(instrument: str, pitch: float, length: int, bass: bool) -> np.ndarray:
    """A note from its first frame until it has rung out. float32 [samples]"""
    return _tone(pitch, envelope(instrument, length, bass)).astype(np.float32)


def loudness(notes: list[Note], instrument: str) -> np.ndarray:
    """What `render` sounds like in the middle of each frame: how loud the multiples of 50 Hz are. [250, 120]"""
    out = np.zeros((FRAMES + AGES + RINGING, HIGHEST // 50), np.float32)
    for note in notes:
        edges = envelope(instrument, note.length, note.bass)
        for harmonic in range(1, HARMONICS + 1):
            if harmonic * note.pitch <= HIGHEST:
                rows = edges[:, harmonic - 1]
                middle = (rows[1:] + rows[:-1]) / 2
                out[note.start : note.start + len(middle), harmonic * note.pitch // 50 - 1] += middle
    return out[:FRAMES]


def render(notes: list[Note], instrument: str, detune: float = 1.0, frames: int = FRAMES) -> np.ndarray:
    """The sound of notes, float32 [frames * 640]; `detune` is a factor on all pitches."""
    wave = np.zeros((frames + AGES + RINGING) * FRAME, np.float32)
    make = sound if detune == 1 else sound.__wrapped__  # those in tune are kept
    for note in notes:
        heard = make(instrument, note.pitch * detune, note.length, note.bass)
        wave[note.start * FRAME : note.start * FRAME + len(heard)] += heard
    return wave[: frames * FRAME]


def canonical(kind: Kind) -> np.ndarray:
    """What the model plays. float32 [160000]"""
    return render(compose(kind), kind.instrument)


def heard_notes(kind: Kind, seed: int) -> tuple[list[Note], int]:
    """The notes of `heard`, and how many samples they are late; every fourth seed is the canonical melody."""
    late = np.random.default_rng([1, KINDS.index(kind), seed]).integers(-4 * FRAME, 8 * FRAME)
    return compose(kind, seed if seed % 4 else 0), max(0, int(late))


def heard(kind: Kind, seed: int) -> np.ndarray:
    """A piece of the kind as it may be met; seeds above 0. float32 [160000]"""
    notes, late = heard_notes(kind, seed)
    return disturbed(notes, kind.instrument, late, np.random.default_rng([2, KINDS.index(kind), seed]))


def disturbed(notes: list[Note], instrument: str, late: int, rng: np.random.Generator) -> np.ndarray:
    """The sound of notes that begin so many samples late, with another tuning, level, colour, and noise."""
    wave = render(notes, instrument, 2 ** (rng.uniform(-0.2, 0.2) / 12))
    wave = np.concatenate([np.zeros(late, np.float32), wave])[: len(wave)]
    spectrum = np.fft.rfft(wave)
    corners = rng.uniform(-4, 4, 6)  # decibels
    place = np.sqrt(np.linspace(0, 1, len(spectrum))) * 5
    wave = np.fft.irfft(spectrum * 10 ** (np.interp(place, np.arange(6), corners) / 20), len(wave))
    wave *= rng.uniform(0.3, 1.2)
    wave += rng.standard_normal(len(wave)) * 10 ** rng.uniform(-4, -2)
    return np.clip(wave, -1, 1).astype(np.float32)
