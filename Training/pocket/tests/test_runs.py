"""Codes as tokens and back again, and what may come in an image and in music."""

import random

import pytest

torch = pytest.importorskip("torch")

from pocket.data.music import FRAMES  # noqa: E402
from pocket.data.music_codes import LEVELS  # noqa: E402
from pocket.words.runs import IMAGE_LENGTH, LEAST_FRAMES, LEVEL, Grammar, Runs  # noqa: E402
from pocket.words.vocabulary import PIECES, added_tokens  # noqa: E402


@pytest.fixture(scope="module")
def runs() -> Runs:
    return Runs({token: PIECES + index for index, token in enumerate(added_tokens())})


def frames(count: int) -> torch.Tensor:
    """[frame, level] with the first and the last code of every level among them."""
    codes = torch.randint(0, LEVEL, (count, LEVELS), generator=torch.Generator().manual_seed(count))
    codes[0], codes[-1] = 0, LEVEL - 1
    return codes


def grammar(runs: Runs, prompt: list[int]) -> Grammar:
    return Grammar(runs, PIECES + len(runs.added), prompt)


def may_come(grammar: Grammar) -> set[int] | None:
    allowed = grammar.allowed
    return None if allowed is None else set(allowed.nonzero()[:, 0].tolist())


def test_what_is_written_is_read(runs: Runs) -> None:
    rng = random.Random(1)
    speech, image = ([0, 1023, *(rng.randrange(1024) for _ in range(count))] for count in (60, IMAGE_LENGTH - 2))
    music = frames(7)
    ids = [5, 6, *runs.image(image), 7, *runs.speech(speech), *runs.music(music), runs.added["<eos>"]]
    assert runs.speech_in(ids) == speech
    assert runs.image_in(ids) == image
    assert torch.equal(runs.music_in(ids), music)
    assert torch.equal(runs.music_in(runs.music(music, whole=False)), music)


def test_what_is_no_run_is_not_read(runs: Runs) -> None:
    nothing = [5, 6]
    assert runs.speech_in(nothing) == runs.image_in(nothing) == [] and not len(runs.music_in(nothing))
    assert runs.image_in(runs.image([1] * (IMAGE_LENGTH - 1))) == []
    assert runs.image_in([*runs.image([1] * IMAGE_LENGTH)[:-2], 5, runs.added["<eoim>"]]) == []
    ids = runs.music(frames(3))
    assert not len(runs.music_in([*ids[:-2], ids[-1]]))  # a frame without its last level
    assert not len(runs.music_in([ids[0], *ids[2:4], ids[1], *ids[4:]]))  # levels in another order


def test_an_image_has_as_many_codes_as_images_have(runs: Runs) -> None:
    ids = runs.image(list(range(IMAGE_LENGTH)))
    behind = grammar(runs, [5])
    for index in ids:
        allowed = may_come(behind)
        assert allowed is None or index in allowed
        behind.accept(index)
    assert may_come(behind) is None
    codes = set(range(runs.first_image, runs.first_image + 1024))
    assert may_come(grammar(runs, ids[:1])) == may_come(grammar(runs, ids[:-2])) == codes
    assert may_come(grammar(runs, ids[:-1])) == {runs.added["<eoim>"]}


def test_music_comes_level_by_level_and_ends_at_a_frame(runs: Runs) -> None:
    ids, end = runs.music(frames(FRAMES)), runs.added["<eomu>"]

    def level(which: int) -> set[int]:
        return set(range(runs.first_music + which * LEVEL, runs.first_music + (which + 1) * LEVEL))

    for count in (0, 1, LEAST_FRAMES - 1, LEAST_FRAMES, FRAMES - 1):
        for which in range(LEVELS):
            ends = {end} if which == 0 and count >= LEAST_FRAMES else set()
            assert may_come(grammar(runs, ids[: 1 + count * LEVELS + which])) == level(which) | ends
    assert may_come(grammar(runs, ids[:-1])) == {end}
    assert may_come(grammar(runs, ids)) is None


def test_the_likeliest_of_what_may_come_is_taken(runs: Runs) -> None:
    """However a network is, what it plays are whole frames, and what it draws is an image."""
    from pocket.networks.llama import Llama, LlamaConfig

    torch.manual_seed(0)
    size = PIECES + len(runs.added)
    net = Llama(LlamaConfig(size, hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=1))
    for mark, stop in (("<somu>", "<eomu>"), ("<soim>", "<eoim>")):
        prompt = [1, runs.added[mark]]
        ids = net.generate(prompt, runs.added[stop], 1100, grammar(runs, prompt))
        assert ids[-1] == runs.added[stop]
        made = runs.music_in(prompt + ids) if mark == "<somu>" else runs.image_in(prompt + ids)
        assert (LEAST_FRAMES <= len(made) <= FRAMES) if mark == "<somu>" else len(made) == IMAGE_LENGTH
