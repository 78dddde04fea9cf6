"""What requests for pictures and for music have in common, and what is shown or played."""

from dataclasses import dataclass
from typing import ClassVar

from .plan import Spoken, digest


@dataclass(frozen=True)
class Request:
    """Something that is to be made, asked for in writing or by voice."""

    KIND: ClassVar[str]

    name: str
    text: str
    way: str
    spoken: Spoken | None = None

    @property
    def key(self) -> str:
        return f"{self.KIND}-{digest(self.text, self.spoken.key if self.spoken else '')}"


@dataclass(frozen=True)
class Presented:
    """Something that training didn't have, to be described or asked about."""

    KIND: ClassVar[str]

    name: str
    question: str  # none: a description is wanted
    seed: int

    @property
    def key(self) -> str:
        return f"{self.KIND}-{digest(self.name, self.question, str(self.seed))}"
