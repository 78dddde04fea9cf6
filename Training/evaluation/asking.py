"""Asks the daemon everything that is planned, and keeps what comes back."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from . import opus, sounds, turns
from .progress import Progress
from .store import Store


class Asker:
    """Asks a daemon; answers go to a store, their speech, pictures and music to folders beside it."""

    def __init__(self, url: str, store: Store, folder: Path, progress: Progress) -> None:
        self.url, self.store, self.folder, self.progress = url, store, folder, progress
        for kind in ("replies", "pictures", "pieces"):
            (folder / kind).mkdir(exist_ok=True)

    def spoken(self, rows: Iterable[tuple[str, Path]], side_by_side: int) -> None:
        """(key, recording) rows, several at a time."""

        def speak(path: Path) -> Awaitable[turns.Answer]:
            return turns.speak(self.url, sounds.read(path)[0])

        self._all([(key, partial(speak, path)) for key, path in rows], side_by_side)

    def written(self, rows: Iterable[tuple[str, turns.Written]]) -> None:
        """(key, request) rows, one at a time."""
        self._all([(key, partial(turns.write, self.url, request)) for key, request in rows], 1)

    def _all(self, rows: list[tuple[str, Callable[[], Awaitable[turns.Answer]]]], side_by_side: int) -> None:
        async def run() -> None:
            waiting = iter([row for row in rows if row[0] not in self.store])

            async def session() -> None:
                for key, ask in waiting:
                    self._keep(key, await ask())
                    self.progress.advance()

            await asyncio.gather(*(session() for _ in range(side_by_side)))

        asyncio.run(run())

    def _keep(self, key: str, answer: turns.Answer) -> None:
        facts: dict[str, Any] = answer.facts() | {"speech": None, "pictures": [], "pieces": []}
        if answer.packets:
            facts["speech"] = f"replies/{key}.wav"
            said = opus.decode(answer.packets)
            sounds.write(self.folder / facts["speech"], said, opus.REPLY_RATE)
            # Speech that begins with quiet keeps its listener waiting as long as speech that comes late.
            quiet = sounds.quiet_before(said, opus.REPLY_RATE)
            facts["times"]["first sound"] = facts["times"]["first audio"] + quiet
            if "first_audio" in facts["server"]:
                facts["server"]["first_sound"] = facts["server"]["first_audio"] + quiet
        for kind, suffix, files in (("pictures", "png", answer.pictures), ("pieces", "flac", answer.pieces)):
            for index, file in enumerate(files):
                name = f"{kind}/{key}{f'-{index}' if index else ''}.{suffix}"
                (self.folder / name).write_bytes(file)
                facts[kind].append(name)
        self.store.put(key, facts)
