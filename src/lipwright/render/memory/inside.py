"""What is between the lips when a mouth is opened wider, or closed further, than it was filmed.

A spline that moves the lips apart stretches the teeth between them. Teeth are rigid: the upper ones stay with the upper
lip, the lower ones with the lower lip, and what grows or shrinks is the dark between them. So the row where the filmed
mouth is darkest is what gets stretched, or left out.
"""

from __future__ import annotations

import cv2
import numpy as np

from lipwright.core.contracts import F32, U8
from lipwright.core.ease import smoothstep
from lipwright.face.align import apply, invert
from lipwright.render.patches import Area

UPPER, LOWER = [12, 13, 14, 15, 16], [12, 19, 18, 17, 16]
"""Inner lips from corner to corner among the MOUTH_JAW points."""
STRETCH, SQUEEZE = 1.5, 0.8
"""Within these ratios of the openings the spline alone does."""
_MOST = 8.0
_ROWS = 15
_SOFT = 0.15
"""Half the height, in openings, of the transition where a mouth is closed further."""


def opening(shape: F32) -> float:
    """Mean height between the inner lips of (29, 2) canonical points."""
    return float((shape[LOWER[1:-1], 1] - shape[UPPER[1:-1], 1]).mean())


def tension(wanted: F32, filmed: F32, unit: float) -> float:
    """How much less than the lips the teeth may follow: 1 within the limits, above 1 wider, below 1 more closed.

    From (29, 2) canonical points; openings count as 1 % of `unit` (the eye distance) at least: closed lips are never
    tracked as exactly closed.
    """
    ratio = max(opening(wanted), 0.01 * unit) / max(opening(filmed), 0.01 * unit)
    return min(max(ratio / STRETCH, 1.0), _MOST) * min(ratio / SQUEEZE, 1.0)


def darkest_row(image: U8, points_px: F32) -> float:
    """Where between the inner lips of (29, 2) points a picture is darkest, 0 at the upper lip to 1 at the lower."""
    along = np.linspace(0.25, 0.75, 9) * (len(UPPER) - 1)
    at = np.arange(len(UPPER))
    top, bottom = (
        np.stack([np.interp(along, at, points_px[line, axis]) for axis in (0, 1)], -1) for line in (UPPER, LOWER)
    )
    share = (np.arange(_ROWS) + 0.5) / _ROWS
    where = top + share[:, None, None] * (bottom - top)
    x, y = (np.clip(np.rint(where[..., i]).astype(int), 0, image.shape[1 - i] - 1) for i in (0, 1))
    light = image[y, x].mean((1, 2))
    return float(np.clip(share[light.argmin()], 0.2, 0.8))


def rows_kept(share: F32, tension: float, dark: float) -> F32:
    """Where in the filmed opening (0 to 1) each part of the wanted one comes from; both lips move by `tension`."""
    upper, lower = share * tension, 1 - (1 - share) * tension
    if tension >= 1:
        return np.maximum(np.minimum(upper, dark), lower)
    return upper + smoothstep((share - dark) / (2 * _SOFT) + 0.5) * (lower - upper)


def unstretched(
    field: F32, area: Area, target: F32, canonical_from_patch: F32, tension: float, dark: float
) -> tuple[F32, F32]:
    """A field of source positions over an area of the patch, changed between the inner lips of `target` (29, 2).

    Also (h, w) where one row of the source was stretched over many, in [0, 1]: `hollow` knows what to show there.
    """
    corner = np.array([area[1].start, area[0].start], np.float32)
    inner = target[12:20] - corner
    height, width = field.shape[:2]
    stretched = np.zeros((height, width), np.float32)
    x0, y0 = np.clip(np.floor(inner.min(0)).astype(int), 0, [width, height])
    x1, y1 = np.clip(np.ceil(inner.max(0)).astype(int) + 1, 0, [width, height])
    if x1 <= x0 or y1 <= y0:
        return field, stretched
    pixels = np.stack(np.meshgrid(np.arange(x0, x1), np.arange(y0, y1)), -1).reshape(-1, 2).astype(np.float32)
    shape = apply(canonical_from_patch, target)
    at = apply(canonical_from_patch, pixels + corner)
    top, bottom = (np.interp(at[:, 0], shape[line, 0], shape[line, 1]) for line in (UPPER, LOWER))
    gap = np.maximum(bottom - top, 1e-3)
    share = (at[:, 1] - top) / gap
    inside = (share > 0) & (share < 1)
    rows = rows_kept(share, tension, dark)
    at[inside, 1] = (top + rows * gap)[inside]
    there = apply(invert(canonical_from_patch), at).reshape(y1 - y0, x1 - x0, 2) - corner
    result = field.copy()
    result[y0:y1, x0:x1] = cv2.remap(
        field, there[..., 0], there[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    stretched[y0:y1, x0:x1] = (inside & (rows == dark)).reshape(y1 - y0, x1 - x0)
    return result, cv2.GaussianBlur(stretched, (0, 0), 1.0).astype(np.float32, copy=False)


def hollow(mouth: F32, stretched: F32, width: float) -> F32:
    """`mouth` without the streaks of a row that was stretched: blurred sideways there, by a tenth of `width` (px)."""
    if not stretched.any():
        return mouth
    sideways = 0.1 * width
    share = cv2.GaussianBlur(stretched, (0, 0), sideways, sigmaY=1.0)
    smooth = cv2.GaussianBlur(mouth * stretched[..., None], (0, 0), sideways, sigmaY=1.0)
    return mouth + stretched[..., None] * (smooth / np.maximum(share, 1e-3)[..., None] - mouth)
