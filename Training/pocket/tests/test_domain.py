"""What is held out is met in no lesson, however it is given."""

import random
import re

import pytest

from pocket.words import domain
from pocket.words.names import picture_names
from pocket.words.tunes import tune_names


def words(text: str) -> str:
    """Without capitals and signs."""
    return re.sub("[^a-z ]", "", text.lower())


def test_there_is_something_held_out_of_every_request() -> None:
    """Else the tests below would say nothing."""
    assert domain.apart() & set(domain.played()) and domain.apart() & set(domain.drawn())
    bare = {domain.PLAY[0].format(domain.tune(name)) for name in tune_names()}
    assert bare & domain.apart() and domain.PLAY[0] in domain.WRITTEN_PLAY


def test_nothing_held_out_is_written() -> None:
    rng = random.Random(5)
    for name in tune_names():
        texts = {domain.tune_text(name, rng) for _ in range(200)}
        assert len(texts) > len(domain.WRITTEN_PLAY) and not texts & domain.apart(), name
    for name in picture_names():
        assert not {domain.picture_text(name, rng) for _ in range(100)} & domain.apart(), name


def test_questions_of_lessons_are_the_training_half() -> None:
    rng = random.Random(6)
    asked = [domain.drawing_questions(), domain.playing_questions()]
    made = {question for questions in asked for rows in questions.values() for question in rows}
    drawn = {domain.pair(rng)[0] for _ in range(3000)}
    heard = {domain.practice(rng) for _ in range(3000)}
    assert not domain.apart() & (made | drawn | heard)
    assert not domain.apart() & {words(domain.typed(question, rng)) for question in drawn | made}


def test_all_that_is_drawn_and_played_can_be_asked_for() -> None:
    assert set(domain.drawing_questions()) == set(picture_names())
    assert set(domain.playing_questions()) == set(tune_names())


def test_talk_is_of_the_training_half_and_answered_in_words_alone() -> None:
    pytest.importorskip("torch")
    from pocket.data.recordings import talk_rows

    rows = talk_rows(400, 7)
    assert rows == talk_rows(400, 7) and len(rows) == 400 and rows[:10] != talk_rows(10, 8)
    train = {pair for pairs in domain.split()[0].values() for pair in pairs}
    assert all((question, reply) in train for question, reply, _ in rows)
    assert not {reply for _, reply, _ in rows} & {domain.DRAW_REPLY, domain.PLAY_REPLY}
