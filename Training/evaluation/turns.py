"""A question and its answer over the daemon's WebSocket, with the times at which each part came."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import anygpt
import numpy as np

from . import opus

LIMIT = 90.0  # seconds for a turn
GRACE = 1.0  # seconds between looks at the question, where an answer was complete before its question was


@dataclass
class Answer:
    """What came back."""

    heard: str = ""  # the daemon's transcript
    reply: str = ""
    status: str = "none"  # of the response, or the error
    turns: int = 0  # that the daemon made of the question
    # Milliseconds: those of a spoken turn after its end was announced, those of a written one after it was sent.
    times: dict[str, float] = field(default_factory=dict)
    server: dict[str, float] = field(default_factory=dict)  # `anygpt.response.timing`
    packets: list[bytes] = field(default_factory=list)  # of the reply's speech
    pictures: list[bytes] = field(default_factory=list)
    pieces: list[bytes] = field(default_factory=list)  # of music, as FLAC

    def facts(self) -> dict[str, Any]:
        """All but the sound, the pictures and the music."""
        return {key: value for key, value in asdict(self).items() if key not in ("packets", "pictures", "pieces")}


@dataclass(frozen=True)
class Written:
    """What is written, shown and played, and what is to be made of it instead of an answer in words."""

    text: str
    picture: bytes | None = None
    music: bytes | None = None
    artifact: Literal["image", "music"] | None = None


class Listener:
    """Puts the events of one conversation together."""

    def __init__(self, session: anygpt.Session) -> None:
        self.session, self.answer = session, Answer()
        self.is_done = False
        self._from = 0.0

    def starts(self) -> None:
        """From now times are counted."""
        self._from = time.monotonic()

    async def event(self) -> None:
        """Takes the next event."""
        event, answer = await self.session.next(), self.answer
        match event:
            case anygpt.SpeechStarted():
                self.is_done = False
                answer.turns += 1
            case anygpt.SpeechStopped():
                self.starts()
            case anygpt.ResponseCreated():
                # Of a question that was taken for several, what counts is the last answer.
                self.answer = Answer(answer.heard, turns=answer.turns)
            case anygpt.HeardDelta(text=text):
                answer.heard += text
                self._mark("first text")
            case anygpt.HeardDone():
                answer.heard += " "
            case anygpt.ReplyText(text=text):
                answer.reply += text
                self._mark("first text")
                self._mark("first text of the reply")
            case anygpt.OpusPacket(packet=packet):
                answer.packets.append(packet)
                self._mark("first audio")
            case anygpt.ArtifactDone(artifact=artifact):
                is_music = artifact.type == "music"
                self._mark("piece" if is_music else "picture")
                (answer.pieces if is_music else answer.pictures).append(await self.session.fetch(artifact))
            case anygpt.ErrorEvent(code=code):
                answer.status, self.is_done = f"error {code}", True
            case anygpt.ResponseDone(status=status):
                answer.status = status
                self._mark("done")
                self.is_done = status != "cancelled"
            case anygpt.OtherEvent(type="anygpt.response.timing", data=data):
                answer.server = {key[:-3]: value for key, value in data.items() if key.endswith("_ms") and value}

    def _mark(self, what: str) -> None:
        self.answer.times.setdefault(what, round(1000 * (time.monotonic() - self._from), 1))


async def _microphone(session: anygpt.Session, packets: Iterator[bytes], voiced: int, said: asyncio.Event) -> None:
    """Sends packets as fast as a microphone does, and tells when the recording's are out."""
    begin = time.monotonic()
    for index, packet in enumerate(packets):
        await session.send_packet(packet)
        if index == voiced:
            said.set()
        await asyncio.sleep(max(0.0, begin + (index + 1) * opus.FRAME / 1000 - time.monotonic()))


async def speak(url: str, wave: np.ndarray) -> Answer:
    """Speaks a recording in real time, then is quiet until the answer is complete. [samples] int16 at 16 kHz"""
    async with _conversation(url, "automatic") as listener:
        said = asyncio.Event()
        voiced = len(wave) * 1000 // 16_000 // opus.FRAME
        microphone = asyncio.create_task(_microphone(listener.session, opus.packets(wave), voiced, said))
        try:
            while not (listener.is_done and said.is_set()):
                # An answer that is complete before the question is was to a part of it: perhaps nothing more comes.
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(listener.event(), GRACE if listener.is_done else None)
        finally:
            microphone.cancel()
            # Its failure is the connection's, which has been told.
            await asyncio.gather(microphone, return_exceptions=True)
    return listener.answer


async def write(url: str, request: Written) -> Answer:
    """Writes a question for a written answer, or a request."""
    async with _conversation(url, "manual") as listener:
        await listener.session.write(request.text, picture=request.picture, music=request.music)
        listener.starts()
        await listener.session.respond(spoken=False, artifact=request.artifact)
        while not listener.is_done:
            await listener.event()
    return listener.answer


@contextlib.asynccontextmanager
async def _conversation(url: str, turns: Literal["manual", "automatic"]) -> AsyncIterator[Listener]:
    """A conversation whose failures become the answer's status: an evaluation counts them, and goes on."""
    listener = None
    try:
        async with asyncio.timeout(LIMIT), anygpt.connect(url, turns=turns, opus=True) as session:
            listener = Listener(session)
            yield listener
    except (TimeoutError, anygpt.AnyGPTError) as error:
        if listener is None:
            raise
        listener.answer.status = "no answer in time" if isinstance(error, TimeoutError) else str(error)
    if listener:
        listener.answer.heard, listener.answer.reply = listener.answer.heard.strip(), listener.answer.reply.strip()
