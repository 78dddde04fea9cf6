"""What the backbone says of every reply, behind its own codes, against what it has learned of it: no ears are needed.

usage: python -m pocket.judging.aloud [--work work] [--model ../Models/pocket]

Prints the replies that are spoken as something else, and what that is. With right codes before them, nearly all codes
are right; a few tell one reply from another, and what goes wrong there shows nowhere else.
"""

import argparse
import json
import random

from ..data.recordings import Question, load_questions, recorded, reply_codes
from ..lessons.conversations import Writer
from ..lessons.listening import Heard
from ..lessons.music import Music
from ..lessons.pictures import Pictures
from ..words import template
from .evaluate import Shipped
from .judges import edits, share

LOST = 0.3  # share of wrong codes from which on a reply is another one


def judge_aloud(model: Shipped, folder: str) -> dict:
    """How many replies come as themselves, and the share of wrong codes in all, in percent.

    Each reply stands behind a recording that asks for it, with the transcript and the reply's text given.
    """
    replies = reply_codes(folder)
    asked: dict[str, Question] = {}
    for name in sorted(recorded(folder)):
        for row in load_questions(folder, name):
            if row.reply:
                asked.setdefault(row.reply, row)
    vocabulary, rng = model.vocabulary, random.Random(0)
    writer = Writer(vocabulary, replies, Pictures.of(folder), Music.of(folder))
    kept, wrong, of, lost = [], 0, 0, []
    for reply, question in sorted(asked.items()):
        chain = writer.opening(rng, always=True)
        writer.ask(chain, Heard(question.codes.tolist()), template.INSTRUCTION)
        writer.answer(rng, chain, question.text, reply, aloud=False)
        codes = replies[reply]
        said = vocabulary.speech_in(
            [chain.ids[-1], *model.write(chain.ids, vocabulary.added["<eosp>"], len(codes) + 30)]
        )
        errors = edits(codes, said)
        kept.append(errors <= LOST * len(codes))
        wrong, of = wrong + errors, of + len(codes)
        if not kept[-1]:
            nearest = min(replies, key=lambda other: edits(replies[other], said))
            lost.append([reply, nearest])
    return {"as written": share(kept), "codes wrong": round(100 * wrong / max(1, of), 1), "lost": lost}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--work", default="work", help="with the replies and the recordings")
    parser.add_argument("--model", default="../Models/pocket")
    options = parser.parse_args()
    scores = judge_aloud(Shipped(options.model), options.work)
    for reply, nearest in scores["lost"]:
        print(f"  {reply}: most like {nearest!r}")
    print(json.dumps({name: value for name, value in scores.items() if name != "lost"}))


if __name__ == "__main__":
    main()
