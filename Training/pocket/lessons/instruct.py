"""AnyInstruct's second stage for the backbone: dialogues become sequences, each description the real thing's codes.

A spoken turn takes a recording of exactly its text; dialogues with a text that was never recorded wait until it is.
"""

import os
import random
from collections.abc import Callable

from ..data.recordings import Question
from ..words import domain, instruct, template
from ..words.instruct import Dialogue, Turn
from .conversations import CAPTION, REPLY, TEXT, Sequence, Writer
from .listening import Heard

LONG = 900  # tokens after which a sequence ends with its turn
CLIP = 75  # frames at most that music is heard for, mostly: the rest of a long sequence is worth more
WHOLE = 0.1  # share of dialogues that go on to the end of a piece and beyond it
ALOUD = 0.4  # share whose last spoken reply is there with its speech

Hear = Callable[[Question, random.Random], Heard]


class Instruct:
    """The dialogues of a work folder."""

    def __init__(self, dialogues: list[Dialogue]) -> None:
        self.dialogues = dialogues
        self.ready: list[Dialogue] = []
        self.recordings: dict[str, list[Question]] = {}

    @staticmethod
    def of(folder: str) -> "Instruct | None":
        """The folder's dialogues, once they are there."""
        return Instruct(instruct.read(folder)) if os.path.exists(f"{folder}/{instruct.FILE}") else None

    def record(self, questions: list[Question]) -> None:
        """Takes all the recordings; dialogues that lack one are left out."""
        self.recordings = {}
        for question in questions:
            self.recordings.setdefault(question.text, []).append(question)
        self.ready = [
            row for row in self.dialogues if all(turn.text in self.recordings for turn in row.turns if turn.spoken)
        ]
        print(f"backbone: {len(self.ready)} of {len(self.dialogues)} dialogues are recorded", flush=True)

    def draw(self, writer: Writer, rng: random.Random, hear: Hear) -> Sequence:
        return self.sequence(writer, rng, rng.choice(self.ready), hear)

    def sequence(self, writer: Writer, rng: random.Random, dialogue: Dialogue, hear: Hear) -> Sequence:
        """A dialogue, or the part of it after music, which would cut it off; `hear` changes a recording."""
        turns, whole, sequence = list(dialogue.turns), rng.random() < WHOLE, writer.opening(rng)
        cuts = [place + 1 for place, turn in enumerate(turns[:-1]) if turn.music]
        if cuts and not whole and rng.random() < 0.5:
            turns = turns[rng.choice(cuts) :]
        for place, turn in enumerate(turns):
            last = place == len(turns) - 1
            if turn.spoken:
                sequence.add(writer.encode("\n" if place else ""), 0)
                writer.ask(sequence, hear(rng.choice(self.recordings[turn.text]), rng), template.INSTRUCTION)
                goes_on = writer.answer(rng, sequence, turn.text, turn.reply, not last or rng.random() < ALOUD, whole)
            else:
                goes_on = written(writer, rng, sequence, place, turn, whole)
            if not goes_on or len(sequence.ids) > LONG:
                break
        return sequence


def written(writer: Writer, rng: random.Random, sequence: Sequence, place: int, turn: Turn, whole: bool) -> bool:
    """A turn that is typed or only shown, and its answer; whether the dialogue can go on."""
    text, makes = domain.typed(turn.text, rng) if turn.text else "", turn.picture or turn.music
    if turn.shown:
        request = text or rng.choice([template.DESCRIBE, template.DESCRIBE, template.DESCRIBE, template.CAPTION])
        opening = writer.shown(writer.pictures.look(turn.shown, rng), request)
    elif turn.heard:
        clip = writer.music.clip(turn.heard, rng)
        clip = clip[:CLIP] if rng.random() < 0.9 else clip
        opening = writer.played(clip, text or template.INTERPRET)
    elif turn.reply:
        opening = template.question(text)
    else:
        opening = template.picture_request(text) if turn.picture else template.music_request(text)
    answer_begun = turn.aloud or not turn.reply
    # Where the answer's first mark is given, its space is spelled together with the colon.
    writer.write(sequence, place, f"{opening} " if answer_begun else opening)
    if turn.aloud:
        writer.say(rng, sequence, turn.reply, begin=0)  # without that mark the answer would be written
    elif turn.reply:
        sequence.add(writer.encode(f" {turn.reply}"), REPLY if makes or not (turn.shown or turn.heard) else CAPTION)
    if makes and turn.reply:
        sequence.add(writer.encode(" "), TEXT)
    if turn.picture:
        writer.image(sequence, turn.picture)
    if turn.music and not writer.piece(rng, sequence, turn.music, whole):
        return False
    sequence.add(writer.encode(template.END_MACHINE), TEXT if makes or turn.aloud else REPLY)
    return True
