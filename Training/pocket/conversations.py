"""Training sequences for the backbone: token ids with a loss weight each, in exactly the chat model's format."""

import random
from dataclasses import dataclass, field

from . import domain, template
from .recordings import Question
from .vocabulary import Vocabulary

TRANSCRIPT, REPLY, TEXT, SPEECH_OUT, SPEECH_IN = 3.0, 2.0, 1.0, 0.35, 0.04  # loss weights: hearing is the hardest


@dataclass
class Sequence:
    ids: list[int] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)

    def add(self, ids: list[int], weight: float) -> None:
        self.ids += ids
        self.weights += [weight] * len(ids)


class Writer:
    """Writes conversations; `replies` holds the one code sequence of every reply."""

    def __init__(self, vocabulary: Vocabulary, replies: dict[str, list[int]]) -> None:
        self.vocabulary, self.replies = vocabulary, replies
        self.encode = vocabulary.encode

    def opening(self, rng: random.Random, always: bool = False) -> Sequence:
        sequence = Sequence()
        sequence.add([1], 0)
        if always or rng.random() < 0.5:
            sequence.add(self.encode(template.SYSTEM + "\n"), 0)
        else:
            sequence.add(self.encode("\n"), 0)
        return sequence

    def ask(self, sequence: Sequence, codes: list[int], instruction: str) -> None:
        """A spoken turn of the person, up to the machine's name."""
        sequence.add(self.encode(f"{template.HUMAN}: "), 0)
        sequence.add(self.vocabulary.speech(codes), SPEECH_IN)
        sequence.add(self.encode(f" {instruction}{template.END_HUMAN}\n{template.MACHINE}:"), 0)

    def answer(self, sequence: Sequence, transcript: str, reply: str, aloud: bool) -> None:
        sequence.add(self.encode(" <-Ins->"), TEXT)
        sequence.add(self.encode(f" {transcript}\n "), TRANSCRIPT)
        sequence.add(self.encode("<-Res->"), TEXT)
        sequence.add(self.encode(f" {reply} "), REPLY)
        speech = self.vocabulary.speech(self.replies[reply])
        if aloud:
            sequence.add(speech, SPEECH_OUT)
            sequence.add(self.encode(template.END_MACHINE), TEXT)
        else:
            sequence.add(speech[:1], TEXT)

    def spoken_chat(
        self, rng: random.Random, questions: list[Question], heard: list[list[int]], aloud: bool
    ) -> Sequence:
        """Spoken turns with the whole chain; `heard` are the codes of the questions.

        Unless `aloud`, the last turn ends where its reply's speech would begin.
        """
        sequence = self.opening(rng)
        for index, (question, codes) in enumerate(zip(questions, heard, strict=True)):
            if index:
                sequence.add(self.encode("\n"), 0)
            self.ask(sequence, codes, template.INSTRUCTION)
            self.answer(sequence, question.text, question.reply, aloud or index < len(questions) - 1)
        return sequence

    def listening(self, rng: random.Random, codes: list[int], text: str) -> Sequence:
        """The spoken chain up to the transcript's end: for what has no answer."""
        sequence = self.opening(rng)
        self.ask(sequence, codes, template.INSTRUCTION)
        sequence.add(self.encode(" <-Ins->"), TEXT)
        sequence.add(self.encode(f" {text}\n "), TRANSCRIPT)
        sequence.add(self.encode("<-Res->"), TEXT)
        return sequence

    def transcription(self, rng: random.Random, codes: list[int], text: str) -> Sequence:
        sequence = self.opening(rng)
        self.ask(sequence, codes, template.TRANSCRIBE)
        sequence.add(self.encode(f" {text}{template.END_MACHINE}"), TRANSCRIPT)
        return sequence

    def reading(self, rng: random.Random, text: str) -> Sequence:
        sequence = self.opening(rng)
        sequence.add(self.encode(template.question(f"{text} {template.READ}")), 0)
        sequence.add(self.encode(" "), TEXT)
        sequence.add(self.vocabulary.speech(self.replies[text]), SPEECH_OUT)
        sequence.add(self.encode(template.END_MACHINE), TEXT)
        return sequence

    def typed_chat(self, rng: random.Random) -> Sequence:
        sequence = self.opening(rng)
        for index in range(rng.choice([1, 2, 3])):
            question, reply = domain.pair(rng)
            lead = "\n" if index else ""
            sequence.add(self.encode(lead + template.question(question)), 0)
            sequence.add(self.encode(f" {reply}{template.END_MACHINE}"), REPLY)
        return sequence

    def prompt(self, codes: list[int]) -> list[int]:
        """What the daemon feeds for a first spoken question."""
        sequence = self.opening(random.Random(0), always=True)
        self.ask(sequence, codes, template.INSTRUCTION)
        return sequence.ids
