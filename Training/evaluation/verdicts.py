"""What judges say of recordings, replies, pictures and music: each is asked once."""

from collections.abc import Callable, Iterable
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from .progress import Progress
from .store import Store


class Judges(Protocol):
    """Who judges."""

    def words(self, recording: Path) -> str:
        """What is said in a recording."""

    def likeness(self, recording: Path) -> float | None:
        """Cosine similarity of its voice to the reference voice's, if there is a voice in it."""

    def picture(self, file: Path) -> str:
        """The name of what a picture shows."""

    def piece(self, file: Path) -> dict[str, str]:
        """Instrument, tempo and mood of a piece of music; nothing of silence."""


class Experts:
    """Whisper tiny.en for words, Resemblyzer for voices, a classifier for pictures, another for music."""

    def __init__(self, reference: Path) -> None:
        self._reference_file = reference

    @cached_property
    def _listener(self):
        from pocket.judging.judges import Listener

        return Listener()

    @cached_property
    def _reference(self) -> np.ndarray:
        return self._listener.voice(self._wave(self._reference_file))

    @staticmethod
    def _wave(path: Path) -> np.ndarray:
        from pocket.data.voices import read

        return read(str(path))

    def words(self, recording: Path) -> str:
        return self._listener.whisper.transcribe(self._wave(recording)).strip()

    def likeness(self, recording: Path) -> float | None:
        from resemblyzer import preprocess_wav

        wave = self._wave(recording)
        # The network hears at least 0.1 s of voice, or nothing.
        if len(preprocess_wav(wave, 16_000)) < 1_600:
            return None
        return round(float(self._reference @ self._listener.voice(wave)), 4)

    @cached_property
    def _classifier(self):
        from .classifier import Classifier

        return Classifier()

    def picture(self, file: Path) -> str:
        return self._classifier.name(file)

    @cached_property
    def _music_judge(self):
        from .music_judge import MusicJudge

        return MusicJudge()

    def piece(self, file: Path) -> dict[str, str]:
        return self._music_judge.hear(file)


def judge(rows: Iterable[tuple[str, Callable[[], Any]]], store: Store, progress: Progress) -> None:
    """(key, question to a judge) rows; what is in the store is not asked again."""
    for key, ask in rows:
        if key not in store:
            store.put(key, ask())
            progress.advance()
