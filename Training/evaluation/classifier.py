"""The judge of pictures: a small network that had no part in the training of those that see and draw.

`python -m evaluation.classifier WORK` takes it from the work folder of a training (stage `picture-judge`).
"""

import sys
from pathlib import Path

WEIGHTS = Path(__file__).with_name("classifier.safetensors")


class Classifier:
    """Names what a picture shows."""

    def __init__(self) -> None:
        from safetensors.torch import load_file

        from pocket.judging.pictures import Classifier as Network

        self._network = Network()
        self._network.load_state_dict({name: value.float() for name, value in load_file(WEIGHTS).items()}, strict=False)
        self._network.eval()

    def name(self, file: Path) -> str:
        """The likeliest name of a picture file."""
        import torch
        from PIL import Image

        from pocket.data.pictures import pixels
        from pocket.words.names import picture_names

        with torch.no_grad(), Image.open(file) as picture:
            return picture_names()[int(self._network(pixels(picture)[None]).argmax())]


def take(work: str) -> None:
    """Writes the trained network beside this file, in 16 bits."""
    from safetensors.torch import save_file

    from pocket.judging.pictures import Classifier as Network
    from pocket.training.run import load_net

    state = load_net(work, "picture-judge", Network()).state_dict()
    save_file({name: value.half().contiguous() for name, value in state.items() if value.is_floating_point()}, WEIGHTS)


if __name__ == "__main__":
    take(sys.argv[1])
