"""Talk to anygptd, a daemon for live voice conversations with AnyGPT.

    async with anygpt.connect() as session:
        reply = await session.ask(anygpt.Sound.read("question.wav"))
"""

from .errors import (
    AnyGPTError,
    ArtifactError,
    CannotConnect,
    ConnectionLost,
    NotADaemon,
    ServerError,
    SoundError,
)
from .events import (
    Artifact,
    ArtifactDone,
    ArtifactProgress,
    ErrorEvent,
    Event,
    HeardDelta,
    HeardDone,
    ItemTruncated,
    OpusPacket,
    OtherEvent,
    ReplyAudio,
    ReplyText,
    ResponseCreated,
    ResponseDone,
    SpeechStarted,
    SpeechStopped,
)
from .session import Reply, Session, connect
from .sound import Sound

__all__ = [
    "AnyGPTError",
    "Artifact",
    "ArtifactDone",
    "ArtifactError",
    "ArtifactProgress",
    "CannotConnect",
    "ConnectionLost",
    "ErrorEvent",
    "Event",
    "HeardDelta",
    "HeardDone",
    "ItemTruncated",
    "NotADaemon",
    "OpusPacket",
    "OtherEvent",
    "Reply",
    "ReplyAudio",
    "ReplyText",
    "ResponseCreated",
    "ResponseDone",
    "ServerError",
    "Session",
    "Sound",
    "SoundError",
    "SpeechStarted",
    "SpeechStopped",
    "connect",
]
