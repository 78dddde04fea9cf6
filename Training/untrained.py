"""Writes an untrained model of the shipped shapes to a folder: it loads and babbles. Fixed seed, no data needed.

usage: python untrained.py FOLDER
"""

import sys

import torch

from pocket import unclip
from pocket.encodec import Encodec, EncodecConfig
from pocket.export import write_llama, write_soundstorm, write_speech_tokenizer
from pocket.export_music import write_encodec
from pocket.export_pictures import write_seed, write_unclip
from pocket.llama import Llama, LlamaConfig
from pocket.seed import Seed, SeedConfig
from pocket.soundstorm import SoundStorm, SoundStormConfig
from pocket.speechtokenizer import SpeechTokenizer, SpeechTokenizerConfig
from pocket.vocabulary import Vocabulary, write_folder


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
