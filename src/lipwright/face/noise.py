"""The tracker's own noise: the floor for every landmark metric.

Third differences remove smooth motion; for white noise of variance v their variance is 20 v
(1² + 3² + 3² + 1²), so v = mean(third difference²) / 20. Fast real motion adds to it,
so it is an upper estimate; after smoothing it is an under-estimate, so it is taken on raw points.
"""

from __future__ import annotations

import numpy as np

from lipwright.core.contracts import F32


def noise_px(points: F32) -> float:
    """RMS distance noise of (T, K, 2) raw tracked points, in their own unit; 0 below four frames.

    The median over points is taken so that blinks do not count.
    """
    if len(points) < 4:
        return 0.0
    third = np.diff(points.astype(np.float64), n=3, axis=0)
    per_point = np.mean(np.sum(third**2, axis=-1), axis=0) / 20
    return float(np.sqrt(np.median(per_point)))
