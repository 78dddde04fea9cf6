"""Stage `start`: the shipped model as the beginning of every training run, so that work goes on where it ended.

Writes to the work folder what the stages would otherwise find for themselves: projection.pt and books.pt (the latent
space, fixed so that all ids keep their meaning), llama/ (the tokenizer) and start/NAME.pt (each network's weights).
The projection is not part of the model; it is kept in Training/latent.safetensors.
"""

import json
import os
import shutil

import torch
from torch import Tensor

from .. import device
from ..networks.llama import Llama, LlamaConfig
from ..networks.precision import plain
from ..networks.soundstorm import SoundStorm, SoundStormConfig
from ..words.vocabulary import Vocabulary

LATENT = os.path.join(os.path.dirname(__file__), "..", "..", "latent.safetensors")


def unpack(work: str, model: str) -> None:
    from safetensors import safe_open
    from safetensors.torch import load_file

    from .music import unpack_music
    from .pictures import unpack_pictures

    os.makedirs(f"{work}/start", exist_ok=True)
    torch.save(load_file(LATENT), f"{work}/projection.pt")
    speech = {name: tensor.float() for name, tensor in device.load(f"{model}/speech/ckpt.dev").items()}
    books = torch.stack([speech[f"quantizer.vq.layers.{level}._codebook.embed"] for level in range(8)])
    transform = torch.cat([speech["transform.weight"], speech["transform.bias"][:, None]], 1)
    count = speech["quantizer.vq.layers.0._codebook.cluster_size"]
    torch.save({"books": books, "transform": transform, "count": count}, f"{work}/books.pt")
    for name in ("encoder", "decoder"):
        torch.save(part(speech, f"{name}."), f"{work}/start/{name}.pt")
    unpack_soundstorm(work, f"{model}/speech", books)
    vocabulary = Vocabulary(f"{model}/llama")
    rows = {name: tensor.shape[0] for name, tensor in Llama(LlamaConfig(vocabulary.size)).state_dict().items()}
    torch.save(plain(load_file(f"{model}/llama/model.safetensors"), rows), f"{work}/start/backbone.pt")
    with safe_open(f"{model}/llama/model.safetensors", "pt") as file, open(f"{work}/start/provenance.json", "w") as out:
        json.dump(file.metadata(), out)
    unpack_pictures(work, model)
    unpack_music(work, model)
    os.makedirs(f"{work}/llama", exist_ok=True)
    for name in ("tokenizer.model", "added_tokens.json", "special_tokens_map.json", "tokenizer_config.json"):
        shutil.copy(f"{model}/llama/{name}", f"{work}/llama/{name}")


def unpack_soundstorm(work: str, speech: str, books: Tensor) -> None:
    """Nothing where the model has a silent one: it is of the smallest shape and has learned nothing to begin with."""
    from ..training.soundstorm import TiedSoundStorm

    with open(f"{speech}/soundstorm.json") as file:
        config = SoundStormConfig(**json.load(file))
    saved = device.load(f"{speech}/speechtokenizer_soundstorm_mls.pt")
    state = {name: tensor.float() for name, tensor in saved.items()}
    net = SoundStorm(config)
    net.load_state_dict(state)
    if not net.is_silent:
        torch.save(TiedSoundStorm.of_official(state, books, config).state_dict(), f"{work}/start/soundstorm.pt")


def part(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in state.items() if name.startswith(prefix)}
