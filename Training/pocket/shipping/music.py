"""Writes the music's network as facebook/encodec_32khz is laid out, and takes it apart again."""

import os

import torch
from torch import Tensor

from ..networks.encodec import Encodec
from .export import dump, halves
from .provenance import trained, versions

PREPROCESSOR = {
    "chunk_length_s": None, "feature_extractor_type": "EncodecFeatureExtractor", "feature_size": 1, "overlap": None,
    "padding_side": "right", "padding_value": 0.0, "return_attention_mask": True, "sampling_rate": 32_000,
}  # fmt: skip
SOURCES = {
    "seeds": "encoder 41, decoder 42",
    "data": "32 kinds of tunes composed and synthesised by pocket/data/music.py; timbres after FluidR3 GM (MIT)",
}


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


def export_music(work: str, model: str) -> None:
    """The trained network to the model folder, where there is one."""
    from ..training.encodec import assemble

    if os.path.exists(f"{work}/music-encoder.checkpoint") and os.path.exists(f"{work}/music-decoder.checkpoint"):
        state = trained(work, "music", {name: f"music-{name}" for name in ("encoder", "decoder")})
        write_encodec(f"{model}/encodec", assemble(work), {"state": state, "versions": versions("torch")} | SOURCES)


def unpack_music(work: str, model: str) -> None:
    """The shipped weights as the beginning of further training; called by stage `start`."""
    from safetensors import safe_open

    from ..networks.encodec import EncodecConfig
    from ..training.encodec import take_apart

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
