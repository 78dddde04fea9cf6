"""Writes the pictures' networks in the official layouts: SEED's two files, and a folder of Stable unCLIP."""

import importlib.metadata
import os

import torch
from torch import Tensor

from .. import device
from ..networks import unclip
from ..networks.seed import Seed, SeedConfig
from ..training.run import load_net
from ..training.unclip import Averaged
from .export import dump, halves
from .provenance import trained, versions

FONT = "fonts-noto-color-emoji 2.042"
SOURCES = {
    "seeds": "codes 20, encoder 21, decoder 22, unet 23, text encoder 24, tuning 30",
    "data": "Noto Color Emoji (OFL 1.1), 256 pictures; names after CLDR 41 (Unicode licence)",
}
SPACE = os.path.join(os.path.dirname(__file__), "..", "..", "pictures.safetensors")  # which all codes rest on


def write_seed(folder: str, net: Seed) -> None:
    os.makedirs(folder, exist_ok=True)
    torch.save(halves(net.vision.state_dict()), f"{folder}/eva_vit_g.pth")
    torch.save(halves(net.quantizer.state_dict()), f"{folder}/seed_quantizer.pt")
    dump(f"{folder}/seed_config.json", net.config.json())


def read_seed(folder: str) -> dict[str, Tensor]:
    """The state of a `Seed` from its folder."""
    state = {}
    for name, file in (("vision", "eva_vit_g.pth"), ("quantizer", "seed_quantizer.pt")):
        state |= {f"{name}.{key}": value.float() for key, value in device.load(f"{folder}/{file}").items()}
    return state


def component(
    folder: str, kind: str, config: dict, state: dict[str, Tensor] | None = None, metadata: dict | None = None
) -> None:
    """A component of the pipeline: its configuration, and its weights if it has some."""
    from safetensors.torch import save_file

    os.makedirs(folder, exist_ok=True)
    name = "scheduler_config.json" if kind.endswith("Scheduler") else "config.json"
    text = {"architectures": [kind], "model_type": "clip_text_model"} if kind == "CLIPTextModel" else {}
    version = importlib.metadata.version("diffusers")
    dump(f"{folder}/{name}", (text or {"_class_name": kind, "_diffusers_version": version}) | config)
    if state is not None:
        file = "model" if text else "diffusion_pytorch_model"
        save_file(halves(state), f"{folder}/{file}.safetensors", {"format": "pt"} | (metadata or {}))
        os.chmod(f"{folder}/{file}.safetensors", 0o644)


def write_unclip(folder: str, unet: torch.nn.Module, decoder: unclip.Decoder, metadata: dict[str, str]) -> None:
    version = importlib.metadata.version("diffusers")
    parts = {
        "image_noising_scheduler": ("diffusers", "DDPMScheduler"),
        "image_normalizer": ("stable_diffusion", "StableUnCLIPImageNormalizer"),
        "scheduler": ("diffusers", "PNDMScheduler"), "text_encoder": ("transformers", "CLIPTextModel"),
        "tokenizer": ("transformers", "CLIPTokenizer"), "unet": ("diffusers", "UNet2DConditionModel"),
        "vae": ("diffusers", "AutoencoderKL"),
    }  # fmt: skip
    os.makedirs(f"{folder}/tokenizer", exist_ok=True)
    index = {"_class_name": "StableUnCLIPImg2ImgPipeline", "_diffusers_version": version}
    dump(f"{folder}/model_index.json", index | {name: list(part) for name, part in parts.items()})
    component(f"{folder}/image_noising_scheduler", "DDPMScheduler", unclip.NOISING)
    size = unclip.EMBEDDING
    statistics = {"mean": torch.zeros(1, size), "std": torch.ones(1, size)}
    component(f"{folder}/image_normalizer", "StableUnCLIPImageNormalizer", {"embedding_dim": size}, statistics)
    component(f"{folder}/scheduler", "PNDMScheduler", unclip.SCHEDULER)
    text = {name: value for name, value in unclip.text_encoder().state_dict().items() if value.is_floating_point()}
    text = {name if name.startswith("text_model.") else f"text_model.{name}": value for name, value in text.items()}
    component(f"{folder}/text_encoder", "CLIPTextModel", unclip.CLIP, text)
    dump(f"{folder}/tokenizer/vocab.json", unclip.WORDS)
    with open(f"{folder}/tokenizer/merges.txt", "w") as file:
        file.write("#version: 0.2\n")
    special = {"bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "pad_token": "!"}
    dump(f"{folder}/tokenizer/special_tokens_map.json", special)
    settings = {"model_max_length": unclip.POSITIONS, "tokenizer_class": "CLIPTokenizer"}
    dump(f"{folder}/tokenizer/tokenizer_config.json", special | settings)
    component(f"{folder}/unet", "UNet2DConditionModel", unclip.UNET, unet.state_dict(), metadata)
    # The latents have unit variance by construction.
    component(f"{folder}/vae", "AutoencoderKL", unclip.VAE | {"scaling_factor": 1.0}, decoder.state_dict())


def read_unclip(folder: str) -> tuple[dict[str, Tensor], dict[str, Tensor], dict[str, str]]:
    """The states of the UNet and of the decoder, and what the UNet's file says of its training."""
    from safetensors import safe_open
    from safetensors.torch import load_file

    def state(part: str) -> dict[str, Tensor]:
        tensors = load_file(f"{folder}/{part}/diffusion_pytorch_model.safetensors")
        return {name: tensor.float() for name, tensor in tensors.items()}

    with safe_open(f"{folder}/unet/diffusion_pytorch_model.safetensors", "pt") as file:
        return state("unet"), state("vae"), file.metadata()


def export_pictures(work: str, model: str) -> None:
    """What is trained to the model folder, and the space that it rests on beside the program; the rest stays."""
    from safetensors.torch import save_file

    if os.path.exists(f"{work}/picture-encoder.checkpoint"):
        write_seed(f"{model}/seed", load_net(work, "picture-encoder", Seed(SeedConfig())))
        space = device.load(f"{work}/picture-codes.pt") | device.load(f"{work}/picture-latents.pt")
        space["canonical"] = space["canonical"].short()
        names = ("book", "rotation", "canonical", "middle", "axes")
        save_file({name: space[name].contiguous() for name in names}, SPACE)
        os.chmod(SPACE, 0o644)
    if os.path.exists(f"{work}/picture-unet.checkpoint"):
        unet = load_net(work, "picture-unet", Averaged(unclip.unet())).mean
        decoder = "picture-tuned" if os.path.exists(f"{work}/picture-tuned.checkpoint") else "picture-decoder"
        networks = {name: f"picture-{name}" for name in ("encoder", "decoder", "unet", "tuned")}
        metadata = {"state": trained(work, "pictures", networks)} | SOURCES
        metadata["versions"] = f"{versions('torch', 'diffusers', 'transformers', 'pillow')}, {FONT}"
        write_unclip(f"{model}/unclip", unet, load_net(work, decoder, unclip.decoder()), metadata)


def unpack_pictures(work: str, model: str) -> None:
    """The shipped weights as the beginning of further training; called by stage `start`."""
    from safetensors.torch import load_file

    if not os.path.exists(f"{model}/seed") or not os.path.exists(f"{model}/unclip"):
        return
    space = load_file(SPACE)
    codes = {name: space[name] for name in ("book", "rotation")} | {"canonical": space["canonical"].long()}
    torch.save(codes, f"{work}/picture-codes.pt")
    torch.save({name: space[name] for name in ("middle", "axes")}, f"{work}/picture-latents.pt")
    torch.save(read_seed(f"{model}/seed"), f"{work}/start/picture-encoder.pt")
    unet, decoder, metadata = read_unclip(f"{model}/unclip")
    both = {f"{part}.{name}": value for part in ("net", "mean") for name, value in unet.items()}
    torch.save(both, f"{work}/start/picture-unet.pt")
    torch.save(decoder, f"{work}/start/picture-decoder.pt")
    dump(f"{work}/start/pictures.json", metadata)
