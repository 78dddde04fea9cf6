"""What int8 costs: two backbones answer the same recordings and the same written requests.

usage: python -m pocket.judging.compare [--work work] [--model ../Models/pocket] [--other work/llama16] [--count 40]

`--model` is a model folder as it ships, whose tokenizer hears the recordings for both; `--other` is the folder of
another backbone of the same vocabulary: by default the float16 weights that stage `export` leaves in the work folder
beside the int8 ones. Differences are of pairs, with 95 % intervals by bootstrap over questions: where an interval holds
0, so few questions show no difference.
"""

import argparse
import copy
import json
import random
from itertools import islice

import numpy as np
import torch
from safetensors.torch import load_file

from ..data.spoken_tests import heard_test, tests_in
from ..lessons.conversations import Sequence, Writer
from ..networks.llama import Llama, LlamaConfig
from ..networks.precision import plain as in_float
from ..words import domain, template
from .evaluate import Shipped, answer
from .judges import bootstrap, edits, plain

Row = dict[str, float]  # of one question: what is added up, by its name


def with_backbone(model: Shipped, folder: str) -> Shipped:
    """The same model with another backbone, int8 or not."""
    other = copy.copy(model)
    with open(f"{folder}/config.json") as file:
        llama = Llama(LlamaConfig.of(json.load(file)))
    rows = {name: tensor.shape[0] for name, tensor in llama.state_dict().items()}
    llama.load_state_dict(in_float(load_file(f"{folder}/model.safetensors"), rows))
    other.llama = llama.eval()
    return other


@torch.no_grad()
def surprise(llama: Llama, prompt: list[int], wanted: list[int]) -> float:
    """Nats for every token of the right answer."""
    logits = llama(torch.tensor([prompt + wanted[:-1]]))[0, len(prompt) - 1 :]
    return float(torch.nn.functional.cross_entropy(logits, torch.tensor(wanted)))


def spoken(models: list[Shipped], folder: str, test: str, count: int) -> list[list[Row]]:
    """[question][model]: errors of the transcript in words, and whether the reply is right, of recorded questions."""
    writer, out = Writer(models[0].vocabulary, {}), []
    for (text, reply, _), wave, _ in islice(heard_test(folder, test), count):
        codes = models[0].tokenizer.encode(wave, 1)[0].tolist()
        chain = Sequence()
        Writer(models[0].vocabulary, {reply: []}).answer(random.Random(0), chain, text, reply, aloud=False)
        prompt = writer.prompt(codes)
        said = plain(text).split()
        pair: list[Row] = []
        for model in models:
            made = answer(model, codes, aloud=False)
            pair.append(
                {
                    "words": len(said),
                    "wrong words": edits(said, plain(made["transcript"]).split()),
                    "right": float(plain(made["reply"]) == plain(reply)),
                    "surprise": surprise(model.llama, prompt, chain.ids[len(writer.chain) :]),
                }
            )
        out.append(pair)
    return out


def written(models: list[Shipped], count: int) -> list[list[Row]]:
    """[question][model], of typed questions of every kind, those that training had."""
    vocabulary, rng, out = models[0].vocabulary, random.Random(11), []
    stop = vocabulary.added[template.END_MACHINE]
    for _ in range(count):
        text, reply = domain.pair(rng)
        prompt = [1, *vocabulary.encode(f"{template.SYSTEM}\n{template.question(text)}")]
        pair: list[Row] = []
        for model in models:
            ids = model.llama.generate(prompt, stop, 40)
            made = vocabulary.text(ids).split(template.END_MACHINE)[0]
            # Who asks for a picture or music gets that behind the reply.
            right = plain(made.split("<so")[0]) == plain(reply)
            pair.append(
                {"right": float(right), "surprise": surprise(model.llama, prompt, vocabulary.encode(f" {reply}"))}
            )
        out.append(pair)
    return out


def summary(rows: list[list[Row]]) -> dict[str, dict]:
    """(value of the model's, of the other's, difference with its interval) by score."""
    table = np.array([[[row.get(key, 0.0) for key in KEYS] for row in pair] for pair in rows])

    def rate(part: np.ndarray, model: int) -> dict[str, float]:
        words, wrong, right, nats = part[:, model].sum(0)
        out = {"replies right, %": 100 * right / len(part), "nats a token of the right answer": nats / len(part)}
        return out | ({"transcript WER, %": 100 * wrong / words} if words else {})

    out: dict[str, dict] = {}
    for score, value in rate(table, 0).items():
        low, high = bootstrap(table, lambda part, score=score: rate(part, 0)[score] - rate(part, 1)[score])
        other = rate(table, 1)[score]
        out[score] = {"model": value, "other": other, "difference": value - other, "interval": [low, high]}
    right = table[:, :, 2]
    out["right by one alone"] = {
        "model": int((right[:, 0] > right[:, 1]).sum()),
        "other": int((right[:, 1] > right[:, 0]).sum()),
    }
    out["of"] = {"questions": len(rows)}
    return out


KEYS = ("words", "wrong words", "right", "surprise")


def told(name: str, scores: dict[str, dict]) -> str:
    """The scores in words."""
    lines = [f"{name}, {scores['of']['questions']} questions"]
    for score, value in scores.items():
        if "difference" in value:
            low, high = value["interval"]
            lines.append(
                f"  {score:34s} {value['model']:7.3f}   other {value['other']:7.3f}   "
                f"difference {value['difference']:+.3f} ({low:+.3f} to {high:+.3f})"
            )
    alone = scores["right by one alone"]
    lines.append(f"  right by this one alone {alone['model']}, by the other alone {alone['other']}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--work", default="work", help="with the spoken tests")
    parser.add_argument("--model", default="../Models/pocket")
    parser.add_argument("--other", help="a backbone's folder; by default llama16 in the work folder")
    parser.add_argument("--count", type=int, default=40, help="questions of each test, and three times as many written")
    parser.add_argument("--tests", default="", help="only those whose names have this in them")
    options = parser.parse_args()
    torch.set_num_threads(1)
    model = Shipped(options.model)
    models = [model, with_backbone(model, options.other or f"{options.work}/llama16")]
    found: dict[str, list[list[Row]]] = {}
    for test in [test for test in tests_in(options.work) if options.tests in test]:
        found[test] = spoken(models, options.work, test, options.count)
        print(told(test, summary(found[test])), flush=True)
    if found:
        found["all that is spoken"] = [row for rows in found.values() for row in rows]
        print(told("all that is spoken", summary(found["all that is spoken"])), flush=True)
    found["written"] = written(models, 3 * options.count)
    print(told("written", summary(found["written"])), flush=True)
    with open(f"{options.work}/compared.json", "w") as file:
        json.dump({name: summary(rows) for name, rows in found.items()}, file, indent=1)


if __name__ == "__main__":
    main()
