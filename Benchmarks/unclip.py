"""unCLIP in PyTorch beside `anygpt bench image`: the same networks with random weights, the same work and threads.

    python Benchmarks/unclip.py --part unet --threads 1 --type float32
    python Benchmarks/unclip.py --part vae --threads 2 --type bfloat16

Needs torch and diffusers (written for torch 2.13.0 for CPUs, diffusers 0.23.1 and transformers 4.34.1).
"""

import argparse
import time

import diffusers
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel


def measure(name: str, runs: int, body) -> None:
    best, processor = float("inf"), float("inf")
    for _ in range(runs):
        start, used = time.perf_counter(), time.process_time()
        body()
        best, processor = min(best, time.perf_counter() - start), min(processor, time.process_time() - used)
    print(f"{name:30} {best:8.2f} s  processor {processor:8.2f} s", flush=True)


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--part", choices=["unet", "vae"], default="unet")
    arguments.add_argument("--latents", type=int, default=96)
    arguments.add_argument("--batch", type=int, default=2)
    arguments.add_argument("--threads", type=int, default=1)
    arguments.add_argument("--runs", type=int, default=2)
    arguments.add_argument("--type", choices=["float32", "bfloat16"], default="float32")
    options = arguments.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    side, kind = options.latents, getattr(torch, options.type)
    print(f"{options.threads} threads, {options.type}, torch {torch.__version__}, diffusers {diffusers.__version__}")
    with torch.inference_mode():
        if options.part == "unet":
            unet = UNet2DConditionModel(
                sample_size=96, block_out_channels=[320, 640, 1280, 1280], attention_head_dim=[5, 10, 20, 20],
                cross_attention_dim=1024, use_linear_projection=True, class_embed_type="projection",
                projection_class_embeddings_input_dim=2048,
            ).to(kind).eval()
            latents = torch.randn(options.batch, 4, side, side, dtype=kind)
            text = torch.randn(options.batch, 77, 1024, dtype=kind)
            labels = torch.randn(options.batch, 2048, dtype=kind)
            measure(
                f"UNet, {side} x {side}, batch {options.batch}", options.runs,
                lambda: unet(latents, 951, encoder_hidden_states=text, class_labels=labels))
        else:
            vae = AutoencoderKL(
                block_out_channels=[128, 256, 512, 512], layers_per_block=2, latent_channels=4,
                down_block_types=["DownEncoderBlock2D"] * 4, up_block_types=["UpDecoderBlock2D"] * 4,
            ).to(kind).eval()
            latents = torch.randn(1, 4, side, side, dtype=kind)
            measure(f"VAE, to {8 * side} x {8 * side}", options.runs, lambda: vae.decode(latents))


if __name__ == "__main__":
    main()
