"""Where training computes."""

from argparse import Namespace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import pocket.__main__ as program  # noqa: E402
from pocket import device  # noqa: E402
from pocket.tests.elsewhere import gpu  # noqa: E402
from pocket.training.run import BATCHES, Run, cheap  # noqa: E402

OPTIONS = Namespace(work="no-such-folder", model="m", pace=1.0, hear=False, jobs=2)


def test_what_is_refused_on_a_gpu_is_refused() -> None:
    with gpu():
        there, here = torch.ones(2, 3), torch.from_numpy(np.ones((2, 3), np.float32))
        assert there.device.type == "cuda" and here.device.type == there.cpu().device.type == "cpu"
        for what, error in (
            (lambda: there + here, "add: expected all tensors to be on the same device"),
            (lambda: torch.cat([there, here]), "cat: expected"),
            (lambda: here[torch.arange(2)], "indices should be on the same device"),
            (lambda: torch.randn(2, generator=torch.Generator(device="cpu")), "randn: expected a 'cuda' device type"),
            (lambda: there.numpy(), "can't convert cuda:0"),
        ):
            with pytest.raises((RuntimeError, TypeError), match=error):
                what()
        assert (there + here.to(there.device)).sum().item() == 12 and there[torch.arange(2, device="cpu")].numel() == 6
        net = torch.nn.Linear(3, 1)
        net(there).sum().backward()
        assert net.weight.grad.device.type == "cuda" and (there * torch.tensor(2, device="cpu")).device.type == "cuda"


def test_a_run_on_a_gpu_has_as_many_batches_as_a_core_would_have(tmp_path: Path) -> None:
    with gpu():
        assert device.on_gpu() and cheap().fast_dtype == torch.bfloat16
        net = torch.nn.Linear(3, 1)
        run = Run(str(tmp_path), "backbone", net, 0.1, seconds=15.0)
        for _ in run:
            run.step(net(torch.ones(2, 3)).mean())
    assert run.steps == BATCHES["backbone"] / 4 and run.spent < 15
    assert not device.on_gpu()


def test_what_a_gpu_has_saved_is_read_where_there_is_none(tmp_path: Path) -> None:
    torch.save(torch.arange(3), tmp_path / "a.pt")
    assert device.load(str(tmp_path / "a.pt")).device.type == "cpu"
    with gpu():
        assert device.load(str(tmp_path / "a.pt")).device.type == "cuda"


@pytest.mark.parametrize("there", [False, True])
def test_processes_share_a_stage_on_a_processor_alone(there: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "gpu", lambda: there)
    assert ("torch.distributed.run" in program.command("backbone", OPTIONS)) == (not there)
    assert program.cores("backbone", OPTIONS) == (1 if there else 2) and program.cores("probe", OPTIONS) == 1
