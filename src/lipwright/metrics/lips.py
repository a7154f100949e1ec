"""What the lips do: aperture, and how it follows the speech, the truth and (wrongly) the template.

An aperture is a curve (T,) over video frames, in px or any one unit; `core.ibug.lip_aperture` makes it
from landmarks.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lipwright.core.clock import FPS
from lipwright.core.contracts import F32
from lipwright.core.errors import ShapeError
from lipwright.core.ibug import lip_aperture
from lipwright.metrics.silence import frame_levels

__all__ = [
    "Phone",
    "amplitude_ratio",
    "bilabial_closure_rate",
    "bilabial_closures",
    "closed_level",
    "correlation",
    "lip_aperture",
    "loudness_correlation",
    "silence_ratio",
    "template_leak",
]

_LOUD_FRAMES = 5
BILABIALS = frozenset({"P", "B", "M", "p", "b", "m"})


class Phone(NamedTuple):
    """One phone of a transcript and when it is spoken."""

    label: str
    """ARPAbet or IPA; stress digits are ignored."""
    start_s: float
    end_s: float


def correlation(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Pearson correlation of two curves (T,), in [-1, 1]; 0 when one of them does not move.

    A frozen mouth follows nothing, so 0 (not nan) is its score.
    """
    x, y = _pair(a, b)
    x, y = x - x.mean(), y - y.mean()
    scale = float(np.sqrt((x @ x) * (y @ y)))
    tiny = 1e-12 * len(x) * max(float(np.abs(a).max()), 1e-12) * max(float(np.abs(b).max()), 1e-12)
    return float(np.clip(x @ y / scale, -1.0, 1.0)) if scale > tiny else 0.0


def loudness_correlation(aperture: NDArray[Any], samples: F32, fps: Fraction = FPS) -> float:
    """Correlation of an aperture (T,) with how loud the speech (S,), 16 kHz, is in its frames: dB, -60 and above.

    The level is a mean over five frames. No truth is needed.
    """
    loud = np.clip(frame_levels(samples, len(aperture), fps), -60, 0)
    padded = np.pad(loud, _LOUD_FRAMES // 2, mode="edge")
    return correlation(aperture, np.convolve(padded, np.full(_LOUD_FRAMES, 1 / _LOUD_FRAMES), "valid"))


def amplitude_ratio(generated: NDArray[Any], real: NDArray[Any]) -> float:
    """Standard deviation of the generated aperture over the real one's; 1 articulates as much as real.

    nan when the real lips do not move.
    """
    bottom = float(np.std(real))
    return float(np.std(generated)) / bottom if bottom > 0 else float("nan")


def silence_ratio(aperture: NDArray[Any], silent: NDArray[np.bool_], margin: int = 3) -> float:
    """Deviation of the aperture within pauses over its deviation in speech; 0 rests, 1 talks all the time.

    `silent` (T,) comes from `silence.silence_mask`. Each pause is taken about its own mean: a person may
    rest with lips closed in one and parted in the next, and neither is chatter. Frames within `margin` of a
    change count for neither side, because real lips open up to about 120 ms before the sound. nan with
    fewer than 5 silent or spoken frames.
    Source: the cross-modal paper's silence ablation, made a number; goal at most 10 %.
    """
    curve = np.asarray(aperture, dtype=np.float64)
    if curve.shape != np.shape(silent):
        raise ShapeError("silent", curve.shape, np.shape(silent))
    mask = np.asarray(silent, dtype=bool)
    quiet, spoken = shrink(mask, margin), curve[shrink(~mask, margin)]
    if quiet.sum() < 5 or len(spoken) < 5 or np.std(spoken) == 0:
        return float("nan")
    pause = np.cumsum(np.diff(quiet, prepend=False))[quiet]
    deviations = [curve[quiet][pause == p] - curve[quiet][pause == p].mean() for p in np.unique(pause)]
    return float(np.sqrt(np.mean(np.concatenate(deviations) ** 2)) / np.std(spoken))


def template_leak(generated: NDArray[Any], template: NDArray[Any]) -> float:
    """Correlation of the output's aperture with the template's own while other speech drives it.

    Range [-1, 1]; 0 leaks nothing, goal <= 0.1 in size. Only meaningful when the
    template's own speech is unrelated to the driving speech (protocol `cross`).
    """
    return correlation(generated, template)


def closed_level(aperture: NDArray[Any]) -> float:
    """Aperture below which lips count as closed: the 2nd percentile plus a tenth of the 2-98 % range.

    Measured on one person's own real video and used for both videos, because a tracker does not say 0 for
    closed lips and the offset differs between faces.
    """
    low, high = np.percentile(np.asarray(aperture, dtype=np.float64), [2, 98])
    return float(low + 0.1 * (high - low))


def bilabial_closure_rate(
    aperture: NDArray[Any], phones: Sequence[Phone], fps: float, closed: float, margin_s: float = 0.04
) -> float:
    """Share of /p b m/ during which the aperture goes below `closed`; range [0, 1], nan without bilabials."""
    hits = bilabial_closures(aperture, phones, fps, closed, margin_s)
    return float(np.mean(hits)) if hits else float("nan")


def bilabial_closures(
    aperture: NDArray[Any], phones: Sequence[Phone], fps: float, closed: float, margin_s: float = 0.04
) -> list[bool]:
    """For each /p b m/ in order, whether the aperture goes below `closed` (px or the curve's own unit).

    A phone counts as closed when any frame whose centre lies in [start - margin, end + margin] is; frame f
    has its centre at (f + 1/2) / fps. Phones that no frame falls into are left out.
    """
    curve = np.asarray(aperture, dtype=np.float64)
    centres = (np.arange(len(curve)) + 0.5) / fps
    hits = []
    for label, start_s, end_s in phones:
        if label.rstrip("012") not in BILABIALS:
            continue
        inside = (centres >= start_s - margin_s) & (centres <= end_s + margin_s)
        if inside.any():
            hits.append(bool(curve[inside].min() < closed))
    return hits


def shrink(mask: NDArray[np.bool_], frames: int) -> NDArray[np.bool_]:
    """`mask` (T,) without its frames that lie within `frames` of a False; the ends of the array stay."""
    kept = mask.copy()
    for shift in range(1, frames + 1):
        kept[shift:] &= mask[:-shift]
        kept[:-shift] &= mask[shift:]
    return kept


def _pair(a: NDArray[Any], b: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    x, y = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if x.shape != y.shape or x.ndim != 1 or len(x) < 2:
        raise ShapeError("curves", ("T >= 2", "equal"), (*x.shape, *y.shape))
    return x, y
