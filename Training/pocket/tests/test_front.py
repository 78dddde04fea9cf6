"""The backbone's first layers, and what they are held to while they learn."""

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from pocket.networks.llama import Llama, LlamaConfig  # noqa: E402
from pocket.shipping.export import heard_anew  # noqa: E402
from pocket.training.backbone import FRONT  # noqa: E402
from pocket.training.front import Front, added  # noqa: E402


@pytest.fixture
def net() -> Llama:
    torch.manual_seed(7)
    return Llama(LlamaConfig(50))


def test_shipped_layers_are_held_to_what_they_made_before(net: Llama) -> None:
    ids, front = torch.arange(40).view(2, 20), Front(net, shipped=True)
    before, after = front(ids)
    assert torch.equal(before, after) and not before.requires_grad
    with torch.no_grad():
        front.layers[0].mlp.down_proj.weight += 0.1
    later, changed = front(ids)
    everywhere = torch.ones_like(ids, dtype=torch.bool)
    assert torch.equal(later, before) and added(later, changed, everywhere) > 0
    added(later, changed, everywhere).backward()
    assert all(p.grad is not None for p in front.layers.parameters())
    assert all(p.grad is None for p in front.held_to.parameters())
    assert net.model.embed_tokens.weight.grad is None


def test_new_layers_are_held_to_what_comes_to_them(net: Llama) -> None:
    ids = torch.arange(40).view(2, 20)
    before, after = Front(net, shipped=False)(ids)
    assert torch.equal(before, net.model.embed_tokens(ids)) and not torch.equal(before, after)
    between: list[torch.Tensor] = []
    net.hidden(ids, between=between)
    assert torch.allclose(after, between[FRONT - 1], atol=1e-5)


def test_the_header_tells_which_stages_went_before(tmp_path: Path) -> None:
    assert heard_anew(str(tmp_path)) == ""
    for name, steps in (("encoder_tuned", 12), ("front", 5)):
        torch.save({"steps": steps, "spent": 120.0}, tmp_path / f"{name}.checkpoint")
    assert heard_anew(str(tmp_path)) == (
        "the encoder trained by letters, 12 steps in 2 min of one core, then "
        "the first two layers on its codes, 5 steps in 2 min of one core, then "
    )
