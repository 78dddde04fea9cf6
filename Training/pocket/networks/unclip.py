"""The networks of the pocket's Stable unCLIP, as diffusers and transformers have them, and what their folders say."""

from functools import cache

import torch
from torch import nn

LATENTS = 16  # channels, at an eighth of the picture's side
GRID = 8  # latents along a side
EMBEDDING = 64
TEXT = 32  # width of the text's states
POSITIONS = 4  # tokens of the empty prompt: start, end, padding
WORDS = {"!": 0, "<|startoftext|>": 1, "<|endoftext|>": 2}

VAE = {
    "in_channels": 3, "out_channels": 3, "latent_channels": LATENTS, "sample_size": 64,
    "block_out_channels": [16, 32, 64, 64], "layers_per_block": 1, "norm_num_groups": 8, "act_fn": "silu",
    "down_block_types": ["DownEncoderBlock2D"] * 4, "up_block_types": ["UpDecoderBlock2D"] * 4,
}  # fmt: skip
UNET = {
    "in_channels": LATENTS, "out_channels": LATENTS, "sample_size": GRID, "block_out_channels": [64, 96, 96],
    "layers_per_block": 1, "down_block_types": ["DownBlock2D"] * 3, "up_block_types": ["UpBlock2D"] * 3,
    "attention_head_dim": [2, 3, 3], "cross_attention_dim": TEXT, "use_linear_projection": True,
    "class_embed_type": "projection", "projection_class_embeddings_input_dim": 2 * EMBEDDING, "norm_num_groups": 16,
    "norm_eps": 1e-5, "act_fn": "silu", "flip_sin_to_cos": True, "freq_shift": 0, "downsample_padding": 1,
    "mid_block_scale_factor": 1,
}  # fmt: skip
CLIP = {
    "hidden_size": TEXT, "intermediate_size": TEXT, "num_hidden_layers": 1, "num_attention_heads": 2,
    "hidden_act": "gelu", "max_position_embeddings": POSITIONS, "vocab_size": len(WORDS), "layer_norm_eps": 1e-5,
    "projection_dim": TEXT, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0,
}  # fmt: skip
SCHEDULER = {
    "num_train_timesteps": 1000, "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear",
    "prediction_type": "v_prediction", "set_alpha_to_one": False, "skip_prk_steps": True, "steps_offset": 1,
}  # fmt: skip
NOISING = {"num_train_timesteps": 1000, "beta_schedule": "squaredcos_cap_v2"}


class Decoder(nn.Module):
    """The decoder's half of diffusers' AutoencoderKL, under its names; nothing needs the other half."""

    def __init__(self) -> None:
        from diffusers import AutoencoderKL

        super().__init__()
        whole = AutoencoderKL(**VAE)
        self.post_quant_conv, self.decoder = whole.post_quant_conv, whole.decoder

    def forward(self, latents: torch.Tensor) -> torch.Tensor:
        """[rows, LATENTS, side / 8, side / 8] → [rows, 3, side, side], −1 to 1"""
        return self.decoder(self.post_quant_conv(latents))


def decoder() -> Decoder:
    return Decoder()


def unet() -> nn.Module:
    from diffusers import UNet2DConditionModel

    return UNet2DConditionModel(**UNET)


@cache
def text_encoder() -> nn.Module:
    """Random weights: it reads nothing but the empty prompt, whose states the UNet learns to live with."""
    from transformers import CLIPTextConfig, CLIPTextModel

    with torch.device("cpu"):  # a seed makes other numbers on a GPU
        torch.manual_seed(24)
        net = CLIPTextModel(CLIPTextConfig(**CLIP)).eval()
    net.load_state_dict({k: v.half().float() if v.is_floating_point() else v for k, v in net.state_dict().items()})
    return net


@cache
def prompt() -> torch.Tensor:
    """The empty prompt's states, [1, POSITIONS, TEXT]."""
    with torch.device("cpu"), torch.no_grad():
        states = text_encoder()(torch.tensor([[1, 2] + [0] * (POSITIONS - 2)])).last_hidden_state
    return states.to(torch.get_default_device())


def level(count: int) -> torch.Tensor:
    """The sinusoid of noise level 0, which stands behind every embedding: ones, then zeros."""
    half = EMBEDDING // 2
    return torch.cat([torch.ones(half), torch.zeros(half)]).expand(count, -1)


@torch.no_grad()
def draw(net: nn.Module, embeddings: torch.Tensor, steps: int, guidance: float, seed: int) -> torch.Tensor:
    """Latents that the UNet draws from embeddings, as the pipeline does."""
    from diffusers import PNDMScheduler

    scheduler = PNDMScheduler(**SCHEDULER)
    scheduler.set_timesteps(steps)
    count = len(embeddings)
    noise = torch.Generator().manual_seed(seed)
    x = torch.randn(count, LATENTS, GRID, GRID, generator=noise, device="cpu").to(embeddings.device)
    labels = torch.cat([embeddings, level(count)], -1)
    states = prompt()
    for t in scheduler.timesteps:
        v = net(x, t, states.expand(count, -1, -1), class_labels=labels).sample
        if guidance > 1:
            free = net(x, t, states.expand(count, -1, -1), class_labels=torch.zeros_like(labels)).sample
            v = free + guidance * (v - free)
        x = scheduler.step(v, t, x).prev_sample
    return x
