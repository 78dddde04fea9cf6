"""Stage `backbone`: the LLaMA on the encoder's own codes, in the chat model's format."""

import os
import random
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .. import device
from ..data.alignment import frames_of, words_at
from ..data.latent import SEMANTIC
from ..data.recordings import Question, load_questions, recorded, reply_codes
from ..lessons.batching import by_length
from ..lessons.conversations import SPEECH_IN, TRANSCRIPT, Sequence, Writer
from ..lessons.instruct import Instruct
from ..lessons.listening import NUMBER, Heard, Letters, Spoken, Words, latest_words, numbers
from ..lessons.misheard import Misheard
from ..lessons.music import Music
from ..lessons.pictures import Pictures
from ..networks.llama import Llama, LlamaConfig
from ..networks.nearby import LOOKS, look_back
from ..words import domain
from ..words.vocabulary import IMAGE_CODES, MUSIC_CODES, SPEECH_CODES, Vocabulary
from .muon import muon
from .run import Run, cheap, share

ALOUD = 0.7  # share of spoken chats with the last reply's speech
MADE_ALOUD = 0.2  # the same where a picture or music is asked for, which two replies are enough for
RATE, GOING_ON = 1.5e-3, 4.5e-4  # learning rates from the beginning, and where what is known should not be lost
FRONT = len(LOOKS)  # layers that stage `front` trains
LETTERS_AFTER, WORDS_AFTER = FRONT + 1, FRONT + 3  # layers behind which letters and words must be readable
LETTERS, WORDS = 0.3, 0.3  # weights of these losses in the beginning; at the end what is written counts alone
SPLICED, NAMED = 0.6, 0.5  # share of the listening that is cut from recordings and put together anew; of names alone
WHOLE = 0.1  # share of chats that go on to the end of the music
SPEECH_HERE = 0.06  # what all speech tokens share in the beginning, three times what they differ by
MOVED, FARTHEST = 0.4, 3.0  # share of the recordings that are heard as if by another voice, and how far that is
TURNS = {"sums": 8, "drawings": 46, "tunes": 8, "others": 38}  # spoken turns by what they ask for
SHARES = {
    "spoken": 36, "listening": 32, "transcription": 5, "reading": 4, "saying": 9, "following": 6, "typed": 3,
    "sums": 2, "drawing": 5, "seeing": 5, "playing": 4, "hearing": 3, "instruct": 3,
}  # fmt: skip


def asks_for(question: Question) -> str:
    """Its kind in TURNS."""
    if question.text in domain.drawn():
        return "drawings"
    if question.text in domain.played():
        return "tunes"
    return "sums" if question.reply.startswith(domain.SUM) else "others"


class Mixture:
    """Draws sequences; easy ones first. Recordings that are aligned while it runs are taken in."""

    def __init__(self, folder: str, vocabulary: Vocabulary) -> None:
        self.folder = folder
        self.fresh = not os.path.exists(f"{folder}/start/backbone.pt")
        self.writer = Writer(vocabulary, reply_codes(folder), Pictures.of(folder), Music.of(folder))
        complete = self.writer.pictures is not None and self.writer.music is not None
        self.instruct = Instruct.of(folder) if complete else None  # most dialogues need both
        self.shares = dict(SHARES)
        for what, missing, lessons in (
            ("pictures", self.writer.pictures is None, ("drawing", "seeing")),
            ("music", self.writer.music is None, ("following", "playing", "hearing")),
            ("dialogues", self.instruct is None, ("instruct",)),
        ):
            if missing:
                print(f"backbone: there is no {what} yet, so there will be no lessons of that", flush=True)
                for lesson in lessons:
                    del self.shares[lesson]
        self.texts = domain.all_replies()
        self.questions: list[Question] = []  # by length, like `practice`
        self.practice: list[Question] = []
        self.turns: dict[str, list[Question]] = {}  # the questions by what they ask for
        self.asked: dict[str, list[Question]] = {}  # the questions by their reply
        self.answers: list[str] = []  # the replies that a recorded question has
        self.drawings: dict[str, list[Question]] = {}  # the questions for pictures by what is to be drawn
        self.names: dict[str, list[Question]] = {}  # what is drawn, as it was said in questions
        self.misheard = Misheard()
        self.read: set[str] = set()
        self.book = device.load(f"{folder}/books.pt")["books"][0, :, :SEMANTIC]
        self.near: list[list[int]] = torch.cdist(self.book, self.book).topk(9, largest=False).indices[:, 1:].tolist()
        self.refresh()

    def refresh(self) -> None:
        before = len(self.read)
        for name in recorded(self.folder):
            if name not in self.read:
                self.read.add(name)
                rows = load_questions(self.folder, name)
                for pool, new in ((self.questions, True), (self.practice, False)):
                    pool += [row for row in rows if bool(row.reply) == new]
                    pool.sort(key=lambda question: len(question.codes))
                self.turns, self.asked, self.drawings = {kind: [] for kind in TURNS}, {}, {}
                for row in self.questions:
                    self.turns[asks_for(row)].append(row)
                for row in self.turns["drawings"]:
                    self.drawings.setdefault(domain.drawn()[row.text], []).append(row)
                for row in self.questions:
                    self.asked.setdefault(row.reply, []).append(row)
                self.answers = sorted(self.asked)
                self.cut([row for row in rows if row.text in domain.drawn()])
                print(f"backbone: {len(self.questions)} spoken questions, {len(self.practice)} to practise", flush=True)
        if self.instruct and len(self.read) > before:
            self.instruct.record(self.questions)

    def cut(self, rows: list[Question]) -> None:
        """Takes the names out of questions for pictures."""
        for row in rows:
            name = domain.drawn()[row.text]
            frames = frames_of(name, row.text, numbers(row.text), row.letters)
            if frames:
                part = slice(*frames)
                self.names.setdefault(name, []).append(
                    Question(name, "", row.voice, row.codes[part], row.letters[part])
                )

    def spliced(self, rng: random.Random) -> Question:
        """Names or other words, cut from recordings, between the quiet of a recording's ends."""
        parts = self.some_names(rng) if self.names and rng.random() < NAMED else self.some_words(rng)
        around = rng.choice(self.questions)
        before, after = around.codes[: rng.randint(3, 12)], around.codes[-rng.randint(6, 20) :]
        codes = np.concatenate([before, *(part.codes for part in parts), after])
        ends = [np.zeros(len(before), np.int8), np.full(len(after), parts[-1].letters[-1])]
        letters = np.concatenate([ends[0], *(part.letters for part in parts), ends[1]])
        text = " ".join(part.text for part in parts)
        return self.spliced(rng) if text in domain.apart() else Question(text, "", "", codes, letters)

    def some_names(self, rng: random.Random) -> list[Question]:
        """Two to five, each from a question of its own."""
        names = self.misheard.draw(list(self.names), rng.randint(2, 5), rng)
        return [rng.choice(self.names[name]) for name in rng.sample(names, len(names))]

    def some_words(self, rng: random.Random) -> list[Question]:
        """Two to four times up to three words that follow each other, so that no word foretells the next few."""
        parts: list[Question] = []
        count = rng.randint(2, 4)
        while len(parts) < count:
            row = rng.choice(self.practice if rng.random() < 0.5 else self.questions)
            frames = words_at(row.text, numbers(row.text), row.letters)
            if frames is None:
                continue
            first = rng.randrange(len(frames))
            last = min(len(frames), first + rng.randint(1, 3)) - 1
            part = slice(frames[first][0], frames[last][1])
            letters = np.where(row.letters[part] == 0, NUMBER[" "], row.letters[part])
            text = " ".join(row.text.split()[first : last + 1])
            parts.append(Question(text, "", row.voice, row.codes[part], letters))
        return parts

    def worse(self, question: Question, rng: random.Random) -> Question:
        """Instead of a request for a picture another one, for something that is heard worse."""
        if question.text not in domain.drawn():
            return question
        return rng.choice(self.drawings[self.misheard.draw(list(self.drawings), 1, rng)[0]])

    def moved(self, codes: list[int], rng: random.Random) -> list[int]:
        """Codes as another speaker might have them: all moved the same way in the latent space."""
        generator = torch.Generator().manual_seed(rng.getrandbits(31))
        way = torch.randn(SEMANTIC, generator=generator, device="cpu").to(self.book.device) * self.book.std(0)
        way *= rng.uniform(0, FARTHEST) / way.norm()
        return torch.cdist(self.book[torch.tensor(codes).long()] + way, self.book).argmin(1).tolist()

    def heard(self, question: Question, rng: random.Random) -> Heard:
        """A question's codes, slower here and faster there, moved like a voice, some exchanged for near ones."""
        source = question.codes.tolist()
        if rng.random() < MOVED:
            source = self.moved(source, rng)
        codes: list[int] = []
        frames: list[int] = []  # the recording's, of each code
        lost, twice, other = rng.uniform(0.0, 0.1), rng.uniform(0.9, 1.0), 0.25 * rng.random() ** 2
        for frame, code in enumerate(source):
            dice = rng.random()
            if dice < lost:
                continue
            if rng.random() < other:
                code = self.near[code][rng.randrange(len(self.near[code]))]
            times = 2 if dice > twice else 1
            codes += [code] * times
            frames += [frame] * times
        if question.letters is None:
            return Heard(codes)
        words = latest_words(question.text, question.letters)
        return Heard(codes, question.letters[frames].tolist(), words[frames].tolist())

    def draw(self, rng: random.Random, done: float) -> Sequence:
        easy = min(1.0, 0.35 + 3 * done) if self.fresh else 1.0  # of the questions by length, for a fifth of the time
        kind = rng.choices(list(self.shares), weights=list(self.shares.values()))[0]
        if kind == "spoken":
            count = rng.choices([1, 2, 3], weights=[85, 12, 3])[0] if done > 0.3 else 1
            kinds = rng.choices(list(TURNS), weights=list(TURNS.values()), k=count)
            pools = [self.turns[kind] or self.questions for kind in kinds]
            chosen = [pool[rng.randrange(max(1, int(len(pool) * easy)))] for pool in pools]
            if easy == 1.0:
                chosen = [self.worse(question, rng) for question in chosen]
            heard = [self.heard(question, rng) for question in chosen]
            aloud = rng.random() < (ALOUD if kinds[-1] in ("sums", "others") else MADE_ALOUD)
            sequence = self.writer.spoken_chat(rng, chosen, heard, aloud, rng.random() < WHOLE)
            sequence.drawn = domain.drawn().get(chosen[0].text) if count == 1 else None
            return sequence
        if kind in ("listening", "transcription"):
            pool = self.practice if kind == "listening" or rng.random() < 0.5 else self.questions
            question = pool[rng.randrange(max(1, int(len(pool) * easy)))]
            if kind == "listening" and rng.random() < SPLICED:
                question = self.spliced(rng)
            write = self.writer.listening if kind == "listening" else self.writer.transcription
            return write(rng, self.heard(question, rng), question.text)
        if kind == "instruct":
            return self.instruct.draw(self.writer, rng, self.heard)
        if kind == "saying":
            return self.writer.saying(rng, rng.choice(self.asked[rng.choice(self.answers)]))
        if kind == "following":
            return self.writer.following(rng, rng.choice(self.turns["tunes"]))
        if kind == "reading":
            return self.writer.reading(rng, rng.choice(self.texts))
        writers = {
            "typed": self.writer.typed_chat, "sums": self.writer.sums,
            "drawing": self.writer.drawing, "seeing": self.writer.seeing,
            "playing": self.writer.playing, "hearing": self.writer.hearing,
        }  # fmt: skip
        return writers[kind](rng)


def start_from_code_vectors(net: Llama, vocabulary: Vocabulary, book: Tensor) -> None:
    """Speech tokens begin as a random map of their code vectors, so that codes that sound alike begin alike.

    book [1024, 32] is the part of level 0 that carries what is said. All of them share one direction, by which the
    first layers know where speech is: they begin as ones that look a few frames back.
    """
    vectors = (book - book.mean(0)) / book.std()
    first, last = vocabulary.first_speech, vocabulary.first_speech + SPEECH_CODES
    with torch.no_grad():
        for table in (net.model.embed_tokens.weight, net.lm_head.weight):
            table[first:last] *= 0.3
            table[first:last] += vectors @ torch.randn(book.shape[1], table.shape[1]) * (0.02 / book.shape[1] ** 0.5)
        net.model.embed_tokens.weight[first:last, 0] = SPEECH_HERE
        for layer, looks in zip(net.model.layers, LOOKS, strict=False):
            look_back(layer, net.model.embed_tokens.weight[first:last], looks)


def used_rows(vocabulary: Vocabulary, pictures: bool, music: bool) -> Tensor:
    """Ids that the data holds: not the image codes where there are no pictures, nor those of music without any."""
    used = torch.ones(vocabulary.size, dtype=torch.bool)
    for there, first, last in ((music, "<🎶0>", "<eomu>"), (pictures, "<👀0>", "<eoim>")):
        if not there:
            used[vocabulary.added[first] : vocabulary.added[last] + 1] = False
    return used.nonzero()[:, 0]


def unknown(losses: Tensor) -> Tensor:
    """How unlikely each right code was held, 0 to 1 (the factor of the focal loss, Lin et al., 2017).

    What the model says and plays is known by heart but for a few codes; those tell one reply or tune from another, and
    among a hundred that are right they would be lost.
    """
    return 1 - torch.exp(-losses.detach())


class Batch(NamedTuple):
    ids: Tensor  # [row, token]
    weights: Tensor  # [row, token]
    spoken: list[Spoken]
    drawn: list[str | None]  # of each row, what its one transcript asks to be drawn


def batches(mixture: Mixture, run: Run, tokens: int, seed: int) -> Iterator[Batch]:
    """Batches of at most so many tokens; rows of like length lie together."""
    while True:
        rng = random.Random(seed + run.steps)
        mixture.refresh()
        groups = by_length((mixture.draw(rng, run.done) for _ in range(160)), lambda row: len(row.ids), tokens)
        rng.shuffle(groups)
        for group in groups:
            longest = max(len(row.ids) for row in group)
            ids, weights = torch.zeros(len(group), longest, dtype=torch.long), torch.zeros(len(group), longest)
            for index, row in enumerate(group):
                ids[index, : len(row.ids)] = torch.tensor(row.ids)
                weights[index, : len(row.ids)] = torch.tensor(row.weights)
            spoken = [Spoken(index, *part) for index, row in enumerate(group) for part in row.heard]
            yield Batch(ids, weights, spoken, [row.drawn for row in group])


def train_backbone(folder: str, seconds: float, rate: float | None = None, tokens: int = 2400) -> None:
    """Several processes may do it together, each with batches of so many tokens (`share`)."""
    rank = share()
    torch.manual_seed(4)
    vocabulary = Vocabulary(f"{folder}/llama")
    mixture = Mixture(folder, vocabulary)
    net = Llama(LlamaConfig(vocabulary.size))
    rate = rate or (RATE if mixture.fresh else GOING_ON)
    start_from_code_vectors(net, vocabulary, device.load(f"{folder}/books.pt")["books"][0, :, :SEMANTIC])
    letters_head, words_head = Letters(net.config.hidden_size), Words(net.config.hidden_size)
    heads = nn.ModuleList([letters_head, words_head])
    if mixture.fresh:
        front = f"{folder}/front.checkpoint"
        if not os.path.exists(front):
            raise FileNotFoundError(f"{front}: a new backbone begins with the layers of stage `front`; run that first")
        saved = device.load(front)
        net.load_state_dict(saved["net"])
        letters_head.load_state_dict(saved["helper"])
    first, last = vocabulary.first_speech, vocabulary.first_speech + SPEECH_CODES
    # Under the whole backbone the first layers only lose letters: they went from 1.4 to 1.7 nats within ten minutes. So
    # they stay as they are, and so does what comes to them.
    net.model.layers[:FRONT].requires_grad_(False)
    net.model.embed_tokens.weight.register_hook(lambda grad: grad.index_fill(0, torch.arange(first, last), 0))
    optimizers = [*muon(net, rate, ".layers."), torch.optim.AdamW(heads.parameters(), rate, weight_decay=0.01)]
    run = Run(folder, "backbone", net, rate, seconds, warmup=100, optimizers=optimizers, helper=heads)
    used = used_rows(vocabulary, mixture.writer.pictures is not None, mixture.writer.music is not None)
    place = torch.zeros(vocabulary.size, dtype=torch.long)
    place[used] = torch.arange(len(used))
    source = batches(mixture, run, tokens, 4_000_000 + 1_000_000 * rank)
    for step in run:
        ids, weights, spoken, drawn = next(source)
        target, weight = ids[:, 1:].flatten(), weights[:, 1:].flatten()
        counted = weight > 0
        if step % 4:  # the person's own speech is predicted in every fourth batch only
            counted &= weight != SPEECH_IN
        whole = run.done > 0.93  # at the end the unused codes learn that they are
        with cheap():
            between: list[Tensor] = []
            hidden = net.hidden(ids[:, :-1], between=between).flatten(0, 1)[counted]
            logits = F.linear(hidden, net.lm_head.weight if whole else net.lm_head.weight[used])
        target, weight = target[counted], weight[counted]
        losses = F.cross_entropy(logits.float(), target if whole else place[target], reduction="none")
        speech = (target >= first) & (target < last)
        said = speech & (weight > SPEECH_IN)
        music = (target >= vocabulary.first_music) & (target < vocabulary.first_music + MUSIC_CODES)
        image = (target >= vocabulary.first_image) & (target < vocabulary.first_image + IMAGE_CODES)
        text = ~speech & ~image & ~music
        means = {
            "text": losses[text].mean().item(),
            "speech": losses[said].mean().item() if said.any() else np.nan,
            "image": losses[image].mean().item() if image.any() else np.nan,
            "first": losses[image & (weight > 1)].mean().item() if (image & (weight > 1)).any() else np.nan,
            "music": losses[music].mean().item() if music.any() else np.nan,
            "ktokens": ids.numel() / 1000,
        }
        rows = torch.arange(len(ids)).repeat_interleave(ids.shape[1] - 1)[counted]
        nats = torch.zeros(len(ids)).index_add_(0, rows, losses.detach() * (text & (weight == TRANSCRIPT)))
        for name, value in zip(drawn, nats.tolist(), strict=True):
            if name:
                mixture.misheard.learn(name, value)
        counts = torch.where(said | music, weight * unknown(losses), weight)
        loss = (losses * counts).sum() / weight.sum()
        if spoken:
            letters, right = letters_head(between[LETTERS_AFTER - 1].float(), spoken)
            words, heard = words_head(between[WORDS_AFTER - 1].float(), spoken)
            means |= {"letters": letters.item(), "right": right.item(), "words": words.item(), "heard": heard.item()}
            loss = loss + (1 - run.done) * (LETTERS * letters + WORDS * words)
        run.step(loss, **{k: v for k, v in means.items() if v == v})
