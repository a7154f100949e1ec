"""How far sound and picture are apart, from lip motion and loudness alone: no trained weights.

Open lips let the first two formants out, so the level of the 0.5-2.4 kHz band rises and falls with the lip
opening. Both curves are high-passed, correlated over lags as they are and as velocities, and the peak is
the offset. The spread that chance alone gives a correlation of these two curves (Bartlett 1935) says how
sure the peak is.

Convention: a positive offset means that the audio is late (it must be moved earlier).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.special import ndtr

from lipwright.core.clock import SAMPLE_RATE
from lipwright.core.errors import ShapeError
from lipwright.core.ibug import lip_aperture

F64 = NDArray[np.float64]

LARGEST_S = 0.4
"""Offsets are looked for in [-LARGEST_S, LARGEST_S]."""
STEP_S = 0.01
"""Spacing of audio levels and of lags; a parabola through the peak refines it."""
LEAD_S = 0.01
"""How much earlier lips move than the band's level follows in footage that is in sync. Rounded median over
nine people; eight of them lie within 50 ms of it, one six-second clip of varying frame rate 113 ms away. So
a single offset is good to about a frame, differences between offsets of one person to a few milliseconds."""
BAND_HZ = (460.0, 2450.0)
"""First and second formant: the band whose level follows the lip opening best."""
HIGH_PASS_S = 0.32
"""Sigma of the Gaussian whose slow trend is removed from both curves."""
SMOOTH_S = 0.02
"""Sigma of the Gaussian over the audio level."""
INDEPENDENT_LAGS = 11
"""Lags within the range that are independent under chance: the range over the peak's width of 80 ms."""
SURE = 0.97
"""Confidence from which the offset may be acted upon: 3 % of estimates reach it with foreign audio."""
SHORTEST_S = 1.5
"""Below this much common material nothing is claimed."""


@dataclass(frozen=True)
class OffsetEstimate:
    """Where the sound is relative to the picture."""

    offset_s: float
    """Seconds; positive: the audio is late. 0 when nothing could be measured."""
    confidence: float
    """Probability in [0, 1] that the peak is not chance (1 for a peak that chance never makes)."""
    sure: bool
    """Whether the confidence reaches `SURE`; otherwise do not act on the offset."""
    score: float = 0.0
    """Height of the peak: mean of the two correlations, in [-1, 1]."""

    def __str__(self) -> str:
        if self.confidence == 0:
            return "not sure (the sound is silent, the lips are still, or there is less than 1.5 s of both)"
        side = "late" if self.offset_s > 0 else "early"
        text = f"audio {abs(self.offset_s) * 1000:.0f} ms {side}"
        return text if self.sure else f"not sure ({text}, confidence {self.confidence:.2f})"


UNKNOWN = OffsetEstimate(0.0, 0.0, False)


def estimate_offset(
    mouth: NDArray[Any], samples: NDArray[Any], fps: Fraction | float, sample_rate: int = SAMPLE_RATE
) -> OffsetEstimate:
    """Offset between a face and its sound.

    Args:
        mouth: (T, 68, 2) landmarks in px, or a lip aperture (T,) in any unit; frame t is on screen in
            [t, t + 1) / fps and sample 0 sounds at the start of frame 0.
        samples: (S,) mono audio in [-1, 1].
        fps: frames per second.
        sample_rate: samples per second.
    Returns:
        an estimate; `UNKNOWN` for silent audio, a mouth that never moves or less than 1.5 s of both.
        Six seconds of speech are usually enough to be sure, three often.
    """
    return _from_curves(_lip_curves(mouth), _band_level(samples, sample_rate), float(fps))


def offset_over_time(
    mouth: NDArray[Any],
    samples: NDArray[Any],
    fps: Fraction | float,
    sample_rate: int = SAMPLE_RATE,
    window_s: float = 8.0,
    step_s: float = 4.0,
) -> list[tuple[float, OffsetEstimate]]:
    """Offsets in overlapping windows as (centre in seconds, estimate): shows drift and cut-in material."""
    curves, levels, rate = _lip_curves(mouth), _band_level(samples, sample_rate), float(fps)
    window, step = max(2, round(window_s * rate)), max(1, round(step_s * rate))
    starts = range(0, max(1, curves.shape[1] - window + 1), step)
    return [
        ((s + min(window, curves.shape[1]) / 2) / rate, _from_curves(curves, levels, rate, (s, s + window)))
        for s in starts
    ]


def _from_curves(curves: F64, levels: F64, fps: float, frames: tuple[int, int] | None = None) -> OffsetEstimate:
    start, end = frames or (0, curves.shape[1])
    end = min(end, curves.shape[1])
    if (end - start) / fps < SHORTEST_S or len(levels) * STEP_S < SHORTEST_S:
        return UNKNOWN
    lips = _lip_motion(curves[:, start:end], fps)
    if lips is None or np.ptp(levels) < 1e-6:
        return UNKNOWN
    reach = round((LARGEST_S + 0.05) / STEP_S)
    lags = (np.arange(-reach, reach + 1) * STEP_S) + LEAD_S
    times = (np.arange(start, end) + 0.5) / fps
    scores, spread = _scores(lips, levels, times, lags, fps)
    inner = slice(5, len(lags) - 5)
    best = 5 + int(np.argmax(scores[inner]))
    z = float(scores[best] / spread)
    confidence = float(ndtr(z) ** INDEPENDENT_LAGS)
    offset = lags[best] + STEP_S * _vertex(scores[best - 1 : best + 2]) - LEAD_S
    return OffsetEstimate(float(offset), confidence, confidence >= SURE, float(scores[best]))


def _scores(lips: F64, levels: F64, times: F64, lags: F64, fps: float) -> tuple[F64, float]:
    """((L,) mean of level and velocity correlation per lag, its standard deviation under chance)."""
    result, spreads = np.zeros(len(lags)), np.ones(len(lags))
    for i, lag in enumerate(lags):
        at = (times + lag) / STEP_S - 0.5
        inside = (at >= 0) & (at <= len(levels) - 1)
        if inside.sum() < SHORTEST_S * fps:
            continue
        sound = _high_pass(np.interp(at[inside], np.arange(len(levels)), levels), fps)
        seen = lips[inside]
        pairs = [(seen, sound), (np.gradient(seen), np.gradient(sound))]
        result[i] = np.mean([_correlation(a, b) for a, b in pairs])
        if i == len(lags) // 2:
            spreads[:] = np.mean([_chance_spread(a, b) for a, b in pairs])
    return result, float(spreads[0])


def _lip_curves(mouth: NDArray[Any]) -> F64:
    """(C, T) opening curves: inner and outer lips of landmarks, or the one aperture given."""
    array = np.asarray(mouth, dtype=np.float64)
    if array.ndim == 1:
        return array[None]
    if array.ndim != 3 or array.shape[1:] != (68, 2):
        raise ShapeError("mouth", ("T", 68, 2), array.shape)
    outer = np.linalg.norm(array[:, [50, 51, 52]] - array[:, [58, 57, 56]], axis=-1).mean(-1)
    return np.stack([lip_aperture(array), outer])


def _lip_motion(curves: F64, fps: float) -> F64 | None:
    """(T,) high-passed sum of the curves, each scaled to deviation 1; None when nothing moves."""
    moving = np.stack([_high_pass(c, fps) for c in curves])
    deviation = moving.std(axis=1)
    if deviation.min() <= 1e-9 * max(1.0, float(np.abs(curves).max())):
        return None
    # A tracking slip of a few frames must not outvote the speech.
    return np.asarray(np.clip(moving / deviation[:, None], -4, 4).sum(axis=0), dtype=np.float64)


def _band_level(samples: NDArray[Any], sample_rate: int) -> F64:
    """(R,) mean log power of the band's spectrum lines at 100 Hz; row r is centred at (r + 1/2) * 10 ms.

    Five mel-spaced sub-bands are weighted alike; a floor 40 dB below loud speech mutes silence.
    """
    wave = np.asarray(samples, dtype=np.float32)
    if wave.ndim != 1:
        raise ShapeError("samples", ("S",), wave.shape)
    hop, width = round(sample_rate * STEP_S), round(sample_rate * 0.025)
    n = len(wave) // hop
    if n == 0:
        return np.zeros(0)
    padded = np.pad(wave, ((width - hop) // 2, width))
    window = np.hanning(width).astype(np.float32)
    filters = _sub_bands(width, sample_rate)
    power = np.empty((n, len(filters)))
    for first in range(0, n, 4096):  # blocks keep an hour of audio within a few megabytes
        rows = np.arange(first, min(first + 4096, n))
        spectrum = np.fft.rfft(padded[rows[:, None] * hop + np.arange(width)] * window)
        power[rows] = (np.abs(spectrum) ** 2) @ filters.T
    floor = 1e-4 * np.percentile(power.sum(axis=1), 95) / len(filters)
    if floor <= 1e-12:
        return np.zeros(n)
    level = np.log(power + floor).mean(axis=1)
    return np.asarray(gaussian_filter1d(level, SMOOTH_S / STEP_S, mode="nearest"), dtype=np.float64)


def _sub_bands(width: int, sample_rate: int, n: int = 5) -> F64:
    """(n, F) rectangular filters, evenly spaced in mel over `BAND_HZ`."""
    low, high = (2595 * np.log10(1 + f / 700) for f in BAND_HZ)
    edges = 700 * (10 ** (np.linspace(low, high, n + 1) / 2595) - 1)
    lines = np.fft.rfftfreq(width, 1 / sample_rate)
    return np.stack([(lines >= a) & (lines < b) for a, b in pairwise(edges)]).astype(np.float64)


def _high_pass(curve: F64, fps: float) -> F64:
    return np.asarray(curve - gaussian_filter1d(curve, HIGH_PASS_S * fps, mode="nearest"), dtype=np.float64)


def _correlation(a: F64, b: F64) -> float:
    x, y = a - a.mean(), b - b.mean()
    scale = np.sqrt((x @ x) * (y @ y))
    return float(x @ y / scale) if scale > 0 else 0.0


def _chance_spread(a: F64, b: F64) -> float:
    """Deviation of the correlation of two unrelated series with these autocorrelations.

    var r = sum over k of rho_a(k) rho_b(k) / T (Bartlett 1935).
    """
    n = len(a)
    rho = []
    for series in (a, b):
        x = series - series.mean()
        power = np.abs(np.fft.rfft(x, 2 * n)) ** 2
        auto = np.fft.irfft(power)[:n]
        rho.append(auto / max(auto[0], 1e-12))
    reach = min(n, 100)
    total = 1 + 2 * float((rho[0][1:reach] * rho[1][1:reach]).sum())
    return float(np.sqrt(max(total, 0.25) / n))


def _vertex(three: F64) -> float:
    """Position in [-1/2, 1/2] of the top of the parabola through three equidistant values."""
    bend = three[0] - 2 * three[1] + three[2]
    return float(np.clip(0.5 * (three[0] - three[2]) / bend, -0.5, 0.5)) if bend < 0 else 0.0
