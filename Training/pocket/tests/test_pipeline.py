"""All stages in small: a minute of speech, and a step or two of every training, on a GPU that is not there."""

import time
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("hibari")

from pocket import stages  # noqa: E402
from pocket.data import recordings  # noqa: E402
from pocket.shipping import export, pictures  # noqa: E402
from pocket.tests.elsewhere import gpu  # noqa: E402

MODEL = str(Path(__file__).resolve().parents[3] / "Models/pocket")
JUDGES = {"judge", "picture-judge", "music-judge", "instruct-page"}  # they train nothing that ships


@pytest.mark.slow
@pytest.mark.parametrize("begin", ["shipped", "anew"])
def test_every_stage_finds_what_it_needs(begin: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stages, "PART_SECONDS", {0: 60, 1: 60, 9: 20})
    for name, parts in (("MIXED", [("train-0", 80, 60)]), ("TALK", []), ("HARD", [])):
        monkeypatch.setattr(stages, name, parts)
    monkeypatch.setattr(stages, "QUESTIONS", stages.MIXED)
    monkeypatch.setattr(recordings, "test_rows", dict)
    work, model = str(tmp_path / "work"), str(tmp_path / "model")
    (tmp_path / "work").mkdir()
    for path in ("llama", "speech"):
        (tmp_path / "model" / path).mkdir(parents=True)
    for name, stage in stages.STAGES.items():
        if name in JUDGES or (name == "start" and begin == "anew"):
            continue
        if stages.left_out(name, begin == "shipped", hear=True):
            continue
        began = time.time()
        source = MODEL
        if name == "export":  # which writes the latent spaces beside the program
            source = model
            monkeypatch.setattr(export, "LATENT", str(tmp_path / "latent.safetensors"))
            monkeypatch.setattr(pictures, "SPACE", str(tmp_path / "pictures.safetensors"))
        if stage.trains:
            with gpu() as there:
                stage.run(work, source, 1e-5)
                assert there.calls > 100, name
        else:
            stage.run(work, source, 1e-5)
        print(f"{name}: {time.time() - began:.1f} s", flush=True)
    assert (tmp_path / "model/llama/model.safetensors").stat().st_size > 1_000_000
    assert (tmp_path / "model/speech/ckpt.dev").exists()
