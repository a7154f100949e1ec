"""How far sound and picture are apart, from lip motion and loudness alone: no trained weights.

Open lips let the formants out, so the level of the 0.5-4 kHz band rises and falls with the lip opening. Both
curves are brought to 100 Hz, high-passed and correlated over lags, as they are and as velocities; the peak is
the offset. The spread that chance alone gives a correlation of these two curves (Bartlett 1935) says how sure
the peak is.

Convention: a positive offset means that the audio is late (it must be moved earlier).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from lipwright.core.clock import SAMPLE_RATE
from lipwright.subject.levels import LEVEL_RATE, LevelMeter, band_levels
from lipwright.subject.lipcurves import curves

__all__ = [
    "UNKNOWN",
    "LevelMeter",
    "OffsetEstimate",
    "estimate_from_levels",
    "estimate_offset",
    "offset_over_time",
    "over_time_from_levels",
]

F64 = NDArray[np.float64]

LARGEST_S = 0.6
"""Offsets are looked for in [-LARGEST_S, LARGEST_S]."""
LEAD_S = 0.005
"""How much earlier lips move than the band's level follows in footage that is in sync. The median over ten
people is 0 to 10 ms, the true offset of two of them being known to 20 ms only; a rendered presenter, whose
truth is exact, gives 0. Single people in footage of unknown history lie up to 60 ms away, one 90 ms: a single
offset is good to about a frame, differences between offsets of one person to a few milliseconds."""
VELOCITY_S = 0.06
"""Velocities are differences over this time, whatever the frame rate."""
INDEPENDENT_LAGS = 20
"""Lags within the range that are independent under chance: the range over the peak's width of 60 ms."""
SURE = 0.97
"""Confidence from which the offset may be acted upon: 1 % of estimates reach it with foreign sound."""
AGREE_S = 0.06
"""Windows of one clip lie this near to each other when the offset is the same all over."""
LEAST_AGREEMENT = 0.75
"""With a smaller share of agreeing windows no single offset is right for the clip."""
WINDOW_S = 8.0
"""Length of the windows a long clip is compared with itself in."""
SHORTEST_S = 1.5
"""Below this much common material nothing is claimed."""

_WINDOWS = 4, 40
"""Fewest and most windows for the agreement: clips of 32 s or more are long."""
_LEAST = round(SHORTEST_S * LEVEL_RATE)
_MEMORY = 4 * LEVEL_RATE
"""Rows after which the curves have forgotten themselves."""


@dataclass(frozen=True)
class OffsetEstimate:
    """Where the sound is relative to the picture."""

    offset_s: float
    """Seconds; positive: the audio is late. 0 when nothing could be measured."""
    confidence: float
    """Probability in [0, 1] that the peak is not chance (1 for a peak that chance never makes)."""
    sure: bool
    """Whether the confidence reaches `SURE` and the clip agrees with itself; otherwise do not act on the offset."""
    score: float = 0.0
    """Height of the peak: mean of the two correlations, in [-1, 1]."""
    agreement: float = 1.0
    """Share of the sure windows of a long clip that lie within `AGREE_S` of the offset; 1 when it is not long."""

    def __str__(self) -> str:
        if self.confidence == 0:
            return "not sure (the sound is silent, the lips are still, or there is less than 1.5 s of both)"
        side = "late" if self.offset_s > 0 else "early"
        text = f"audio {abs(self.offset_s) * 1000:.0f} ms {side}"
        if self.agreement < LEAST_AGREEMENT:
            return f"not sure ({text} in {100 * self.agreement:.0f} % of the clip: the offset changes)"
        return text if self.sure else f"not sure ({text}, confidence {self.confidence:.2f})"


UNKNOWN = OffsetEstimate(0.0, 0.0, False)


def estimate_offset(
    mouth: NDArray[Any],
    samples: NDArray[Any],
    fps: Fraction | float,
    sample_rate: int = SAMPLE_RATE,
    good: NDArray[Any] | None = None,
) -> OffsetEstimate:
    """Offset between a face and its sound.

    Args:
        mouth: (T, 68, 2) landmarks in px, or a lip aperture (T,) in any unit; frame t is on screen in
            [t, t + 1) / fps and sample 0 sounds at the start of frame 0.
        samples: (S,) mono audio in [-1, 1].
        fps: frames per second.
        sample_rate: samples per second.
        good: (T,) bool, False where the face is absent or its mouth cannot be trusted; None: all are good.
    Returns:
        an estimate; `UNKNOWN` for silent audio, a mouth that never moves or less than 1.5 s of both.
        Ten seconds of speech are nearly always enough to be sure, six usually, three sometimes.
    """
    return estimate_from_levels(mouth, band_levels(samples, sample_rate), fps, good)


def estimate_from_levels(
    mouth: NDArray[Any], levels: F64, fps: Fraction | float, good: NDArray[Any] | None = None
) -> OffsetEstimate:
    """As `estimate_offset`, with the (R,) levels of a `LevelMeter` in place of samples."""
    lips, sound, weight = curves(mouth, levels, float(fps), good)
    whole = _estimate(lips, sound, weight)
    if not whole.sure:
        return whole
    window = round(WINDOW_S * LEVEL_RATE)
    step = max(window, (len(lips) - window) // (_WINDOWS[1] - 1))
    parts = [e.offset_s for _, e in _windows(lips, sound, weight, window, step) if e.sure]
    if len(parts) < _WINDOWS[0]:
        return whole
    agreement = float(np.mean(np.abs(np.array(parts) - whole.offset_s) <= AGREE_S))
    return replace(whole, agreement=agreement, sure=agreement >= LEAST_AGREEMENT)


def offset_over_time(
    mouth: NDArray[Any],
    samples: NDArray[Any],
    fps: Fraction | float,
    sample_rate: int = SAMPLE_RATE,
    window_s: float = WINDOW_S,
    step_s: float = 4.0,
    good: NDArray[Any] | None = None,
) -> list[tuple[float, OffsetEstimate]]:
    """Offsets in overlapping windows as (centre in seconds, estimate): shows drift and cut-in material."""
    return over_time_from_levels(mouth, band_levels(samples, sample_rate), fps, window_s, step_s, good)


def over_time_from_levels(
    mouth: NDArray[Any],
    levels: F64,
    fps: Fraction | float,
    window_s: float = WINDOW_S,
    step_s: float = 4.0,
    good: NDArray[Any] | None = None,
) -> list[tuple[float, OffsetEstimate]]:
    """As `offset_over_time`, with the (R,) levels of a `LevelMeter` in place of samples."""
    lips, sound, weight = curves(mouth, levels, float(fps), good)
    window, step = round(window_s * LEVEL_RATE), max(1, round(step_s * LEVEL_RATE))
    return _windows(lips, sound, weight, window, step)


def _windows(lips: F64, sound: F64, weight: F64, window: int, step: int) -> list[tuple[float, OffsetEstimate]]:
    """(centre in seconds, estimate) of windows of `window` rows every `step` rows."""
    result = []
    for start in range(0, max(1, len(lips) - window + 1), step):
        end = min(start + window, len(lips))
        estimate = _estimate(lips[start:end], sound, weight[start:end], start)
        result.append(((start + end) / 2 / LEVEL_RATE, estimate))
    return result


def _estimate(lips: F64, sound: F64, weight: F64, start: int = 0) -> OffsetEstimate:
    """From high-passed curves at LEVEL_RATE; row 0 of the lips is at row `start` of the sound."""
    # A frame more or less must not decide whether 1.5 s are enough.
    if weight.sum() < 0.95 * _LEAST or len(sound) < _LEAST or not lips.any() or not sound.any():
        return UNKNOWN
    reach = round(LARGEST_S * LEVEL_RATE) + 1
    lead = LEAD_S * LEVEL_RATE
    lags = np.arange(-reach, reach + 1) + round(lead)
    pairs = ((lips, sound, weight), (_velocity(lips), _velocity(sound), weight))
    scores, spread = np.zeros(len(lags)), np.zeros(len(lags))
    for pair in pairs:
        correlation, n = _correlations(*pair, lags + start)
        chance = _chance_memory(*pair, start + round(lead))
        scores += correlation / len(pairs)
        spread += np.sqrt(chance / np.maximum(n, 1)) / len(pairs)
    z = scores / spread
    # A slope at the edge of the range is the foot of a peak beyond it, not a peak.
    peaks = 1 + np.flatnonzero((z[1:-1] >= z[:-2]) & (z[1:-1] >= z[2:]))
    if not len(peaks):
        return UNKNOWN
    best = int(peaks[np.argmax(z[peaks])])
    confidence = float(ndtr(z[best]) ** INDEPENDENT_LAGS)
    offset = (lags[best] + _vertex(scores[best - 1 : best + 2]) - lead) / LEVEL_RATE
    return OffsetEstimate(float(offset), confidence, confidence >= SURE, float(scores[best]))


def _velocity(curve: F64) -> F64:
    """(N,) central differences over VELOCITY_S; 0 at the ends."""
    k = round(VELOCITY_S * LEVEL_RATE / 2)
    result = np.zeros_like(curve)
    result[k:-k] = curve[2 * k :] - curve[: -2 * k]
    return result


def _overlap(n_lips: int, n_sound: int, lag: int) -> tuple[slice, slice]:
    """Rows of the lips and of the sound that meet when the sound is `lag` rows later."""
    first, end = max(0, -lag), min(n_lips, n_sound - lag)
    return slice(first, max(first, end)), slice(first + lag, max(first, end) + lag)


def _correlations(lips: F64, sound: F64, weight: F64, lags: NDArray[np.int64]) -> tuple[F64, F64]:
    """((L,) weighted correlation at each lag, (L,) rows it was taken over); 0 where fewer than SHORTEST_S meet."""
    result, rows = np.zeros(len(lags)), np.zeros(len(lags))
    weighted = lips * weight
    for i, lag in enumerate(lags):
        here, there = _overlap(len(lips), len(sound), int(lag))
        w, x, y = weight[here], weighted[here], sound[there]
        n = rows[i] = w.sum()
        if n < 0.95 * _LEAST:
            continue
        sum_x, sum_y = x.sum(), w @ y
        yy = (w * y) @ y - sum_y**2 / n
        xx = x @ x - sum_x**2 / n
        if xx > 0 and yy > 1e-12:
            result[i] = (x @ y - sum_x * sum_y / n) / np.sqrt(xx * yy)
    return result, rows


def _chance_memory(lips: F64, sound: F64, weight: F64, lag: int) -> float:
    """Rows per independent row: n times the variance of a correlation of unrelated series like these.

    var r = sum over k of rho_a(k) rho_b(k) / n (Bartlett 1935).
    """
    here, there = _overlap(len(lips), len(sound), lag)
    rho = []
    for series in (lips[here], sound[there]):
        x = (series - series.mean()) * weight[here] if len(series) else np.zeros(1)
        power = np.abs(np.fft.rfft(x, 2 * len(x))) ** 2
        auto = np.fft.irfft(power)[: len(x)]
        rho.append(auto / max(auto[0], 1e-12))
    reach = min(len(rho[0]), _MEMORY)
    return max(1 + 2 * float((rho[0][1:reach] * rho[1][1:reach]).sum()), 1.0)


def _vertex(three: F64) -> float:
    """Position in [-1/2, 1/2] of the top of the parabola through three equidistant values."""
    bend = three[0] - 2 * three[1] + three[2]
    return float(np.clip(0.5 * (three[0] - three[2]) / bend, -0.5, 0.5)) if bend < 0 else 0.0
