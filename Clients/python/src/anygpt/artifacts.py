"""Pictures and music as files: how they are shown to the daemon, and fetched from it."""

from __future__ import annotations

import base64
import hashlib
import http.client
import struct
import urllib.request
from collections.abc import Iterator
from urllib.parse import urlsplit

from .errors import ArtifactError
from .events import Artifact

_MAGIC = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg", b"RIFF": "image/webp"}
_PIECE = 1 << 16


def data_uri(picture: bytes) -> str:
    """A picture's file as a `data:` URI, which an `input_image` holds."""
    for magic, kind in _MAGIC.items():
        if picture.startswith(magic):
            return f"data:{kind};base64,{base64.b64encode(picture).decode()}"
    raise ArtifactError("a picture has to be a PNG, JPEG or WebP file")


def upload_frames(number: int, file: bytes) -> Iterator[bytes]:
    """A file as binary messages, which an item's content then names by its number."""
    if not file:
        raise ArtifactError("an empty file cannot be played")
    for start in range(0, len(file), _PIECE):
        flags = (start == 0) | (start + _PIECE >= len(file)) << 1
        yield struct.pack(">BBI", 0x03, flags, number) + file[start : start + _PIECE]


def download(artifact: Artifact, daemon: str, timeout: float) -> bytes:
    """The artifact's file from the daemon whose WebSocket is at `daemon`, held to its announced size and checksum."""
    place = urlsplit(daemon)
    if not artifact.url.startswith("/") or artifact.url.startswith("//"):
        raise ArtifactError(f"{artifact.url} is no address at {daemon}")
    url = f"{'https' if place.scheme == 'wss' else 'http'}://{place.netloc}{artifact.url}"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=timeout) as answer:
            # No more than was announced: an answer may say anything.
            body: bytes = answer.read(artifact.bytes + 1)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise ArtifactError(f"{url} cannot be fetched: {error}") from error
    if len(body) != artifact.bytes or hashlib.sha256(body).hexdigest() != artifact.sha256:
        raise ArtifactError(f"{url}: what came is not what was announced")
    return body
