"""Writes golden cases of the shipped picture networks, which the Swift engine is held to.

usage: python picture_cases.py ../Models/pocket ../Tests/Golden

SEED is computed by this project's own networks, which `check_golden.py` holds to the official golden cases; Stable
unCLIP by diffusers and transformers, which read the shipped folder as any other. The cases point to the shipped files.
"""

import json
import os
import random
import shutil
import sys

import numpy as np
import torch
from safetensors.torch import save_file

from pocket.data.pictures import SEEN, photograph
from pocket.networks import unclip
from pocket.networks.seed import Seed, SeedConfig
from pocket.shipping.pictures import SPACE, read_seed
from pocket.words.names import picture_names

PICTURES = {"horse": "png", "guitar": "jpg", "ice cream": "png"}
STEPS, GUIDANCE = 3, 2.0


def write(folder: str, kind: str, about: dict, expected: dict[str, torch.Tensor], exact: set[str]) -> None:
    rules: dict[str, dict] = {}
    for name, value in expected.items():
        scale = max(1.0, float(value.float().abs().max()))
        if name == "rgb":
            rules[name] = {"levels": 1, "share_equal": 0.99}
        elif name in exact or name.startswith("resized/"):
            rules[name] = {"exact": True}
        else:
            rules[name] = {"abs": (2e-3 if name == "guided_v_all" else 1e-4) * scale}
    save_file({name: value.contiguous() for name, value in expected.items()}, f"{folder}/expected.safetensors")
    os.chmod(f"{folder}/expected.safetensors", 0o644)
    about = {"case": os.path.basename(folder), "made_by": "Training/picture_cases.py"} | about
    comparison = {"kind": kind, "reference_tensors": "expected.safetensors", "compare": rules}
    for name, value in (("case", about), ("compare", comparison)):
        with open(f"{folder}/{name}.json", "w") as file:
            json.dump(value, file, indent=1)
            file.write("\n")


def fresh(folder: str) -> str:
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    return folder


def description(model: str, folder: str, config: SeedConfig) -> dict:
    where = os.path.relpath(f"{model}/seed", folder)
    files = {f"{where}/{name}": "the shipped weights" for name in ("seed_quantizer.pt", "eva_vit_g.pth")}
    vit = {"num_heads": config.vision_heads, "depth": config.vision_depth}
    return {"model_files": files, "config": {"vit": vit, "qformer": {"num_attention_heads": config.heads}}}


@torch.no_grad()
def seed_cases(model: str, golden: str) -> torch.Tensor:
    """Writes both SEED cases; returns a picture's embedding, [1, size]."""
    from safetensors.torch import load_file

    config = SeedConfig()
    net = Seed(config).eval()
    net.load_state_dict(read_seed(f"{model}/seed"))
    folder = fresh(f"{golden}/seed-encode-pocket")
    os.makedirs(f"{folder}/images")
    rng, expected, files = random.Random(27), {}, []
    for name, ending in PICTURES.items():
        files.append(f"{name.replace(' ', '-')}.{ending}")
        picture = photograph(name, rng).resize((96, 96))
        picture.save(f"{folder}/images/{files[-1]}", **({"quality": 90, "subsampling": 0} if ending == "jpg" else {}))
    files.sort()
    from PIL import Image

    for file in files:
        small = Image.open(f"{folder}/images/{file}").convert("RGB").resize((SEEN, SEEN), Image.Resampling.BICUBIC)
        expected[f"resized/{file}"] = torch.from_numpy(np.array(small))
    pixels = torch.stack([expected[f"resized/{file}"].permute(2, 0, 1) for file in files]).float() / 255
    expected["vit_out"] = net.vision(pixels)
    expected["z"] = net.quantizer.vectors(expected["vit_out"])
    expected["indices"] = net.quantizer.nearest(expected["z"]).int()
    about = description(model, folder, config) | {"image_order": files}
    write(folder, "seed-encode", about, expected, {"indices"})

    folder = fresh(f"{golden}/seed-decode-pocket")
    canonical = load_file(SPACE)["canonical"].int()
    codes = torch.cat([canonical[[picture_names().index(name) for name in PICTURES]], expected["indices"]])
    save_file({"indices": codes}, f"{folder}/input.safetensors")
    embeddings = net.quantizer.embedding(codes.long())
    write(folder, "seed-decode", description(model, folder, config), {"image_embeds": embeddings}, set())
    return embeddings[:1]


@torch.no_grad()
def unclip_case(model: str, golden: str, embedding: torch.Tensor) -> None:
    from diffusers import AutoencoderKL, DDPMScheduler, PNDMScheduler, UNet2DConditionModel
    from diffusers.pipelines.stable_diffusion.stable_unclip_image_normalizer import StableUnCLIPImageNormalizer
    from transformers import CLIPTextModel

    folder, source = fresh(f"{golden}/unclip-pocket"), f"{model}/unclip"
    os.symlink(os.path.relpath(source, folder), f"{folder}/stable-unclip-pocket")
    unet = UNet2DConditionModel.from_pretrained(f"{source}/unet", torch_dtype=torch.float32).eval()
    # The file has no encoder: diffusers says so, and makes up one that is not used.
    vae = AutoencoderKL.from_pretrained(f"{source}/vae", torch_dtype=torch.float32).eval()
    text = CLIPTextModel.from_pretrained(f"{source}/text_encoder", torch_dtype=torch.float32).eval()
    normalizer = StableUnCLIPImageNormalizer.from_pretrained(f"{source}/image_normalizer", torch_dtype=torch.float32)
    scheduler = PNDMScheduler.from_pretrained(f"{source}/scheduler")
    noising = DDPMScheduler.from_pretrained(f"{source}/image_noising_scheduler")
    torch.manual_seed(28)
    noise, latents = torch.randn(1, unclip.EMBEDDING), torch.randn(1, unclip.LATENTS, unclip.GRID, unclip.GRID)
    ids = torch.tensor([[1, 2] + [0] * (unclip.POSITIONS - 2)])
    states = text(ids).last_hidden_state
    unscaled = normalizer.unscale(noising.add_noise(normalizer.scale(embedding), noise, torch.tensor([0])))
    labels = torch.cat([unscaled, unclip.level(1)], 1)
    labels = torch.cat([torch.zeros_like(labels), labels])
    scheduler.set_timesteps(STEPS)
    expected = {"prompt_ids": ids.int(), "prompt_embeds": torch.cat([states, states]), "embeds_unscaled": unscaled}
    expected |= {"class_labels": labels, "timesteps": scheduler.timesteps.int()}
    x = latents
    for t in scheduler.timesteps:
        v = unet(torch.cat([x, x]), t, states.expand(2, -1, -1), class_labels=labels).sample
        expected.setdefault("unet_first_output", v)
        x = scheduler.step(v[:1] + GUIDANCE * (v[1:] - v[:1]), t, x).prev_sample
    image = vae.decode(x / vae.config.scaling_factor).sample
    rgb = ((image / 2 + 0.5).clamp(0, 1)[0].permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
    expected |= {"latents_final": x, "image_float": image, "rgb": torch.from_numpy(rgb)}
    save_file({"image_embeds": embedding, "noise": noise, "latents": latents}, f"{folder}/input.safetensors")
    call = {"num_inference_steps": STEPS, "guidance_scale": GUIDANCE, "noise_level": 0}
    write(folder, "unclip", {"call": call}, expected, {"prompt_ids", "timesteps"})


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    torch.set_num_threads(1)
    unclip_case(*sys.argv[1:], seed_cases(*sys.argv[1:]))
