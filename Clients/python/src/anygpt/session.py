"""One conversation with the daemon."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_websocket
from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidStatus,
    InvalidURI,
    WebSocketException,
)
from websockets.typing import Subprotocol

from .artifacts import data_uri, download, upload_frames
from .errors import CannotConnect, ConnectionLost, NotADaemon, ServerError
from .events import (
    Artifact,
    ArtifactDone,
    ErrorEvent,
    Event,
    HeardDelta,
    OpusPacket,
    OtherEvent,
    ReplyAudio,
    ReplyText,
    ResponseDone,
    parse,
    parse_packet,
)
from .sound import RATE, Sound

#: Sound goes out in pieces of 100 ms.
PIECE = RATE // 10 * 2


@dataclass
class Reply:
    """An answer."""

    #: What was understood of a spoken question.
    heard: str = ""
    #: The answer in words.
    text: str = ""
    #: The answer's sound; empty for a written one, and with `opus=True`.
    sound: Sound = field(default_factory=Sound)
    #: The answer's sound with `opus=True`.
    packets: list[OpusPacket] = field(default_factory=list)
    #: Pictures and music (with `opus=True`).
    artifacts: list[Artifact] = field(default_factory=list)
    #: `completed`, or why it was not.
    status: str = "incomplete"
    #: The item of the conversation that it is.
    item_id: str = ""


@asynccontextmanager
async def connect(
    url: str = "ws://127.0.0.1:8787/v1/realtime",
    *,
    turns: Literal["manual", "automatic"] = "manual",
    opus: bool = False,
    timeout: float = 30.0,
) -> AsyncIterator[Session]:
    """Opens a conversation.

    `turns`: with `manual`, a turn ends with `commit` and is answered after `respond`, which `ask` does by itself; with
    `automatic`, the daemon listens for silence, as for a microphone.

    `opus`: speak the subprotocol `anygpt.opus.v1`: replies come as `OpusPacket`s, which this package does not decode,
    and artifacts are announced. Without it sound comes as PCM, and an artifact as a line of text with its URL.
    """
    try:
        socket = await open_websocket(
            url,
            subprotocols=[Subprotocol("anygpt.opus.v1")] if opus else None,
            max_size=64 << 20,
            open_timeout=timeout,
        )
    except InvalidURI as error:
        raise CannotConnect(f"{url} is not a URL such as ws://127.0.0.1:8787/v1/realtime") from error
    except InvalidStatus as error:
        raise CannotConnect(_refusal(url, error.response.status_code)) from error
    except (InvalidHandshake, EOFError, ConnectionClosed) as error:
        raise NotADaemon(f"{url} answers, but not as a daemon does: {_line(error)}") from error
    except (TimeoutError, asyncio.TimeoutError) as error:
        raise CannotConnect(f"{url} does not answer within {timeout:g} s") from error
    except (OSError, WebSocketException) as error:
        raise CannotConnect(
            f"nobody answers at {url} ({_line(error)}): start one with `systemctl start anygptd` or `make run`"
        ) from error
    session = Session(socket, url)
    try:
        try:
            await asyncio.wait_for(session._begin(turns), timeout)
        except asyncio.TimeoutError as error:
            raise NotADaemon(f"{url} did not begin a session within {timeout:g} s") from error
        yield session
    finally:
        await socket.close()


class Session:
    """A conversation that is open. Made by `connect`.

    Sending and receiving may be done by different tasks; events have one reader: either `async for event in session`, or
    `ask`.
    """

    def __init__(self, socket: ClientConnection, url: str) -> None:
        self._socket = socket
        self._url = url
        self._uploads = 0
        #: The session's identifier.
        self.id = ""

    # Asking

    async def ask(self, question: Sound | str) -> Reply:
        """Asks something, spoken or written, and waits for the whole answer (`turns="manual"`)."""
        if isinstance(question, str):
            await self.write(question)
            await self.respond(spoken=False)
        else:
            await self.speak(question)
            await self.commit()
            await self.respond()
        return await self.reply()

    async def reply(self) -> Reply:
        """Gathers the events of an answer until its end."""
        reply = Reply()
        pcm = bytearray()
        async for event in self:
            if isinstance(event, HeardDelta):
                reply.heard += event.text
            elif isinstance(event, ReplyText):
                reply.text += event.text
                reply.item_id = event.item_id
            elif isinstance(event, ReplyAudio):
                pcm += event.pcm
                reply.item_id = event.item_id
            elif isinstance(event, OpusPacket):
                reply.packets.append(event)
            elif isinstance(event, ArtifactDone):
                reply.artifacts.append(event.artifact)
            elif isinstance(event, ErrorEvent):
                raise ServerError(event.code, event.message)
            elif isinstance(event, ResponseDone):
                reply.status = event.status
                break
        reply.heard, reply.text = reply.heard.strip(), reply.text.strip()
        reply.sound = Sound(bytes(pcm))
        return reply

    # Sending

    async def speak(self, sound: Sound, *, live: bool = False) -> None:
        """Sends a sound; `live` as fast as a microphone would, else as fast as it is taken."""
        clock = asyncio.get_running_loop()
        start = clock.time()
        for offset in range(0, len(sound.pcm), PIECE):
            await self.send_pcm(sound.pcm[offset : offset + PIECE])
            if live:
                await asyncio.sleep(max(0.0, start + (offset + PIECE) / 2 / RATE - clock.time()))

    async def send_pcm(self, pcm: bytes) -> None:
        """Sends samples: 16-bit little-endian, mono, 24,000 a second."""
        await self.send("input_audio_buffer.append", audio=base64.b64encode(pcm).decode())

    async def send_packet(self, packet: bytes) -> None:
        """Sends one Opus packet, of any rate and length (`connect(opus=True)`)."""
        await self._send(b"\x01" + packet)

    async def commit(self) -> None:
        """Ends the spoken turn."""
        await self.send("input_audio_buffer.commit")

    async def write(
        self, text: str, *, picture: bytes | None = None, music: bytes | None = None
    ) -> None:
        """Puts a written question into the conversation, and a picture (PNG, JPEG or WebP) or, with `connect(opus=True)`,
        a piece of music (WAV, FLAC, Ogg, MP3 or Opus) that it is about.

        With a picture or music the text may be empty.
        """
        content: list[dict[str, Any]] = []
        if picture is not None:
            content.append({"type": "input_image", "image_url": data_uri(picture)})
        if music is not None:
            self._uploads += 1
            for frame in upload_frames(self._uploads, music):
                await self._send(frame)
            content.append({"type": "input_music", "upload": self._uploads})
        if text or not content:
            content.append({"type": "input_text", "text": text})
        item = {"type": "message", "role": "user", "content": content}
        await self.send("conversation.item.create", item=item)

    async def respond(
        self, *, spoken: bool = True, artifact: Literal["image", "music"] | None = None
    ) -> None:
        """Asks for an answer, or for a picture or a piece of music of what was written last."""
        response: dict[str, Any] = {"output_modalities": ["audio" if spoken else "text"]}
        if artifact is not None:
            response["artifact"] = {"type": artifact}
        await self.send("response.create", response=response)

    async def cancel(self) -> None:
        """Stops the answer that is being made."""
        await self.send("response.cancel")

    async def truncate(self, item_id: str, heard_ms: int) -> None:
        """Says how much of an answer was heard: the rest is taken out of the conversation."""
        await self.send(
            "conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=heard_ms
        )

    async def send(self, kind: str, **fields: Any) -> None:
        """Sends any event of the protocol."""
        await self._send(json.dumps({"type": kind, **fields}))

    async def _send(self, message: str | bytes) -> None:
        try:
            await self._socket.send(message)
        except ConnectionClosed as error:
            raise _lost(error) from error

    # Receiving

    def __aiter__(self) -> AsyncIterator[Event]:
        return self._events()

    async def _events(self) -> AsyncIterator[Event]:
        while True:
            yield await self.next()

    async def next(self) -> Event:
        """The next event."""
        try:
            message = await self._socket.recv()
        except ConnectionClosed as error:
            raise _lost(error) from error
        if isinstance(message, bytes):
            return parse_packet(message)
        try:
            data = json.loads(message)
        except ValueError as error:
            raise NotADaemon("a text message is not JSON") from error
        return parse(data)

    async def fetch(self, artifact: Artifact, timeout: float = 30.0) -> bytes:
        """The file of a picture or a piece of music, as it was announced."""
        return await asyncio.to_thread(download, artifact, self._url, timeout)

    async def _begin(self, turns: str) -> None:
        first = await self.next()
        if not (isinstance(first, OtherEvent) and first.type == "session.created"):
            raise NotADaemon("the first event is not session.created")
        self.id = str(first.data["session"]["id"])
        detection = None if turns == "manual" else {"type": "server_vad"}
        # Without `transcription` a Realtime server does not tell what it understood.
        sound = {"turn_detection": detection, "transcription": {"model": "anygpt"}}
        await self.send("session.update", session={"type": "realtime", "audio": {"input": sound}})
        while True:
            event = await self.next()
            if isinstance(event, ErrorEvent):
                raise ServerError(event.code, event.message)
            if isinstance(event, OtherEvent) and event.type == "session.updated":
                return


def _refusal(url: str, status: int) -> str:
    if status == 404:
        return f"there is no such door at {url}: the daemon's is /v1/realtime"
    if status == 503:
        return f"the daemon at {url} has no room for another connection: try again later"
    return f"{url} refused the connection with HTTP status {status}"


def _line(error: BaseException) -> str:
    text = str(error) or type(error).__name__
    return " ".join(text.split())


def _lost(error: ConnectionClosed) -> ConnectionLost:
    frame = error.rcvd
    if frame is None:
        return ConnectionLost("the connection broke off")
    return ConnectionLost(
        f"the daemon closed the connection with {frame.code} ({frame.reason or 'no reason'})"
    )

