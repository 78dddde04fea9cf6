"""Training sequences for the backbone: token ids with a loss weight each, in exactly the chat model's format."""

import random
from dataclasses import dataclass, field

from . import domain, template
from .picture_lessons import Pictures
from .recordings import Question
from .vocabulary import Vocabulary

# Loss weights: hearing is the hardest; what a person says or shows need not be foretold.
TRANSCRIPT, REPLY, TEXT, SPEECH_OUT, SPEECH_IN = 3.0, 2.0, 1.0, 0.35, 0.04
# Of an image's codes the first ones tell which picture it is; the others follow from them and are soon known by heart.
IMAGE_FIRST, IMAGE_REST, FIRST_CODES = 3.0, 0.15, 5


@dataclass
class Sequence:
    ids: list[int] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)

    def add(self, ids: list[int], weight: float) -> None:
        self.ids += ids
        self.weights += [weight] * len(ids)


class Writer:
    """Writes conversations; `replies` holds the one code sequence of every reply.

    Without `pictures` an answer that would draw ends where its picture would begin.
    """

    def __init__(self, vocabulary: Vocabulary, replies: dict[str, list[int]], pictures: Pictures | None = None) -> None:
        self.vocabulary, self.replies, self.pictures = vocabulary, replies, pictures
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

    def picture(self, sequence: Sequence, question: str) -> bool:
        """The picture that a question asks for, if it asks for one; false where it is not known yet."""
        name = domain.drawn().get(question)
        if name is None:
            return True
        if self.pictures is None:
            return False
        sequence.add(self.encode(" "), TEXT)
        self.image(sequence, name)
        return True

    def image(self, sequence: Sequence, name: str) -> None:
        """A picture's codes and its marks."""
        ids = self.vocabulary.image(self.pictures.codes(name))
        sequence.add(ids[:1], TEXT)
        sequence.add(ids[1 : 1 + FIRST_CODES], IMAGE_FIRST)
        sequence.add(ids[1 + FIRST_CODES :], IMAGE_REST)

    def answer(self, sequence: Sequence, transcript: str, reply: str, aloud: bool) -> None:
        sequence.add(self.encode(" <-Ins->"), TEXT)
        sequence.add(self.encode(f" {transcript}\n "), TRANSCRIPT)
        sequence.add(self.encode("<-Res->"), TEXT)
        sequence.add(self.encode(f" {reply} "), REPLY)
        speech = self.vocabulary.speech(self.replies[reply])
        if aloud:
            sequence.add(speech, SPEECH_OUT)
            if self.picture(sequence, transcript):
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

    def write(self, sequence: Sequence, index: int, turn: str) -> None:
        """A written turn of the person, up to the machine's name or to the mark that the answer has to begin with."""
        sequence.add(self.encode(("\n" if index else "") + turn), 0)

    def typed_chat(self, rng: random.Random) -> Sequence:
        sequence = self.opening(rng)
        for index in range(rng.choice([1, 2, 3])):
            question, reply = domain.pair(rng)
            self.write(sequence, index, template.question(domain.typed(question, rng)))
            sequence.add(self.encode(f" {reply}"), REPLY)
            if not self.picture(sequence, question):
                break
            sequence.add(self.encode(template.END_MACHINE), REPLY)
        return sequence

    def sums(self, rng: random.Random) -> Sequence:
        """Typed sums one after the other: many tokens of them cost little."""
        sequence = self.opening(rng)
        for index in range(rng.randint(3, 9)):
            question, reply = rng.choice(domain.split()[0]["sum"])
            question = domain.in_digits(question) if rng.random() < 0.3 else question
            self.write(sequence, index, template.question(domain.typed(question, rng)))
            sequence.add(self.encode(f" {reply}{template.END_MACHINE}"), REPLY)
        return sequence

    def drawing(self, rng: random.Random) -> Sequence:
        """Written requests for pictures: in a chat, or with the form of the answer given."""
        sequence = self.opening(rng)
        questions = domain.drawing_questions()
        for index in range(rng.choice([1, 1, 2, 3])):
            name = rng.choice(self.pictures.names)
            if rng.random() < 0.4:
                question = rng.choice(questions[name])
                self.write(sequence, index, template.question(domain.typed(question, rng)))
                sequence.add(self.encode(f" {domain.DRAW_REPLY}"), REPLY)
                self.picture(sequence, question)
            else:
                text = rng.choice(questions[name]) if rng.random() < 0.4 else domain.picture_text(name, rng)
                # The mark's space belongs to the prompt here, so it is spelled together with the colon.
                self.write(sequence, index, f"{template.picture_request(domain.typed(text, rng))} ")
                self.image(sequence, name)
            sequence.add(self.encode(template.END_MACHINE), TEXT)
        return sequence

    def seeing(self, rng: random.Random) -> Sequence:
        """Pictures that are shown: captions, and questions what they are."""
        sequence = self.opening(rng)
        for index in range(rng.randint(1, 4)):
            name = rng.choice(self.pictures.names)
            dice = rng.random()
            request = template.DESCRIBE if dice < 0.4 else template.CAPTION if dice < 0.5 else None
            reply = domain.one(name) if request else domain.this_is(name)
            request = request or domain.typed(rng.choice(domain.LOOK), rng)
            sequence.add(self.encode(("\n" if index else "") + self.shown(self.pictures.look(name, rng), request)), 0)
            sequence.add(self.encode(f" {reply}{template.END_MACHINE}"), REPLY)
        return sequence

    def shown(self, codes: list[int], request: str) -> str:
        """A written turn with a picture before its text."""
        image = "".join(self.vocabulary.name[index] for index in self.vocabulary.image(codes))
        return template.question(f"{image} {request}")

    def prompt(self, codes: list[int]) -> list[int]:
        """What the daemon feeds for a first spoken question."""
        sequence = self.opening(random.Random(0), always=True)
        self.ask(sequence, codes, template.INSTRUCTION)
        return sequence.ids
