"""Asks the slow LlamaTokenizer of transformers 4.34.1 about random strings: `random_strings.py FOLDER SEED COUNT`.

FOLDER is a case of kind llama-hf; the answers go to standard output, in the form of its strings.json. To try many more
than are kept here, put the output into a copy of the case as strings.json and run `anygpt verify` on it.
"""

import json
import random
import shutil
import sys
import tempfile
from pathlib import Path

from transformers import LlamaTokenizer

SCRIPTS = [
    (0x20, 0x7E), (0xA0, 0x17F), (0x370, 0x3FF), (0x400, 0x4FF), (0x590, 0x5FF), (0x600, 0x6FF), (0x900, 0x97F),
    (0xE00, 0xE7F), (0x1100, 0x11FF), (0x3040, 0x30FF), (0x4E00, 0x9FFF), (0xAC00, 0xD7A3), (0x300, 0x36F),
    (0x2000, 0x206F), (0xFE00, 0xFE0F), (0xFFF0, 0xFFFD), (0x1F300, 0x1FAFF), (0x1F1E6, 0x1F1FF), (0xE0000, 0xE007F),
    (0x10000, 0x10FFFF), (0xE000, 0xF8FF), (1, 31), (0x7F, 0x9F), (0x1D400, 0x1D7FF),
]
WORDS = (
    "the hello sailor café cafe\u0301 naïve Zürich こんにちは 你好 Привет مرحبا שלום नमस्ते 안녕 $12.50 👨‍👩‍👧‍👦 🇫🇷 🗣️ 🗣 👀 🎶 "
    "👍🏽 ﬁ ½ Å don't http://x.y/z?q=1 C++ <unk> <s> </s> ▁ ▁▁ <0x41> <0x0A> ⁇ \ufeff \u200b \u200d \u00ad"
).split(" ")
SPACES = [" ", "  ", "\n", "\n\n", "\t", "\r\n", "\u00a0", "\u3000", "\u2009", "\u2028", "\x0b", "\x0c", "\x1c", "\x85"]


def text(rng: random.Random, tokens: list[str]) -> str:
    parts = []
    for _ in range(rng.randint(1, 14)):
        kind = rng.random()
        if kind < 0.25:
            parts.append(rng.choice(WORDS))
        elif kind < 0.5:
            parts.append(rng.choice(tokens))
        elif kind < 0.75:
            parts.append(rng.choice(SPACES) * rng.choice([1, 1, 2, 7]))
        elif kind < 0.9:
            low, high = rng.choice(SCRIPTS)
            parts.append("".join(chr(rng.randint(low, high)) for _ in range(rng.randint(1, 5))))
        else:
            token = rng.choice(tokens)
            cut = rng.randint(0, len(token))
            parts.append(token[:cut] if rng.random() < 0.5 else token[cut:])
    return "".join(c for c in "".join(parts) if not 0xD800 <= ord(c) <= 0xDFFF)


def variants(folder: Path) -> dict[str, LlamaTokenizer]:
    loaded = {"a": LlamaTokenizer.from_pretrained(str(folder))}
    for name, source, legacy in [("b", "b", True), ("c", "c", False), ("d", "b", False)]:
        with tempfile.TemporaryDirectory() as place:
            for file in ["tokenizer.model", "added_tokens.json", "special_tokens_map.json"]:
                shutil.copy(folder / file, place)
            other = json.loads((folder / f"tokenizer-variants/{source}.tokenizer_config.json").read_text())
            (Path(place) / "tokenizer_config.json").write_text(json.dumps({**other, "legacy": legacy}))
            loaded[name] = LlamaTokenizer.from_pretrained(place)
    return loaded


def decoded(tokenizer: LlamaTokenizer, ids: list[int]) -> dict[str, str]:
    return {
        "keep_special": tokenizer.decode(ids),
        "skip_special": tokenizer.decode(ids, skip_special_tokens=True),
        "no_spaces_between_added": tokenizer.decode(
            ids, skip_special_tokens=True, spaces_between_special_tokens=False),
    }


def main() -> None:
    folder, seed, count = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    rng = random.Random(seed)
    added = list(json.loads((folder / "added_tokens.json").read_text()))
    tokens = rng.sample(added, 60) + [t for t in added if not any(c.isdigit() for c in t)] * 3 + ["<s>", "</s>", "<unk>"]
    tokenizers = variants(folder)
    main_form = tokenizers["a"]
    tokenize, decode_only = [], []
    for number in range(count):
        string = text(rng, tokens)
        ids = {name: tokenizer(string).input_ids for name, tokenizer in tokenizers.items()}
        others = {name: found for name, found in ids.items() if found != ids["a"]}
        tokenize.append({
            "name": f"random {number}", "text": string, "ids": ids["a"], "decoded": decoded(main_form, ids["a"]),
            "variant_ids": others,
        })
    for _ in range(count // 3):
        ids = [rng.choice([rng.randrange(len(main_form)), rng.randrange(3, 259), rng.randrange(3)])
               for _ in range(rng.randint(1, 14))]
        entry = {"ids": ids, "decoded": decoded(main_form, ids)}
        for name in "bcd":
            other = decoded(tokenizers[name], ids)
            if other != entry["decoded"]:
                entry[f"variant_{name}_decoded"] = other
        decode_only.append(entry)
    json.dump({"tokenize": tokenize, "decode_only": decode_only}, sys.stdout)


main()
