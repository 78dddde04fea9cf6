"""Where weights come from, in words: for the headers of their files."""

import importlib.metadata
import json
import os

from .. import device


def before(work: str, kind: str) -> str:
    """What was said of the weights that training began with: stage `start` keeps it in start/KIND.json."""
    if not os.path.exists(f"{work}/start/{kind}.json"):
        return ""
    with open(f"{work}/start/{kind}.json") as file:
        return json.load(file)["state"] + ", then "


def told(saved: dict) -> str:
    """How long a checkpoint was trained."""
    return f"{saved['steps']} steps in {saved['spent'] / 60:.0f} min of one core"


def trained(work: str, kind: str, networks: dict[str, str]) -> str:
    """How long each network was trained, by its name; `networks` are the checkpoints of the names."""
    spent = []
    for name, checkpoint in networks.items():
        if os.path.exists(f"{work}/{checkpoint}.checkpoint"):
            saved = device.load(f"{work}/{checkpoint}.checkpoint")
            spent.append(f"{name} {told(saved)}")
    return f"{before(work, kind)}trained: {', '.join(spent)}"


def versions(*packages: str) -> str:
    return ", ".join(f"{name} {importlib.metadata.version(name)}" for name in packages)
