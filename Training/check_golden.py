"""Holds the training project's networks to the golden cases that the Swift engine is held to.

usage: python check_golden.py FOLDER_OF_CASES
"""

import json
import sys

import torch
from safetensors.torch import load_file

from pocket.networks.encodec import Encodec, EncodecConfig
from pocket.networks.seed import Seed, SeedConfig
from pocket.networks.soundstorm import SoundStorm, SoundStormConfig
from pocket.networks.speechtokenizer import SpeechTokenizer, SpeechTokenizerConfig
from pocket.words.vocabulary import Vocabulary


def read(path: str) -> dict:
    with open(path) as file:
        return json.load(file)


def check(name: str, good: bool, detail: str) -> bool:
    print(f"{'pass' if good else 'FAIL'}  {name}: {detail}")
    return good


def speech_tokenizer(folder: str) -> bool:
    net = SpeechTokenizer(SpeechTokenizerConfig.of(read(f"{folder}/config.json"))).eval()
    state = {name: tensor for name, tensor in torch.load(f"{folder}/ckpt.dev").items() if "embed_avg" not in name}
    missing, unused = net.load_state_dict(state, strict=False)
    good = check(f"{folder} keys", not unused and all(name.startswith("transform") for name in missing), str(missing))
    inputs, expected = load_file(f"{folder}/inputs.safetensors"), load_file(f"{folder}/expected.safetensors")
    for name, wave in inputs.items():
        clip = name.removesuffix(".wave")
        with torch.no_grad():
            error = (net.encoder(wave[None, None])[0] - expected[f"{clip}.encoder_out"]).abs().max().item()
        equal = (net.encode(wave) == expected[f"{clip}.codes"]).float().mean().item()
        good &= check(
            f"{folder} {clip}", error < 1e-3 and equal > 0.98, f"latent within {error:.1e}, {equal:.1%} of codes"
        )
    return good


def soundstorm(folder: str) -> bool:
    sizes = read(f"{folder}/case.json")["config"]["conformer"]
    config = SoundStormConfig(**{name: sizes[name] for name in SoundStormConfig.__dataclass_fields__})
    net = SoundStorm(config).eval()
    net.load_state_dict(torch.load(f"{folder}/speechtokenizer_soundstorm_mls.pt"))
    inputs, expected = load_file(f"{folder}/inputs.safetensors"), load_file(f"{folder}/expected.safetensors")
    with torch.no_grad():
        logits = net(inputs["forward.condition_tokens"][None].long(), inputs["forward.tokens"][None].long())
    error = (logits[0].reshape(-1, 1024) - expected["forward.logits"]).abs().max().item()
    good = check(f"{folder} forward", error < 1e-3, f"logits within {error:.1e}")
    for name, prompt in (("plain", None), ("prompt", inputs["prompt_tokens"].long())):
        passes: list[torch.Tensor] = []
        out = net.generate(inputs["semantic_tokens"].long(), prompt, passes)
        same = torch.equal(torch.stack(passes).int(), expected[f"steps1.{name}.inputs_of_passes"])
        same &= torch.equal(out.int(), expected[f"steps1.{name}.out"])
        good &= check(f"{folder} generate, {name}", same, f"{len(passes)} passes")
    return good


def encodec(folder: str) -> bool:
    """Clips that are already read to codes and back, and codes alone to sound."""
    config = EncodecConfig.of(read(f"{folder}/encodec_32khz/config.json"))
    net = Encodec(config).eval()
    state = load_file(f"{folder}/encodec_32khz/model.safetensors")
    net.load_state_dict({name: tensor for name, tensor in state.items() if "embed_avg" not in name})
    good, expected = True, load_file(f"{folder}/expected.safetensors")
    for name in sorted({name.rsplit("/", 1)[0] for name in expected if name.endswith("/codes")}):
        codes = expected[f"{name}/codes"].long()
        wanted = expected.get(f"{name}/decoded")
        error = 0.0 if wanted is None else (net.decode(codes) - wanted[0]).abs().max().item()
        same = True
        if f"{name}/waveform" in expected:
            wave = expected[f"{name}/waveform"]
            with torch.no_grad():
                latent = (net.encoder(wave[None, None])[0] - expected[f"{name}/encoder_out"]).abs().max().item()
            same = torch.equal(net.encode(wave), codes) and latent < 2e-4
        good &= check(f"{folder} {name}", same and error < 2e-4, f"{codes.shape[1]} frames, sound within {error:.1e}")
    return good


def seed(folder: str, decoding: str) -> bool:
    """SEED: pictures that are already resized to codes, and codes to embeddings."""
    about = read(f"{folder}/case.json")["config"]
    vit, former = about["vit"], about["qformer"]
    state = {f"vision.{name}": tensor.float() for name, tensor in torch.load(f"{folder}/eva_vit_g.pth").items()}
    quantizer = torch.load(f"{folder}/seed_quantizer.pt").items()
    state |= {f"quantizer.{name}": tensor for name, tensor in quantizer}
    net = Seed(
        SeedConfig(
            vit["patch_size"], vit["img_size"] // vit["patch_size"], vit["embed_dim"], vit["depth"], vit["num_heads"],
            former["hidden_size"], former["num_hidden_layers"], former["num_attention_heads"], former["query_tokens"],
            *about["codes"], vit["mlp_hidden"], former["intermediate_size"], 4, 4 * former["hidden_size"],
            (256, 128, 32), about["image_features_dim"],
        )
    ).eval()  # fmt: skip
    missing, _ = net.load_state_dict(state, strict=False)
    good = check(f"{folder} keys", not missing, f"{len(net.state_dict())} tensors")
    expected = load_file(f"{folder}/expected.safetensors")
    names = read(f"{folder}/case.json")["image_order"]
    pictures = torch.stack([expected[f"resized/{name}"].permute(2, 0, 1) for name in names]).float() / 255
    with torch.no_grad():
        error = (net.vectors(pictures) - expected["z"]).abs().max().item()
        same = torch.equal(net.encode(pictures).int(), expected["indices"])
        good &= check(f"{folder} encode", error < 1e-3 and same, f"{len(names)} pictures, vectors within {error:.1e}")
        codes = load_file(f"{decoding}/input.safetensors")["indices"].long()
        wanted = load_file(f"{decoding}/expected.safetensors")["image_embeds"]
        error = (net.quantizer.embedding(codes) - wanted).abs().max().item()
    return good & check(f"{decoding} decode", error < 1e-3, f"embeddings within {error:.1e}")


def tokenizer(folder: str) -> bool:
    """Texts that write out <s>, </s> or <unk> are left out: training never has them."""
    vocabulary = Vocabulary(folder)
    rows = [
        row
        for row in read(f"{folder}/strings.json")["tokenize"]
        if not any(t in row["text"] for t in ("<s>", "</s>", "<unk>"))
    ]
    wrong = [row["text"] for row in rows if [1, *vocabulary.encode(row["text"])] != row["ids"]]
    return check(f"{folder} tokenizer", not wrong, f"{len(rows) - len(wrong)} of {len(rows)} texts")


def main(folder: str) -> None:
    torch.set_num_threads(1)
    good = speech_tokenizer(f"{folder}/speechtokenizer-snake")
    good &= speech_tokenizer(f"{folder}/speechtokenizer-elu")
    good &= soundstorm(f"{folder}/soundstorm")
    good &= encodec(f"{folder}/encodec")
    good &= seed(f"{folder}/seed-encode", f"{folder}/seed-decode")
    good &= tokenizer(f"{folder}/llama-hf")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
