"""The speech tokenizer and SoundStorm, judged: words that are left in resynthesis, in the replies, in other voices."""

import random

import numpy as np
import torch
from torch import Tensor

from .. import device
from ..data.corpus import Utterance, load
from ..data.latent import corpus_split
from ..data.recordings import codes_to_say
from ..data.voices import HOP
from ..words import domain
from .evaluate import Shipped
from .judges import Listener


def sound(wave: np.ndarray, u: Utterance) -> np.ndarray:
    """An utterance's own samples."""
    return wave[u.start * HOP : u.end * HOP].astype(np.float32) / 32768


def judge_codec(model: Shipped, folder: str, parts: list[int], listener: Listener, count: int = 60) -> dict:
    """Word error rates of held-out recordings: as they are, resynthesised, and from level 0 alone."""
    wave, _, utterances = load(folder, parts)
    _, held, unseen = corpus_split(utterances)
    true_ids = device.load(f"{folder}/ids.pt").long()

    groups = {
        "reply voice": [u for u in held if u.voice == "hibari"],
        "other hibari voices": [u for u in held if u.voice.startswith("hibari") and u.voice != "hibari"],
        "flite": [u for u in held if not u.voice.startswith("hibari")],
        "awb": unseen,
    }
    scores: dict = {}
    for name, group in groups.items():
        group = group[: count if name == "reply voice" else count // 2]
        rows = [(sound(wave, u), u.text) for u in group]
        codes = [model.tokenizer.encode(torch.tensor(s)) for s, _ in rows]
        texts = [u.text for u in group]
        ways = {"original": [s for s, _ in rows], "all 8 levels": [model.tokenizer.decode(c).numpy() for c in codes]}
        if name == "reply voice":
            ways["level 0, own codes, SoundStorm"] = [model.speak(c[0]) for c in codes]
            ways["level 0, true codes, SoundStorm"] = [model.speak(true_ids[0, u.start : u.end]) for u in group]
            ways["all 8 levels, true codes"] = [
                model.tokenizer.decode(true_ids[:, u.start : u.end]).numpy() for u in group
            ]
        for way, waves in ways.items():
            scores[f"{name}: {way}"] = listener.rate(list(zip(waves, texts, strict=True)))
            if way != "original":
                scores[f"{name}: {way}"] |= listener.against(ways["original"], waves)
            print(f"{name}: {way}: {scores[f'{name}: {way}']}", flush=True)
        used = torch.cat(codes, 1)
        scores[f"{name}: codes in use"] = [len(level.unique()) for level in used]
        equal = torch.cat([c[0] == true_ids[0, u.start : u.end] for c, u in zip(codes, group, strict=True)])
        scores[f"{name}: level-0 codes equal to the true ones"] = round(equal.float().mean().item(), 3)
    return scores


def judge_replies(model: Shipped, folder: str, listener: Listener, count: int = 80) -> dict:
    """How well each kind of reply codes speaks, before any backbone: the ceiling of the spoken reply."""
    replies = device.load(f"{folder}/replies.pt")

    def recording(entry: dict[str, Tensor]) -> Tensor:
        return entry["wave"].float() / 32768

    texts = random.Random(1).sample(domain.all_replies(), count)
    ways = {
        "recording": lambda entry: recording(entry).numpy(),
        "level 0 by the encoder": lambda entry: model.speak(model.tokenizer.encode(recording(entry), 1)[0]),
        "level 0 by the true features": lambda entry: model.speak(entry["true"].long()),
        "level 0 as the backbone learns it": lambda entry: model.speak(codes_to_say(entry).long()),
    }
    scores = {}
    for name, way in ways.items():
        scores[name] = listener.rate([(way(replies[text]), text) for text in texts])
        print(f"replies, {name}: {scores[name]}", flush=True)
    return scores


def judge_voices(model: Shipped, folder: str, parts: list[int], listener: Listener, count: int) -> dict:
    """SoundStorm after prompts in voices of the corpus: is it the prompt's voice, and are the words still there?

    Level 0 is the encoder's, of held-out sentences in the reply voice.
    """
    wave, _, utterances = load(folder, parts)
    train, held, _ = corpus_split(utterances)
    said = [u for u in held if u.voice == "hibari"][:count]
    levels = [model.tokenizer.encode(torch.tensor(sound(wave, u)), 1)[0] for u in said]
    plain = [model.tokenizer.decode(level[None]).numpy() for level in levels]
    scores: dict = {}
    for voice in ("hibari", "hibari0.8", "slt", "rms"):
        prompt = sound(wave, max((u for u in train if u.voice == voice), key=lambda u: u.end - u.start))
        made = [model.speak(level, model.prompt(prompt)) for level in levels]
        score = listener.rate([(made, u.text) for made, u in zip(made, said, strict=True)])
        score |= {"similarity": listener.similarity(prompt, made), "without": listener.similarity(prompt, plain)}
        scores[f"prompt by {voice}"] = score
        print(f"prompt by {voice}: {score}", flush=True)
    return scores
