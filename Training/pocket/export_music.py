"""Writes the music's network as facebook/encodec_32khz is laid out, and takes it apart again."""

import importlib.metadata
import json
import os

import torch
from torch import Tensor

from .encodec import Encodec
from .export import dump, halves

PREPROCESSOR = {
    "chunk_length_s": None, "feature_extractor_type": "EncodecFeatureExtractor", "feature_size": 1, "overlap": None,
    "padding_side": "right", "padding_value": 0.0, "return_attention_mask": True, "sampling_rate": 32_000,
}  # fmt: skip


def write_encodec(folder: str, net: Encodec, metadata: dict[str, str]) -> None:
    from safetensors.torch import save_file

    os.makedirs(folder, exist_ok=True)
    save_file(halves(net.state_dict()), f"{folder}/model.safetensors", {"format": "pt"} | metadata)
    os.chmod(f"{folder}/model.safetensors", 0o644)
    dump(f"{folder}/config.json", net.config.json() | {"torch_dtype": "float16", "transformers_version": "4.34.1"})
    dump(f"{folder}/preprocessor_config.json", PREPROCESSOR)


def read_encodec(folder: str) -> dict[str, Tensor]:
    from safetensors.torch import load_file

    return {name: tensor.float() for name, tensor in load_file(f"{folder}/model.safetensors").items()}


def provenance(work: str) -> dict[str, str]:
    before = ""
    if os.path.exists(f"{work}/start/music.json"):
        with open(f"{work}/start/music.json") as file:
            before = json.load(file)["state"] + ", then "
    spent = []
    for name in ("encoder", "decoder"):
        saved = torch.load(f"{work}/music-{name}.checkpoint")
        spent.append(f"{name} {saved['steps']} steps in {saved['spent'] / 60:.0f} min of one core")
    return {
        "state": before + "trained: " + ", ".join(spent),
        "seeds": "encoder 41, decoder 42",
        "versions": f"torch {importlib.metadata.version('torch')}",
        "data": "32 kinds of tunes composed and synthesised by pocket/music.py; timbres after FluidR3 GM (MIT)",
    }


def export_music(work: str, model: str) -> None:
    """The trained network to the model folder, where there is one."""
    from .train_encodec import assemble

    if os.path.exists(f"{work}/music-encoder.checkpoint") and os.path.exists(f"{work}/music-decoder.checkpoint"):
        write_encodec(f"{model}/encodec", assemble(work), provenance(work))


def unpack_music(work: str, model: str) -> None:
    """The shipped weights as the beginning of further training; called by stage `start`."""
    from safetensors import safe_open

    from .encodec import EncodecConfig
    from .train_encodec import take_apart

    if not os.path.exists(f"{model}/encodec"):
        return
    net = Encodec(EncodecConfig())
    net.load_state_dict(read_encodec(f"{model}/encodec"))
    torch.save(torch.stack([level.codebook.embed for level in net.quantizer.layers]), f"{work}/music-books.pt")
    with safe_open(f"{model}/encodec/model.safetensors", "pt") as file:
        dump(f"{work}/start/music.json", file.metadata())
    listener, front = take_apart(net)
    torch.save(listener.state_dict(), f"{work}/start/music-encoder.pt")
    torch.save(front.state_dict(), f"{work}/start/music-decoder.pt")
