"""Everything that moves without speech: head, gaze, lids and brows, from a seed.

Kept apart from the lips so that any speech can be rendered over any head motion.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from lipwright.core.clock import FPS
from lipwright.core.contracts import F32

F64 = NDArray[np.float64]


@dataclass(frozen=True)
class MotionConfig:
    """How much the presenter moves."""

    yaw_deg: float = 9.0
    """Largest turn to either side."""
    pitch_deg: float = 5.0
    """Largest nod up or down, speech nods included."""
    roll_deg: float = 3.0
    """Largest tilt."""
    sway_cm: float = 0.7
    """Largest shift of the head."""
    blinks_per_minute: float = 17.0
    """Mean rate; intervals vary."""


@dataclass(frozen=True)
class HeadMotion:
    """T frames of everything but the mouth."""

    pose_rad: F32
    """(T, 3) pitch, yaw, roll about x (right), y (up), z (to the viewer); R = Rz·Ry·Rx."""
    shift_cm: F32
    """(T, 3)."""
    gaze_rad: F32
    """(T, 2) pitch and yaw of both eyes relative to the head."""
    face: dict[str, F32]
    """Expression name to (T,) weights: lids and brows."""

    def __len__(self) -> int:
        return len(self.pose_rad)

    def __getitem__(self, where: slice) -> HeadMotion:
        return HeadMotion(
            self.pose_rad[where],
            self.shift_cm[where],
            self.gaze_rad[where],
            {k: v[where] for k, v in self.face.items()},
        )


def head_motion(
    count: int,
    seed: int,
    config: MotionConfig | None = None,
    accents_s: Sequence[float] = (),
    fps: Fraction = FPS,
) -> HeadMotion:
    """Smooth, seeded motion of T frames, with a small nod and brow raise at each accent."""
    c = config or MotionConfig()
    streams = [np.random.default_rng([seed, k]) for k in range(8)]
    times = (np.arange(count) + 0.5) / float(fps)
    nod = np.zeros(count)
    for a in accents_s:
        near = _between(times, a - 0.12, a + 0.24)
        nod[near] += _bump(times[near], a, 0.12, 0.24)
    wave = [_wander(times, streams[k]) for k in range(6)]
    pitch = _limited(0.75 * wave[0] + 0.5 * np.minimum(nod, 1.5), c.pitch_deg)
    yaw = _limited(wave[1], c.yaw_deg)
    roll = _limited(wave[2] * 0.8 + 0.35 * wave[1], c.roll_deg)
    pose = np.radians(np.stack([pitch, yaw, roll], axis=1))
    shift = c.sway_cm * np.stack([0.6 * wave[3] + 0.4 * wave[1], 0.45 * wave[4], 0.6 * wave[5]], axis=1) / 2
    gaze = _gaze(times, streams[6], pose)
    return HeadMotion(
        pose.astype(np.float32),
        shift.astype(np.float32),
        gaze.astype(np.float32),
        _upper_face(times, streams[7], gaze, nod, c.blinks_per_minute),
    )


def rotation(pose_rad: F32) -> F32:
    """(..., 3) pitch, yaw, roll to (..., 3, 3) rotations Rz·Ry·Rx."""
    sx, sy, sz = (np.sin(pose_rad[..., i]) for i in range(3))
    cx, cy, cz = (np.cos(pose_rad[..., i]) for i in range(3))
    rows = [
        np.stack([cz * cy, cz * sy * sx - sz * cx, cz * sy * cx + sz * sx], axis=-1),
        np.stack([sz * cy, sz * sy * sx + cz * cx, sz * sy * cx - cz * sx], axis=-1),
        np.stack([-sy, cy * sx, cy * cx], axis=-1),
    ]
    return np.stack(rows, axis=-2).astype(np.float32)


def _wander(times: F64, rng: np.random.Generator) -> F64:
    """Band-limited noise of about unit deviation: slow posture, plus quicker small movements."""
    length = float(times[-1]) + 1 if len(times) else 1.0

    def layer(period_s: float) -> F64:
        knots = np.arange(-2 * period_s, length + 3 * period_s, period_s)
        return np.asarray(CubicSpline(knots, rng.normal(size=len(knots)))(times))

    return 0.9 * layer(2.3) + 0.3 * layer(0.8) + 0.07 * layer(0.3)


def _limited(wave: F64, limit: float) -> F64:
    """Centre a wave and scale it so that its largest excursion is exactly `limit`."""
    if not len(wave):
        return wave
    centred = wave - 0.5 * (wave.max() + wave.min())
    largest = np.abs(centred).max()
    return centred * (limit / largest) if largest > 0 else centred


def _between(times: F64, start: float, end: float) -> slice:
    """Frames with start <= time < end: hours of motion cost no more than their events."""
    a, b = np.searchsorted(times, [start, end])
    return slice(int(a), int(b))


def _bump(times: F64, centre: float, before: float, after: float) -> F64:
    offset = (times - centre) / np.where(times < centre, before, after)
    return np.where(np.abs(offset) < 1, 0.5 * (1 + np.cos(np.pi * offset)), 0.0)


def _gaze(times: F64, rng: np.random.Generator, pose: F64) -> F64:
    """Eyes stay near the camera while the head turns, and jump a little every second or so."""
    offset = np.zeros((len(times), 2))
    t = 0.0
    while len(times) and t < times[-1]:
        jump = np.radians(rng.normal(size=2) * [1.2, 2.4])
        if rng.random() < 0.12:
            jump *= 2.5
        end = t + 0.35 + rng.exponential(0.9)
        offset[_between(times, t, end)] = jump
        t = end
    return np.clip(offset - 0.85 * pose[:, :2], -0.42, 0.42)


def _upper_face(times: F64, rng: np.random.Generator, gaze: F64, nod: F64, per_minute: float) -> dict[str, F32]:
    blink = np.zeros(len(times))
    t = rng.exponential(60 / per_minute)
    while len(times) and t < times[-1]:
        near = _between(times, t, t + 0.34)
        blink[near] = np.maximum(blink[near], _lid(times[near], t))
        t += 0.6 + rng.gamma(2.5, 60 / per_minute / 2.5)
    brow = np.clip(0.16 * np.minimum(nod, 1.2) + 0.10 * np.maximum(_wander(times, rng), 0), 0, 0.6)
    down, up = np.clip(gaze[:, 0] / 0.5, 0, 1), np.clip(-gaze[:, 0] / 0.5, 0, 1)
    squint = np.clip(0.16 + 0.05 * _wander(times, rng), 0, 0.3)
    tracks = {
        "eyeBlink": np.clip(0.07 + 0.93 * blink, 0, 1),
        "eyeLookDown": down * (1 - blink),
        "eyeLookUp": up * (1 - blink),
        "browInnerUp": brow,
        "browOuterUp": 0.7 * brow,
        "eyeSquint": squint * (1 - blink),
    }
    return {f"{name}_{side}": w.astype(np.float32) for name, w in tracks.items() for side in "LR"}


def _lid(times: F64, start: float) -> F64:
    """One blink: shut in 90 ms, held 50 ms, open in 190 ms."""
    down = np.clip((times - start) / 0.09, 0, 1)
    up = np.clip((start + 0.33 - times) / 0.19, 0, 1)
    return np.minimum(down, 0.5 - 0.5 * np.cos(np.pi * up))
