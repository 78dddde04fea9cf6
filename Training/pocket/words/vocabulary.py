"""The tokenizer folder in LLaMA's legacy form: SentencePiece pieces, then AnyGPT's added tokens in their order."""

import io
import json
import os
import random
import re

from . import domain
from .runs import IMAGE_CODES, MUSIC_CODES, SPEECH_CODES, Runs
from .template import TEMPLATE_TEXTS

BLOCKS = [("👀", IMAGE_CODES, "im"), ("🗣️", SPEECH_CODES, "sp"), ("🎶", MUSIC_CODES, "mu")]
PIECES = 1200


def added_tokens() -> list[str]:
    """Every added token in order of id."""
    tokens = ["[Human]", "[MMGPT]", "<eoh>", "<eos>"]
    for sign, count, name in BLOCKS:
        tokens += [f"<{sign}{code}>" for code in range(count)] + [f"<so{name}>", f"<eo{name}>"]
    return tokens + ["<-Res->", "<-Ins->"]


def train_pieces() -> bytes:
    """A SentencePiece BPE on the domain: LLaMA-2's settings, few pieces; templates weigh enough to be whole words."""
    import sentencepiece

    rng = random.Random(0)
    sentences = [text for _ in range(4000) for text in domain.pair(rng)]
    sentences += [" ".join(rng.sample(domain.EVERYDAY, 4)) for _ in range(100)]
    sentences += sorted(domain.known_words()) * 100  # a word of the domain is one piece where there is room for it
    sentences += TEMPLATE_TEXTS * 400
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(sentences),
        model_writer=model,
        model_type="bpe",
        vocab_size=PIECES,
        byte_fallback=True,
        character_coverage=1.0,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        add_dummy_prefix=True,
        split_digits=True,
        unk_id=0,
        bos_id=1,
        eos_id=2,
        pad_id=-1,
        num_threads=1,
        minloglevel=2,
    )
    return model.getvalue()


def write_folder(folder: str) -> None:
    """tokenizer.model and its companions, as Hugging Face writes them for a slow LlamaTokenizer."""
    os.makedirs(folder, exist_ok=True)
    with open(f"{folder}/tokenizer.model", "wb") as file:
        file.write(train_pieces())

    def plain(content: str, normalized: bool = False) -> dict:
        return {"content": content, "lstrip": False, "normalized": normalized, "rstrip": False, "single_word": False}

    def dump(name: str, value: dict) -> None:
        with open(f"{folder}/{name}", "w") as file:
            json.dump(value, file, indent=2, ensure_ascii=False)
            file.write("\n")

    special = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    dump("added_tokens.json", {token: PIECES + index for index, token in enumerate(added_tokens())})
    dump("special_tokens_map.json", {name: plain(token) for name, token in special.items()})
    settings = {
        "add_bos_token": True,
        "add_eos_token": False,
        "clean_up_tokenization_spaces": False,
        "legacy": True,
        "model_max_length": 4096,
        "pad_token": None,
        "padding_side": "right",
        "sp_model_kwargs": {},
        "tokenizer_class": "LlamaTokenizer",
    } | {name: {"__type": "AddedToken"} | plain(token, True) for name, token in special.items()}
    dump("tokenizer_config.json", dict(sorted(settings.items())))


class Vocabulary(Runs):
    """Text to ids by the rules of the legacy slow tokenizer: text between added tokens is encoded on its own."""

    def __init__(self, folder: str) -> None:
        import sentencepiece

        self.pieces = sentencepiece.SentencePieceProcessor(model_file=f"{folder}/tokenizer.model")
        with open(f"{folder}/added_tokens.json") as file:
            super().__init__(json.load(file))
        self.name = {index: token for token, index in self.added.items()}
        self.size = self.pieces.vocab_size() + len(self.added)
        self._split = re.compile("(" + "|".join(map(re.escape, sorted(self.added, key=len, reverse=True))) + ")")
        self._memo: dict[str, list[int]] = {}

    def encode(self, text: str) -> list[int]:
        """Ids without <s>."""
        ids: list[int] = []
        for part in self._split.split(text):
            if part in self.added:
                ids.append(self.added[part])
            elif part:
                if part not in self._memo:
                    self._memo[part] = self.pieces.encode(part)
                ids += self._memo[part]
        return ids

    def text(self, ids: list[int]) -> str:
        """Ids to readable text; codes are left out."""
        out, run = [], []
        for index in [*ids, None]:
            if index is not None and index < self.pieces.vocab_size():
                run.append(index)
                continue
            if run:
                out.append(self.pieces.decode(run).strip())
                run = []
            coded = (
                (self.first_speech, SPEECH_CODES), (self.first_image, IMAGE_CODES), (self.first_music, MUSIC_CODES),
            )  # fmt: skip
            if index is not None and not any(first <= index < first + count for first, count in coded):
                out.append(self.name[index])
        return " ".join(part for part in out if part)
