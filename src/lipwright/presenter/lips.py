"""Phones to mouth: co-articulated expression weights, with lips that really meet where they must.

Every shape has a raised-cosine window that begins before its phone; the weights of a frame are the mean of
the shapes in reach, weighted by window times dominance (the dominance model of Cohen & Massaro 1993, with
cosine instead of exponential flanks). The inner-lip gap is linear in the weights, so the closures of p, b,
m and of pauses, and the lip-to-teeth gap of f and v, are then solved exactly for `mouthClose`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from lipwright.core.clock import FPS, n_frames
from lipwright.core.contracts import F32
from lipwright.presenter.visemes import SILENCE, Viseme, shapes
from lipwright.speech.tts import Phone, Speech

F64 = NDArray[np.float64]

_RELEASE_S = 0.09
_CLOSE_RAMP_S = 0.07
_MIN_HOLD_S = 0.05  # wider than a frame at 25 fps, so that every closure is seen by at least one frame
_PAUSE_CLOSES_S = 0.12


@dataclass(frozen=True)
class LipGap:
    """The inner-lip gap of a face as a linear function of its expression weights."""

    rest_cm: float
    """Gap of the neutral face."""
    per_weight_cm: F32
    """(E,) change per unit of each expression; that of mouthClose is negative."""
    close: int
    """Index of mouthClose."""

    def of(self, weights: F32) -> F64:
        """(T,) gaps of (T, E) weights."""
        return np.asarray(self.rest_cm + weights.astype(np.float64) @ self.per_weight_cm.astype(np.float64))

    def solve(self, weights: F32, wanted_cm: F64) -> F32:
        """Weights with mouthClose changed so that the gaps are `wanted_cm`."""
        out = weights.copy()
        change = (wanted_cm - self.of(weights)) / float(self.per_weight_cm[self.close])
        out[:, self.close] += change.astype(np.float32)
        return out


@dataclass(frozen=True)
class _Window:
    """When one shape is felt: up from a to b, full to c, down to d (seconds)."""

    a: float
    b: float
    c: float
    d: float

    def at(self, t: F64) -> F64:
        up = np.clip((t - self.a) / max(self.b - self.a, 1e-6), 0, 1)
        down = np.clip((self.d - t) / max(self.d - self.c, 1e-6), 0, 1)
        return np.asarray(0.25 * (1 - np.cos(np.pi * up)) * (1 - np.cos(np.pi * down)))


def frame_times(count: int, fps: Fraction = FPS) -> F64:
    """(T,) centres of frames in seconds."""
    return (np.arange(count) + 0.5) / float(fps)


def energy_gain(speech: Speech, count: int, fps: Fraction = FPS) -> F32:
    """(T,) loudness of each frame relative to the speech's own median, as a gain in [0.75, 1.25]."""
    edges = (np.arange(count + 1) * speech.sample_rate / float(fps)).astype(int)
    total = np.concatenate([[0.0], np.cumsum(speech.samples.astype(np.float64) ** 2)])
    edges = np.minimum(edges, len(speech.samples))
    power = np.diff(total[edges]) / np.maximum(np.diff(edges), 1)
    loudness = gaussian_filter1d(np.sqrt(power), 2.0, mode="nearest")
    voiced = loudness[loudness > 0.1 * loudness.max()] if count and loudness.max() > 0 else loudness
    middle = float(np.median(voiced)) if len(voiced) else 1.0
    return np.clip((loudness / max(middle, 1e-6)) ** 0.35, 0.75, 1.25).astype(np.float32)


def lip_weights(
    phones: Sequence[Phone],
    names: Sequence[str],
    gap: LipGap,
    count: int,
    gain: F32 | None = None,
    fps: Fraction = FPS,
) -> F32:
    """Expression weights of the mouth.

    Args:
        phones: with times; gaps between them count as silence.
        names: the expressions of the face, in order; names that it lacks are left out.
        gap: the face's own lip gap.
        count: number of frames T.
        gain: (T,) factor on the opening movements, from `energy_gain`.
    Returns:
        (T, E) float32; frame f is at its centre (f + 1/2) / fps.
    """
    times = frame_times(count, fps)
    index = {name: i for i, name in enumerate(names)}
    total = np.zeros((count, len(names)))
    weight = np.full(count, 0.02)  # the neutral face holds where no shape is in reach
    forced = np.zeros(count)
    target = np.zeros(count)
    for phone in phones:
        visemes = shapes(phone.symbol)
        step = (phone.end_s - phone.start_s) / len(visemes)
        for k, viseme in enumerate(visemes):
            start, end = phone.start_s + k * step, phone.start_s + (k + 1) * step
            window = _window(viseme, start, end)
            f0, f1 = np.searchsorted(times, [window.a, window.d])
            pull = viseme.dominance * window.at(times[f0:f1])
            weight[f0:f1] += pull
            for name, value in viseme.weights.items():
                if name in index:
                    total[f0:f1, index[name]] += pull * value
            if viseme.gap_cm is not None:
                _force(forced, target, times, phone, viseme.gap_cm)
    weights = gaussian_filter1d(total / weight[:, None], 0.45, axis=0, mode="nearest").astype(np.float32)
    if gain is not None:
        opening = [i for n, i in index.items() if n.startswith(("jawOpen", "mouthLowerDown", "mouthUpperUp"))]
        weights[:, opening] *= gain[:, None]
    natural = np.maximum(gap.of(weights), 0.0)
    return gap.solve(weights, natural + forced * (np.minimum(target, natural) - natural))


def lips_from_speech(speech: Speech, names: Sequence[str], gap: LipGap, fps: Fraction = FPS) -> F32:
    """(T, E) weights for a whole speech with phones."""
    count = n_frames(len(speech.samples), fps, speech.sample_rate)
    return lip_weights(speech.phones or (), names, gap, count, energy_gain(speech, count, fps), fps)


def _window(viseme: Viseme, start: float, end: float) -> _Window:
    length = end - start
    return _Window(start - viseme.anticipation_s, start + 0.25 * length, end - 0.3 * length, end + _RELEASE_S)


def _force(forced: F64, target: F64, times: F64, phone: Phone, gap_cm: float) -> None:
    """Pull the gap towards `gap_cm` during a phone; the strongest pull of a frame wins."""
    length = phone.end_s - phone.start_s
    if phone.symbol in SILENCE:
        if length < _PAUSE_CLOSES_S:
            return
        window = _Window(phone.start_s - 0.03, phone.start_s + 0.09, phone.end_s - 0.08, phone.end_s + 0.01)
    else:
        middle, half = phone.start_s + 0.45 * length, max(_MIN_HOLD_S, 0.6 * length) / 2
        window = _Window(middle - half - _CLOSE_RAMP_S, middle - half, middle + half, middle + half + _CLOSE_RAMP_S)
    f0, f1 = np.searchsorted(times, [window.a, window.d])
    pull = window.at(times[f0:f1])
    stronger = pull > forced[f0:f1]
    forced[f0:f1][stronger] = pull[stronger]
    target[f0:f1][stronger] = gap_cm
