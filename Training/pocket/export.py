"""Writes the networks in the official layouts: float16 tensors under the official names, configurations beside them."""

import json
import os

import torch

from .llama import Llama
from .soundstorm import SoundStorm
from .speechtokenizer import SpeechTokenizer


def halves(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """float16 where that can hold the values, else as it was; anything not finite is refused."""
    out = {}
    for name, tensor in state.items():
        if not torch.isfinite(tensor).all():
            raise ValueError(f"{name} holds values that are not finite; it was not written")
        small = tensor.half()
        out[name] = (small if torch.isfinite(small).all() else tensor.float()).contiguous()
    return out


def dump(path: str, value: dict) -> None:
    with open(path, "w") as file:
        json.dump(value, file, indent=2, ensure_ascii=False)
        file.write("\n")


def write_speech_tokenizer(folder: str, net: SpeechTokenizer) -> None:
    os.makedirs(folder, exist_ok=True)
    torch.save(halves(net.state_dict()), f"{folder}/ckpt.dev")
    dump(f"{folder}/config.json", net.config.json())


def write_soundstorm(folder: str, net: SoundStorm) -> None:
    os.makedirs(folder, exist_ok=True)
    torch.save(halves(net.state_dict()), f"{folder}/speechtokenizer_soundstorm_mls.pt")
    dump(f"{folder}/soundstorm.json", net.config.json())


def write_llama(folder: str, net: Llama, metadata: dict[str, str]) -> None:
    from safetensors.torch import save_file

    os.makedirs(folder, exist_ok=True)
    save_file(halves(net.state_dict()), f"{folder}/model.safetensors", {"format": "pt"} | metadata)
    os.chmod(f"{folder}/model.safetensors", 0o644)
    dump(f"{folder}/config.json", net.config.json())
    generation = {"_from_model_config": True, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}
    dump(f"{folder}/generation_config.json", generation | {"transformers_version": "4.34.1"})
