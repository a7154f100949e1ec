"""Which remembered mouth for which frame: nearest shapes, then the smoothest path through them.

Unary cost: weighted squared distance of lips, inner lips, jaw and head pose in the canonical frame.
Pairwise cost: how much the look would jump between two mouths beyond what the wanted motion explains;
a mouth followed by its own successor in the footage costs nothing. Viterbi with a fixed lag: a frame is decided
when a few more frames are known, whatever windows the frames come in. What a switch costs is relative to how
well the last seconds were matched.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from lipwright.core.contracts import F32
from lipwright.render.memory.bank import MouthBank
from lipwright.render.memory.features import ShapeWeights, describe
from lipwright.render.memory.index import MouthIndex

LAG = 11
"""Frames that must be known after a frame to decide it."""
MOMENT = 2
"""Frames around a mouth that show the same moment."""
_ADAPT = 0.02
"""How fast the yardstick of the switching cost follows the matches: over about two seconds."""


@dataclass(frozen=True)
class SearchConfig(ShapeWeights):
    """Weights of shapes and of the path."""

    candidates: int = 24
    """Nearest mouths considered for each frame."""
    jump: float = 0.2
    """Weight of a change of look, per grey level squared."""
    cut: float = 0.35
    """Cost of leaving the footage's own order, in unary costs of the best matches of the last seconds."""


@dataclass
class _Step:
    """One frame of the trellis."""

    mouths: np.ndarray
    """(k,) candidates."""
    cost: np.ndarray
    """(k,) of the cheapest path that ends in each."""
    back: np.ndarray
    """(k,) the candidate of the frame before on that path."""


class PathSearch:
    """Chooses one remembered mouth per frame; keeps the last choice between windows."""

    def __init__(self, bank: MouthBank, config: SearchConfig | None = None) -> None:
        self.config = config or SearchConfig()
        self.bank = bank
        self._features = self._feature(bank.shapes(), bank.pose_rad)
        self._index = MouthIndex(self._features)
        self._order = order = np.argsort(bank.source)
        self._follows = np.full(len(bank), -1)
        nearby = np.diff(bank.source[order]) == 1
        self._follows[order[:-1][nearby]] = order[1:][nearby]
        self._typical = self._own_match()
        self.reset()

    def __copy__(self) -> PathSearch:
        """The same mouths; the path goes on from here on its own."""
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        other._ahead = [replace(step, cost=step.cost.copy()) for step in self._ahead]
        other._decided = list(self._decided)
        return other

    def reset(self) -> None:
        """A new video begins."""
        self.last: int | None = None
        self._ahead: list[_Step] = []
        self._decided: list[int] = []
        self._edge: _Step | None = None
        self._scale = self._typical

    def forget_plans(self) -> None:
        """What comes after the last final frame is looked at anew."""
        self._ahead.clear()
        self._decided.clear()

    def _own_match(self) -> float:
        """How well the memory's mouths match each other, moments of their own neighbourhood left out."""
        source = self.bank.source
        some = np.unique(np.linspace(0, len(source) - 1, 200).astype(int))
        found = [self._index.nearest(self._features[i], 1, self._around(source[i]))[1] for i in some]
        least = [d[0] for d in found if len(d)]
        return max(float(np.median(least)), 1e-8) if least else 1e-4

    def _around(self, frame: int) -> np.ndarray:
        """Mouths of the source frames no more than `LAG` from one."""
        first, stop = np.searchsorted(self.bank.source, [frame - LAG, frame + LAG + 1], sorter=self._order)
        return self._order[first:stop]

    def _feature(self, shapes: F32, pose_rad: F32) -> F32:
        return describe(shapes, pose_rad, self.bank.geometry.eye_distance, self.config)

    def path(self, shapes: F32, pose_rad: F32, n_final: int) -> np.ndarray:
        """(T,) bank indices for (T, 29, 2) canonical shapes and (T, 3) poses.

        Args:
            shapes, pose_rad: the frames after those of the last call that were final, and what comes after them.
            n_final: how many are final now; the next call begins after them. With at least `LAG` more frames they
                do not depend on where calls begin and end, nor does the first one after them.
        """
        wanted = self._feature(shapes, pose_rad)
        for t in range(len(self._ahead), len(shapes)):  # the others were looked at already
            self._extend(wanted[t])
        path = self._best()
        for t in range(len(shapes)):
            path[t] = self._decided[t] if t < len(self._decided) else path[t]
        self.last = int(path[n_final - 1])
        self._edge = self._ahead[n_final - 1]
        self._edge.cost[self._edge.mouths != self.last] = np.inf
        del self._ahead[:n_final], self._decided[:n_final]
        return path

    def others(self, shape: F32, pose_rad: F32, mouth: int, most: int) -> list[int]:
        """The `most` mouths but `mouth` that are nearest to a (29, 2) canonical shape and (3,) pose, nearest first.

        None is of the same moment (`MOMENT` frames) as `mouth` or another: neighbours in time would tell the same.
        """
        wanted = self._feature(shape[None], pose_rad[None])[0]
        source, fetch = self.bank.source, 8 * (most + 1)
        while True:
            near, _ = self._index.nearest(wanted, fetch)
            chosen = [mouth]
            for other in near:
                if len(chosen) <= most and np.abs(source[chosen] - source[other]).min() > MOMENT:
                    chosen.append(int(other))
            if len(chosen) > most or len(near) < fetch:
                return chosen[1:]
            fetch *= 4

    def _extend(self, wanted: F32) -> None:
        """Look at one more frame; the one `LAG` frames before it is then decided for good."""
        nearest, distance = self._index.nearest(wanted, self.config.candidates)
        before = self._ahead[-1] if self._ahead else self._edge
        if before is not None:
            follower = self._follows[before.mouths[before.cost.argmin()]]
            if follower >= 0 and follower not in nearest:
                nearest[-1] = follower  # going on is always an option
                distance[-1] = self._index.distances(wanted, nearest[-1:])[0]
        unary = distance.astype(np.float64)
        self._scale *= (max(float(unary.min()), 1e-8) / self._scale) ** _ADAPT
        if before is None:
            step = _Step(nearest, unary, np.zeros(len(nearest), int))
        else:
            total = before.cost[:, None] + self._jump(before.mouths, nearest, self._scale)
            step = _Step(nearest, total.min(0) + unary, total.argmin(0))
        self._ahead.append(step)
        self._decide(len(self._ahead) - 1 - LAG)
        step.cost -= step.cost.min()

    def _decide(self, t: int) -> None:
        """Settle frame t of those ahead by the best path so far; paths through other mouths end there."""
        if t < 0 or t < len(self._decided):
            return
        through = np.arange(len(self._ahead[-1].mouths))
        for step in self._ahead[:t:-1]:
            through = step.back[through]
        last = self._ahead[-1]
        chosen = through[last.cost.argmin()]
        last.cost[through != chosen] = np.inf
        self._decided.append(int(self._ahead[t].mouths[chosen]))

    def _best(self) -> np.ndarray:
        """The cheapest path through the frames ahead."""
        path = np.zeros(len(self._ahead), int)
        choice = int(self._ahead[-1].cost.argmin())
        for t in range(len(self._ahead) - 1, -1, -1):
            path[t] = self._ahead[t].mouths[choice]
            choice = int(self._ahead[t].back[choice])
        return path

    def in_order(self, before: int, after: int) -> bool:
        """Whether `after` is the footage's own successor of `before` (or the same mouth)."""
        return before == after or int(self._follows[before]) == after

    def _jump(self, before: np.ndarray, after: np.ndarray, scale: float) -> np.ndarray:
        a, b = (self.bank.looks[which].astype(np.float32) / 255 for which in (before, after))
        difference = ((a[:, None] - b[None]) ** 2).mean(-1)
        cost: np.ndarray = self.config.jump * difference + self.config.cut * scale
        cost[self._follows[before][:, None] == after[None]] = 0.0
        return cost
