"""A motion model fed in pieces: what it says never depends on how its input was cut.

    stream = MotionStream(model)
    for features, conditions in pieces:
        ready = stream.push(features, conditions)      # (k, 29, 2), k may be 0
    rest = stream.finish()

A frame is told as soon as what it depends on has come: `info.lookahead_s` later for a model with a limited
look-ahead, the whole halo later for the others. All pieces together equal one `predict` over everything.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from lipwright.core.contracts import F32, Conditions, MotionModel
from lipwright.core.errors import ShapeError


class MotionStream:
    """Keeps as much of the past as the model looks back on; memory does not grow."""

    def __init__(self, model: MotionModel) -> None:
        self._model, info = model, model.info
        late = info.lookahead_s
        self._ahead = info.halo if late is None else min(round(late * float(info.fps)), info.halo)
        self._behind = info.halo
        self._features: dict[str, F32] = {}
        self._held: Conditions | None = None
        self._old = 0
        """How many of the frames kept were told already."""

    @property
    def lookahead(self) -> int:
        """Frames that a frame waits for."""
        return self._ahead

    def push(self, features: Mapping[str, F32], conditions: Conditions) -> F32:
        """Take the next n frames; returns what can be told now, in order.

        Args:
            features: name -> (rate·n, dim) rows of `model.info.features`; conditions: of the same n frames.
        """
        n = len(conditions.pose_rad)
        for name, rows in features.items():
            if n and len(rows) % n:
                raise ShapeError(f"features['{name}']", (f"rate·{n}", "dim"), rows.shape)
        if self._held is None:
            self._features, self._held = dict(features), conditions
        else:
            self._features = {name: np.concatenate([self._features[name], rows]) for name, rows in features.items()}
            self._held = Conditions(
                np.concatenate([self._held.pose_rad, conditions.pose_rad]),
                np.concatenate([self._held.cheeks, conditions.cheeks]),
            )
        return self._tell(len(self._held.pose_rad) - self._ahead)

    def finish(self) -> F32:
        """What is left at the end of the speech; the stream is empty afterwards."""
        if self._held is None:
            return np.zeros((0, 29, 2), np.float32)
        rest = self._tell(len(self._held.pose_rad))
        self._features, self._held, self._old = {}, None, 0
        return rest

    def _tell(self, stop: int) -> F32:
        assert self._held is not None
        if stop <= self._old:
            return self._model.predict({n: r[:0] for n, r in self._features.items()}, _part(self._held, 0, 0))
        out = self._model.predict(self._features, self._held)[self._old : stop]
        kept, n = max(stop - self._behind, 0), len(self._held.pose_rad)
        self._features = {name: rows[kept * (len(rows) // n) :] for name, rows in self._features.items()}
        self._held, self._old = _part(self._held, kept, n), stop - kept
        return out


def _part(held: Conditions, start: int, stop: int) -> Conditions:
    return Conditions(held.pose_rad[start:stop], held.cheeks[start:stop])
