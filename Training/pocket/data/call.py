"""What a voice is after a call: through Opus, as the daemon hears it.

Level 0 of a recording and of the same recording through Opus have about six codes of ten in common, and fewer questions
were heard right for it, by a backbone that had never heard any.
"""

import random
from collections.abc import Iterable, Iterator
from fractions import Fraction

import av
import numpy as np

from .voices import HOP, SAMPLE_RATE

FRAME = 20  # milliseconds
LEAST, SPAN = 10_000, 4.0  # bits a second, and how many times as many there are at most
REST = 2 * HOP  # samples that the coder may hold back


def packets(waves: Iterable[np.ndarray], bitrate: int, kind: str = "voip", rate: int = SAMPLE_RATE) -> Iterator[bytes]:
    """Pieces of FRAME each [sample] int16 -> packets; `kind` of the sound is Opus's own word, "voip" or "audio"."""
    encoder = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format, encoder.bit_rate = rate, "mono", "s16", bitrate
    encoder.options = {"application": kind, "frame_duration": str(FRAME)}
    place = 0
    for wave in waves:
        frame = av.AudioFrame.from_ndarray(wave[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = rate, place, Fraction(1, rate)
        yield from map(bytes, encoder.encode(frame))
        place += len(wave)


def decode(received: Iterable[bytes], rate: int) -> np.ndarray:
    """Packets -> [sample] int16"""
    decoder = av.CodecContext.create("libopus", "r")
    decoder.sample_rate, decoder.layout = 48_000, "mono"
    resampler = av.AudioResampler(format="s16", layout="mono", rate=rate)
    pieces = [
        part.to_ndarray()[0]
        for packet in received
        for frame in decoder.decode(av.Packet(packet))
        for part in resampler.resample(frame)
    ]
    return np.concatenate(pieces) if pieces else np.zeros(0, np.int16)


def called(wave: np.ndarray, rng: random.Random) -> np.ndarray:
    """A recording through Opus at any usual bit rate. [sample] float32"""
    samples = (np.clip(wave, -1, 1) * 32767).astype(np.int16)
    samples = np.pad(samples, (0, -len(samples) % HOP + REST))
    bitrate = int(LEAST * SPAN ** rng.random())
    sent = packets(samples.reshape(-1, HOP), bitrate, rng.choice(["voip", "audio"]))
    return decode(sent, SAMPLE_RATE)[: len(wave)].astype(np.float32) / 32767
