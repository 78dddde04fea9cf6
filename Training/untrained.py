"""Writes an untrained model of the shipped shapes to a folder: it loads and babbles. Fixed seed, no data needed.

usage: python untrained.py FOLDER
"""

import sys

import torch

from pocket.networks import unclip
from pocket.networks.encodec import Encodec, EncodecConfig
from pocket.networks.llama import Llama, LlamaConfig
from pocket.networks.seed import Seed, SeedConfig
from pocket.networks.soundstorm import SoundStorm, SoundStormConfig
from pocket.networks.speechtokenizer import SpeechTokenizer, SpeechTokenizerConfig
from pocket.shipping.export import write_llama, write_soundstorm, write_speech_tokenizer
from pocket.shipping.music import write_encodec
from pocket.shipping.pictures import write_seed, write_unclip
from pocket.words.vocabulary import Vocabulary, write_folder


def main(folder: str) -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    write_folder(f"{folder}/llama")
    vocabulary = Vocabulary(f"{folder}/llama")
    write_llama(f"{folder}/llama", Llama(LlamaConfig(vocabulary.size)), {"state": "untrained, seed 0"})
    write_speech_tokenizer(f"{folder}/speech", SpeechTokenizer(SpeechTokenizerConfig()))
    write_soundstorm(f"{folder}/speech", SoundStorm(SoundStormConfig.smallest()))
    write_seed(f"{folder}/seed", Seed(SeedConfig()))
    write_encodec(f"{folder}/encodec", Encodec(EncodecConfig()), {"state": "untrained, seed 0"})
    write_unclip(f"{folder}/unclip", unclip.unet(), unclip.decoder(), {"state": "untrained, seed 0"})


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
