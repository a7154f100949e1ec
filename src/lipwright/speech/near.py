"""Speech features while speech is still coming: nothing from a given sample on is known or looked at.

The features of whole recordings (`features`) see seconds of what comes later: blocks of 10 s for the recogniser, levels
over 12 to 18 s around. Here everything is worked out from the past and as little of the future as the networks
need; what cannot be known yet repeats the last that is. How much future each feature needs before a row is its own:

    logfbank and cepstra 18 ms, pauses none, the recogniser's phones 0.2 s, gestures that anticipate 0.12 s more,
    each up to 80 ms later, because two video frames are worked out at once

Phones are those of our own recogniser, any language, in place of the phone loop that hears 13 s at once.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lipwright.core.clock import FPS, SAMPLE_RATE
from lipwright.core.contracts import F32
from lipwright.core.errors import ConfigError
from lipwright.speech import logfbank, logmel
from lipwright.speech.articulation import PHONES, STEP_S, WEIGHTS, Articulation, Recogniser, load_articulation
from lipwright.speech.articulation_net import AHEAD, BACK
from lipwright.speech.cepstra import Cepstra, cepstra_of
from lipwright.speech.gestures import gestures
from lipwright.speech.heard import Probable
from lipwright.speech.mel import CHANNELS, HOP, LEVEL_AHEAD, LEVEL_BACK, PAD, WINDOW, centred, energies
from lipwright.speech.pauses import SAMPLES_PER_FRAME, Pauses, levels, silent_frames
from lipwright.speech.phones import Phones, phone_rows, smooth_to_video
from lipwright.speech.phones_heard import best_path
from lipwright.speech.source import SampleSource
from lipwright.speech.visemes import Visemes, gate_of, loud_at, shown

_PER_FRAME = 4
"""Steps of 10 ms in a video frame."""
_BLOCK = 8
"""Of these steps are worked out at once: two video frames."""
_LEVEL_FRAMES = 450
"""Video frames of the past that say what is speech and what is a pause."""
_SETTLING = 4
"""Video frames before a level's own that its filter runs through."""
_PATH_STEPS = 100
"""Steps before what is wanted from which the best path of phones begins."""
_GOES_ON_S = 0.1
"""How long the phone that sounds at the end of what is heard is taken to go on."""
_AHEAD = AHEAD + LEVEL_AHEAD
"""Steps after a row of the recogniser that it sees."""
_POWERS = 2
"""Steps of mel energies worked out at once: divides `_AHEAD` and `_BLOCK`, so that none is needed before its time."""
_MOST = 512
"""Blocks that are kept of each kind."""


class _Blocks:
    """Rows on an absolute grid, made block by block; a block depends on its own samples alone.

    Args:
        make: block number to its rows.
        rows: of a block.
        reach: samples after the beginning of a block that it looks at.
        length: samples from one block to the next.
    """

    def __init__(self, make: Callable[[int], NDArray[Any]], rows: int, reach: int, length: int = _BLOCK * HOP) -> None:
        self._make, self.rows, self._reach, self._length = make, rows, reach, length
        self._held: OrderedDict[int, NDArray[Any]] = OrderedDict()

    def read(self, first: int, stop: int) -> NDArray[Any]:
        """Rows [first, stop)."""
        blocks = range(first // self.rows, -(-stop // self.rows))
        rows = np.concatenate([self._block(k) for k in blocks])
        return rows[first - blocks.start * self.rows :][: stop - first]

    def known(self, until: int) -> int:
        """Rows that can be read when samples before `until` are known."""
        return ((until - self._reach) // self._length + 1) * self.rows

    def forget(self, sample: int) -> None:
        """Samples from this one on have changed."""
        for block in [k for k in self._held if k * self._length + self._reach > sample]:
            del self._held[block]

    def _block(self, index: int) -> NDArray[Any]:
        if index not in self._held:
            made = self._make(index)
            self._held[index] = made
            while len(self._held) > _MOST:
                self._held.popitem(last=False)
        return self._held[index]


class NearRecogniser(Recogniser):
    """`Recogniser` of one source, two video frames at a time: as much is heard as is known."""

    def __init__(self, source: SampleSource) -> None:
        super().__init__(load_articulation()[0])
        self._near = source
        self._powers = _Blocks(self._power, _POWERS, (_POWERS - 1) * HOP - PAD + WINDOW, _POWERS * HOP)
        self._phones = _Blocks(self._heard, _BLOCK, (_BLOCK - 1 + _AHEAD) * HOP - PAD + WINDOW)

    def known(self, until: int) -> int:
        """Steps of 10 ms that can be heard when samples before `until` are known."""
        return self._phones.known(until)

    def posteriors(self, source: SampleSource, first_step: int, n_steps: int) -> F32:
        """(n_steps, 40) as `Recogniser.posteriors`; `source` is the own one."""
        return self._phones.read(first_step, first_step + n_steps)

    def forget(self, sample: int) -> None:
        """Samples from this one on have changed."""
        self._powers.forget(sample)
        self._phones.forget(sample)

    def _heard(self, index: int) -> F32:
        import torch

        first = index * _BLOCK - LEVEL_BACK - BACK
        power = self._powers.read(first, (index + 1) * _BLOCK + _AHEAD)
        if not power.any():
            silent = np.zeros((_BLOCK, len(PHONES)), np.float32)
            silent[:, 0] = 1
            return silent
        seen = centred(power)[LEVEL_BACK:]
        assert self._model is not None
        with torch.inference_mode():
            logits = self._model(torch.from_numpy(seen.T.copy())[None])[0, :, BACK : BACK + _BLOCK]
            return np.asarray(torch.softmax(logits, 0).T.contiguous().numpy())

    def _power(self, index: int) -> F32:
        start = index * _POWERS * HOP - PAD
        samples = self._near(start, start + (_POWERS - 1) * HOP + WINDOW)
        return energies(samples, _POWERS) if samples.any() else np.zeros((_POWERS, CHANNELS), np.float32)


class NearFeatures:
    """Named features of one source; ConfigError for one that needs the whole recording.

    Values depend on what is asked for and on the samples before `until`, and on nothing that was asked before.
    """

    def __init__(self, source: SampleSource, names: Sequence[str]) -> None:
        frames, reach = _BLOCK // _PER_FRAME, (_BLOCK - 1) * HOP - logfbank.PAD + logfbank.WINDOW
        self._energies, self._mels = _Blocks(self._fbank, _BLOCK, reach), _Blocks(self._mel, _BLOCK, reach)
        self._levels = _Blocks(self._level, frames, _BLOCK * HOP)
        known: dict[str, Callable[[int, int, int], F32]] = {
            "logfbank": partial(self._fine, self._energies), "logmel": partial(self._fine, self._mels),
            "cepstra": self._cepstra, "pauses": self._pauses, "phones": self._phones,
            "articulation": self._articulation, "visemes": self._visemes,
        }  # fmt: skip
        for name in names:
            if name not in known:
                raise ConfigError(f"the speech feature '{name}' needs the whole recording; it cannot be streamed")
        self._make = {name: known[name] for name in names}
        self._source = source
        self._heard: NearRecogniser | None = None
        if {"phones", "articulation", "visemes"} & set(names):
            if not WEIGHTS.is_file():
                raise ConfigError(f"{WEIGHTS} is missing, which hears phones in a stream; install lipwright again")
            self._heard = NearRecogniser(source)

    def forget(self, from_sample: int) -> None:
        """Samples from this one on have changed."""
        for blocks in (self._energies, self._mels, self._levels, self._heard):
            if blocks is not None:
                blocks.forget(from_sample)

    def read(self, first: int, n: int, until: int) -> dict[str, F32]:
        """Name -> (rate·n, dim) of video frames [first, first + n), knowing the samples before `until`."""
        # Where not even the first frame is known, the last that is stands for all.
        return {name: make(first, first + n, until) for name, make in self._make.items()}

    def _fine(self, blocks: _Blocks, first: int, stop: int, until: int) -> F32:
        """The rows of blocks of 10 ms, as far as they are known."""
        known, n = min(stop, blocks.known(until) // _PER_FRAME), stop - first
        first = min(first, known - 1)
        return _held(blocks.read(first * _PER_FRAME, known * _PER_FRAME), _PER_FRAME * n)

    def _mel(self, index: int) -> F32:
        start = index * _BLOCK * HOP - logfbank.PAD
        return logmel.rows_of(self._source(start - 1, start + (_BLOCK - 1) * HOP + logfbank.WINDOW))

    def _cepstra(self, first: int, stop: int, until: int) -> F32:
        reach = Cepstra.context_frames
        known, n = min(stop, self._energies.known(until) // _PER_FRAME), stop - first
        first = min(first, known - 1)
        fine = self._energies.read((first - reach) * _PER_FRAME, known * _PER_FRAME).astype(np.float64)
        mean = fine.reshape(-1, _PER_FRAME, logfbank.CHANNELS).mean(axis=1)
        return _held(cepstra_of(mean, reach)[reach:], n)

    def _fbank(self, index: int) -> F32:
        start = index * _BLOCK * HOP - logfbank.PAD
        signal = self._source(start - 1, start + (_BLOCK - 1) * HOP + logfbank.WINDOW).astype(np.float64)
        return logfbank.rows_of(signal, _BLOCK)

    def _level(self, index: int) -> NDArray[np.float64]:
        stop = (index + 1) * _BLOCK * HOP
        frames = _BLOCK // _PER_FRAME
        return levels(self._source(stop - (frames + _SETTLING) * SAMPLES_PER_FRAME, stop))[_SETTLING:]

    def _pauses(self, first: int, stop: int, until: int) -> F32:
        silent, at = self._silent(until)
        n, first = stop - first, min(first, at + len(silent) - 1)
        rows = silent[max(first - at, 0) :][:n].astype(np.float32)
        return _held(np.stack([rows, np.zeros_like(rows)], axis=1), n)

    def _silent(self, until: int) -> tuple[NDArray[np.bool_], int]:
        """(N,) whether nobody speaks in the last video frames before `until`, and the first one's number."""
        end = self._levels.known(until)
        return silent_frames(self._levels.read(end - _LEVEL_FRAMES, end)), end - _LEVEL_FRAMES

    def _phones(self, first: int, stop: int, until: int) -> F32:
        assert self._heard is not None
        known, n = self._heard.known(until), stop - first
        first = min(first, known // _PER_FRAME - 1)
        begin = first * _PER_FRAME - _PATH_STEPS
        path = best_path(self._heard.posteriors(self._source, begin, known - begin))
        smooth = smooth_to_video(phone_rows([PHONES[k] for k in path]))[_PATH_STEPS // _PER_FRAME :]
        return _held(smooth[:n], n)

    def _articulation(self, first: int, stop: int, until: int) -> F32:
        assert self._heard is not None
        known, n = self._heard.known(until), stop - first
        first = min(first, known // _PER_FRAME - 1)
        begin = (first - 2) * _PER_FRAME
        smooth = smooth_to_video(self._heard.posteriors(self._source, begin, known - begin))[2:]
        return _held(smooth[:n], n)

    def _visemes(self, first: int, stop: int, until: int) -> F32:
        assert self._heard is not None
        frame_s = float(1 / FPS)
        end = self._heard.known(until)
        known, n = min(stop, int((end * STEP_S - frame_s / 2) / frame_s) + 1), stop - first
        first = min(first, known - 1)
        times = (np.arange(first, known) + 0.5) * frame_s
        silent, at = self._silent(until)
        gate = gate_of(silent, at, times)
        if not gate.any():
            return np.zeros((n, Visemes.dim), np.float32)
        begin = first * _PER_FRAME - _PATH_STEPS
        segments = Probable(self._heard).segments(self._source, begin, end - begin)
        if segments and segments[-1].end_s > (end - 0.5) * STEP_S:
            segments[-1] = replace(segments[-1], end_s=segments[-1].end_s + _GOES_ON_S)
        loud = loud_at(self._source, times, first * SAMPLES_PER_FRAME, until // HOP)
        return _held(shown(gestures(segments, frame_s), times, loud, gate), n)


def _held(rows: F32, n: int) -> F32:
    """(n, D): the last row repeats."""
    return rows if len(rows) >= n else np.concatenate([rows, np.repeat(rows[-1:], n - len(rows), axis=0)])


FEATURES = (
    logfbank.LogFbank.name,
    logmel.LogMel.name,
    Cepstra.name,
    Pauses.name,
    Phones.name,
    Articulation.name,
    Visemes.name,
)
"""Names that can be streamed."""
SECONDS_BACK = (_LEVEL_FRAMES + 150) * SAMPLES_PER_FRAME / SAMPLE_RATE
"""Of the past that any feature looks at, with room for the field of a motion model."""
