"""Scores of a motion model on test stretches: the papers' columns, and what they do not show.

Errors are means over frames and coordinates in Frobenius units (paper B's unit as far as it can be known). `shape`
takes place and roll away: what is left is what speech alone can know.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import F32
from lipwright.motion.geometry import rotate
from lipwright.motion.model import CascadeMotion
from lipwright.motion.scores import N_MOUTH, aperture, correlation, lmd, tracker_noise
from lipwright.recipes.motion_table.corpus import Test

F64 = NDArray[np.float64]
YAW_BINS = ((0, 10), (10, 20), (20, 90))
"""Degrees of turn."""
_LEAST = 25
"""Frames below which a bin says nothing."""


def score(model: CascadeMotion, tests: Sequence[Test], mean: F32) -> dict[str, float | None]:
    """All figures of one model.

    Args:
        mean: (29, 2) mean of the training frames, the mean mouth.
    """
    said = [model.predict(t.clip.features, t.clip.conditions) for t in tests]
    return {**self_scores(said, tests), **_against_mean(said, tests, mean), **cross_scores(model, tests)}


def self_scores(said: Sequence[F32], tests: Sequence[Test]) -> dict[str, float | None]:
    """Held-out speech over its own frames; `said` are (T, 29, 2) per test stretch."""
    seen = [t.clip.weight > 0 for t in tests]
    off = _joined([(s - t.clip.landmarks)[k] for s, t, k in zip(said, tests, seen, strict=True)]) ** 2
    yaw = np.degrees(
        np.abs(np.concatenate([t.clip.conditions.pose_rad[k, 1] for t, k in zip(tests, seen, strict=True)]))
    )
    shapes = [(upright(s, t)[k], upright(t.clip.landmarks, t)[k]) for s, t, k in zip(said, tests, seen, strict=True)]
    steps = [(np.diff(a, axis=0), np.diff(b, axis=0)) for a, b in shapes]
    moved = [np.diff(s - t.clip.landmarks, axis=0)[:, :N_MOUTH] for s, t in zip(said, tests, strict=True)]
    own, real = (np.concatenate([aperture(_padded(pair[i])) for pair in shapes]) for i in (0, 1))
    found: dict[str, float | None] = {
        "mouth_mse": float(off[:, :N_MOUTH].mean()),
        "jaw_mse": float(off[:, N_MOUTH:].mean()),
        "shape_mse": float((_joined([a - b for a, b in shapes]) ** 2).mean()),
        "inter_frame_mse": float((_joined(moved) ** 2).mean()),
        "energy": float((_joined([a for a, _ in steps]) ** 2).mean() / (_joined([b for _, b in steps]) ** 2).mean()),
        "aperture_correlation": correlation(own, real),
        "aperture_amplitude": float(own.std() / max(float(real.std()), 1e-12)),
    }
    for low, high in YAW_BINS:
        inside = (yaw >= low) & (yaw < high)
        name = f"mouth_mse_yaw_{low}_{high}"
        found[name] = float(off[inside][:, :N_MOUTH].mean()) if inside.sum() >= _LEAST else None
    return found


def _against_mean(said: Sequence[F32], tests: Sequence[Test], mean: F32) -> dict[str, float | None]:
    """LMD in pixels beside the tracker's noise and the mean mouth."""
    pixels = [
        (s * t.scale_px[:, None, None], t.clip.landmarks * t.scale_px[:, None, None]) for s, t in _both(said, tests)
    ]
    still = [np.broadcast_to(mean, t.clip.landmarks.shape) * t.scale_px[:, None, None] for t in tests]
    sizes = [len(t.clip) for t in tests]

    def mean_of(values: Sequence[float]) -> float:
        return float(np.average(values, weights=sizes))

    noise = mean_of([tracker_noise(real) for _, real in pixels])
    found: dict[str, float | None] = {"tracker_noise_px": noise}
    for name, centred in (("lmd", False), ("lmd_centred", True)):
        own = mean_of([lmd(a, b, centred) for a, b in pixels])
        found[f"{name}_px"] = own
        found[f"{name}_to_noise"] = own / noise if noise > 0 else None
        reference = mean_of([lmd(a, b, centred) for a, (_, b) in zip(still, pixels, strict=True)])
        found[f"{name}_to_mean_mouth"] = own / max(reference, 1e-12)
    return found


def cross_scores(model: CascadeMotion, tests: Sequence[Test]) -> dict[str, float | None]:
    """The same speech over pose and cheeks of other frames; {} where a test has none."""
    crossed = [t for t in tests if t.cross is not None]
    own, real, shown, off, shapes = [], [], [], [], []
    for t in crossed:
        cross = t.cross
        assert cross is not None
        said = model.predict(t.clip.features, cross.held)
        own.append(aperture(said))
        shown.append(aperture(cross.template))
        real.append(aperture(t.clip.landmarks if cross.truth is None else cross.truth))
        if cross.truth is not None:
            roll = cross.held.pose_rad[:, 2]
            off.append((said - cross.truth)[:, :N_MOUTH])
            shapes.append(_shape(said, roll) - _shape(cross.truth, roll))
    if not crossed:
        return {}
    a, b, c = (np.concatenate(x) for x in (own, real, shown))
    found: dict[str, float | None] = {
        "cross_aperture_correlation": correlation(a, b),
        "cross_aperture_amplitude": float(a.std() / max(float(b.std()), 1e-12)),
        "cross_template_leak": correlation(a, c),
        "cross_real_leak": correlation(b, c),
    }
    if off:
        found |= {
            "cross_mouth_mse": float((_joined(off) ** 2).mean()),
            "cross_shape_mse": float((_joined(shapes) ** 2).mean()),
        }
    return found


def upright(landmarks: F32, test: Test) -> F32:
    """(T, 20, 2) mouth without place and roll."""
    return _shape(landmarks, test.clip.conditions.pose_rad[:, 2])


def _shape(landmarks: F32, roll: F32) -> F32:
    mouth = landmarks[:, :N_MOUTH]
    return rotate(mouth - mouth.mean(axis=1, keepdims=True), -roll)


def _padded(mouth: F32) -> F32:
    """`aperture` reads mouth points only."""
    return mouth


def _both(said: Sequence[F32], tests: Sequence[Test]) -> Sequence[tuple[F32, Test]]:
    return list(zip(said, tests, strict=True))


def _joined(parts: Sequence[F32]) -> F64:
    return np.concatenate(list(parts)).astype(np.float64)
