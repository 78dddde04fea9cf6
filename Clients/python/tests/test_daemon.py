"""The client and its examples with the real daemon."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import wave
from pathlib import Path

import anygpt
import pytest

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


def run(example: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(EXAMPLES / example), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_ask(daemon: str, question: Path, tmp_path: Path) -> None:
    out = tmp_path / "reply.wav"
    done = run("ask.py", question, out, daemon)
    assert done.returncode == 0, done.stderr
    heard, reply = (line.split(maxsplit=1) for line in done.stdout.splitlines())
    assert heard[0] == "you" and heard[1] and reply[0] == "reply" and reply[1]
    with wave.open(str(out)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 24_000)
        assert file.getnframes() > 2_400
        assert any(file.readframes(file.getnframes()))


def test_write(daemon: str) -> None:
    done = run("write.py", "what is the capital of france", daemon)
    assert done.returncode == 0 and done.stdout.strip(), done.stderr


def test_interrupt(daemon: str, question: Path) -> None:
    done = run("interrupt.py", question, daemon)
    assert done.returncode == 0, done.stderr
    assert "the reply was cancelled" in done.stdout and "ms of it stay" in done.stdout


def test_automatic_turns(daemon: str, question: Path) -> None:
    async def talk() -> tuple[list[type[anygpt.Event]], anygpt.Reply]:
        async with anygpt.connect(daemon, turns="automatic") as session:
            silence = anygpt.Sound(bytes(48_000))
            await session.speak(anygpt.Sound.read(question))
            await session.speak(silence)
            kinds: list[type[anygpt.Event]] = []
            while anygpt.SpeechStopped not in kinds:
                kinds.append(type(await session.next()))
            return kinds, await session.reply()

    kinds, reply = asyncio.run(asyncio.wait_for(talk(), 60))
    assert anygpt.SpeechStarted in kinds
    assert reply.status == "completed" and reply.heard and reply.text and reply.sound.seconds > 0.1


def test_opus(daemon: str, question: Path) -> None:
    async def talk() -> anygpt.Reply:
        async with anygpt.connect(daemon, opus=True) as session:
            return await session.ask(anygpt.Sound.read(question))

    reply = asyncio.run(asyncio.wait_for(talk(), 60))
    assert [packet.sequence for packet in reply.packets] == list(range(len(reply.packets)))
    assert reply.packets[0].is_first and reply.packets[-1].is_last and not reply.sound.pcm


def test_refusals(daemon: str) -> None:
    async def commit_nothing() -> None:
        async with anygpt.connect(daemon) as session:
            await session.commit()
            await session.reply()

    with pytest.raises(anygpt.ServerError) as refused:
        asyncio.run(asyncio.wait_for(commit_nothing(), 60))
    assert refused.value.code == "input_audio_buffer_commit_empty"
    done = run("write.py", "hello", daemon.replace("/v1/realtime", "/elsewhere"))
    assert done.returncode == 1 and "/v1/realtime" in done.stderr
    assert len(done.stderr.splitlines()) == 1
