"""Lower lips that begin below bared teeth.

A tracker that has never seen this person takes bared lower teeth for lip, in every frame alike, so laying mouths over
each other does not help. The person's own colours do: the outer part of the lower lip is lip for sure, what lies well
inside the opening is not. Down a line through the mouth the lip begins where colours stop being likelier inside than on
the lip. Only what is paler than lips counts as inside; a tongue looks like lip, and shadows between lips like an
opening.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, gaussian_filter1d

from lipwright.core.contracts import F32, U8
from lipwright.core.ease import smoothstep
from lipwright.core.ibug import INNER_BOTTOM, INNER_LIPS, INNER_TOP, MOUTH, OUTER_LIPS
from lipwright.face.mouth.crop import SIZE

F64 = NDArray[np.float64]

_ACROSS = np.linspace(0.2, 0.8, 9)
"""Where lines run, as shares of the way between the inner corners."""
_STEP = 0.5
"""Crop px between two samples of a line."""
_OPENS, _OPEN = 1.0, 3.5
"""Crop px of a gap from which teeth are looked for, and from which all that is found counts."""
_LIP_FROM, _LIP_TO, _INSIDE_TO = (0.6, 0.35), 0.9, (0.6, 0.85)
"""Shares of the lip and of the opening that teach colours: surer ones first, then by what was found with them."""
_LEAST = 500
"""Samples of each kind below which nothing is moved."""
_BINS, _SMOOTH = 24, 1.2
"""Of the densities, per channel, and their blur in bins."""
_UNSEEN_INSIDE, _UNSEEN_LIP = 0.3, 0.03
"""Share of colours never seen inside, which are many, and on the lip, which has one colour."""
_SUREST = 3.0
"""Greatest logarithm of a likelihood ratio."""
_WORTH = 0.5
"""Of a crop pixel's evidence: neighbours repeat each other."""
_TRACKER_PX = 3.0
"""Standard deviation of the tracker's border, crop px."""
_THINNEST = 0.3
"""Share of the tracked lip that is left at least."""
_PALER = 25
"""Percentile of the lip's a* (how red) below which a colour is pale."""
_BOTTOM = [MOUTH.index(i) for i in INNER_BOTTOM]


@dataclass(frozen=True)
class BaredTeeth:
    """What a person's lower lip and teeth look like."""

    low: F64
    """(3,) L*a*b* of the first bin, eight bits."""
    high: F64
    """(3,) of the last."""
    evidence: F64
    """(_BINS^3,) logarithm of how much likelier a colour is inside the mouth than on the lip; 0 at most unless pale."""

    @classmethod
    def fit(cls, crops: U8, points: F32) -> BaredTeeth | None:
        """From (N, 80, 112, 3) RGB crops and their (N, 20, 2) iBUG mouths in crop px; None where too little is seen."""
        lines = _Lines.through(points)
        colours = lines.colours(crops)
        shift, found = np.zeros_like(lines.gap), None
        for lip_from, inside_to in zip(_LIP_FROM, _INSIDE_TO, strict=True):
            border = lines.gap + shift
            thick = lines.gap + lines.thick - border
            at = lines.down[None, None]
            lip = (at > (border + lip_from * thick)[..., None]) & (at < (border + _LIP_TO * thick)[..., None])
            inside = (at < (inside_to * border)[..., None]) & (lines.gap > _OPEN)[..., None]
            if min(lip.sum(), inside.sum()) < _LEAST:
                return None
            found = cls._of(colours[lip], colours[inside])
            shift = lines.shift(found.told(colours))
        return found

    @classmethod
    def _of(cls, lip: U8, inside: U8) -> BaredTeeth:
        low, high = np.percentile(np.concatenate([lip, inside]), (0.5, 99.5), axis=0)
        high = np.maximum(high, low + 1)
        both = ((inside, _UNSEEN_INSIDE), (lip, _UNSEEN_LIP))
        within, on_lip = (_density(_cells(colours, low, high), unseen) for colours, unseen in both)
        ratio = np.clip(np.log(within / on_lip), -_SUREST, _SUREST)
        bins = np.stack(np.unravel_index(np.arange(_BINS**3), (_BINS,) * 3), -1) / (_BINS - 1) * (high - low) + low
        pale = (bins[:, 0] > np.median(lip[:, 0])) & (bins[:, 1] < np.percentile(lip[:, 1], _PALER))
        return cls(low, high, np.where(pale, ratio, np.minimum(ratio, 0)))

    def told(self, colours: U8) -> F64:
        """(...) evidence of (..., 3) colours."""
        return np.asarray(self.evidence[_cells(colours, self.low, self.high)], np.float64)

    def __call__(self, crops: U8, points: F32) -> F32:
        """(N, 20, 2) mouths whose inner lower lip lies below the teeth that (N, 80, 112, 3) crops show."""
        lines = _Lines.through(points)
        shift, moved = lines.shift(self.told(lines.colours(crops))), points.copy()
        found = zip(points[:, _BOTTOM, 0], lines.x, shift, strict=True)
        moved[:, _BOTTOM, 1] += np.stack([np.interp(at, x, by) for at, x, by in found]).astype(np.float32)
        return moved


class _Lines:
    """Lines down through N mouths, from the upper lip's lower edge to the lower lip's lower edge."""

    def __init__(self, x: F64, top: F64, gap: F64, thick: F64) -> None:
        self.x, self.top, self.gap, self.thick = x, top, gap, thick
        self.down = np.arange(0.0, min(float((gap + thick).max()), SIZE[1]), _STEP)
        """(D,) crop px below `top`; `x` (N, L) where lines are, `gap` and `thick` of opening and lip there."""

    @classmethod
    def through(cls, points: F32) -> _Lines:
        """Of (N, 20, 2) mouths as tracked."""
        first, last = INNER_LIPS[0], INNER_LIPS[4]
        corners = points[:, [MOUTH.index(first), MOUTH.index(last)], 0].astype(np.float64)
        x = np.asarray(corners[:, :1] * (1 - _ACROSS) + corners[:, 1:] * _ACROSS, np.float64)
        below = [OUTER_LIPS[0], *reversed(OUTER_LIPS[7:]), OUTER_LIPS[6]]
        chains = ([first, *INNER_TOP, last], [first, *INNER_BOTTOM, last], below)
        top, border, rim = (_heights(points[:, [MOUTH.index(i) for i in chain]], x) for chain in chains)
        gap = np.maximum(border - top, 0)
        return cls(x, top, gap, np.maximum(rim - top - gap, _STEP))

    def colours(self, crops: U8) -> U8:
        """(N, L, D, 3) CIE L*a*b* (eight bits) down the lines."""
        x = np.ascontiguousarray(np.broadcast_to(self.x[..., None], (*self.x.shape, len(self.down))), np.float32)
        y = (self.top[..., None] + self.down).astype(np.float32)
        found = np.empty((*x.shape, 3), np.uint8)
        for k, crop in enumerate(crops):
            lab = cv2.cvtColor(cv2.GaussianBlur(crop, (0, 0), 0.6), cv2.COLOR_RGB2LAB)
            found[k] = cv2.remap(lab, x[k], y[k], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return found

    def shift(self, evidence: F64) -> F64:
        """(N, L) crop px >= 0 by which lips begin lower than tracked, by (N, L, D) evidence of not being lip."""
        at, gap = self.down + _STEP / 2, self.gap[..., None]
        score = np.cumsum(evidence, -1) * (_WORTH * _STEP) - 0.5 * ((at - gap) / _TRACKER_PX) ** 2
        score = np.where(at < gap + (1 - _THINNEST) * self.thick[..., None], score, -np.inf)
        weight = np.exp(score - score.max(-1, keepdims=True))
        found = (weight * at).sum(-1) / weight.sum(-1)
        lower = np.maximum(found - self.gap, 0) * smoothstep((self.gap - _OPENS) / (_OPEN - _OPENS))
        return np.asarray(gaussian_filter1d(lower, 1.0, axis=1, mode="nearest"), np.float64)


def _heights(chain: F32, x: F64) -> F64:
    """(N, L) heights of polylines (N, K, 2) at x; in profile, where a line turns back, roughly."""
    rising = np.maximum.accumulate(chain[..., 0], axis=1)
    return np.stack([np.interp(*of) for of in zip(x, rising, chain[..., 1], strict=True)])


def _cells(colours: U8, low: F64, high: F64) -> NDArray[np.int64]:
    """(...) bins of (..., 3) colours."""
    place = np.clip((colours - low) / (high - low) * (_BINS - 1), 0, _BINS - 1).round().astype(np.int64)
    return np.asarray((place[..., 0] * _BINS + place[..., 1]) * _BINS + place[..., 2], np.int64)


def _density(cells: NDArray[np.int64], unseen: float) -> F64:
    """(_BINS^3,) probability of every colour."""
    count = np.bincount(cells, minlength=_BINS**3).reshape((_BINS,) * 3) / len(cells)
    return np.asarray((1 - unseen) * gaussian_filter(count, _SMOOTH, mode="nearest").ravel() + unseen / _BINS**3)
