"""Several processes that train one network together."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

PROGRAM = """
import sys
import torch
from pocket.training.run import Run, share

folder, rank = sys.argv[1], share()
torch.manual_seed(rank)
net = torch.nn.Linear(2, 1)
torch.nn.init.zeros_(net.weight)
torch.nn.init.zeros_(net.bias)
run = Run(folder, "line", net, 0.2, seconds=1.0, warmup=1)
steps = 0
for step in run:
    x = torch.randn(8, 2)
    # Only the first process is told about the first number, only the second one about the second.
    x[:, 1 - rank] = 0
    run.step((net(x) - x @ torch.tensor([[3.0], [-2.0]])).pow(2).mean())
    steps += 1
torch.save({"net": net.state_dict(), "steps": steps, "spent": run.spent}, f"{folder}/{rank}.pt")
"""


def test_processes_learn_from_each_other(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    together = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2]), "OMP_NUM_THREADS": "1"}
    subprocess.run([*together, tmp_path / "program.py", tmp_path], check=True, timeout=120, env=environment)
    first, second = (torch.load(tmp_path / f"{rank}.pt") for rank in (0, 1))
    assert torch.equal(first["net"]["weight"], second["net"]["weight"])
    assert torch.allclose(first["net"]["weight"], torch.tensor([[3.0, -2.0]]), atol=0.5)
    assert first["steps"] == second["steps"] and first["spent"] == second["spent"] >= 1.0
    assert torch.load(tmp_path / "line.checkpoint")["spent"] == first["spent"]
