"""Voice-independent speech features: what mouth the recognised phone needs, not how the voice sounds.

pocketsphinx' phone loop (no transcript, its acoustic model ships with the package) labels every 10 ms; the
labels become classes and articulatory targets, smoothed to the video rate. A different voice that says the
same thing gives nearly the same rows, which log energies cannot promise.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections import OrderedDict
from functools import cache
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import F32
from lipwright.core.errors import DependencyError
from lipwright.speech.source import SampleSource

if TYPE_CHECKING:
    from pocketsphinx import Decoder

_log = logging.getLogger(__name__)

SAMPLES_PER_FRAME = 640
_STEPS_PER_FRAME = 4
_STEP = 160
_KEPT = 8
"""Stretches whose labels are kept."""

CLASSES: dict[str, str] = {
    "silence": "SIL",
    "noise": "+SPN+ +NSN+",
    "bilabial": "P B M",
    "labiodental": "F V",
    "dental": "TH DH",
    "alveolar": "T D N L",
    "sibilant": "S Z",
    "postalveolar": "SH ZH CH JH",
    "velar": "K G NG HH",
    "rhotic": "R ER",
    "glide_w": "W",
    "glide_y": "Y",
    "open": "AA AE AH",
    "mid": "EH EY AY",
    "back": "AO OW OY AW",
    "close_front": "IY IH",
    "close_back": "UW UH",
}
"""ARPAbet phones that look alike on the lips."""

# (jaw opening, lip rounding, lip spreading), 0 to 1: textbook articulation, not fitted to any footage.
_SHAPE: dict[str, tuple[float, float, float]] = {
    "AA": (1.0, 0.1, 0.2), "AE": (0.9, 0.0, 0.6), "AH": (0.6, 0.1, 0.3), "AO": (0.8, 0.6, 0.0),
    "AW": (0.8, 0.5, 0.1), "AY": (0.8, 0.0, 0.5), "EH": (0.6, 0.0, 0.5), "ER": (0.35, 0.5, 0.1),
    "EY": (0.5, 0.0, 0.7), "IH": (0.35, 0.0, 0.6), "IY": (0.25, 0.0, 0.9), "OW": (0.5, 0.8, 0.0),
    "OY": (0.6, 0.7, 0.1), "UH": (0.35, 0.6, 0.0), "UW": (0.25, 1.0, 0.0), "W": (0.15, 1.0, 0.0),
    "Y": (0.2, 0.0, 0.7), "R": (0.25, 0.6, 0.0), "L": (0.35, 0.0, 0.3), "HH": (0.45, 0.0, 0.3),
    "K": (0.35, 0.0, 0.3), "G": (0.35, 0.0, 0.3), "NG": (0.35, 0.0, 0.3), "T": (0.2, 0.0, 0.4),
    "D": (0.2, 0.0, 0.4), "N": (0.25, 0.0, 0.4), "TH": (0.25, 0.0, 0.3), "DH": (0.25, 0.0, 0.3),
    "S": (0.1, 0.0, 0.5), "Z": (0.1, 0.0, 0.5), "SH": (0.15, 0.6, 0.0), "ZH": (0.15, 0.6, 0.0),
    "CH": (0.15, 0.5, 0.0), "JH": (0.15, 0.5, 0.0), "F": (0.1, 0.0, 0.3), "V": (0.1, 0.0, 0.3),
}  # fmt: skip


@cache
def _table() -> dict[str, F32]:
    """Phone -> (20,) class indicator followed by jaw, rounding and spreading."""
    rows = {}
    for column, phones in enumerate(CLASSES.values()):
        for phone in phones.split():
            row = np.zeros(len(CLASSES) + 3, np.float32)
            row[column] = 1
            row[len(CLASSES) :] = _SHAPE.get(phone, (0.0, 0.0, 0.0))
            rows[phone] = row
    return rows


def phone_rows(labels: list[str]) -> F32:
    """(N, 20) feature rows of phone labels; unknown labels count as silence."""
    table = _table()
    silence = table["SIL"]
    return np.stack([table.get(label, silence) for label in labels]) if labels else np.zeros((0, 20), np.float32)


class PhoneLoop:
    """pocketsphinx `allphone`: 10 ms phone labels of a stretch of speech, no transcript.

    Results depend on the samples given and on nothing before them: every call is one utterance with its own
    cepstral mean, which is put back to its start first. So the last few are kept for all who ask: phones and visemes
    of the same stretch are heard once.
    """

    _kept: ClassVar[OrderedDict[bytes, list[str]]] = OrderedDict()
    _lock: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self) -> None:
        try:
            from pocketsphinx import Decoder, get_model_path
        except ImportError as error:
            raise DependencyError(
                "speech feature 'phones' needs pocketsphinx 5.1; run pip install 'pocketsphinx==5.1.1'"
            ) from error
        self._decoder: Decoder = Decoder(
            lm=None,
            hmm=get_model_path("en-us/en-us"),
            allphone=get_model_path("en-us/en-us-phone.lm.bin"),
            lw=2.0,
            beam=1e-20,
            pbeam=1e-20,
            samprate=16000,
            cmn="batch",
            dither=False,
            loglevel="FATAL",
        )
        self._cmn = self._decoder.get_cmn()

    def labels(self, samples: F32) -> list[str]:
        """One phone label per 160 samples; silence where the recogniser says nothing."""
        key = hashlib.blake2b(samples.tobytes()).digest()
        with self._lock:
            known = self._kept.get(key)
        if known is None:
            known = self._recognised(samples)
            with self._lock:
                self._kept[key] = known
                while len(self._kept) > _KEPT:
                    self._kept.popitem(last=False)
        return list(known)

    def _recognised(self, samples: F32) -> list[str]:
        steps = -(-len(samples) // _STEP)
        out = ["SIL"] * steps
        spoken = np.flatnonzero(samples)
        if len(spoken) == 0:
            return out
        # Zeros at the ends (past the file) would drag the cepstral mean away from the voice.
        start = int(spoken[0]) // _STEP
        stop = -(-(int(spoken[-1]) + 1) // _STEP)
        pcm = np.clip(np.round(samples[start * _STEP : stop * _STEP] * 32767.0), -32768, 32767)
        noise = np.random.default_rng(0).integers(-2, 3, len(pcm))  # digital silence has no log energy
        self._decode((pcm + noise).clip(-32768, 32767).astype(np.int16), out, start)
        return out

    def _decode(self, pcm: NDArray[np.int16], out: list[str], start: int) -> None:
        decoder = self._decoder
        decoder.set_cmn(self._cmn)
        decoder.start_utt()
        decoder.process_raw(pcm.tobytes(), full_utt=True)
        decoder.end_utt()
        for segment in decoder.seg() or []:
            low, high = start + segment.start_frame, min(start + segment.end_frame + 1, len(out))
            out[low:high] = [segment.word] * max(high - low, 0)


class Phones:
    """Phone classes and articulatory targets, one row per video frame: the `SpeechFeature` 'phones'.

    Each block of 10 s is decoded with 1.5 s of speech on either side, so what a block says does not depend
    on its neighbours; only blocks' borders can differ from one long decode, and there both see real context.
    """

    name = "phones"
    dim = len(CLASSES) + 3
    rate = 1
    block_frames = 250
    context_frames = 37
    halo_frames = block_frames + context_frames

    def __init__(self) -> None:
        self._loop: PhoneLoop | None = None

    def block(self, source: SampleSource, index: int) -> F32:
        """(250, 20) rows of the absolute block `index`."""
        first = index * self.block_frames - self.context_frames
        frames = self.block_frames + 2 * self.context_frames
        samples = source(first * SAMPLES_PER_FRAME, (first + frames) * SAMPLES_PER_FRAME)
        if not samples.any():
            return np.repeat(phone_rows(["SIL"]), self.block_frames, axis=0)
        if self._loop is None:
            self._loop = PhoneLoop()
        smooth = smooth_to_video(phone_rows(self._loop.labels(samples)))
        return smooth[self.context_frames : self.context_frames + self.block_frames]


def smooth_to_video(rows: F32) -> F32:
    """(4N, D) rows at 100 Hz to (N, D): a raised cosine of 11 steps centred on each video frame.

    110 ms is the order of lip co-articulation; ends repeat.
    """
    steps = len(rows)
    weights = np.hanning(13)[1:-1]
    weights = (weights / weights.sum()).astype(np.float32)
    half = len(weights) // 2
    padded = np.pad(rows, ((half, half), (0, 0)), mode="edge")
    # frame f covers steps 4f .. 4f+3, its centre lies between 4f+1 and 4f+2
    taken = [
        0.5 * (padded[k + 1 : k + 1 + steps : 4] + padded[k + 2 : k + 2 + steps : 4][: steps // 4])
        for k in range(len(weights))
    ]
    out: F32 = np.tensordot(weights, np.stack(taken), 1).astype(np.float32)
    return out
