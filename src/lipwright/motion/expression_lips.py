"""Lips of a morphable face that close on /p b m/ and rest in silence, in its expression coefficients.

What `motion.lips` and `motion.silence` do to landmarks, for a face whose lips part as its coefficients say: a
regression predicts half a closure where it is unsure, so the phones decide. The person's own fit tells how near closed
lips come and along which direction of the coefficients they part. Nothing is enlarged: a fit that mistakes bared teeth
for lip opens too little, the renderer learns to make up for it, and a regression as wide as the fit would open too far.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import F32
from lipwright.core.ibug import INNER_BOTTOM, INNER_TOP
from lipwright.motion.lips import Contact, contact_of, opening_of
from lipwright.motion.quick import quickened
from lipwright.motion.silence import rest_frames, silence_of

if TYPE_CHECKING:
    from lipwright.face.morphable.model import FaceModel

F64 = NDArray[np.float64]
FEATURES = ("phones", "pauses")
"""Speech features that it reads."""
_HALVINGS = 8
"""Of the interval in which `quick_beside` looks."""
_WAYS = ("gap", "opening", "rest")
"""Fields of `ExpressionLips` of one number a coefficient."""


@dataclass(frozen=True)
class ExpressionLips:
    """How one person's lips part, meet and rest; gaps are means of three inner-lip pairs in cm."""

    still: float
    """Gap where all coefficients are 0."""
    gap: F32
    """(E,) by which a unit of each coefficient opens it."""
    opening: F32
    """(E,) coefficients that open it by a unit the way this person does."""
    closed: float
    """Of closed lips."""
    near: float
    """Of /f v/."""
    trust: float
    """See `motion.lips.Contact`."""
    rest: F32
    """(E,) in silence."""

    def __call__(self, expression: F32, phones: F32, pauses: F32) -> F32:
        """(T, E) as a network predicts it to (T, E).

        Args: `phones` (T, 20) and `pauses` (T, 2), rows of those features.
        """
        rested = expression + silence_of(phones, pauses)[:, None] * (self.rest - expression)
        contact = Contact(np.array([self.closed]), np.array([self.near]), self.trust)
        change = contact.change(self.gaps(rested)[:, None], phones, pauses[:, 1])
        return (rested + change * self.opening).astype(np.float32)

    def widened(self, expression: F32, amplitude: float) -> F32:
        """(T, E) with what the lips are apart beyond contact times `amplitude`."""
        apart = np.maximum(self.gaps(expression) - self.closed, 0)
        return (expression + ((amplitude - 1) * apart)[:, None] * self.opening).astype(np.float32)

    def gaps(self, expression: F32) -> F64:
        """(T,) cm."""
        return np.asarray(self.still + expression.astype(np.float64) @ self.gap, np.float64)

    def arrays(self) -> dict[str, NDArray[np.floating]]:
        """All numbers by name, for a checkpoint; single ones in full."""
        return {f"lips.{f.name}": np.asarray(getattr(self, f.name)) for f in fields(self)}

    @classmethod
    def of_arrays(cls, read: Callable[[str], NDArray[np.floating]]) -> ExpressionLips:
        """The inverse; `read` gives an array by name and raises KeyError for an unknown one."""
        told = {f.name: read(f"lips.{f.name}") for f in fields(cls)}
        return cls(**{k: v if k in _WAYS else v.item() for k, v in told.items()})  # type: ignore[arg-type]


def gap_of(model: FaceModel, geometry: F32) -> tuple[float, F32]:
    """Gap of the inner lips in cm without expression, and (E,) by which a unit of each coefficient opens it."""
    still = model.landmark68(model.mean) + np.tensordot(geometry, model.landmark68(model.geometry), 1)
    return float(_parted(still)), _parted(model.landmark68(model.expression)).astype(np.float32)


def fit_expression_lips(
    still: float,
    gap: F32,
    expression: Sequence[F32],
    seen: Sequence[NDArray[np.bool_]],
    phones: Sequence[F32],
    pauses: Sequence[F32],
) -> ExpressionLips:
    """Measure on stretches of the person's own fit.

    Args:
        still, gap: of `gap_of`.
        expression: (T, E); seen: (T,) which frames show the face; phones: (T, 20); pauses: (T, 2); of each stretch.
    """
    gaps = [still + e.astype(np.float64) @ gap for e in expression]
    shown = np.concatenate(list(seen))
    every, coefficients = np.concatenate(gaps)[shown], np.concatenate(list(expression))[shown]
    silence = np.concatenate([silence_of(*rows) for rows in zip(phones, pauses, strict=True)])[shown]
    apart = [g[:, None] for g in gaps]
    contact = contact_of(apart, shown, phones)
    rest = coefficients[rest_frames(every, silence)].mean(0)
    return ExpressionLips(
        still, gap, opening_of(expression, apart, shown).astype(np.float32),
        float(contact.closed[0]), float(contact.near[0]), contact.trust, rest.astype(np.float32),
    )  # fmt: skip


def quick_beside(
    lips: ExpressionLips, quick: float, told: Sequence[F32], phones: Sequence[F32], pauses: Sequence[F32]
) -> float:
    """What is left of a gain of `motion.quick` where lips close: both together move as much as it gives alone.

    Args: (T, E) what a network says of some stretches, and (T, 20) and (T, 2) what `lips` hear there.
    """

    def energy(gain: float, closing: bool) -> float:
        heard = zip((quickened(row, gain) for row in told), phones, pauses, strict=True)
        gaps = (lips.gaps(lips(*of) if closing else of[0]) for of in heard)
        return float(sum((np.diff(g) ** 2).sum() for g in gaps))

    wanted, low, high = energy(quick, False), 0.0, quick
    if energy(high, True) <= wanted:
        return quick
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if energy(middle, True) > wanted else (middle, high)
    return low


def _parted(points: NDArray[np.floating]) -> NDArray[np.floating]:
    """(...) cm by which the inner lips of (..., 68, 3) points in head axes (y up) are apart."""
    return np.asarray((points[..., list(INNER_TOP), 1] - points[..., list(INNER_BOTTOM), 1]).mean(-1))
