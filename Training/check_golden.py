"""Holds the training project's networks to the golden cases that the Swift engine is held to.

usage: python check_golden.py FOLDER_OF_CASES
"""

import json
import sys

import torch
from safetensors.torch import load_file

from pocket.soundstorm import SoundStorm, SoundStormConfig
from pocket.speechtokenizer import SpeechTokenizer, SpeechTokenizerConfig
from pocket.vocabulary import Vocabulary


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
    good &= tokenizer(f"{folder}/llama-hf")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
