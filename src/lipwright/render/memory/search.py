"""Which remembered mouth for which frame: nearest shapes, then the smoothest path through them.

Unary cost: weighted squared distance of lips, inner lips, jaw and head pose in the canonical frame.
Pairwise cost: how much the look would jump between two mouths beyond what the wanted motion explains;
a mouth followed by its own successor in the footage costs nothing. Viterbi over a window with a few
frames of look-ahead. Decisions before the look-ahead are final; the synthesis always asks in the same
windows, so the result does not depend on how it is read. Other windows mostly choose the same mouths; what a
switch costs is relative to how well the window's frames are matched.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lipwright.core.contracts import F32
from lipwright.core.ibug import INNER_BOTTOM, INNER_TOP, MOUTH_JAW
from lipwright.render.memory.bank import MouthBank

_TOP = [MOUTH_JAW.index(i) for i in INNER_TOP]
_BOTTOM = [MOUTH_JAW.index(i) for i in INNER_BOTTOM]


@dataclass(frozen=True)
class SearchConfig:
    """Weights of the path."""

    candidates: int = 24
    """Nearest mouths considered for each frame."""
    outer: float = 1.0
    """Weight of outer-lip points."""
    inner: float = 2.0
    """Weight of inner-lip points: they decide closure and teeth."""
    jaw: float = 0.35
    """Weight of jaw points."""
    pose: float = 0.5
    """Weight of one radian of head turn, in eye distances per point."""
    aperture: float = 1.0
    """Extra weight of how far the lips are apart: a closed mouth must come from a closed mouth."""
    jump: float = 0.2
    """Weight of a change of look, per grey level squared."""
    cut: float = 0.35
    """Cost of leaving the footage's own order, in mean unary costs."""


class PathSearch:
    """Chooses one remembered mouth per frame; keeps the last choice between windows."""

    def __init__(self, bank: MouthBank, config: SearchConfig | None = None) -> None:
        self.config = config or SearchConfig()
        self.bank = bank
        unit = bank.geometry.eye_distance
        c = self.config
        weights = np.concatenate([np.full(12, c.outer), np.full(8, c.inner), np.full(9, c.jaw)])
        self._weights = (np.sqrt(weights / weights.sum()) / unit).astype(np.float32)
        self._features = self._feature(bank.shapes(), bank.pose_rad)
        self._norm = (self._features**2).sum(1)
        self._looks = bank.looks / 255.0
        order = np.argsort(bank.source)
        self._follows = np.full(len(bank), -1)
        nearby = np.diff(bank.source[order]) == 1
        self._follows[order[:-1][nearby]] = order[1:][nearby]
        self.reset()

    def reset(self) -> None:
        """A new video begins."""
        self.last: int | None = None

    def _feature(self, shapes: F32, pose_rad: F32) -> F32:
        points = (shapes * self._weights[:, None]).reshape(len(shapes), -1)
        gap = shapes[:, _BOTTOM, 1].mean(1) - shapes[:, _TOP, 1].mean(1)
        gap = gap[:, None] * np.float32(self.config.aperture / self.bank.geometry.eye_distance)
        turn = pose_rad * np.float32(np.sqrt(self.config.pose) * 0.3)
        return np.concatenate([points, gap, turn], 1).astype(np.float32)

    def path(self, shapes: F32, pose_rad: F32, n_final: int) -> np.ndarray:
        """(T,) bank indices for (T, 29, 2) canonical shapes and (T, 3) poses.

        The first `n_final` are decided and the last of them is kept as `last`; later ones are a preview that
        the next window may still change.
        """
        wanted = self._feature(shapes, pose_rad)
        k = min(self.config.candidates, len(self.bank))
        distance = self._norm[None] + (wanted**2).sum(1)[:, None] - 2 * wanted @ self._features.T
        nearest = np.argpartition(distance, k - 1, axis=1)[:, :k]
        if self.last is not None and self._follows[self.last] >= 0:
            nearest[0, -1] = self._follows[self.last]  # going on is always an option
        unary = np.take_along_axis(distance, nearest, 1).clip(min=0).astype(np.float64)
        return self._viterbi(nearest, unary, n_final)

    def _viterbi(self, nearest: np.ndarray, unary: np.ndarray, n_final: int) -> np.ndarray:
        scale = max(float(np.median(unary.min(1))), 1e-8)
        cost = unary[0].copy()
        if self.last is not None:
            cost += self._jump(np.array([self.last]), nearest[0], scale)[0]
        back = np.zeros(nearest.shape, int)
        for t in range(1, len(nearest)):
            total = cost[:, None] + self._jump(nearest[t - 1], nearest[t], scale)
            back[t] = total.argmin(0)
            cost = total.min(0) + unary[t]
        choice = np.zeros(len(nearest), int)
        choice[-1] = int(cost.argmin())
        for t in range(len(nearest) - 1, 0, -1):
            choice[t - 1] = back[t, choice[t]]
        path: np.ndarray = np.take_along_axis(nearest, choice[:, None], 1)[:, 0]
        self.last = int(path[n_final - 1])
        return path

    def in_order(self, before: int, after: int) -> bool:
        """Whether `after` is the footage's own successor of `before` (or the same mouth)."""
        return before == after or int(self._follows[before]) == after

    def _jump(self, before: np.ndarray, after: np.ndarray, scale: float) -> np.ndarray:
        a, b = self._looks[before], self._looks[after]
        difference = ((a[:, None] - b[None]) ** 2).mean(-1)
        cost: np.ndarray = self.config.jump * difference + self.config.cut * scale
        cost[self._follows[before][:, None] == after[None]] = 0.0
        return cost
