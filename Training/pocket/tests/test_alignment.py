"""When letters are said: the likeliest way through blanks and letters, and the lesson made of it."""

import itertools
import random

import numpy as np
import pytest

from pocket.data.alignment import frames_of, latest, said, words_at, words_heard
from pocket.lessons.batching import by_length


def every_way(frames: int, text: list[int]) -> list[tuple[int, ...]]:
    """All rows of blanks (0) and letters that collapse to the text."""

    def collapsed(row: tuple[int, ...]) -> list[int]:
        return [n for n, before in zip(row, (0, *row), strict=False) if n and n != before]

    return [row for row in itertools.product([0, *sorted(set(text))], repeat=frames) if collapsed(row) == text]


def test_the_likeliest_of_all_ways_is_taken() -> None:
    rng = random.Random(3)
    for text in ([1, 2], [2, 2], [1], [3, 1, 1], [1, 2, 1]):
        for _ in range(5):
            scores = np.log([[rng.random() + 1e-3 for _ in range(4)] for _ in range(6)])
            best = max(every_way(6, text), key=lambda row: sum(scores[frame, n] for frame, n in enumerate(row)))
            place, last, expected = 0, 0, []
            for n in best:
                place += bool(n and n != last)
                last = n
                expected.append(text[place - 1] if place else 0)
            assert said(scores, text).tolist() == expected, (text, best)


def test_the_latest_letters_come_a_moment_later() -> None:
    letters = np.array([0, 1, 1, 2, 2, 1, 3])
    assert latest(letters, 1, 2).tolist() == [[0, 0], [0, 0], [1, 0], [1, 0], [2, 1], [2, 1], [1, 2]]
    assert latest(letters, 0, 3)[-1].tolist() == [3, 1, 2]
    assert latest(letters[:2], 3, 1).tolist() == [[0], [0]]


def test_a_word_is_found_where_it_is_said() -> None:
    text = "ab bee c"
    letters = [1, 2, 9, 2, 5, 5, 9, 3]  # as numbers would be
    heard = np.array([0, 1, 1, 2, 9, 2, 2, 5, 5, 9, 3, 3])
    assert words_at(text, letters, heard) == [(0, 4), (4, 9), (9, 12)]
    assert words_at(text, letters, np.concatenate([[0] * 9, heard, [3] * 9])) == [(4, 13), (13, 18), (18, 27)]
    assert words_at(text, letters, heard[:8]) is None
    assert frames_of("bee", text, letters, heard) == (4, 9)  # from the space before it to the one behind it
    assert frames_of("c", text, letters, heard) == (9, 12)  # the last one to the end
    assert frames_of("bee", text, letters, heard[:8]) is None  # not all was said
    assert frames_of("x", text, letters, heard) is None
    assert frames_of("ab bee", text, letters, heard) is None  # nothing is before it
    assert frames_of("bee c", text, letters, heard) == (4, 12)
    assert words_heard(text, letters, heard, 1).tolist() == [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 3]
    assert words_heard(text, letters, heard[:8], 1) is None
    assert words_heard(" a", [9, 1], np.array([0, 9, 1, 1]), 1).tolist() == [0, 0, 0, 1]


def test_batches_hold_rows_of_like_length() -> None:
    rows = ["a" * length for length in (7, 3, 30, 4, 3)]
    assert by_length(rows, len, 12) == [["aaa", "aaa", "aaaa"], ["a" * 7], ["a" * 30]]


def test_a_head_reads_what_the_states_hold() -> None:
    """Hidden states that hold each frame's latest letters, as late as they must be known, are read without mistake."""
    torch = pytest.importorskip("torch")
    from pocket.lessons.listening import DELAY, LATEST, LETTERS, Letters, Spoken, numbers

    net, size = Letters(LATEST * (1 + len(LETTERS))), 1 + len(LETTERS)
    with torch.no_grad():
        net.to_letters.weight.copy_(torch.eye(LATEST * size))
    letters = numbers("aab bb a")
    states = torch.zeros(2, 16, LATEST * size)
    for frame, known in enumerate(latest(np.array(letters), DELAY, LATEST)):
        states[1, 4 + frame, known + size * np.arange(LATEST)] = 1
    spoken = [Spoken(1, 4, letters, [0] * len(letters))]
    loss, right = net(states, spoken)
    early, _ = net(states.roll(-1, 1), spoken)
    assert right == 1 and loss < 0.01 < early


def test_every_frame_is_asked_for_the_word_said_last() -> None:
    torch = pytest.importorskip("torch")
    from pocket.lessons.listening import UNKNOWN, WHOLE, WORD, Spoken, Words, latest_words, numbers

    said_once = np.repeat(numbers(" cat dog"), 4)
    words = latest_words("cat dog", said_once)  # as names cut from questions begin: with a space
    assert words[12 + WHOLE - 1 : 12 + WHOLE + 1].tolist() == [0, WORD["cat"]] and words[-1] == WORD["cat"]
    assert latest_words("cat dog", np.pad(said_once, (0, 9), mode="edge"))[-1] == WORD["dog"]
    assert set(latest_words("a cat", said_once)) == {UNKNOWN}
    net = Words(1 + len(WORD))
    with torch.no_grad():
        net.to_words.weight.copy_(torch.eye(1 + len(WORD)))
    states = torch.zeros(1, len(words), 1 + len(WORD))
    states[0, torch.arange(len(words)), torch.tensor(words)] = 1
    loss, right = net(states, [Spoken(0, 0, said_once.tolist(), words.tolist())])
    assert right == 1 and loss < 0.01
    nothing, _ = net(states, [Spoken(0, 0, said_once.tolist(), [UNKNOWN] * len(words))])
    assert nothing == 0


@pytest.mark.parametrize("layer", [0, 1])
def test_a_layer_looks_back_as_far_as_is_written(layer: int) -> None:
    torch = pytest.importorskip("torch")
    from pocket.networks.llama import Layer, LlamaConfig
    from pocket.networks.nearby import LOOKS, look_back
    from pocket.networks.soundstorm import rotary_table, rotate

    torch.manual_seed(1)
    looks, layer, vectors = LOOKS[layer], Layer(LlamaConfig(10)), torch.randn(1024, 256) * 0.02
    vectors[:, 0] += 0.06
    look_back(layer, vectors, looks)
    frames, size = 120, 64
    x = vectors[torch.randint(0, 1024, (frames,))][None]
    assert torch.equal(layer(x, rotary_table(frames, size), None), x)  # it adds nothing yet
    seen, attention = layer.input_layernorm(x), layer.self_attn
    q, k = (
        rotate(project(seen).view(1, frames, 4, size).transpose(1, 2), rotary_table(frames, size))
        for project in (attention.q_proj, attention.k_proj)
    )
    scores = (q @ k.transpose(2, 3))[0] / size**0.5
    weights = scores.masked_fill(torch.ones(frames, frames, dtype=torch.bool).triu(1), -1e9).softmax(-1)
    for head, (back, _) in enumerate(looks):
        by_distance = torch.stack([weights[head].diagonal(-d)[40:].mean() for d in range(32)]).detach()
        near = (torch.arange(32) - back).abs() < 1.5 + back / 3
        assert abs(by_distance.argmax() - back) < 1 and by_distance[near].sum() > 0.5, (head, by_distance)
