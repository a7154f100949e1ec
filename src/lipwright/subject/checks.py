"""The footage report: numbers a person filming can act on."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import F32
from lipwright.face.smooth import runs
from lipwright.subject.pieces import Pieces
from lipwright.subject.trace import Chosen, Curves

_LISTED = 50
"""Stretches named in the report at most."""


def quality_of(pieces: Pieces, which: NDArray[np.integer[Any]]) -> F32:
    """(Q, 3) sharpness, brightness and clipped share of the chosen face where they were measured."""
    rows = []
    for start, values in pieces.each("quality"):
        chosen = which[start + values[:, 0].astype(int)] == values[:, 1]
        rows.append(np.array(values[chosen, 2:]))
    return np.concatenate(rows) if rows else np.zeros((0, 3), np.float32)


def footage_report(
    chosen: Chosen, curves: Curves, quality: F32, size: tuple[int, int], fps: Fraction, faces: int
) -> dict[str, Any]:
    """What the pictures tell, JSON-ready."""
    seen, total = chosen.present, len(chosen.which)
    degrees = np.degrees(curves.pose_rad[seen]) if seen.any() else np.zeros((1, 3))
    low, high = np.quantile(degrees, [0.02, 0.98], axis=0)
    middle = np.median(quality, axis=0) if len(quality) else np.zeros(3)
    return {
        "length_s": round(float(total / fps), 3),
        "fps": str(fps),
        "size": list(size),
        "face_width_px": round(float(np.median(curves.width_px[seen])), 1) if seen.any() else 0.0,
        "sharpness": round(float(middle[0]), 1),
        "brightness": round(float(middle[1]), 3),
        "clipped_share": round(float(middle[2]), 4),
        "pitch_deg": [round(float(low[0]), 1), round(float(high[0]), 1)],
        "yaw_deg": [round(float(low[1]), 1), round(float(high[1]), 1)],
        "roll_deg": [round(float(low[2]), 1), round(float(high[2]), 1)],
        "no_face_share": round(float(1 - seen.mean()), 4) if total else 1.0,
        "no_face_frames": [[a, b] for a, b in runs(~seen)][:_LISTED],
        "faces": faces,
        "tracker_noise_px": round(curves.noise_px, 3),
    }
