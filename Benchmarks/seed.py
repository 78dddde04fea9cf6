"""SEED's vision transformer in PyTorch beside `anygpt bench image --part vision`: the same file, the same number of threads.

    python Benchmarks/seed.py --make FOLDER/eva_vit_g.pth       writes one of the official shape with random weights (2 GB)
    python Benchmarks/seed.py FOLDER/eva_vit_g.pth --threads 1  measures PyTorch on it

Needs torch (written for torch 2.13.0 for CPUs).
"""

import argparse
import math
import time

import torch
import torch.nn.functional as F

SIZE, HIDDEN, HEADS, DEPTH, USED, PATCH, SIDE = 1408, 6144, 16, 40, 39, 14, 224


def shapes() -> dict[str, tuple[int, ...]]:
    """The names and shapes of EVA ViT-g/14 as BLIP-2 publishes it."""
    tokens = (SIDE // PATCH) ** 2 + 1
    result = {
        "cls_token": (1, 1, SIZE), "pos_embed": (1, tokens, SIZE),
        "patch_embed.proj.weight": (SIZE, 3, PATCH, PATCH), "patch_embed.proj.bias": (SIZE,),
    }
    for block in range(DEPTH):
        for name, shape in {
            "norm1.weight": (SIZE,), "norm1.bias": (SIZE,), "attn.q_bias": (SIZE,), "attn.v_bias": (SIZE,),
            "attn.qkv.weight": (3 * SIZE, SIZE), "attn.proj.weight": (SIZE, SIZE), "attn.proj.bias": (SIZE,),
            "norm2.weight": (SIZE,), "norm2.bias": (SIZE,), "mlp.fc1.weight": (HIDDEN, SIZE), "mlp.fc1.bias": (HIDDEN,),
            "mlp.fc2.weight": (SIZE, HIDDEN), "mlp.fc2.bias": (SIZE,),
        }.items():
            result[f"blocks.{block}.{name}"] = shape
    return result


def make(file: str) -> None:
    torch.manual_seed(0)
    # The same numbers again and again: to a processor they are as random as others.
    numbers = (torch.randn(SIZE * HIDDEN) * 0.02).half()
    state = {}
    for name, shape in shapes().items():
        is_norm = "norm" in name and name.endswith("weight")
        tensor = torch.ones(shape).half() if is_norm else numbers[: math.prod(shape)].view(shape).clone()
        state[name] = tensor
    torch.save(state, file)


def see(w: dict[str, torch.Tensor], image: torch.Tensor) -> torch.Tensor:
    """What the blocks make of a picture, `[1, 3, 224, 224]`: `[1, 257, 1408]`."""
    x = F.conv2d(image, w["patch_embed.proj.weight"], w["patch_embed.proj.bias"], stride=PATCH).flatten(2).mT
    x = torch.cat([w["cls_token"], x], 1) + w["pos_embed"]
    for block in range(USED):
        def part(name: str) -> torch.Tensor:
            return w[f"blocks.{block}.{name}"]
        y = F.layer_norm(x, (SIZE,), part("norm1.weight"), part("norm1.bias"), 1e-6)
        bias = torch.cat([part("attn.q_bias"), torch.zeros_like(part("attn.q_bias")), part("attn.v_bias")])
        q, k, v = F.linear(y, part("attn.qkv.weight"), bias).view(1, -1, 3, HEADS, SIZE // HEADS).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
        x = x + F.linear(y, part("attn.proj.weight"), part("attn.proj.bias"))
        y = F.layer_norm(x, (SIZE,), part("norm2.weight"), part("norm2.bias"), 1e-6)
        y = F.gelu(F.linear(y, part("mlp.fc1.weight"), part("mlp.fc1.bias")))
        x = x + F.linear(y, part("mlp.fc2.weight"), part("mlp.fc2.bias"))
    return x


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("file")
    arguments.add_argument("--make", action="store_true")
    arguments.add_argument("--threads", type=int, default=1)
    arguments.add_argument("--runs", type=int, default=2)
    arguments.add_argument("--type", choices=["float32", "bfloat16"], default="float32")
    options = arguments.parse_args()
    if options.make:
        return make(options.file)
    torch.set_num_threads(options.threads)
    kind = getattr(torch, options.type)
    weights = {name: tensor.to(kind) for name, tensor in torch.load(options.file, weights_only=True).items()}
    image = torch.randn(1, 3, SIDE, SIDE, dtype=kind)
    print(f"{options.threads} threads, {options.type}, torch {torch.__version__}")
    best, processor = float("inf"), float("inf")
    with torch.inference_mode():
        for _ in range(options.runs):
            start, used = time.perf_counter(), time.process_time()
            see(weights, image)
            best, processor = min(best, time.perf_counter() - start), min(processor, time.process_time() - used)
    print(f"seeing {SIDE} x {SIDE:<20} {best:8.2f} s  processor {processor:8.2f} s")


main()
