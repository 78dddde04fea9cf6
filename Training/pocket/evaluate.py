"""Stage `judge`: scores of the exported networks, computed the way the daemon uses them."""

import json
import os
import random
from functools import cached_property
from itertools import islice

import numpy as np
import soundfile
import torch
from torch import Tensor

from . import domain
from .conversations import Writer
from .corpus import Utterance, load
from .judges import Listener, plain, word_error_rate
from .latent import corpus_split
from .llama import Llama, LlamaConfig
from .recordings import Question, heard_questions
from .soundstorm import SoundStorm, SoundStormConfig
from .speechtokenizer import SpeechTokenizer, SpeechTokenizerConfig
from .vocabulary import Vocabulary
from .voices import HOP

CHUNK, PROMPT = 50, 150  # frames
TEST_SEED = 100
CLEAN = ", clean"  # ends the name of a test whose recordings are heard without room, noise and colour


class Shipped:
    """The model folder as the daemon loads it."""

    def __init__(self, folder: str) -> None:
        def read(path: str) -> dict:
            with open(f"{folder}/{path}") as file:
                return json.load(file)

        speech = SpeechTokenizerConfig.of(read("speech/config.json"))
        self.tokenizer = self._load(SpeechTokenizer(speech), torch.load(f"{folder}/speech/ckpt.dev"))
        storm = SoundStormConfig(**read("speech/soundstorm.json"))
        self.storm = self._load(SoundStorm(storm), torch.load(f"{folder}/speech/speechtokenizer_soundstorm_mls.pt"))
        from safetensors.torch import load_file

        self.vocabulary = Vocabulary(f"{folder}/llama")
        self.llama = self._load(
            Llama(LlamaConfig(self.vocabulary.size)), load_file(f"{folder}/llama/model.safetensors")
        )
        self.voice_wave, _ = soundfile.read(f"{folder}/voice.wav", dtype="float32")
        self.voice = self.prompt(self.voice_wave)

    @staticmethod
    def _load(net: torch.nn.Module, state: dict[str, Tensor]) -> torch.nn.Module:
        net.load_state_dict({name: tensor.float() for name, tensor in state.items()})
        return net.eval()

    def prompt(self, wave: np.ndarray) -> Tensor:
        """A recording as SoundStorm's prompt. [samples] -> [frame, 8]"""
        return self.tokenizer.encode(torch.tensor(wave))[:, :PROMPT].T

    @cached_property
    def storm_adds_nothing(self) -> bool:
        """Whether SoundStorm answers code 0, "nothing to add", whatever it is given: then it need not be asked."""
        if self.storm.net.to_logits[2].weight.any():
            return False
        return not self.storm.generate(torch.arange(30), self.voice)[:, 1:].any()

    def speak(self, semantic: Tensor, voice: Tensor | None = None) -> np.ndarray:
        """Level-0 codes [frame] -> wave, filled in by SoundStorm in chunks after a voice prompt (else the model's)."""
        if self.storm_adds_nothing:
            return self.tokenizer.decode(semantic[None]).numpy()  # code 0 of levels 1-7 is the zero vector
        filled = [self.storm.generate(chunk, self.voice if voice is None else voice) for chunk in semantic.split(CHUNK)]
        return self.tokenizer.decode(torch.cat(filled).T).numpy()


def sound(wave: np.ndarray, u: Utterance) -> np.ndarray:
    """An utterance's own samples."""
    return wave[u.start * HOP : u.end * HOP].astype(np.float32) / 32768


def judge_codec(model: Shipped, folder: str, parts: list[int], listener: Listener, count: int = 60) -> dict:
    """Word error rates of held-out recordings: as they are, resynthesised, and from level 0 alone."""
    wave, _, utterances = load(folder, parts)
    _, held, unseen = corpus_split(utterances)
    true_ids = torch.load(f"{folder}/ids.pt").long()

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


def answer(model: Shipped, codes: list[int], aloud: bool) -> dict:
    """A greedy answer to a spoken question, taken apart; its speech too if `aloud`.

    `formed` tells whether the chain is complete and in order.
    """
    vocabulary, writer = model.vocabulary, Writer(model.vocabulary, {})
    marks = [vocabulary.added[mark] for mark in ("<-Ins->", "<-Res->", "<sosp>", "<eosp>", "<eos>")]
    stop = marks[4] if aloud else marks[2]
    ids = model.llama.generate(writer.prompt(codes), stop, 420 if aloud else 60)
    wanted = marks if aloud else marks[:3]
    places = [ids.index(mark) if mark in ids else len(ids) for mark in marks]
    first = vocabulary.first_speech
    return {
        "formed": ids[-1] == stop and all(ids.count(mark) == 1 for mark in wanted) and places == sorted(places),
        "transcript": vocabulary.text(ids[places[0] + 1 : places[1]]),
        "reply": vocabulary.text(ids[places[1] + 1 : places[2]]),
        "speech": [index - first for index in ids[places[2] + 1 : places[3]] if first <= index < first + 1024],
    }


def judge_backbone(model: Shipped, folder: str, listener: Listener, tests: list[str], count: int, voiced: int) -> dict:
    """Transcripts, replies, chains and the replies' speech (of the first `voiced` answers) for every named test."""
    scores: dict = {}
    for test in tests:
        questions, answers = [], []
        recordings = heard_questions(folder, f"test {test.removesuffix(CLEAN)}", TEST_SEED, test.endswith(CLEAN))
        for row, wave in islice(recordings, count):
            questions.append(Question(*row, model.tokenizer.encode(wave, 1)[0].numpy()))
            answers.append(answer(model, questions[-1].codes.tolist(), len(answers) < voiced))
        pairs = [(q.text, a["transcript"]) for q, a in zip(questions, answers, strict=True)]
        right = [plain(q.reply) == plain(a["reply"]) for q, a in zip(questions, answers, strict=True)]
        spoken = [(model.speak(torch.tensor(a["speech"])), a["reply"]) for a in answers if a["speech"] and a["reply"]]
        wrong = [f"{plain(r)} -> {plain(t)}" for r, t in pairs if plain(r) != plain(t)]
        scores[test] = {
            "transcript": word_error_rate(pairs),
            "reply right": round(100 * float(np.mean(right)), 1),
            "chain formed": round(100 * float(np.mean([a["formed"] for a in answers])), 1),
            "reply's speech": listener.rate(spoken) if spoken else None,
            "misread": wrong[:8],
        }
        print(f"{test}: {json.dumps(scores[test])}", flush=True)
    return scores


def tests_in(folder: str) -> list[str]:
    """Names of the recorded tests; each is held through a microphone and clean."""
    start = "spoken-test "
    names = [name[len(start) : -4] for name in sorted(os.listdir(folder)) if name.startswith(start)]
    return [name + way for name in names for way in ("", CLEAN)]


def judge_replies(model: Shipped, folder: str, listener: Listener, count: int = 80) -> dict:
    """How well each kind of reply codes speaks, before any backbone: the ceiling of the spoken reply."""
    replies = torch.load(f"{folder}/replies.pt")

    def recording(entry: dict[str, Tensor]) -> Tensor:
        return entry["wave"].float() / 32768

    texts = random.Random(1).sample(domain.all_replies(), count)
    ways = {
        "recording": lambda entry: recording(entry).numpy(),
        "level 0 by the encoder": lambda entry: model.speak(model.tokenizer.encode(recording(entry), 1)[0]),
        "level 0 by the true features": lambda entry: model.speak(entry["true"].long()),
        "level 0 as the backbone learns it": lambda entry: model.speak(entry.get("kept", entry["true"]).long()),
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
