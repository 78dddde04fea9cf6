"""The encoder as the daemon runs it, and its training by letters."""

import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from pocket.data.heard import LOWER, STEPS, code_questions, upper  # noqa: E402
from pocket.networks.speechtokenizer import SpeechTokenizer, SpeechTokenizerConfig  # noqa: E402
from pocket.training import hearing  # noqa: E402


def test_the_layers_are_the_encoder_s() -> None:
    torch.manual_seed(3)
    encoder = SpeechTokenizer(SpeechTokenizerConfig()).encoder.eval()
    wave = torch.randn(2, 1, 30 * 320)
    with torch.no_grad():
        values = encoder.model[:LOWER](wave)
        assert values.shape == (2, 96, 30 * STEPS)
        assert torch.equal(upper(encoder, values), encoder(wave))


def test_a_take_is_coded_in_order_each_recording_to_its_own_length(tmp_path: Path) -> None:
    torch.manual_seed(1)
    net = SpeechTokenizer(SpeechTokenizerConfig()).eval()
    generator = np.random.default_rng(1)
    lengths = [23 * STEPS + 3, 9 * STEPS, 40 * STEPS]
    pieces = [generator.standard_normal((length, 96)).astype(np.float16) for length in lengths]
    np.save(tmp_path / "heard-a.npy", np.concatenate(pieces))
    rows = [["one", "", "slt"], ["two", "", "slt"], ["three", "", "slt"]]
    (tmp_path / "heard-a.json").write_text(json.dumps({"rows": rows, "lengths": lengths}))
    code_questions(str(tmp_path), "a", net)
    coded = np.load(tmp_path / "questions-a.npz")
    assert coded["lengths"].tolist() == [23, 9, 40] and json.loads(str(coded["rows"])) == rows
    alone = torch.from_numpy(pieces[2]).float().T[None]
    with torch.no_grad():
        right = net.quantizer.encode(upper(net.encoder, alone), 1)[0, 0].numpy()
    assert (coded["codes"][32:] == right).all()


def test_the_nearest_code_is_chosen_and_gradients_draw_towards_better_ones() -> None:
    codes = torch.tensor([[0.0, 0.0], [2.0, 0.0], [0.0, 9.0]])
    said = torch.tensor([[0.9, 0.0]], requires_grad=True)
    one, least = hearing.chosen(said, codes)
    assert torch.allclose(one, torch.tensor([[1.0, 0.0, 0.0]])) and abs(least.item() - 0.81) < 1e-5
    one[0, 1].backward()
    assert said.grad[0, 0] > 0.1 and abs(said.grad[0, 1]) < 1e-3


def test_frames_behind_the_end_are_gone() -> None:
    import random

    missing = hearing.gone(torch.tensor([5, 30]), random.Random(2))
    assert missing.shape == (2, 30) and missing[0, 5:].all() and not missing[1].all()


@pytest.mark.parametrize("alone", [True, False])
def test_only_the_upper_layers_are_trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, alone: bool) -> None:
    monkeypatch.setattr(hearing, "HELD", 1)
    monkeypatch.setattr(hearing, "ALONE", 2.0 if alone else 0.0)
    torch.manual_seed(4)
    net = SpeechTokenizer(SpeechTokenizerConfig())
    begun = {name: tensor.clone() for name, tensor in net.encoder.state_dict().items()}
    torch.save({"net": begun}, tmp_path / "encoder.checkpoint")
    torch.save({"books": torch.randn(8, 1024, 128)}, tmp_path / "books.pt")
    values = np.random.default_rng(4).standard_normal((6 * 30 * STEPS, 96)).astype(np.float16)
    np.save(tmp_path / "heard-a.npy", values)
    rows = [["say cat", "", "slt"]] * 6
    (tmp_path / "heard-a.json").write_text(json.dumps({"rows": rows, "lengths": [30 * STEPS] * 6}))
    hearing.train_hearing(str(tmp_path), ["a"], seconds=1.0)
    saved = torch.load(tmp_path / "encoder_tuned.checkpoint")
    changed = {name for name, tensor in saved["net"].items() if not torch.equal(tensor, begun[name])}
    assert changed == {name for name in begun if int(name.split(".")[1]) >= LOWER and not alone}
    assert alone or {"moved", "sound"} <= set(saved["history"][-1])
    assert saved["helper"]["to_letters.weight"].any()  # zeros in the beginning
