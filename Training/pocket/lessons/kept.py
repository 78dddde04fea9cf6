"""What the shipped backbone says already is kept as its lesson, where that is as good as the recording's own codes.

A corpus made again gives a reply codes that mean the same but are not the same. Learning the new ones by heart would
cost more training than all the rest, for nothing.
"""

import os
import random

import torch

from .. import device
from ..data.latent import SEMANTIC
from ..networks.llama import Llama, LlamaConfig
from ..words import template
from ..words.vocabulary import Vocabulary
from .conversations import Writer

NEAR = 6.0  # mean squared distance of the semantic parts; codes drawn by chance are 50 apart


@torch.no_grad()
def keep_replies(folder: str) -> None:
    """Adds "kept" [frame] to the entries of replies.pt whose reading by the shipped backbone is near to "true"."""
    if not os.path.exists(f"{folder}/start/backbone.pt"):
        return
    replies = device.load(f"{folder}/replies.pt")
    vocabulary = Vocabulary(f"{folder}/llama")
    net = Llama(LlamaConfig(vocabulary.size))
    net.load_state_dict(device.load(f"{folder}/start/backbone.pt"))
    book = device.load(f"{folder}/books.pt")["books"][0, :, :SEMANTIC]
    writer, first = Writer(vocabulary, {}), vocabulary.first_speech
    for text, entry in replies.items():
        prompt = writer.opening(random.Random(0), always=True)
        prompt.add(vocabulary.encode(template.question(f"{text} {template.READ}") + " "), 0)
        ids = net.generate(prompt.ids, vocabulary.added["<eosp>"], len(entry["true"]) + 3)
        said = torch.tensor([index - first for index in ids if first <= index < first + 1024])
        if len(said) != len(entry["true"]):
            continue
        distance = (book[said] - book[entry["true"].long()]).pow(2).sum(1).mean()
        if distance < NEAR:
            entry["kept"] = said.short()
    torch.save(replies, f"{folder}/replies.pt")
    print(f"replies: {sum('kept' in entry for entry in replies.values())} of {len(replies)} kept", flush=True)
