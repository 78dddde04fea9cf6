"""What needs no daemon: numbers, what is kept, what is planned."""

import tomllib
from pathlib import Path

import numpy as np
import pytest

from evaluation import daemon, intervals, opus, pictures, plan, sounds
from evaluation.store import Store


def test_word_errors() -> None:
    rate = intervals.word_errors([("what is ice made of", "what is rice made of"), ("say house", "say house")])
    assert rate is not None and rate["value"] == pytest.approx(100 / 7, abs=0.01) and rate["of"] == 2
    assert rate["low"] == 0 and rate["high"] == 20
    assert intervals.word_errors([]) is None


def test_shares_are_never_certain() -> None:
    all_right, half = intervals.share([True] * 8), intervals.share([True, False] * 50)
    assert all_right is not None and all_right["value"] == 100 and 60 < all_right["low"] < 75
    assert (
        half is not None
        and half["low"] == pytest.approx(40.4, abs=0.1)
        and half["high"] == pytest.approx(59.6, abs=0.1)
    )


def test_quantiles() -> None:
    median = intervals.quantile([10, 20, 30, 40, 1000], 50)
    assert median is not None and median["value"] == 30 and median["low"] >= 10 and median["high"] <= 1000


def test_quiet_is_no_sound() -> None:
    rate, tone = 24_000, (9000 * np.sin(np.arange(4800) * 0.3)).astype(np.int16)
    hiss = np.random.default_rng(1).integers(-20, 21, 9600).astype(np.int16)
    assert sounds.quiet_before(np.concatenate([hiss, tone]), rate) == 400
    assert sounds.quiet_before(tone, rate) == 0
    assert sounds.quiet_before(np.zeros(0, np.int16), rate) == sounds.quiet_before(np.zeros(999, np.int16), rate) == 0


def test_a_store_goes_on_behind_half_a_line(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    Store(path).put("a", {"heard": "hello"})
    with path.open("a") as file:
        file.write('{"key": "b", "val')
    again = Store(path)
    assert "a" in again and "b" not in again
    again.put("b", 2)
    assert Store(path).values == {"a": {"heard": "hello"}, "b": 2}


def test_a_plan_is_held_out_and_a_smaller_one_is_part_of_it() -> None:
    small, large = (plan.questions(plan.Size(count, ("clean",), 1, 0, 0, 0, 0)) for count in (3, 9))
    assert {question.key for question in small} < {question.key for question in large}
    assert len({question.key for question in large}) == 9 * 2 * len(plan.VOICES)
    seen = {pair for rows in plan.by_kind(False).values() for pair in rows}
    assert all(((question.text, question.reply) in seen) != question.held_out for question in large)


def test_a_configuration_is_written_as_it_was_read(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(
        '[model]\nllama = "llama"\nseed = ""\nsystem_prompt = "Say \\"hi\\"\\n"\n[sampling.text]\ntop_p = 0.5\n'
    )
    tables = daemon.configuration(path, tmp_path)
    assert tomllib.loads(daemon.toml(tables)) == tables
    assert tables["model"] == {"llama": str(tmp_path / "llama"), "seed": "", "system_prompt": 'Say "hi"\n'}
    assert tables["server"]["port"] == 0 and tables["seed"] and tables["sampling"]["text"]["top_p"] == 0.5


def test_another_model_has_another_name(tmp_path: Path) -> None:
    (tmp_path / "llama").mkdir()
    for name in ("llama/weights", "anygptd"):
        (tmp_path / name).write_text("one")
    tables = {"model": {"llama": str(tmp_path / "llama")}}
    first = daemon.fingerprint(tmp_path / "anygptd", tables)
    assert first == daemon.fingerprint(tmp_path / "anygptd", tables)
    (tmp_path / "llama/weights").write_text("two")
    assert first != daemon.fingerprint(tmp_path / "anygptd", tables)


def test_opus_there_and_back() -> None:
    wave = (8000 * np.sin(np.arange(16_000) * 2 * np.pi * 440 / 16_000)).astype(np.int16)
    packets = [packet for _, packet in zip(range(60), opus.packets(wave), strict=False)]
    back = opus.decode(packets)
    assert 1.1 * opus.REPLY_RATE < len(back) <= 1.2 * opus.REPLY_RATE
    assert back[:20_000].std() == pytest.approx(wave.std(), rel=0.1) and np.abs(back[-1000:]).max() < 100
    assert opus.ogg(wave, 16_000).startswith(b"OggS") and len(opus.decode([])) == 0


def test_captions() -> None:
    truck, fire = pictures.Shown("fire truck", "", 0), pictures.Shown("fire", "", 0)
    assert truck.named_in("this is a fire truck") and not truck.named_in("this is a truck")
    assert fire.named_in("fire") and not fire.named_in("this is a fire truck") and not fire.named_in("")
