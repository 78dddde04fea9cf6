"""The exported networks as the daemon uses them, and an answer taken apart."""

import json

import numpy as np
import soundfile
import torch
from torch import Tensor

from .. import device
from ..lessons.conversations import Writer
from ..networks.llama import Llama, LlamaConfig
from ..networks.precision import plain as in_float
from ..networks.soundstorm import SoundStorm, SoundStormConfig
from ..networks.speechtokenizer import SpeechTokenizer, SpeechTokenizerConfig
from ..words.runs import Grammar
from ..words.vocabulary import Vocabulary

PROMPT = 150  # frames


class Shipped:
    """The model folder as the daemon loads it."""

    def __init__(self, folder: str) -> None:
        def read(path: str) -> dict:
            with open(f"{folder}/{path}") as file:
                return json.load(file)

        speech = SpeechTokenizerConfig.of(read("speech/config.json"))
        self.tokenizer = self._load(SpeechTokenizer(speech), device.load(f"{folder}/speech/ckpt.dev"))
        storm = SoundStormConfig(**read("speech/soundstorm.json"))
        self.storm = self._load(SoundStorm(storm), device.load(f"{folder}/speech/speechtokenizer_soundstorm_mls.pt"))
        from safetensors.torch import load_file

        self.vocabulary = Vocabulary(f"{folder}/llama")
        llama = Llama(LlamaConfig.of(read("llama/config.json")))
        rows = {name: tensor.shape[0] for name, tensor in llama.state_dict().items()}
        self.llama = self._load(llama, in_float(load_file(f"{folder}/llama/model.safetensors"), rows))
        self.voice_wave, _ = soundfile.read(f"{folder}/voice.wav", dtype="float32")
        self.voice = self.prompt(self.voice_wave)

    @staticmethod
    def _load(net: torch.nn.Module, state: dict[str, Tensor]) -> torch.nn.Module:
        net.load_state_dict({name: tensor.float() for name, tensor in state.items()})
        return net.eval()

    def write(self, prompt: list[int], stop: int, limit: int) -> list[int]:
        """The backbone's likeliest tokens behind a prompt, up to and with `stop`; images and music by the grammar."""
        return self.llama.generate(prompt, stop, limit, Grammar(self.vocabulary, self.vocabulary.size, prompt))

    def prompt(self, wave: np.ndarray) -> Tensor:
        """A recording as SoundStorm's prompt. [samples] -> [frame, 8]"""
        return self.tokenizer.encode(torch.tensor(wave))[:, :PROMPT].T

    def speak(self, semantic: Tensor, voice: Tensor | None = None) -> np.ndarray:
        """Level-0 codes [frame] -> wave, filled in by SoundStorm in chunks after a voice prompt (else the model's)."""
        if self.storm.is_silent:
            return self.tokenizer.decode(semantic[None]).numpy()  # code 0 of levels 1-7 is the zero vector
        return self.tokenizer.decode(self.storm.stream(semantic, self.voice if voice is None else voice).T).numpy()


def answer(model: Shipped, codes: list[int], aloud: bool) -> dict:
    """A greedy answer to a spoken question, taken apart; its speech, picture and music too if `aloud`.

    `formed` tells whether the chain is complete and in order.
    """
    vocabulary, writer = model.vocabulary, Writer(model.vocabulary, {})
    marks = [vocabulary.added[mark] for mark in ("<-Ins->", "<-Res->", "<sosp>", "<eosp>", "<eos>")]
    stop = marks[4] if aloud else marks[2]
    ids = [marks[0], *model.write(writer.prompt(codes), stop, 1500 if aloud else 100)]
    wanted = marks if aloud else marks[:3]
    places = [ids.index(mark) if mark in ids else len(ids) for mark in marks]
    drawn = vocabulary.added["<soim>"]
    text = ids[places[1] + 1 : places[2]]
    return {
        "formed": ids[-1] == stop and all(ids.count(mark) == 1 for mark in wanted) and places == sorted(places),
        "transcript": vocabulary.text(ids[places[0] + 1 : places[1]]),
        "reply": vocabulary.text(text[: text.index(drawn)] if drawn in text else text),
        "speech": vocabulary.speech_in(ids),
        "picture": vocabulary.image_in(ids),
        "music": vocabulary.music_in(ids),
    }
