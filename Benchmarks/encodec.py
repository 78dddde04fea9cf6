"""Encodec in PyTorch beside `anygpt bench music`: the same folder, the same work, the same number of threads.

    python Benchmarks/encodec.py --make FOLDER      writes a full-size Encodec at 32 kHz with random weights
    python Benchmarks/encodec.py FOLDER --threads 1 measures PyTorch on it

`--make FOLDER --codes 256` writes one with the levels of the default model's vocabulary, everything else being of full size:
`model.encodec` of a daemon with the default model takes it, and `anygpt ask --compose --timing` measures that.

Needs torch, transformers and safetensors (measured with torch 2.13.0 for CPUs and transformers 4.34.1).
"""

import argparse
import json
import pathlib
import time

import torch
import transformers
from safetensors.torch import save_file
from transformers import EncodecConfig, EncodecModel


def make(folder: str, codes: int) -> None:
    """The shape of facebook/encodec_32khz; random weights, so that codes and sound are noise."""
    torch.manual_seed(0)
    # Four levels at 50 frames a second: 2.2 kbit/s with the 11 bits of 2048 codes.
    bandwidth = 4 * 50 * (codes.bit_length() - 1) / 1000
    config = EncodecConfig(
        target_bandwidths=[bandwidth], sampling_rate=32_000, upsampling_ratios=[8, 5, 4, 4], num_filters=64,
        codebook_size=codes, use_causal_conv=False, use_conv_shortcut=False,
    )
    model = EncodecModel(config).eval()
    for layer in model.quantizer.layers:
        layer.codebook.embed.normal_()
    path = pathlib.Path(folder)
    path.mkdir(parents=True, exist_ok=True)
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, path / "model.safetensors", {"format": "pt"})
    (path / "config.json").write_text(json.dumps(config.to_dict(), indent=1))


def measure(name: str, runs: int, seconds: float, body) -> None:
    body()
    best, processor = float("inf"), float("inf")
    for _ in range(runs):
        start, used = time.perf_counter(), time.process_time()
        body()
        best, processor = min(best, time.perf_counter() - start), min(processor, time.process_time() - used)
    print(f"{name:30} {best * 1e3:8.1f} ms  processor {processor * 1e3:8.1f} ms  {seconds / best:6.1f} times real time")


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("folder")
    arguments.add_argument("--make", action="store_true")
    arguments.add_argument("--codes", type=int, default=2048)
    arguments.add_argument("--seconds", type=float, default=5)
    arguments.add_argument("--threads", type=int, default=1)
    arguments.add_argument("--runs", type=int, default=5)
    options = arguments.parse_args()
    if options.make:
        return make(options.folder, options.codes)
    torch.set_num_threads(options.threads)
    model = EncodecModel.from_pretrained(options.folder).eval()
    count = int(options.seconds * model.config.sampling_rate)
    time_axis = torch.arange(count) / model.config.sampling_rate
    sound = 0.2 * torch.sin(2 * torch.pi * 440 * time_axis) + 0.1 * torch.sin(2 * torch.pi * 659 * time_axis)
    sound = (sound + 0.02 * (2 * torch.rand(count) - 1))[None, None]
    codes = torch.randint(0, model.config.codebook_size, (1, 1, 4, -(-count // 640)))
    print(
        f"{options.folder}: {options.seconds} s, {options.threads} threads, torch {torch.__version__}, "
        f"transformers {transformers.__version__}"
    )
    with torch.inference_mode():
        measure("encode", options.runs, options.seconds, lambda: model.encode(sound))
        measure("decode", options.runs, options.seconds, lambda: model.decode(codes, [None]))


if __name__ == "__main__":
    main()
