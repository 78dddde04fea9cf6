"""What SoundStorm learns from: the replies in chunks as the daemon cuts them, and other sentences in the reply voice.

Level 0 of a reply is what the backbone learns to say. Said by heart it has mistakes: codes that are near to the right
one, frames too many or too few. So has a part of the lessons.
"""

import os
import random
from dataclasses import dataclass

import torch
from torch import Tensor

from .. import device
from ..data.corpus import load
from ..data.latent import DIM, SEMANTIC, Projection, corpus_split
from ..data.signal import frame_features
from ..data.voices import REPLY_VOICE
from ..networks.soundstorm import CHUNK, CONTEXT, FIRST, LEVELS, MASK

ACOUSTIC = DIM - SEMANTIC
NEAR = 8  # codes around each that may stand for it


@dataclass
class Lesson:
    ways: list[Tensor]  # level 0, [frame], as it may be said
    sound: Tensor  # [frame, 96], the acoustic latent


@dataclass
class Row:
    semantic: Tensor  # [frame] of the prompt, the context and the chunk
    codes: Tensor  # [frame, 7], known in the prompt
    sound: Tensor  # [frame, 96], zero in the prompt
    voiced: int  # frames of the prompt
    context: int  # frames that were said before the chunk


class Lessons:
    def __init__(self, folder: str, parts: list[int], books: Tensor) -> None:
        projection = Projection(device.load(f"{folder}/projection.pt"))
        self.replies = []
        for entry in device.load(f"{folder}/replies.pt").values():
            sound = projection.sound(frame_features(entry["wave"].float() / 32768))
            ways = [entry[name].long() for name in ("true", "kept", "kept") if name in entry]  # mostly what it will say
            self.replies.append(Lesson(ways, sound[: len(entry["true"])]))
        ids, latent = device.load(f"{folder}/ids.pt").long(), device.load(f"{folder}/latent.pt")
        self.sentences = [
            Lesson([ids[0, u.start : u.end]], latent[u.start : u.end, SEMANTIC:].float())
            for u in corpus_split(load(folder, parts)[2])[0]
            if u.voice == REPLY_VOICE and u.end - u.start > FIRST
        ]
        self.voice = device.load(f"{folder}/voice.pt").long()  # [frame, 8]
        self.near = torch.cdist(books[0, :, :SEMANTIC], books[0, :, :SEMANTIC]).topk(NEAR + 1, largest=False).indices

    def pick(self, done: float) -> Row:
        """A chunk of a reply, or of another sentence once in five; `done` is the share of the training that is over."""
        lesson = random.choice(self.replies if random.random() < 0.8 else self.sentences)
        semantic, sound = self.mistaken(random.choice(lesson.ways), lesson.sound)
        whole, frames = random.random() < 0.5 * (1 - done), len(semantic)
        if whole:  # many frames at once, without context: quicker to learn from
            start, context = random.randint(0, max(0, frames - CHUNK)), 0
            end = min(frames, start + FIRST + CHUNK)
        else:
            starts = [0, *range(FIRST, frames, CHUNK)]
            start = random.choice(starts)
            end, context = min(frames, start + (CHUNK if start else FIRST)), min(start, CONTEXT)
        voice = self.prompt(done)
        said = slice(start - context, end)
        codes = torch.cat([voice[:, 1:], torch.full((end - start + context, LEVELS), MASK)])
        sound = torch.cat([torch.zeros(len(voice), ACOUSTIC), sound[said]])
        return Row(torch.cat([voice[:, 0], semantic[said]]), codes, sound, len(voice), context)

    def prompt(self, done: float) -> Tensor:
        """The voice's codes: at the end all of them as the daemon gives them, before only a few, for they cost time."""
        if done > 0.8 and random.random() < 0.7:
            return self.voice
        frames = random.choice([0, random.randint(10, 40)])
        start = random.randint(0, len(self.voice) - frames)
        return self.voice[start : start + frames]

    def mistaken(self, semantic: Tensor, sound: Tensor) -> tuple[Tensor, Tensor]:
        """Level 0 as it may come out: as it is in every third lesson, else a few frames repeated, lost or near ones."""
        if random.random() < 0.33:
            return semantic, sound
        index = list(range(len(semantic)))
        for _ in range(random.choice([0, 0, 1, 2, 4])):
            place = random.randrange(len(index))
            if random.random() < 0.5:
                index.insert(place, index[place])
            elif len(index) > FIRST:
                del index[place]
        semantic, sound = semantic[index], sound[index]
        other = self.near[semantic, torch.randint(1, NEAR + 1, semantic.shape)]
        return torch.where(torch.rand(semantic.shape) < random.uniform(0, 0.2), other, semantic), sound


def prompt(folder: str, model: str) -> None:
    """The model's voice.wav by the trained encoder, voice.pt: [frame, 8], what the daemon puts before every reply."""
    import soundfile

    from ..data.recordings import tokenizer

    if not os.path.exists(f"{folder}/voice.pt"):
        wave, _ = soundfile.read(f"{model}/voice.wav", dtype="float32")
        torch.save(tokenizer(folder).encode(torch.tensor(wave)).T.short(), f"{folder}/voice.pt")
