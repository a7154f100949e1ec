"""Landmarks as location plus shape: the head decides where the mouth is, speech alone what it does.

    landmarks = location(pose, cheeks) + Roll(pose)·Quick[Gain[(1 - s)·network(speech) + s·kernel(speech)]]

The paper's cascade sees everything at once and, with a minute of footage, reads the template's own mouth from
the cheeks. Here shape cannot see the template at all, and location is fitted to ignore what speech moves.

Gain enlarges how far the lips part, along the person's own opening direction: a regression shrinks what it cannot
know. Other movement stays as predicted, because enlarging it costs more accuracy than it shows. Quick gives back what
regressions take from quick movement (`motion.quick`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lipwright.core.clock import FPS
from lipwright.core.contracts import F32, Conditions
from lipwright.motion.config import MotionConfig
from lipwright.motion.geometry import rotate
from lipwright.motion.kernel import KernelShape, fit_kernel, held_out, per_frame, windows
from lipwright.motion.lips import gaps_of, opening_of
from lipwright.motion.location import Location, fit_location, speech_articulation
from lipwright.motion.quick import REACH, quick_gain, quickened
from lipwright.motion.scores import N_MOUTH
from lipwright.motion.silence import rest_shape

_LARGEST_GAIN = 2.0


@dataclass(frozen=True)
class Separate:
    """The closed-form parts of a `separate` model."""

    location: Location
    kernel: KernelShape
    share: float
    """Of the kernel regression in the shape; the network has the rest."""
    gain: float
    """Enlarges the opening of the lips around its mean."""
    middle: F32
    """(58,) mean shape, which the gain leaves as it is."""
    opening: F32
    """(58,) how all points move per unit of mean inner-lip gap."""
    rest: F32 | None = None
    """(58,) shape of the mouth in silence; None when nothing tells silence."""
    quick: float = 0.0
    """See `motion.quick.quickened`."""

    @property
    def reach(self) -> int:
        """Frames on each side that it reads beyond what the network and the kernel hear."""
        return REACH if self.quick > 0 else 0

    def shape(self, landmarks: F32, held: Conditions) -> F32:
        """(T, 29, 2) landmarks without location, turned upright."""
        moved = landmarks - self.location(held).reshape(landmarks.shape)
        return rotate(moved, -held.pose_rad[:, 2])

    def landmarks(
        self,
        network: F32,
        features: Mapping[str, F32],
        held: Conditions,
        silence: F32 | None,
        only: slice = slice(None),
    ) -> F32:
        """The network's (T, 29, 2) shape and standardised features to landmarks in the frame's pose.

        Args:
            silence: (T,) see `silence_of`; the mouth rests where it is 1.
            only: frames that are wanted; the kernel, which costs most, leaves out the others.
        """
        shape = network
        if self.share > 0:
            shape = network.copy()
            first, stop, _ = only.indices(len(network))
            read = slice(max(first - self.reach, 0), stop + self.reach)
            heard = self.kernel(features, len(network), read).reshape(-1, *network.shape[1:])
            shape[read] = (1 - self.share) * network[read] + self.share * heard
        grown = quickened(enlarge(shape, self.gain, self.middle, self.opening), self.quick)
        if self.rest is not None and silence is not None:
            grown = grown + silence[:, None, None] * (self.rest.reshape(network.shape[1:]) - grown)
        return rotate(grown, held.pose_rad[:, 2]) + self.location(held).reshape(network.shape)


def enlarge(shape: F32, gain: float, middle: F32, opening: F32) -> F32:
    """(T, 29, 2) with `gain` times the lip opening around that of the (58,) `middle`, along (58,) `opening`."""
    far = gaps_of(shape).mean(axis=1) - gaps_of(middle.reshape(1, -1, 2)).mean()
    out: F32 = (shape + (gain - 1) * far[:, None, None] * opening.reshape(-1, 2)).astype(np.float32)
    return out


def fit_separate(
    features: Sequence[Mapping[str, F32]],
    landmarks: Sequence[F32],
    held: Sequence[Conditions],
    seen: NDArray[np.bool_],
    silence: F32 | None,
    config: MotionConfig,
) -> Separate:
    """Fit location, kernel and both gains on training stretches.

    Args:
        features: standardised, per stretch; landmarks: (T, 29, 2) per stretch; held: their conditions.
        seen: (N,) frames with a face, over all stretches; silence: (N,) or None.
    """
    groups = np.concatenate([np.full(len(p), i) for i, p in enumerate(landmarks)])[seen]
    deviation = _deviations(features, landmarks, config)
    parts = [windows(f, len(p), deviation) for f, p in zip(features, landmarks, strict=True)]
    heard = {name: np.concatenate([w[name] for w in parts])[seen] for name in config.features}
    points = np.concatenate(list(landmarks))[seen]
    roll = np.concatenate([h.pose_rad[:, 2] for h in held])[seen]
    articulation = speech_articulation(heard, rotate(points, -roll)[:, :N_MOUTH], groups)
    flat = points.reshape(len(points), -1)
    smoothing = config.condition_smoothing_s * float(FPS)
    location = fit_location(held, seen, flat, articulation, config.leak_penalty, smoothing)
    moved = points - np.concatenate([location(h) for h in held])[seen].reshape(points.shape)
    shapes = rotate(moved, -roll).reshape(len(points), -1)
    kernel = fit_kernel(heard, shapes, deviation)
    middle = shapes.mean(axis=0)
    base = flat.mean(axis=0) - middle
    parted = [shapes[groups == i].reshape(-1, 29, 2) for i in np.unique(groups)]
    opening = opening_of(parted, [gaps_of(p) for p in parted], np.ones(len(shapes), bool)).astype(np.float32)
    gain, quick = _gains(heard, shapes, middle, opening, _following(groups, seen), config)
    rest = None if silence is None else rest_shape(shapes, base, silence[seen])
    return Separate(
        location, kernel, config.kernel_share, gain, middle, opening, rest, quick,
    )  # fmt: skip


def _gains(
    heard: Mapping[str, F32],
    shapes: F32,
    middle: F32,
    opening: F32,
    follows: NDArray[np.bool_],
    config: MotionConfig,
) -> tuple[float, float]:
    """How many times more real lip gaps vary than predictions for frames held out, 1 to 2, and the gain of quick
    movement that such predictions then need."""
    if config.amplitude <= 0 and config.quick <= 0:
        return 1.0, 0.0
    guess, real = (s.reshape(-1, 29, 2) for s in (held_out(heard, shapes), shapes))
    gain = 1.0
    if config.amplitude > 0:
        ratio = gaps_of(real).mean(axis=1).std() / max(gaps_of(guess).mean(axis=1).std(), 1e-9)
        gain = float(np.clip(config.amplitude * ratio, 1, _LARGEST_GAIN))
    grown = enlarge(guess, gain, middle, opening)
    return gain, quick_gain(grown[:, :N_MOUTH], real[:, :N_MOUTH], follows, config.quick)


def _following(groups: NDArray[np.int64], seen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(N - 1,) which of the seen frames, whose stretches are `groups`, is the one after the seen frame before it."""
    return (np.diff(np.flatnonzero(seen)) == 1) & (np.diff(groups) == 0)


def _deviations(
    features: Sequence[Mapping[str, F32]], landmarks: Sequence[F32], config: MotionConfig
) -> dict[str, F32]:
    out = {}
    for name in config.features:
        frames = [per_frame(name, f[name], len(p)) for f, p in zip(features, landmarks, strict=True)]
        std = np.concatenate(frames).std(axis=0, dtype=np.float64)
        out[name] = np.maximum(std, 0.05).astype(np.float32)
    return out


LOCATION = ("mean", "std", "slow", "fast", "bias")
"""Arrays of a `Location`."""


def separate_arrays(separate: Separate) -> dict[str, F32]:
    """All arrays by name, for a checkpoint."""
    arrays = {f"location.{k}": getattr(separate.location, k) for k in LOCATION}
    arrays |= {"kernel.weights": separate.kernel.weights, "kernel.bias": separate.kernel.bias}
    arrays |= {f"kernel.support.{name}": rows for name, rows in separate.kernel.support.items()}
    arrays |= {f"kernel.deviation.{name}": rows for name, rows in separate.kernel.deviation.items()}
    numbers = np.array([separate.share, separate.gain, separate.location.smoothing, separate.quick], np.float64)
    rest = {} if separate.rest is None else {"separate.rest": separate.rest}
    return (
        arrays
        | rest
        | {"separate.middle": separate.middle, "separate.opening": separate.opening, "separate.numbers": numbers}
    )


def separate_from(read: Callable[[str], F32], config: MotionConfig) -> Separate:
    """The inverse; `read` gives an array by name and raises KeyError for an unknown one."""
    kernel = KernelShape(
        {name: read(f"kernel.deviation.{name}") for name in config.features},
        {name: read(f"kernel.support.{name}") for name in config.features},
        read("kernel.weights"),
        read("kernel.bias"),
    )
    share, gain, smoothing, *more = (float(v) for v in read("separate.numbers"))
    mean, std, slow, fast, bias = (read(f"location.{k}") for k in LOCATION)
    location = Location(mean, std, slow, fast, bias, smoothing)
    rest = read("separate.rest") if config.rests else None
    quick = more[0] if more else 0.0  # personas of before have none
    return Separate(location, kernel, share, gain, read("separate.middle"), read("separate.opening"), rest, quick)
