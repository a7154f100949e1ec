"""The limits the paper states, measured: large head turns, and texture that sticks to the picture."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import F32, U8, FaceTrack, RenderWindow
from lipwright.face.align import apply
from lipwright.metrics import image
from lipwright.metrics.binned import binned
from lipwright.metrics.detail import laplacian_energy, sharpness_ratio
from lipwright.metrics.sticking import sticking
from lipwright.recipes.crossmodal_bench.network import Drawn
from lipwright.render.crossmodal.renderer import CrossModalRenderer

YAW_DEG = (0, 3, 6, 10, 15, 20, 35)
_SIDES = {
    "right": ([1, 41, 40, 31, 2], [0, 1, 2, 36, 40, 41, 31]),
    "left": ([15, 46, 47, 35, 14], [16, 15, 14, 45, 47, 46, 35]),
}
"""Corners of each cheek, and the points that say how it moves; none moves with the mouth."""
_RIM = 0.02
"""Of the crop's side: lid and nose strokes are kept out of the cheek."""
_GAPS = (3, 6, 12, 25, 50)
"""Frames between the two of a pair."""


def by_yaw(found: Drawn, yaw_rad: NDArray[Any]) -> list[dict[str, Any]]:
    """A line per bin of yaw (absolute, degrees): frames, mouth PSNR, mouth sharpness to real, head PSNR.

    Args: `yaw_rad` (N,) of the frames drawn.
    """
    yaw = np.abs(np.rad2deg(yaw_rad))
    squares = [(a[found.square], b[found.square]) for a, b in zip(found.real, found.made, strict=True)]
    values = {
        "mouth_psnr_db": [image.psnr(a, b) for a, b in squares],
        "head_psnr_db": [image.psnr(a, b) for a, b in zip(found.real, found.made, strict=True)],
        "real": [laplacian_energy(a) for a, _ in squares],
        "made": [laplacian_energy(b) for _, b in squares],
    }
    bins = {key: binned(np.array(of), yaw, YAW_DEG) for key, of in values.items()}
    return [
        {
            "from_deg": b.low,
            "to_deg": b.high,
            "frames": b.count,
            "mouth_psnr_db": b.mean,
            "head_psnr_db": bins["head_psnr_db"][n].mean,
            "mouth_sharpness": sharpness_ratio([bins["made"][n].mean], [bins["real"][n].mean]),
        }
        for n, b in enumerate(bins["mouth_psnr_db"])
        if b.count
    ]


def sticking_scores(
    renderer: CrossModalRenderer, heads: FaceTrack, spoken: F32, real: list[U8]
) -> dict[str, float | int | None]:
    """Cheek detail of drawn and of real heads: found again at the same place of the crop, or of the face?

    Args:
        heads: T frames in a row.
        spoken: (T, window, k).
        real: T real head pictures.
    """
    made = [picture for picture, _ in renderer.pictures(RenderWindow([], heads, spoken, heads))]
    points = apply(renderer.geometry.head_maps(heads.landmarks_px), heads.landmarks_px)
    count = len(heads)
    pairs = [(t, t + gap) for gap in _GAPS for t in range(0, count - gap, 2)]
    facts: dict[str, float | int | None] = {}
    for who, pictures in (("made", made), ("real", real)):
        sides = [
            sticking(pictures, points[:, known], [_cheek(p[corners], renderer.config.size) for p in points], pairs)
            for corners, known in _SIDES.values()
        ]
        for name in ("fixed", "moving"):
            values = [getattr(side, name) for side in sides if not np.isnan(getattr(side, name))]
            facts[f"{who}_{name}"] = round(float(np.mean(values)), 4) if values else None
        facts["pairs"] = sum(side.pairs for side in sides)
    return facts


def _cheek(corners: F32, size: int) -> NDArray[np.bool_]:
    mask = np.zeros((size, size), np.uint8)
    cv2.fillConvexPoly(mask, cv2.convexHull(np.round(corners).astype(np.int32)), (1,))
    side = 2 * round(_RIM * size) + 1
    return cv2.erode(mask, np.ones((side, side), np.uint8)) > 0
