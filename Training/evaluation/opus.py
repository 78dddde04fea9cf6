"""Opus packets: what a microphone sends, and what the daemon answers, by PyAV's libopus."""

import io
import itertools
from collections.abc import Iterable, Iterator

import av
import numpy as np

from pocket.data import call

FRAME = call.FRAME
REPLY_RATE = 24_000


def packets(wave: np.ndarray, rate: int = 16_000, bitrate: int = 32_000) -> Iterator[bytes]:
    """A recording as packets of 20 ms, and silence after it without end. [samples] int16"""
    size = rate * FRAME // 1000

    def pieces() -> Iterator[np.ndarray]:
        for place in itertools.count(0, size):
            piece = wave[place : place + size]
            yield np.pad(piece, (0, size - len(piece)))

    return call.packets(pieces(), bitrate, rate=rate)


def decode(received: Iterable[bytes]) -> np.ndarray:
    """Packets -> [samples] int16 at 24 kHz"""
    return call.decode(received, REPLY_RATE)


def ogg(wave: np.ndarray, rate: int, bitrate: int = 24_000) -> bytes:
    """A recording as an Ogg Opus file, small enough for a page. [samples] int16"""
    file = io.BytesIO()
    with av.open(file, "w", format="ogg") as container:
        stream = container.add_stream("libopus", rate=48_000, layout="mono")
        stream.bit_rate = bitrate
        resampler = av.AudioResampler(format="s16", layout="mono", rate=48_000, frame_size=960)
        whole = av.AudioFrame.from_ndarray(wave[None], format="s16", layout="mono")
        whole.sample_rate = rate
        for frame in [*resampler.resample(whole), *resampler.resample(None), None]:
            container.mux(stream.encode(frame))
    return file.getvalue()
