"""A training run with a budget in processor time: warm-up and cosine, progress every minute, resumable checkpoints."""

import json
import math
import os
import time
from collections import defaultdict
from collections.abc import Iterator

import torch
from torch import distributed, nn

from .. import device

# bfloat16 pays only where the processor multiplies matrices of it (AMX): with AVX512-BF16 alone a step of the backbone
# took 2.0 s instead of 1.4 in float32, and without either it is ten times slower.
BFLOAT16 = torch.cpu.get_capabilities().get("amx_bf16", False)

# Batches that a core had in a minute, as measured: how long training is on a GPU.
BATCHES = {
    "encoder": 158, "encoder_tuned": 78, "decoder": 165, "decoder_tuned": 154, "soundstorm": 239, "probe": 433,
    "front": 74, "backbone": 48, "picture-encoder": 164, "picture-decoder": 196, "picture-unet": 238,
    "picture-tuned": 222, "music-encoder": 788, "music-decoder": 1367,
}  # fmt: skip


def cheap(wanted: bool = True) -> torch.autocast:
    """Computes what stands under it in bfloat16 where that is faster and `wanted`."""
    here = torch.get_default_device().type
    return torch.autocast(here, torch.bfloat16, enabled=(BFLOAT16 or device.on_gpu()) and wanted)


class Run:
    """Iterate to train: every turn of the loop must end with `step(loss, ...)`.

    On a GPU a run ends after as many batches as a core would have had in its budget (BATCHES), however soon that is.

    `helper` is trained beside the network and is no part of it: its weights are in the checkpoint alone.

    The budget can be changed while it runs, by writing seconds into the file NAME.budget. Several processes may train
    one network (`share`): each draws its own batches, gradients are averaged, their times are added, the first one
    reports and saves.
    """

    def __init__(
        self, folder: str, name: str, net: nn.Module, rate: float, seconds: float, warmup: int = 200,
        betas: tuple[float, float] = (0.9, 0.98), decay: float = 0.01, clip: float = 1.0, floor: float = 0.03,
        optimizers: list[torch.optim.Optimizer] | None = None, helper: nn.Module | None = None,
    ) -> None:  # fmt: skip
        self.path, self.name, self.net, self.helper = f"{folder}/{name}", name, net, helper
        self.rate, self.seconds, self.warmup, self.clip, self.floor = rate, seconds, warmup, clip, floor
        self.optimizers = optimizers or [torch.optim.AdamW(net.parameters(), rate, betas=betas, weight_decay=decay)]
        self.spent, self.steps = 0.0, 0
        self.seen: dict[str, list[float]] = defaultdict(list)
        self.history: list[dict] = []
        if os.path.exists(f"{self.path}.checkpoint"):
            saved = device.load(f"{self.path}.checkpoint")
            net.load_state_dict(saved["net"])
            if helper is not None:
                helper.load_state_dict(saved["helper"])
            for optimizer, state in zip(self.optimizers, saved["optimizers"], strict=True):
                optimizer.load_state_dict(state)
            self.spent, self.steps, self.history = saved["spent"], saved["steps"], saved["history"]
            print(f"{name}: goes on after {self.spent / 60:.0f} of {seconds / 60:.0f} min", flush=True)
        elif os.path.exists(f"{folder}/start/{name}.pt"):
            net.load_state_dict(device.load(f"{folder}/start/{name}.pt"))
            print(f"{name}: begins with the shipped weights", flush=True)

    @property
    def done(self) -> float:
        """Share of the budget that is spent, 0 to 1."""
        share = self.spent / self.seconds
        if device.on_gpu():
            share = max(share, self.steps / (BATCHES[self.name] * self.seconds / 60))
        return min(1.0, share)

    def __iter__(self) -> Iterator[int]:
        self.net.train()
        # The processor waits while a GPU computes, and a core's time is no measure of that.
        clock = time.monotonic if device.on_gpu() else time.process_time
        last, reported, saved = clock(), time.time(), time.time()
        self._rebudget()
        while self.done < 1:
            cosine = 0.5 * (1 + math.cos(math.pi * self.done))
            rate = self.rate * min(1, (self.steps + 1) / self.warmup) * max(self.floor, cosine)
            for optimizer in self.optimizers:
                for group in optimizer.param_groups:
                    group["lr"] = rate
            yield self.steps
            used, now = clock(), time.time()
            self.spent += self._agree(used - last)
            last = used
            if now - reported > 60:
                reported = now
                self._report()
                self._rebudget()
            if now - saved > 240:
                saved = now
                self.save()
        self._report()
        self.save()
        self.net.eval()

    @property
    def parameters(self) -> list[nn.Parameter]:
        return [*self.net.parameters(), *(self.helper.parameters() if self.helper is not None else [])]

    def step(self, loss: torch.Tensor, **metrics: float) -> None:
        for optimizer in self.optimizers:
            optimizer.zero_grad()
        loss.backward()
        if distributed.is_initialized():
            # A batch may leave a part of the network out, and another process's batch may not.
            rows = [torch.zeros_like(p) if p.grad is None else p.grad for p in self.parameters]
            gradients = torch.cat([row.flatten() for row in rows])
            distributed.all_reduce(gradients)
            gradients /= distributed.get_world_size()
            for p, row in zip(self.parameters, gradients.split([p.numel() for p in self.parameters]), strict=True):
                p.grad = row.view_as(p)
        nn.utils.clip_grad_norm_(self.parameters, self.clip)
        for optimizer in self.optimizers:
            optimizer.step()
        self.steps += 1
        for name, value in ({"loss": loss.item()} | metrics).items():
            self.seen[name].append(value)

    def _agree(self, used: float) -> float:
        """The time that all have used, and one budget for all."""
        if not distributed.is_initialized():
            return used
        both = torch.tensor([used, self.seconds if first() else 0.0])
        distributed.all_reduce(both)
        self.seconds = float(both[1])
        return float(both[0])

    def _report(self) -> None:
        means = {name: round(sum(values) / len(values), 4) for name, values in self.seen.items() if values}
        self.seen.clear()
        if not first():
            return
        self.history.append({"minutes": round(self.spent / 60, 1), "step": self.steps} | means)
        print(
            f"{self.name}: {self.spent / 60:.0f} of {self.seconds / 60:.0f} min, step {self.steps}, {means}", flush=True
        )

    def _rebudget(self) -> None:
        if os.path.exists(f"{self.path}.budget"):
            with open(f"{self.path}.budget") as file:
                self.seconds = float(file.read())

    def save(self) -> None:
        if not first():
            return
        state = {"net": self.net.state_dict(), "optimizers": [optimizer.state_dict() for optimizer in self.optimizers]}
        if self.helper is not None:
            state["helper"] = self.helper.state_dict()
        state |= {"spent": self.spent, "steps": self.steps, "history": self.history}
        torch.save(state, f"{self.path}.new")
        os.replace(f"{self.path}.new", f"{self.path}.checkpoint")
        with open(f"{self.path}.history.json", "w") as file:
            json.dump(self.history, file, indent=1)


def share() -> int:
    """Joins the processes that `torchrun` started to train one network; which of them this is, from 0."""
    if "WORLD_SIZE" not in os.environ:
        return 0
    distributed.init_process_group("gloo")
    return distributed.get_rank()


def first() -> bool:
    """Whether this process is the one that reports and saves."""
    return not distributed.is_initialized() or distributed.get_rank() == 0


def load_net(folder: str, name: str, net: nn.Module) -> nn.Module:
    """The weights of a finished (or interrupted) run; before it, those that it begins with."""
    if os.path.exists(f"{folder}/{name}.checkpoint"):
        net.load_state_dict(device.load(f"{folder}/{name}.checkpoint")["net"])
    else:
        net.load_state_dict(device.load(f"{folder}/start/{name}.pt"))
    return net.eval()


def begun(folder: str, name: str) -> bool:
    """Whether there are weights to load."""
    return os.path.exists(f"{folder}/{name}.checkpoint") or os.path.exists(f"{folder}/start/{name}.pt")
