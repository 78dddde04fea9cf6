"""Writes a golden case of kind unclip: a tiny pipeline with random weights in the official layout, and what diffusers
computes from it in fp32.

    python make_unclip.py FOLDER --height 5 --width 7 --seed 1

Needs torch, diffusers, transformers and safetensors (written with torch 2.13.0, diffusers 0.23.1, transformers 4.34.1).
"""

import argparse
import json
import pathlib
import shutil

import numpy as np
import torch
from diffusers import AutoencoderKL, DDPMScheduler, PNDMScheduler, UNet2DConditionModel
from diffusers.pipelines.stable_diffusion.stable_unclip_image_normalizer import StableUnCLIPImageNormalizer
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel
from diffusers.models.embeddings import get_timestep_embedding


def randomise(model: torch.nn.Module) -> None:
    """Weights large enough that every part matters."""
    for name, p in model.named_parameters():
        if p.dim() > 1:
            fan = p[0].numel() if "embedding.weight" not in name else 1
            p.data.normal_(0, 1.0 / fan**0.5)
        elif name.endswith("weight"):
            p.data.uniform_(0.6, 1.4)
        else:
            p.data.normal_(0, 0.2)


def tokenizer(folder: pathlib.Path, words: int) -> None:
    folder.mkdir(parents=True)
    vocabulary = {chr(33 + i): i for i in range(words - 2)}
    vocabulary |= {"<|startoftext|>": words - 2, "<|endoftext|>": words - 1}
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    special = {"bos_token": {"content": "<|startoftext|>"}, "eos_token": {"content": "<|endoftext|>"}, "pad_token": "!"}
    (folder / "special_tokens_map.json").write_text(json.dumps(special))
    settings = {"model_max_length": 77, "pad_token": "<|endoftext|>", "tokenizer_class": "CLIPTokenizer"}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))


def main() -> None:
    a = argparse.ArgumentParser()
    a.add_argument("folder")
    a.add_argument("--height", type=int, default=5)
    a.add_argument("--width", type=int, default=7)
    a.add_argument("--seed", type=int, default=1)
    a.add_argument("--steps", type=int, default=6)
    a.add_argument("--guidance", type=float, default=10)
    a.add_argument("--channels", type=int, nargs="+", default=[8, 16, 16])
    a.add_argument("--heads", type=int, nargs="+", default=[1, 2, 4])
    a.add_argument("--groups", type=int, default=4)
    a.add_argument("--layers", type=int, default=2)
    a.add_argument("--vae-channels", type=int, nargs="+", default=[8, 16, 16])
    a.add_argument("--embedding", type=int, default=24)
    a.add_argument("--half", action="store_true", help="weights in fp16, as .bin files")
    o = a.parse_args()
    torch.manual_seed(o.seed)
    torch.set_num_threads(1)
    root = pathlib.Path(o.folder)
    shutil.rmtree(root, ignore_errors=True)
    pipeline = root / "stable-diffusion-2-1-unclip"
    size, text_size, words = o.embedding, 16, 80
    levels = len(o.channels)
    unet = UNet2DConditionModel(
        sample_size=16, in_channels=4, out_channels=4, block_out_channels=o.channels, layers_per_block=o.layers,
        attention_head_dim=o.heads, cross_attention_dim=text_size, norm_num_groups=o.groups,
        down_block_types=["CrossAttnDownBlock2D"] * (levels - 1) + ["DownBlock2D"],
        up_block_types=["UpBlock2D"] + ["CrossAttnUpBlock2D"] * (levels - 1), use_linear_projection=True,
        class_embed_type="projection", projection_class_embeddings_input_dim=2 * size,
    )
    vae = AutoencoderKL(
        block_out_channels=o.vae_channels, norm_num_groups=o.groups, latent_channels=4, layers_per_block=1,
        down_block_types=["DownEncoderBlock2D"] * len(o.vae_channels),
        up_block_types=["UpDecoderBlock2D"] * len(o.vae_channels), sample_size=64,
    )
    text = CLIPTextModel(CLIPTextConfig(
        vocab_size=words, hidden_size=text_size, intermediate_size=40, num_hidden_layers=2, num_attention_heads=2,
        max_position_embeddings=77, hidden_act="gelu"))
    normalizer = StableUnCLIPImageNormalizer(size)
    for model in [unet, vae, text]:
        randomise(model)
        if o.half:
            for p in model.parameters():
                p.data = p.data.half().float()
        model.eval()
    normalizer.mean.data.normal_(0, 0.5)
    normalizer.std.data.uniform_(0.5, 2)
    scheduler = PNDMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", skip_prk_steps=True, set_alpha_to_one=False,
        steps_offset=1, prediction_type="v_prediction")
    noising = DDPMScheduler(beta_schedule="squaredcos_cap_v2")
    for name, model in [("unet", unet), ("vae", vae), ("text_encoder", text), ("image_normalizer", normalizer)]:
        stored = model.half() if o.half and name != "image_normalizer" else model
        stored.save_pretrained(pipeline / name, safe_serialization=not o.half)
        model.float()
    # The same VAE as it was saved before diffusers 0.17, by other names and as convolutions.
    old = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
    tensors = {}
    for name, value in vae.state_dict().items():
        if ".attentions." in name:
            for new_name, old_name in old.items():
                if f".{new_name}." in name:
                    name = name.replace(f".{new_name}.", f".{old_name}.")
                    value = value[..., None, None] if value.dim() == 2 else value
        if not name.startswith(("encoder.", "quant_conv.")):
            tensors[name] = value.contiguous()
    (root / "vae_old_key_names").mkdir()
    save_file(tensors, root / "vae_old_key_names" / "diffusion_pytorch_model.safetensors")
    shutil.copy(pipeline / "vae" / "config.json", root / "vae_old_key_names")
    scheduler.save_pretrained(pipeline / "scheduler")
    noising.save_pretrained(pipeline / "image_noising_scheduler")
    tokenizer(pipeline / "tokenizer", words)
    (pipeline / "model_index.json").write_text(json.dumps({
        "_class_name": "StableUnCLIPImg2ImgPipeline", "_diffusers_version": "0.23.1",
        "feature_extractor": ["transformers", "CLIPImageProcessor"],
        "image_encoder": ["transformers", "CLIPVisionModelWithProjection"],
        "image_noising_scheduler": ["diffusers", "DDPMScheduler"],
        "image_normalizer": ["stable_diffusion", "StableUnCLIPImageNormalizer"],
        "scheduler": ["diffusers", "PNDMScheduler"], "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"], "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"]}, indent=1))

    expected = {}
    with torch.no_grad():
        ids = torch.tensor([[words - 2, words - 1] + [0] * 75])
        states = text(ids)[0]
        embeds, noise = torch.randn(1, size) * 2, torch.randn(1, size)
        latents = torch.randn(1, 4, o.height, o.width)
        inputs = {"image_embeds": embeds, "noise": noise, "latents": latents}
        normalised = normalizer.scale(embeds)
        noised = noising.add_noise(normalised, noise, torch.tensor([0]))
        unscaled = normalizer.unscale(noised)
        level = get_timestep_embedding(torch.tensor([0]), size, flip_sin_to_cos=True, downscale_freq_shift=0)
        label = torch.cat([unscaled, level], 1)
        labels = torch.cat([torch.zeros_like(label), label])
        scheduler.set_timesteps(o.steps)
        expected |= {
            "prompt_ids": ids.int(), "prompt_embeds": torch.cat([states, states]), "embeds_normalised": normalised,
            "embeds_noised": noised, "embeds_unscaled": unscaled, "class_labels": labels,
            "timesteps": scheduler.timesteps.int(), "alphas_cumprod": scheduler.alphas_cumprod,
            "noising_alphas_cumprod": noising.alphas_cumprod}
        x, outputs, samples = latents, [], []
        hooks = []

        def keep(name):
            def hook(_, __, output):
                value = output[0] if isinstance(output, tuple) else output
                expected[f"unet_first/{name}"] = value.detach().clone()
            return hook

        for name, module in [("conv_in", unet.conv_in), ("mid_block", unet.mid_block)] + [
            (f"down_block_{i}", m) for i, m in enumerate(unet.down_blocks)] + [
            (f"up_block_{i}", m) for i, m in enumerate(unet.up_blocks)]:
            hooks.append(module.register_forward_hook(keep(name)))
        guided = o.guidance > 1
        for index, t in enumerate(scheduler.timesteps):
            both = torch.cat([x, x]) if guided else x
            count = both.shape[0]
            v = unet(both, t, encoder_hidden_states=states.expand(count, -1, -1), class_labels=labels[-count:]).sample
            if index == 0:
                expected["unet_first_input"], expected["unet_first_output"] = both, v
                for hook in hooks:
                    hook.remove()
            if guided:
                v = v[:1] + o.guidance * (v[1:] - v[:1])
            x = scheduler.step(v, t, x).prev_sample
            outputs.append(v[0])
            samples.append(x[0])
        image = vae.decode(x / vae.config.scaling_factor).sample
        rgb = ((image / 2 + 0.5).clamp(0, 1)[0].permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
        alone = torch.randn(1, 4, o.width, o.height)
        expected |= {
            "guided_v_all": torch.stack(outputs), "latents_all": torch.stack(samples), "latents_final": x,
            "image_float": image, "rgb": torch.from_numpy(rgb), "vae_only_latents": alone,
            "vae_only_image": vae.decode(alone / vae.config.scaling_factor).sample}
    save_file({k: v.contiguous() for k, v in inputs.items()}, root / "input.safetensors")
    save_file({k: v.contiguous() for k, v in expected.items()}, root / "expected.safetensors")
    call = {"num_inference_steps": o.steps, "guidance_scale": o.guidance, "noise_level": 0}
    about = {
        "case": root.name, "reference": "diffusers 0.23.1, transformers 4.34.1, torch 2.13.0, fp32 on a CPU",
        "made_by": "make_unclip.py " + " ".join(f"--{k} {v}" for k, v in vars(o).items() if k != "folder"), "call": call}
    (root / "case.json").write_text(json.dumps(about, indent=1))
    exact, relative = {"prompt_ids", "timesteps"}, {"alphas_cumprod", "noising_alphas_cumprod"}
    rules = {}
    for name, value in expected.items():
        scale = max(1.0, float(value.float().abs().max()))
        rules[name] = (
            {"exact": True} if name in exact else {"rel": 2e-6} if name in relative
            else {"levels": 1, "share_equal": 0.99} if name == "rgb"
            else {"abs": (2e-3 if name == "guided_v_all" else 1e-4) * scale})
    (root / "compare.json").write_text(json.dumps(
        {"kind": "unclip", "reference_tensors": "expected.safetensors", "compare": rules}, indent=1))
    print(root, {k: float(v.float().abs().max()) for k, v in expected.items() if "latents" in k or "image" in k})


if __name__ == "__main__":
    main()
