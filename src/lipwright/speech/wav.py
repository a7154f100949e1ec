"""Reading the PCM wav files that speech engines write."""

from __future__ import annotations

import os
import wave

import numpy as np

from lipwright.core.contracts import F32
from lipwright.core.errors import SpeechError


def read_pcm(path: str | os.PathLike[str], source: str) -> tuple[F32, int]:
    """((S,) float32 mono in [-1, 1], sample rate) of an 8, 16, 24 or 32 bit PCM wav; channels are averaged.

    SpeechError when the file is missing, empty or not PCM; `source` names what should have written it.
    """
    try:
        with wave.open(os.fspath(path), "rb") as file:
            width, channels, rate = file.getsampwidth(), file.getnchannels(), file.getframerate()
            raw = file.readframes(file.getnframes())
    except (wave.Error, EOFError, OSError) as error:
        raise SpeechError(
            f"{source} wrote no readable PCM wav file ({error or 'empty file'}); run it by hand to see why"
        ) from error
    raw = raw[: len(raw) // (width * channels) * width * channels]
    if width == 1:
        samples = np.frombuffer(raw, np.uint8).astype(np.float32) / 128 - 1
    elif width == 3:
        padded = np.zeros((len(raw) // 3, 4), np.uint8)
        padded[:, 1:] = np.frombuffer(raw, np.uint8).reshape(-1, 3)
        samples = padded.view("<i4")[:, 0].astype(np.float32) / 2**31
    else:
        samples = np.frombuffer(raw, "<i2" if width == 2 else "<i4").astype(np.float32) / 2 ** (8 * width - 1)
    if not len(samples):
        raise SpeechError(f"{source} wrote a wav file without samples; run it by hand to see why")
    return samples.reshape(-1, channels).mean(axis=1, dtype=np.float32), rate
