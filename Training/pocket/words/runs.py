"""Runs of codes between marks: how speech, images and music are written as tokens and read, and what may come next.

A code's id is the first id of its modality's block and the code; music has a block of its own in it for each
level, and its frames are written one after the other.
"""

from collections.abc import Iterable

import torch
from torch import Tensor

from ..data.music import FRAMES
from ..data.music_codes import LEVELS

IMAGE_CODES, SPEECH_CODES, MUSIC_CODES = 1024, 1024, 1024
IMAGE_LENGTH = 32  # codes of an image, neither more nor less
LEVEL = MUSIC_CODES // LEVELS  # codes of one level
LEAST_FRAMES = 50  # of a piece of music, at most FRAMES: [sampling.music] of config.toml, and one window of [music]


class Runs:
    """Writes and reads runs; `added` has the id of every mark and code by its name."""

    def __init__(self, added: dict[str, int]) -> None:
        self.added = added
        self.first_speech, self.first_image, self.first_music = added["<🗣️0>"], added["<👀0>"], added["<🎶0>"]

    def speech(self, codes: list[int]) -> list[int]:
        """Level-0 codes as ids between <sosp> and <eosp>."""
        return [self.added["<sosp>"], *(self.first_speech + code for code in codes), self.added["<eosp>"]]

    def image(self, codes: list[int]) -> list[int]:
        """An image's codes as ids between <soim> and <eoim>."""
        return [self.added["<soim>"], *(self.first_image + code for code in codes), self.added["<eoim>"]]

    def music(self, codes: Tensor, whole: bool = True) -> list[int]:
        """Frames of music [frame, level] as ids after <somu>, each level in a block of its own; <eomu> if `whole`."""
        ids = (codes + self.first_music + LEVEL * torch.arange(codes.shape[1])).flatten().tolist()
        return [self.added["<somu>"], *ids, *([self.added["<eomu>"]] if whole else [])]

    def speech_in(self, ids: list[int]) -> list[int]:
        """The level-0 codes of an answer's first run of speech."""
        first = self.first_speech
        return [index - first for index in self._run(ids, "sp") if first <= index < first + SPEECH_CODES]

    def image_in(self, ids: list[int]) -> list[int]:
        """The codes of an answer's first image; empty where there is none or its length is not an image's."""
        run, first = self._run(ids, "im"), self.first_image
        whole = len(run) == IMAGE_LENGTH and all(first <= index < first + IMAGE_CODES for index in run)
        return [index - first for index in run] if whole else []

    def music_in(self, ids: list[int]) -> Tensor:
        """The frames of an answer's first piece of music [frame, level]; none where a level is out of its place."""
        run = self._run(ids, "mu")
        if run and len(run) % LEVELS == 0:
            codes = torch.tensor(run).view(-1, LEVELS) - self.first_music - LEVEL * torch.arange(LEVELS)
            if bool(((codes >= 0) & (codes < LEVEL)).all()):
                return codes
        return torch.empty(0, LEVELS, dtype=torch.long)

    def _run(self, ids: list[int], kind: str) -> list[int]:
        """What stands behind the first mark that begins such a run, up to the one that ends it."""
        start, end = self.added[f"<so{kind}>"], self.added[f"<eo{kind}>"]
        run = ids[ids.index(start) + 1 :] if start in ids else []
        return run[: run.index(end)] if end in run else run


class Grammar:
    """What may come next in an answer's images and music, as the daemon's TokenGrammar has it with its defaults.

    An image has exactly as many codes as images have; music has whole frames with the levels in order, not fewer than
    LEAST_FRAMES of them, and ends after FRAMES. Elsewhere anything may come: what of text, marks and speech is in its
    place without help is the model's own.
    """

    def __init__(self, runs: Runs, size: int, prompt: Iterable[int] = ()) -> None:
        """For a vocabulary of so many tokens, behind a prompt, which may end within a run."""
        self.runs, self.size = runs, size
        self.kind, self.count = "", 0  # of the run that is open
        for index in prompt:
            self.accept(index)

    def accept(self, index: int) -> None:
        """Takes the token that came."""
        added = self.runs.added
        if self.kind:
            self.count += 1
            if index == added[f"<eo{self.kind}>"]:
                self.kind = ""
            return
        self.kind, self.count = next((kind for kind in ("im", "mu") if index == added[f"<so{kind}>"]), ""), 0

    @property
    def allowed(self) -> Tensor | None:
        """True for what may come [vocabulary]; none where anything may."""
        if not self.kind:
            return None
        mask, end = torch.zeros(self.size, dtype=torch.bool), self.runs.added[f"<eo{self.kind}>"]
        if self.kind == "im":
            first = self.runs.first_image
            mask[first : first + IMAGE_CODES] = self.count < IMAGE_LENGTH
            mask[end] = self.count >= IMAGE_LENGTH
            return mask
        frames, level = divmod(self.count, LEVELS)
        first = self.runs.first_music + level * LEVEL
        mask[first : first + LEVEL] = level > 0 or frames < FRAMES
        mask[end] = level == 0 and frames >= LEAST_FRAMES
        return mask
