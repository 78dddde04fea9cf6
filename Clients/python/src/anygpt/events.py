"""What the daemon tells, as typed values. `parse` makes them of a JSON event, `parse_packet` of a binary message."""

from __future__ import annotations

import base64
import binascii
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Union

from .errors import NotADaemon

Json = Mapping[str, Any]


@dataclass(frozen=True)
class SpeechStarted:
    """Speech begins in what was sent. A reply that is being played should stop."""

    item_id: str
    audio_start_ms: int


@dataclass(frozen=True)
class SpeechStopped:
    """The person's turn has ended."""

    item_id: str
    audio_end_ms: int


@dataclass(frozen=True)
class HeardDelta:
    """More of what was understood."""

    item_id: str
    text: str


@dataclass(frozen=True)
class HeardDone:
    """All that was understood of a turn."""

    item_id: str
    text: str


@dataclass(frozen=True)
class ResponseCreated:
    """An answer begins."""

    response_id: str


@dataclass(frozen=True)
class ReplyText:
    """More of the reply in words: of what is spoken, or of a written answer."""

    item_id: str
    text: str


@dataclass(frozen=True)
class ReplyAudio:
    """More of the reply's sound: 16-bit little-endian samples, mono, 24,000 a second."""

    item_id: str
    pcm: bytes


@dataclass(frozen=True)
class OpusPacket:
    """More of the reply's sound on a connection with `opus=True`: one Opus packet."""

    output_index: int
    sequence: int
    #: Samples at 48 kHz from the item's start.
    media_time: int
    is_first: bool
    is_last: bool
    packet: bytes


@dataclass(frozen=True)
class Artifact:
    """A picture or a piece of music that can be fetched with HTTP GET."""

    id: str
    type: Literal["image", "music"]
    mime_type: str
    bytes: int
    sha256: str
    url: str
    width: int | None = None
    height: int | None = None
    duration_ms: int | None = None


@dataclass(frozen=True)
class ArtifactProgress:
    """An artifact is being made (with `opus=True`)."""

    item_id: str
    step: int
    steps: int
    type: Literal["image", "music"] | None = None  # A daemon of former days does not say what it makes.


@dataclass(frozen=True)
class ArtifactDone:
    """An artifact is complete (with `opus=True`)."""

    item_id: str
    artifact: Artifact


@dataclass(frozen=True)
class ItemTruncated:
    """What the listener did not hear is out of the conversation."""

    item_id: str
    audio_end_ms: int


@dataclass(frozen=True)
class ResponseDone:
    """An answer has ended."""

    response_id: str
    status: Literal["completed", "cancelled", "failed", "incomplete"]
    reason: str | None
    usage: Json


@dataclass(frozen=True)
class ErrorEvent:
    """The daemon refused something; the session lives on."""

    code: str
    message: str


@dataclass(frozen=True)
class OtherEvent:
    """An event that has no type of its own here."""

    type: str
    data: Json


Event = Union[
    SpeechStarted,
    SpeechStopped,
    HeardDelta,
    HeardDone,
    ResponseCreated,
    ReplyText,
    ReplyAudio,
    OpusPacket,
    ArtifactProgress,
    ArtifactDone,
    ItemTruncated,
    ResponseDone,
    ErrorEvent,
    OtherEvent,
]


def parse(data: Json) -> Event:
    """A JSON event of the daemon's."""
    try:
        return _parse(data)
    except (AttributeError, KeyError, TypeError, ValueError, binascii.Error) as error:
        raise NotADaemon(f"an event cannot be read ({type(error).__name__}: {error})") from error


def _parse(data: Json) -> Event:
    kind = data["type"]
    if kind == "input_audio_buffer.speech_started":
        return SpeechStarted(data["item_id"], int(data["audio_start_ms"]))
    if kind == "input_audio_buffer.speech_stopped":
        return SpeechStopped(data["item_id"], int(data["audio_end_ms"]))
    if kind == "conversation.item.input_audio_transcription.delta":
        return HeardDelta(data["item_id"], data["delta"])
    if kind == "conversation.item.input_audio_transcription.completed":
        return HeardDone(data["item_id"], data["transcript"])
    if kind == "response.created":
        return ResponseCreated(data["response"]["id"])
    if kind in ("response.output_audio_transcript.delta", "response.output_text.delta"):
        return ReplyText(data["item_id"], data["delta"])
    if kind == "response.output_audio.delta":
        return ReplyAudio(data["item_id"], base64.b64decode(data["delta"], validate=True))
    if kind == "response.output_artifact.progress":
        making = (data.get("artifact") or {}).get("type")
        return ArtifactProgress(data["item_id"], int(data["step"]), int(data["steps"]), making)
    if kind == "response.output_artifact.done":
        made = data["artifact"]
        known = {name: made[name] for name in Artifact.__dataclass_fields__ if name in made}
        return ArtifactDone(data["item_id"], Artifact(**known))
    if kind == "conversation.item.truncated":
        return ItemTruncated(data["item_id"], int(data["audio_end_ms"]))
    if kind == "response.done":
        response = data["response"]
        details = response.get("status_details") or {}
        return ResponseDone(
            response["id"], response["status"], details.get("reason"), response.get("usage") or {}
        )
    if kind == "error":
        error = data["error"]
        return ErrorEvent(error.get("code") or error["type"], error["message"])
    return OtherEvent(kind, data)


_HEADER = struct.Struct(">BBHIQ")


def parse_packet(message: bytes) -> OpusPacket:
    """A binary message of the daemon's."""
    if len(message) <= _HEADER.size or message[0] != 0x02:
        raise NotADaemon(f"a binary message of {len(message)} bytes is no Opus packet")
    _, flags, index, sequence, time = _HEADER.unpack_from(message)
    return OpusPacket(
        index, sequence, time, bool(flags & 1), bool(flags & 2), message[_HEADER.size :]
    )
