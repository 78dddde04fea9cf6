"""What needs no daemon: sound, events, and servers that are none."""

from __future__ import annotations

import asyncio
import hashlib
import math
import socket
import threading
import wave
from array import array
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import anygpt
import pytest
from anygpt.artifacts import data_uri, download, upload_frames
from anygpt.events import parse, parse_packet
from anygpt.sound import RATE, resample


def sine(rate: int, hertz: float, count: int) -> array[int]:
    return array("h", (round(10_000 * math.sin(2 * math.pi * hertz * i / rate)) for i in range(count)))


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 48_000])
def test_resample(rate: int) -> None:
    result = resample(sine(rate, 440, rate // 4), rate, RATE)
    expected = sine(RATE, 440, RATE // 4)
    assert len(result) == len(expected)
    middle = slice(500, len(result) - 500)
    worst = max(abs(a - b) for a, b in zip(result[middle], expected[middle]))
    assert worst < 60, worst


def test_nothing_above_half_the_rate() -> None:
    result = resample(sine(48_000, 15_000, 12_000), 48_000, RATE)
    assert max(map(abs, result[500:-500])) < 100


def test_sound_files(tmp_path: Path) -> None:
    stereo = tmp_path / "stereo.wav"
    with wave.open(str(stereo), "wb") as file:
        file.setparams((2, 2, RATE, 0, "NONE", ""))
        file.writeframes(array("h", [100, 300, -100, -300]).tobytes())
    sound = anygpt.Sound.read(stereo)
    assert array("h", sound.pcm).tolist() == [200, -200]
    sound.write(tmp_path / "mono.wav")
    assert anygpt.Sound.read(tmp_path / "mono.wav") == sound


@pytest.mark.parametrize("content", [None, b"", b"RIFF nothing", b"no sound at all, whatever it is"])
def test_no_sound_file(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "question.wav"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(anygpt.SoundError, match="question.wav"):
        anygpt.Sound.read(path)


def test_artifacts() -> None:
    made = {
        "id": "a1", "type": "music", "mime_type": "audio/flac", "bytes": 9, "sha256": "00",
        "url": "http://127.0.0.1/v1/artifacts/a1", "duration_ms": 5000, "new": True,
    }  # fmt: skip
    event = parse({"type": "response.output_artifact.done", "item_id": "i", "artifact": made})
    assert isinstance(event, anygpt.ArtifactDone) and event.artifact.duration_ms == 5000
    progress = {"type": "response.output_artifact.progress", "item_id": "i", "step": 3, "steps": 10}
    assert parse(progress) == anygpt.ArtifactProgress("i", 3, 10, None)
    assert parse({**progress, "artifact": {"type": "image"}}) == anygpt.ArtifactProgress("i", 3, 10, "image")


def test_pictures() -> None:
    assert data_uri(b"\x89PNG") == "data:image/png;base64,iVBORw=="
    with pytest.raises(anygpt.ArtifactError):
        data_uri(b"GIF89a")


def test_uploads() -> None:
    file = bytes(range(256)) * 600
    frames = list(upload_frames(7, file))
    assert [frame[:6] for frame in frames] == [bytes([3, flags, 0, 0, 0, 7]) for flags in (1, 0, 2)]
    assert b"".join(frame[6:] for frame in frames) == file
    assert list(upload_frames(1, b"RIFF")) == [b"\x03\x03\x00\x00\x00\x01RIFF"]
    with pytest.raises(anygpt.ArtifactError):
        list(upload_frames(1, b""))


def test_downloads(tmp_path: Path) -> None:
    (tmp_path / "a1").write_bytes(b"picture")
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    digest = hashlib.sha256(b"picture").hexdigest()
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        daemon = f"ws://127.0.0.1:{server.server_address[1]}/v1/realtime"
        artifact = anygpt.Artifact("a1", "image", "image/png", 7, digest, "/a1")
        assert download(artifact, daemon, 5) == b"picture"
        for wrong in ({"bytes": 6}, {"sha256": "00"}, {"url": "/a2"}, {"url": "file:///a1"}):
            with pytest.raises(anygpt.ArtifactError):
                download(replace(artifact, **wrong), daemon, 5)
        server.shutdown()


@pytest.mark.parametrize(
    "data", [{}, {"type": "response.created"}, {"type": "error", "error": 1},
             {"type": "response.output_audio.delta", "item_id": "i", "delta": "***"}]
)  # fmt: skip
def test_malformed_events(data: dict[str, object]) -> None:
    with pytest.raises(anygpt.NotADaemon):
        parse(data)


def test_packets() -> None:
    packet = parse_packet(bytes([2, 3, 0, 1, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 3, 192]) + b"opus")
    assert packet == anygpt.OpusPacket(1, 5, 960, True, True, b"opus")
    with pytest.raises(anygpt.NotADaemon):
        parse_packet(b"\x02")


async def _open(url: str) -> None:
    async with anygpt.connect(url, timeout=5):
        pass


def test_nobody_there() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        url = f"ws://127.0.0.1:{bound.getsockname()[1]}/v1/realtime"
        with pytest.raises(anygpt.CannotConnect, match="systemctl start"):
            asyncio.run(_open(url))


def test_no_url() -> None:
    with pytest.raises(anygpt.CannotConnect):
        asyncio.run(_open("http://127.0.0.1:8787"))


@pytest.mark.parametrize("greeting", [b"SSH-2.0-OpenSSH_9.2\r\n", b"", b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"])
def test_another_protocol(greeting: bytes) -> None:
    async def scenario() -> None:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(greeting)
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with server:
            await _open(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1/realtime")

    with pytest.raises((anygpt.NotADaemon, anygpt.CannotConnect)) as caught:
        asyncio.run(scenario())
    assert "\n" not in str(caught.value)
