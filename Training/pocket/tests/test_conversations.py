"""Lessons are spelled as the daemon spells its prompts: all up to the mark that the answer begins with is one text."""

import random
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from pocket.data.recordings import Question  # noqa: E402
from pocket.lessons.conversations import Sequence, Writer  # noqa: E402
from pocket.lessons.listening import Heard  # noqa: E402
from pocket.words import template  # noqa: E402
from pocket.words.vocabulary import Vocabulary  # noqa: E402

SHIPPED = Path(__file__).parents[3] / "Models/pocket/llama"
CODES = [0, 7, 7, 1023]
QUESTION = Question("what does a cow say", "a cow says moo", "", np.array(CODES))


@pytest.fixture(scope="module")
def writer() -> Writer:
    return Writer(Vocabulary(str(SHIPPED)), {QUESTION.reply: [5, 6, 7]})


def spelled(writer: Writer, text: str) -> list[int]:
    return [1, *writer.vocabulary.encode(text)]


def spoken(writer: Writer, system: str) -> list[int]:
    """What the daemon reads of a spoken question: `PromptTemplate` spells what is before and behind the codes."""
    codes = writer.marks(writer.vocabulary.speech(CODES))
    turn = f"[Human]: {codes} {template.INSTRUCTION}<eoh>\n[MMGPT]: <-Ins->"
    return spelled(writer, f"{system}\n{turn}")


def test_a_prompt_is_one_text(writer: Writer) -> None:
    assert writer.prompt(CODES) == spoken(writer, template.SYSTEM)


@pytest.mark.parametrize("seed", range(6))
def test_spoken_lessons_begin_with_the_prompt(writer: Writer, seed: int) -> None:
    prompts = [spoken(writer, system) for system in (template.SYSTEM, "")]
    rng = random.Random(seed)
    chat = writer.spoken_chat(rng, [QUESTION], [Heard(CODES)], aloud=True, whole=False)
    heard = writer.listening(rng, Heard(CODES), QUESTION.text)
    for sequence in (chat, heard):
        assert any(sequence.ids[: len(prompt)] == prompt for prompt in prompts)
        assert len(sequence.ids) == len(sequence.weights)


def test_reading_aloud_begins_with_the_prompt(writer: Writer) -> None:
    lessons = [writer.reading(random.Random(seed), QUESTION.reply) for seed in range(6)]
    turn = f"{template.question(f'{QUESTION.reply} {template.READ}')} <sosp>"
    prompts = [spelled(writer, f"{system}\n{turn}") for system in (template.SYSTEM, "")]
    assert all(any(lesson.ids[: len(prompt)] == prompt for prompt in prompts) for lesson in lessons)


def test_an_answer_s_first_words_are_learned(writer: Writer) -> None:
    sequence = Sequence()
    writer.transcribed(sequence, QUESTION.text)
    mark = sequence.ids.index(writer.vocabulary.added["<-Ins->"])
    assert sequence.ids[:mark] == writer.space and len(writer.space) == 1
    assert min(sequence.weights[mark + 1 :]) > 0
