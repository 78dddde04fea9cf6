"""What stages are there, and which of them shipped weights go on without."""

from argparse import Namespace
from pathlib import Path

from pocket.__main__ import command, hears
from pocket.stages import STAGES, estimate, left_out


def test_what_a_stage_needs_comes_before_it() -> None:
    before: set[str] = set()
    for name, stage in STAGES.items():
        assert set(stage.needs) <= before, name
        before.add(name)


def test_shipped_weights_keep_what_codes_mean_unless_they_are_to_hear() -> None:
    def without(shipped: bool, hear: bool) -> set[str]:
        return {name for name in STAGES if left_out(name, shipped, hear)}

    assert without(shipped=True, hear=False) == {"encoder", "hearing", "front"}
    assert without(shipped=True, hear=True) == {"encoder"}
    assert without(shipped=False, hear=False) == without(shipped=False, hear=True) == set()


def test_a_run_that_was_to_hear_goes_on_with_that(tmp_path: Path) -> None:
    options = Namespace(work=str(tmp_path), model="m", pace=1.0, hear=False, jobs=1)
    assert not hears(options) and "--hear" not in command("probe", options)
    (tmp_path / "hear").touch()
    assert hears(options) and "--hear" in command("probe", options)


def test_the_estimate_tells_what_training_at_a_pace_takes() -> None:
    slow, fast = (estimate(["spoken", "backbone"], pace, 2).splitlines() for pace in (3, 1))
    assert slow[1] == fast[1] and slow[1].split()[0] == "spoken"  # speaking is not training
    assert int(slow[2].split()[1]) == 3 * int(fast[2].split()[1]) == 3 * STAGES["backbone"].minutes
    total = STAGES["spoken"].minutes + STAGES["backbone"].minutes
    assert f"about {total:.0f} min of one free core, so at least {total / 2:.0f} min with 2" in fast[0]
