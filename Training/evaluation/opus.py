"""Opus packets: what a microphone sends, and what the daemon answers, by PyAV's libopus."""

import io
from collections.abc import Iterable, Iterator
from fractions import Fraction

import av
import numpy as np

FRAME = 20  # milliseconds
REPLY_RATE = 24_000


def packets(wave: np.ndarray, rate: int = 16_000, bitrate: int = 32_000) -> Iterator[bytes]:
    """A recording as packets of 20 ms, and silence after it without end. [samples] int16"""
    encoder = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format, encoder.bit_rate = rate, "mono", "s16", bitrate
    encoder.options = {"application": "voip", "frame_duration": str(FRAME)}
    size = rate * FRAME // 1000
    place = 0
    while True:
        piece = wave[place : place + size]
        frame = av.AudioFrame.from_ndarray(np.pad(piece, (0, size - len(piece)))[None], format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = rate, place, Fraction(1, rate)
        for packet in encoder.encode(frame):
            yield bytes(packet)
        place += size


def decode(received: Iterable[bytes]) -> np.ndarray:
    """Packets -> [samples] int16 at 24 kHz"""
    decoder = av.CodecContext.create("libopus", "r")
    decoder.sample_rate, decoder.layout = 48_000, "mono"
    resampler = av.AudioResampler(format="s16", layout="mono", rate=REPLY_RATE)
    pieces = [
        part.to_ndarray()[0]
        for packet in received
        for frame in decoder.decode(av.Packet(packet))
        for part in resampler.resample(frame)
    ]
    return np.concatenate(pieces) if pieces else np.zeros(0, np.int16)


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
