"""The judge of music: a small network that had no part in the training of those that play and listen.

`python -m evaluation.train_music_judge` makes its weights again.
"""

from pathlib import Path

WEIGHTS = Path(__file__).with_name("music_judge.safetensors")
SILENCE = 1e-3  # of full scale: a quieter piece is none


class MusicJudge:
    """Tells instrument, tempo and mood of a piece."""

    def __init__(self, weights: Path = WEIGHTS) -> None:
        from safetensors.torch import load_file

        from .music_network import Network

        self.network = Network()
        self.network.load_state_dict({name: value.float() for name, value in load_file(weights).items()}, strict=False)
        self.network.eval()

    def hear(self, file: Path) -> dict[str, str]:
        """The likeliest instrument, tempo and mood of a sound file; nothing of silence."""
        import torch

        from . import sounds
        from .music_network import HEADS, RATE, features, fitted

        wave = sounds.decode(file, RATE)
        if abs(wave).max(initial=0) < SILENCE:
            return {}
        with torch.no_grad():
            guesses = self.network(features(fitted(wave)[None]))
        return {name: HEADS[name][int(guess.argmax())] for name, guess in guesses.items()}
