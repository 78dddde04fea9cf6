"""Writes a golden case of the shipped music network, which the Swift engine is held to.

usage: python music_cases.py ../Models/pocket ../Tests/Golden

It is computed by transformers, which reads the shipped folder as any other; the case points to the shipped files.
"""

import importlib.metadata
import os
import sys

import torch

from picture_cases import fresh, write
from pocket.data.music import FRAME, KINDS, RATE, compose, heard, name
from pocket.data.music_codes import CODES, codes

FRAMES = 30
HEARD = ("fast happy guitar", "slow sad flute")
PLAYED = "slow sad organ"
APART = 1e-3  # how much nearer the nearest code is than any other, squared: no rounding shall turn it


def kind(named: str) -> int:
    return [name(k) for k in KINDS].index(named)


@torch.no_grad()
def sure_codes(books: torch.Tensor, latent: torch.Tensor) -> tuple[torch.Tensor, float]:
    """Codes [level, frame] of a latent [hidden, frame], and how much nearer they are than any other."""
    rest, found, margin = latent.T, [], float("inf")
    for book in books:
        nearest, which = torch.cdist(rest, book).square().topk(2, largest=False)
        margin = min(margin, float((nearest[:, 1] - nearest[:, 0]).min()))
        found.append(which[:, 0])
        rest = rest - book[which[:, 0]]
    return torch.stack(found), margin


@torch.no_grad()
def music_case(model: str, golden: str) -> None:
    import soundfile
    from transformers import EncodecModel

    folder, source = fresh(f"{golden}/encodec-pocket"), f"{model}/encodec"
    os.makedirs(f"{folder}/audio")
    os.symlink(os.path.relpath(source, folder), f"{folder}/encodec_pocket")
    net = EncodecModel.from_pretrained(source, dtype=torch.float32).eval()
    books = torch.stack([layer.codebook.embed for layer in net.quantizer.layers])
    expected: dict[str, torch.Tensor] = {}
    clips: dict[str, dict[str, str]] = {}

    def add(title: str, said: torch.Tensor, whole: bool) -> None:
        """Codes [level, frame], and what comes of them."""
        offsets = torch.arange(len(books))[:, None] * CODES
        expected[f"{title}/codes"] = said.int()
        expected[f"{title}/token_ids"] = (said + offsets).T.reshape(-1).int()
        expected[f"{title}/quantised"] = net.quantizer.decode(said[:, None])[0]
        if whole:
            expected[f"{title}/decoded"] = net.decode(said[None, None], [None]).audio_values[0]

    for named in HEARD:
        for seed in range(100, 160):
            wave = torch.tensor(heard(KINDS[kind(named)], seed)[: FRAMES * FRAME])
            wave = (wave * 32767).round() / 32768  # as the file has it
            latent = net.encoder(wave[None, None])[0]
            said, margin = sure_codes(books, latent)
            if margin > APART:
                break
        else:
            sys.exit(f"no piece of a {named} has codes that are beyond doubt")
        title = named.replace(" ", "_")
        clips[title] = {"file": f"audio/{title}.wav"}
        soundfile.write(f"{folder}/audio/{title}.wav", (wave * 32768).short().numpy(), RATE, "PCM_16")
        expected[f"{title}/waveform"], expected[f"{title}/encoder_out"] = wave, latent
        if not torch.equal(net.encode(wave[None, None], bandwidth=1.6).audio_codes[0, 0], said):
            sys.exit("transformers finds other codes")
        add(title, said, False)
    played = KINDS[kind(PLAYED)]
    said = torch.tensor(codes(compose(played), played.instrument)[:FRAMES]).long().T
    add(f"decode/{PLAYED.replace(' ', '_')}", said, True)
    for title in list(expected):
        if title.startswith("decode/") and title.endswith("/quantised"):
            del expected[title]  # asked of clips alone
    about = {
        "made_by": "Training/music_cases.py",
        "checks": "The shipped network: heard tunes to codes to tokens; codes of a tune to sound.",
        "reference": {"code": f"transformers {importlib.metadata.version('transformers')} EncodecModel, CPU, float32"},
        "clips": clips,
    }
    write(folder, "encodec", about, expected, {name for name in expected if name.endswith(("codes", "token_ids"))})


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    torch.set_num_threads(1)
    music_case(*sys.argv[1:])
