"""Muon: momentum whose matrix is made orthogonal before it is taken as a step (Jordan et al., 2024).

PyTorch's own computes in bfloat16 whatever the processor; without AVX512-BF16 that takes longer than the network.
"""

import math

import torch
from torch import Tensor, nn

FACTORS = (3.4445, -4.7750, 2.0315)  # of the quintic Newton-Schulz iteration
ROUNDS = 4


def orthogonal(x: Tensor) -> Tensor:
    """A matrix with x's singular vectors and singular values near 1. [row, column], in x's own precision"""
    tall = x.shape[0] > x.shape[1]
    x = x.T if tall else x
    x = x / (x.norm() + 1e-7)
    a, b, c = FACTORS
    for _ in range(ROUNDS):
        square = x @ x.T
        x = a * x + (b * square + c * square @ square) @ x
    return x.T if tall else x


class Muon(torch.optim.Optimizer):
    """For matrices only; steps have the root mean square of AdamW's, so that one learning rate suits both."""

    def __init__(self, matrices: list[nn.Parameter], rate: float, momentum: float = 0.95, decay: float = 0.05) -> None:
        super().__init__(matrices, {"lr": rate, "momentum": momentum, "decay": decay})

    @torch.no_grad()
    def step(self) -> None:
        for group in self.param_groups:
            rate, momentum = group["lr"], group["momentum"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    state["momentum"] = torch.zeros_like(p)
                state["momentum"].lerp_(p.grad, 1 - momentum)
                update = orthogonal(p.grad.lerp(state["momentum"], momentum))
                p.mul_(1 - rate * group["decay"])
                p.add_(update, alpha=-rate * 0.2 * math.sqrt(max(p.shape)))


def muon(net: nn.Module, rate: float, *within: str) -> list[torch.optim.Optimizer]:
    """Muon for the matrices whose name holds one of `within`, AdamW for the rest."""
    ours = {name: p for name, p in net.named_parameters() if p.requires_grad}
    inside = {name for name, p in ours.items() if p.dim() == 2 and any(part in name for part in within)}
    matrices = [p for name, p in ours.items() if name in inside]
    others = [p for name, p in ours.items() if name not in inside]
    return [Muon(matrices, rate), torch.optim.AdamW(others, rate, betas=(0.9, 0.98), weight_decay=0.01)]
