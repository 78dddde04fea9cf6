"""Stage `judge`: scores of the exported networks, computed the way the daemon uses them."""

import json
import os
import random
from itertools import islice

import numpy as np
import soundfile
import torch
from torch import Tensor

from . import domain, template
from .conversations import Writer
from .corpus import Utterance, load
from .judges import Listener, plain, share, word_error_rate
from .latent import corpus_split
from .llama import Llama, LlamaConfig
from .music_lessons import Music
from .picture_lessons import Pictures
from .precision import plain as in_float
from .recordings import Question, heard_questions
from .soundstorm import SoundStorm, SoundStormConfig
from .speechtokenizer import SpeechTokenizer, SpeechTokenizerConfig
from .vocabulary import MUSIC_CODES, Vocabulary
from .voices import HOP

PROMPT = 150  # frames
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
        llama = Llama(LlamaConfig(self.vocabulary.size))
        rows = {name: tensor.shape[0] for name, tensor in llama.state_dict().items()}
        self.llama = self._load(llama, in_float(load_file(f"{folder}/llama/model.safetensors"), rows))
        self.voice_wave, _ = soundfile.read(f"{folder}/voice.wav", dtype="float32")
        self.voice = self.prompt(self.voice_wave)

    @staticmethod
    def _load(net: torch.nn.Module, state: dict[str, Tensor]) -> torch.nn.Module:
        net.load_state_dict({name: tensor.float() for name, tensor in state.items()})
        return net.eval()

    def prompt(self, wave: np.ndarray) -> Tensor:
        """A recording as SoundStorm's prompt. [samples] -> [frame, 8]"""
        return self.tokenizer.encode(torch.tensor(wave))[:, :PROMPT].T

    def speak(self, semantic: Tensor, voice: Tensor | None = None) -> np.ndarray:
        """Level-0 codes [frame] -> wave, filled in by SoundStorm in chunks after a voice prompt (else the model's)."""
        if self.storm.is_silent:
            return self.tokenizer.decode(semantic[None]).numpy()  # code 0 of levels 1-7 is the zero vector
        return self.tokenizer.decode(self.storm.stream(semantic, self.voice if voice is None else voice).T).numpy()


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
    """A greedy answer to a spoken question, taken apart; its speech, picture and music too if `aloud`.

    `formed` tells whether the chain is complete and in order.
    """
    vocabulary, writer = model.vocabulary, Writer(model.vocabulary, {})
    marks = [vocabulary.added[mark] for mark in ("<-Ins->", "<-Res->", "<sosp>", "<eosp>", "<eos>")]
    stop = marks[4] if aloud else marks[2]
    ids = model.llama.generate(writer.prompt(codes), stop, 1500 if aloud else 100)
    wanted = marks if aloud else marks[:3]
    places = [ids.index(mark) if mark in ids else len(ids) for mark in marks]
    first, drawn = vocabulary.first_speech, vocabulary.added["<soim>"]
    text = ids[places[1] + 1 : places[2]]
    return {
        "formed": ids[-1] == stop and all(ids.count(mark) == 1 for mark in wanted) and places == sorted(places),
        "transcript": vocabulary.text(ids[places[0] + 1 : places[1]]),
        "reply": vocabulary.text(text[: text.index(drawn)] if drawn in text else text),
        "speech": [index - first for index in ids[places[2] + 1 : places[3]] if first <= index < first + 1024],
        "picture": image_codes(vocabulary, ids),
        "music": music_codes(vocabulary, ids),
    }


def image_codes(vocabulary: Vocabulary, ids: list[int]) -> list[int]:
    """The codes of an answer's first image; empty where there is none or its length is not an image's."""
    start, end, first = vocabulary.added["<soim>"], vocabulary.added["<eoim>"], vocabulary.first_image
    if start not in ids or end not in ids:
        return []
    run = ids[ids.index(start) + 1 : ids.index(end)]
    return [index - first for index in run] if len(run) == 32 and all(first <= i < first + 1024 for i in run) else []


def music_codes(vocabulary: Vocabulary, ids: list[int]) -> Tensor:
    """The frames of an answer's first piece of music [frame, level]; none where a level is out of its place."""
    start, first, levels = vocabulary.added["<somu>"], vocabulary.first_music, 4
    none = torch.empty(0, levels, dtype=torch.long)
    if start not in ids:
        return none
    run = ids[ids.index(start) + 1 :]
    run = run[: run.index(vocabulary.added["<eomu>"])] if vocabulary.added["<eomu>"] in run else run
    if not run or len(run) % levels:
        return none
    block = MUSIC_CODES // levels
    codes = torch.tensor(run).view(-1, levels) - first - block * torch.arange(levels)
    return codes if bool(((codes >= 0) & (codes < block)).all()) else none


def judge_backbone(model: Shipped, folder: str, listener: Listener, tests: list[str], count: int, voiced: int) -> dict:
    """Transcripts, replies, chains, pictures and the replies' speech for every named test.

    Spoken are the first `voiced` answers and those that draw.
    """
    scores: dict = {}
    pictures, music = Pictures.of(folder), Music.of(folder)
    for test in tests:
        questions, answers = [], []
        recordings = heard_questions(folder, f"test {test.removesuffix(CLEAN)}", TEST_SEED, test.endswith(CLEAN))
        for row, wave in islice(recordings, count):
            questions.append(Question(*row, model.tokenizer.encode(wave, 1)[0].numpy()))
            makes = pictures is not None and row[0] in domain.drawn() or music is not None and row[0] in domain.played()
            answers.append(answer(model, questions[-1].codes.tolist(), len(answers) < voiced or makes))
        both = list(zip(questions, answers, strict=True))
        spoken = [a for a in answers if a["speech"] and a["reply"]][:voiced]
        scores[test] = {
            "transcript": word_error_rate([(q.text, a["transcript"]) for q, a in both]),
            "reply right": share([plain(q.reply) == plain(a["reply"]) for q, a in both]),
            "chain formed": share([a["formed"] for a in answers]),
            "reply's speech": listener.rate([(model.speak(torch.tensor(a["speech"])), a["reply"]) for a in spoken])
            if spoken
            else None,
        }
        sums = [plain(q.reply) == plain(a["reply"]) for q, a in both if q.reply.startswith(domain.SUM)]
        if sums:
            scores[test]["sums right"] = share(sums)
        if pictures is not None:
            asked = [(domain.drawn()[q.text], a["picture"]) for q, a in both if q.text in domain.drawn()]
            scores[test] |= drawn_right(pictures, asked)
        if music is not None:
            asked = [(domain.played()[q.text], a["music"]) for q, a in both if q.text in domain.played()]
            scores[test] |= played_right(music, asked)
        print(f"{test}: {json.dumps(scores[test])}", flush=True)
    return scores


def drawn_right(pictures: Pictures, asked: list[tuple[str, list[int]]]) -> dict:
    """(name, codes drawn): whose pictures they are, and whether every code is right."""
    if not asked:
        return {}
    return {
        "picture nearest": share([pictures.nearest(codes)[0] == name for name, codes in asked]),
        "picture exact": share([pictures.codes(name) == codes for name, codes in asked]),
    }


def played_right(music: Music, asked: list[tuple[str, Tensor]]) -> dict:
    """(name, frames played): whose pieces they are, whether every code is right, and the shares of right codes."""
    if not asked:
        return {}
    equal = [(music.codes(name)[: len(codes)] == codes).float().sum().item() for name, codes in asked if len(codes)]
    whole = music.canonical[0].numel()
    return {
        "tune nearest": share([music.nearest(codes)[0] == name for name, codes in asked]),
        "tune exact": share([torch.equal(music.codes(name), codes) for name, codes in asked]),
        "tune's codes right": round(sum(equal) / whole / len(asked), 3),
    }


def judge_typed(model: Shipped, pictures: Pictures | None, music: Music | None = None, count: int = 256) -> dict:
    """Written requests: sums, pictures to draw and to name, music to play and to name; of each at most `count`."""
    vocabulary, rng = model.vocabulary, random.Random(7)
    stop, opening = vocabulary.added[template.END_MACHINE], f"{template.SYSTEM}\n"

    def said(turn: str, limit: int = 60) -> list[int]:
        return model.llama.generate([1, *vocabulary.encode(opening + turn)], stop, limit)

    def right(rows: list[tuple[str, str]]) -> dict:
        return share(
            [
                plain(vocabulary.text(said(turn)).replace(template.END_MACHINE, "")) == plain(reply)
                for turn, reply in rows
            ]
        )

    train, held = domain.split()
    sums = {"seen": train["sum"], "held out": [row for row in held if row[1].startswith(domain.SUM)]}
    scores: dict = {}
    for name, rows in sums.items():
        rows = rng.sample(rows, min(count, len(rows)))
        scores[f"sums, {name}"] = right([(template.question(text), reply) for text, reply in rows])
    if pictures is None:
        return scores
    names = rng.sample(pictures.names, min(count, len(pictures.names)))
    seen = domain.drawing_questions()
    apart = {name: [q for q, of in domain.drawn().items() if of == name and q not in seen[name]] for name in seen}
    ways = {
        "asked in a chat": lambda name: template.question(rng.choice(seen[name])),
        "asked in a chat, held-out words": lambda name: template.question(rng.choice(apart[name])),
        "with the form given": lambda name: f"{template.picture_request(domain.one(name))} <soim>",
        "with the form given, name alone": lambda name: f"{template.picture_request(name)} <soim>",
    }
    for way, turn in ways.items():
        made = []
        for name in names:
            text = turn(name)
            ids = said(text)
            made.append(
                (name, image_codes(vocabulary, [vocabulary.added["<soim>"], *ids] if "<soim>" in text else ids))
            )
        scores[f"drawing, {way}"] = drawn_right(pictures, made)
        print(f"drawing, {way}: {scores[f'drawing, {way}']}", flush=True)
    writer = Writer(vocabulary, {})
    looks = {
        "the picture as it is drawn": lambda name: pictures.codes(name),
        "variants of training": lambda name: rng.choice(pictures.seen[pictures.number[name]].tolist()),
        "variants kept apart": lambda name: rng.choice(pictures.unseen[pictures.number[name]].tolist()),
    }
    for look, codes in looks.items():
        captions = [(writer.shown(codes(name), template.DESCRIBE), domain.one(name)) for name in names]
        scores[f"caption, {look}"] = right(captions)
    asks = [(writer.shown(looks["variants kept apart"](name), "what is this"), domain.this_is(name)) for name in names]
    scores["what is this, variants kept apart"] = right(asks)
    if music is not None:
        for way, turn in {
            "asked in a chat": lambda name: template.question(rng.choice(domain.playing_questions()[name])),
            "with the form given": lambda name: f"{template.music_request(domain.tune(name))} <somu>",
        }.items():
            made = []
            for name in music.names[: count // 8]:
                text = turn(name)
                ids = said(text, 1100)
                ids = [vocabulary.added["<somu>"], *ids] if "<somu>" in text else ids
                made.append((name, music_codes(vocabulary, ids)))
            scores[f"playing, {way}"] = played_right(music, made)
            print(f"playing, {way}: {scores[f'playing, {way}']}", flush=True)
        clips = [(name, rng.choice(music.unseen[music.number[name]])) for name in music.names for _ in range(2)]
        heard = [(writer.played(codes, template.INTERPRET), domain.tune(name)) for name, codes in clips]
        scores["music described, variants kept apart"] = right(heard)
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
