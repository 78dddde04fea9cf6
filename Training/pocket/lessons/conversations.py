"""Training sequences for the backbone: token ids with a loss weight each, in exactly the chat model's format."""

import random
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ..data.recordings import Question
from ..words import domain, template
from ..words.vocabulary import Vocabulary
from .listening import Heard
from .music import MELODY, Music
from .pictures import Pictures
from .slips import slipped

# Loss weights: hearing is the hardest; what a person says or shows need not be foretold.
TRANSCRIPT, REPLY, TEXT, SPEECH_IN = 3.0, 2.0, 1.0, 0.04
# These and music count by how unlikely a code was held (`unknown` of the stage): most of it is soon known by heart.
# A reply's first codes tell which it is; one that begins as another seldom finds back.
SPEECH_OUT, SPEECH_FIRST, FIRST_SPOKEN = 2.0, 4.0, 4
# Of an image's codes the first ones tell which picture it is; the others follow from them and are soon known by heart.
IMAGE_FIRST, IMAGE_REST, FIRST_CODES = 3.0, 0.15, 5
# Of a piece of music the first frames and each note's first one tell which it is. Most lessons hold a beginning alone:
# fast ones are told from slow ones when the second note comes, after 16 or 32 frames.
MUSIC_FIRST, MUSIC_REST, FIRST_FRAMES, BEGINNINGS = 2.0, 0.5, 2, (12, 12, 20, 36)
HARDLY_HEARD = 30  # frames
CAPTION = 4.0  # few tokens behind many that are shown


@dataclass
class Sequence:
    ids: list[int] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    # First token of speech, letters and words of its frames.
    heard: list[tuple[int, list[int], list[int]]] = field(default_factory=list)
    drawn: str | None = None  # what its one transcript asks to be drawn

    def add(self, ids: list[int], weight: float) -> None:
        self.ids += ids
        self.weights += [weight] * len(ids)


class Writer:
    """Writes conversations; `replies` holds the one code sequence of every reply.

    Without `pictures` or `music` an answer that would draw or play ends where that would begin.
    """

    def __init__(
        self, vocabulary: Vocabulary, replies: dict[str, list[int]], pictures: Pictures | None = None,
        music: Music | None = None,
    ) -> None:  # fmt: skip
        self.vocabulary, self.replies, self.pictures, self.music = vocabulary, replies, pictures, music
        self.spoken = list(replies.values())
        self.tunes = music.canonical.tolist() if music else []
        self.encode = vocabulary.encode
        # What the daemon puts behind the machine's name: a space before the mark that is asked for, and behind a spoken
        # question the transcript's mark too. Spelled together with the colon the space is one token, by itself two.
        self.space, self.chain = (
            self.encode(f"{template.MACHINE}: {mark}")[len(self.encode(f"{template.MACHINE}:")) :]
            for mark in ("", "<-Ins->")
        )

    def opening(self, rng: random.Random, always: bool = False) -> Sequence:
        sequence = Sequence()
        sequence.add([1], 0)
        if always or rng.random() < 0.5:
            sequence.add(self.encode(template.SYSTEM + "\n"), 0)
        else:
            sequence.add(self.encode("\n"), 0)
        return sequence

    def ask(self, sequence: Sequence, heard: Heard, instruction: str) -> None:
        """A spoken turn of the person, up to the machine's name."""
        sequence.add(self.encode(f"{template.HUMAN}: "), 0)
        if heard.letters:
            sequence.heard.append((len(sequence.ids) + 1, heard.letters, heard.words))
        sequence.add(self.vocabulary.speech(heard.codes), SPEECH_IN)
        sequence.add(self.encode(f" {instruction}{template.END_HUMAN}\n{template.MACHINE}:"), 0)

    def picture(self, sequence: Sequence, question: str, space: str = "") -> bool:
        """The picture that a question asks for, if it asks for one; false where it is not known yet."""
        name = domain.drawn().get(question)
        if name is None:
            return True
        if self.pictures is None:
            return False
        sequence.add(self.encode(space), TEXT)
        self.image(sequence, name)
        return True

    def tune(self, rng: random.Random, sequence: Sequence, question: str, whole: bool) -> bool:
        """The music that a question asks for, if it asks for any; false where the answer is cut off by that."""
        name = domain.played().get(question)
        if name is None:
            return True
        if self.music is None:
            return False
        sequence.add(self.encode(" "), TEXT)
        return self.piece(rng, sequence, name, whole)

    def piece(self, rng: random.Random, sequence: Sequence, name: str, whole: bool) -> bool:
        """A piece of music and its marks, or its beginning alone, with slips; whether it is whole."""
        frames = self.music.codes(name) if whole else self.music.codes(name)[: rng.choice(BEGINNINGS)]
        said = slipped(frames.tolist(), self.tunes, rng)
        sequence.ids += self.vocabulary.music(torch.tensor([frame for frame, _ in said]), whole)
        sequence.weights.append(TEXT)
        pitch = None
        for place, (frame, right) in enumerate(said):
            weight = MUSIC_FIRST if place < FIRST_FRAMES or frame[MELODY] != pitch else MUSIC_REST
            sequence.weights += [weight if right else 0.0] * len(frame)
            pitch = frame[MELODY]
        sequence.weights += [MUSIC_REST] * (len(sequence.ids) - len(sequence.weights))  # the last mark
        return whole

    def image(self, sequence: Sequence, name: str) -> None:
        """A picture's codes and its marks."""
        ids = self.vocabulary.image(self.pictures.codes(name))
        sequence.add(ids[:1], TEXT)
        sequence.add(ids[1 : 1 + FIRST_CODES], IMAGE_FIRST)
        sequence.add(ids[1 + FIRST_CODES :], IMAGE_REST)

    def transcribed(self, sequence: Sequence, text: str, learned: bool = True) -> None:
        """What was heard, and the marks around it, up to where the reply begins."""
        sequence.add(self.chain, TEXT if learned else 0)
        sequence.add(self.encode(f" {text}\n "), TRANSCRIPT if learned else 0)
        sequence.add(self.encode("<-Res->"), TEXT if learned else 0)

    def answer(
        self, rng: random.Random, sequence: Sequence, transcript: str, reply: str, aloud: bool, whole: bool = False
    ) -> bool:
        """The chain: transcript, reply, a picture, the reply's speech, music; whether it is whole.

        The picture's 34 tokens come before the speech, near to its name; the thousand of music would keep it waiting.
        """
        self.transcribed(sequence, transcript)
        sequence.add(self.encode(f" {reply} "), REPLY)
        if not self.picture(sequence, transcript):
            return False
        if not aloud:
            sequence.add(self.vocabulary.speech([])[:1], TEXT)
            return False
        self.say(rng, sequence, reply)
        if not self.tune(rng, sequence, transcript, whole):
            return False
        sequence.add(self.encode(template.END_MACHINE), TEXT)
        return True

    def say(self, rng: random.Random, sequence: Sequence, reply: str, begin: float = SPEECH_OUT) -> None:
        """A reply's speech and its marks, with slips; `begin` is the weight of the first mark."""
        said = slipped(self.replies[reply], self.spoken, rng)
        sequence.ids += self.vocabulary.speech([code for code, _ in said])
        sequence.weights.append(begin)
        for place, (_, right) in enumerate(said):
            weight = SPEECH_FIRST if place < FIRST_SPOKEN else SPEECH_OUT
            sequence.weights.append(weight if right else 0.0)
        sequence.weights.append(SPEECH_OUT)

    def spoken_chat(
        self, rng: random.Random, questions: list[Question], heard: list[Heard], aloud: bool, whole: bool
    ) -> Sequence:
        """Spoken turns with the whole chain; `heard` are the questions' recordings.

        Unless `aloud`, the last turn ends where its reply's speech would begin; unless `whole`, music soon ends the
        conversation.
        """
        sequence = self.opening(rng)
        for index, (question, recording) in enumerate(zip(questions, heard, strict=True)):
            if index:
                sequence.add(self.encode("\n"), 0)
            self.ask(sequence, recording, template.INSTRUCTION)
            goes_on = aloud or index < len(questions) - 1
            if not self.answer(rng, sequence, question.text, question.reply, goes_on, whole):
                break
        return sequence

    def listening(self, rng: random.Random, heard: Heard, text: str) -> Sequence:
        """The spoken chain up to the transcript's end: for what has no answer."""
        sequence = self.opening(rng)
        self.ask(sequence, heard, template.INSTRUCTION)
        self.transcribed(sequence, text)
        return sequence

    def replied(self, rng: random.Random, question: Question) -> Sequence:
        """The spoken chain up to its reply, nothing of which is learned: what was asked is cut short and need not be
        heard.

        It takes a third of the tokens of a whole chain, and what follows stands where the daemon makes it.
        """
        sequence = self.opening(rng)
        codes = question.codes[: rng.randint(2, HARDLY_HEARD)].tolist()
        self.ask(sequence, Heard(codes), template.INSTRUCTION)
        self.transcribed(sequence, question.text, learned=False)
        sequence.add(self.encode(f" {question.reply} "), 0)
        return sequence

    def saying(self, rng: random.Random, question: Question) -> Sequence:
        """The spoken chain for its reply's speech alone."""
        sequence = self.replied(rng, question)
        self.say(rng, sequence, question.reply, begin=0)
        return sequence

    def following(self, rng: random.Random, question: Question) -> Sequence:
        """The spoken chain for its music alone, which what was asked is far from, behind the reply's speech."""
        sequence = self.replied(rng, question)
        sequence.add(self.vocabulary.speech(self.replies[question.reply]), 0)
        self.tune(rng, sequence, question.text, whole=False)
        return sequence

    def transcription(self, rng: random.Random, heard: Heard, text: str) -> Sequence:
        sequence = self.opening(rng)
        self.ask(sequence, heard, template.TRANSCRIBE)
        sequence.add(self.encode(f" {text}{template.END_MACHINE}"), TRANSCRIPT)
        return sequence

    def reading(self, rng: random.Random, text: str) -> Sequence:
        sequence = self.opening(rng)
        sequence.add(self.encode(template.question(f"{text} {template.READ}")), 0)
        sequence.add(self.space, TEXT)
        self.say(rng, sequence, text)
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
            if not self.picture(sequence, question, " ") or not self.tune(rng, sequence, question, rng.random() < 0.05):
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
                self.picture(sequence, question, " ")
            else:
                text = rng.choice(questions[name]) if rng.random() < 0.4 else domain.picture_text(name, rng)
                self.write(sequence, index, template.picture_request(domain.typed(text, rng)))
                sequence.add(self.space, 0)
                self.image(sequence, name)
            sequence.add(self.encode(template.END_MACHINE), TEXT)
        return sequence

    def playing(self, rng: random.Random) -> Sequence:
        """Written requests for music, two of five with the whole piece."""
        sequence = self.opening(rng)
        questions, whole = domain.playing_questions(), rng.random() < 0.4
        name = rng.choice(self.music.names)
        if rng.random() < 0.4:
            question = rng.choice(questions[name])
            self.write(sequence, 0, template.question(domain.typed(question, rng)))
            sequence.add(self.encode(f" {domain.PLAY_REPLY}"), REPLY)
            self.tune(rng, sequence, question, whole)
        else:
            text = rng.choice(questions[name]) if rng.random() < 0.4 else domain.tune_text(name, rng)
            self.write(sequence, 0, template.music_request(domain.typed(text, rng)))
            sequence.add(self.space, 0)
            self.piece(rng, sequence, name, whole)
        if whole:
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
            sequence.add(self.encode(f" {reply}{template.END_MACHINE}"), CAPTION)
        return sequence

    def hearing(self, rng: random.Random) -> Sequence:
        """Music that is heard: its description, and questions what it is."""
        sequence = self.opening(rng)
        name = rng.choice(self.music.names)
        described = rng.random() < 0.5
        request = template.INTERPRET if described else domain.typed(rng.choice(domain.HEAR), rng)
        reply = domain.tune(name) if described else domain.this_tune(name)
        sequence.add(self.encode(self.played(self.music.clip(name, rng), request)), 0)
        sequence.add(self.encode(f" {reply}{template.END_MACHINE}"), CAPTION)
        return sequence

    def shown(self, codes: list[int], request: str) -> str:
        """A written turn with a picture before its text."""
        return template.question(f"{self.marks(self.vocabulary.image(codes))} {request}")

    def played(self, codes: Tensor, request: str) -> str:
        """A written turn with music before its text."""
        return template.question(f"{self.marks(self.vocabulary.music(codes))} {request}")

    def marks(self, ids: list[int]) -> str:
        return "".join(self.vocabulary.name[index] for index in ids)

    def prompt(self, codes: list[int]) -> list[int]:
        """What the daemon feeds for a first spoken question, with the mark that it begins the answer with."""
        sequence = self.opening(random.Random(0), always=True)
        self.ask(sequence, Heard(codes), template.INSTRUCTION)
        return sequence.ids + self.chain
