"""The backbone, judged on spoken questions: what it hears, answers, says, draws and plays."""

import json
from itertools import islice

import torch

from ..data.recordings import Question
from ..data.spoken_tests import heard_test
from ..lessons.music import Music
from ..lessons.pictures import Pictures
from ..words import domain
from .evaluate import Shipped, answer
from .judges import Listener, plain, share, word_error_rate
from .made import drawn_right, played_right


def judge_backbone(model: Shipped, folder: str, listener: Listener, tests: list[str], count: int, voiced: int) -> dict:
    """Transcripts, replies, chains, pictures and the replies' speech for every named test.

    Spoken are the first `voiced` answers and those that draw.
    """
    scores: dict = {}
    pictures, music = Pictures.of(folder), Music.of(folder)
    for test in tests:
        questions, answers = [], []
        for row, wave, _ in islice(heard_test(folder, test), count):
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
