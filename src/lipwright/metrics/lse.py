"""LSE-D, LSE-C and offset from SyncNet's points, by the arithmetic of SyncNet's demo and Wav2Lip's scripts.

Every window of lips is compared with the windows of sound up to 15 frames before and after it; sound beyond the
ends counts as zeros. The mean distance at each shift gives a curve of 31 values: its minimum is LSE-D, its median
less its minimum LSE-C (higher is better), the place of the minimum the offset. (Chung and Zisserman 2016; Prajwal
et al., "A lip sync expert is all you need", 2020.)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.signal import medfilt
from torch.nn.functional import pad, pairwise_distance

from lipwright.core.contracts import F32
from lipwright.core.errors import ShapeError
from lipwright.metrics.bootstrap import Interval, block_frames, interval, mean_interval

REACH = 15
"""Frames of 1/25 s to either side: `vshift` in the scripts."""
_SMOOTH = 9


@dataclass(frozen=True)
class LipSync:
    """Scores of one face track."""

    lse_d: float
    """Distance at the best shift; lower is better."""
    lse_c: float
    """Median over shifts less the best: the confidence; higher is better."""
    syncnet_offset: int
    """Frames of 1/25 s as the scripts print it: positive when the sound is EARLY."""
    curve: F32
    """(31,) mean distance at each shift; the place k stands for the offset 15 - k."""
    confidence: NDArray[np.float64]
    """(N,) the scripts' confidence of each window at the common offset, median-filtered over 9."""

    table: F32 = field(repr=False)
    """(N, 31) distance of each window at each shift."""

    def intervals(self) -> dict[str, Interval | None]:
        """95 % intervals of 'lse_d', 'lse_c' and 'offset' (late frames), whole seconds drawn (`metrics.bootstrap`)."""
        best = (self.table.shape[1] - 1) // 2 - self.syncnet_offset
        middle = (self.table.shape[1] - 1) // 2
        return {
            "lse_d": mean_interval(self.table[:, best], block_frames(25)),
            "lse_c": interval(self.table, block_frames(25), lambda m: np.median(m, axis=1) - m.min(axis=1)),
            "offset": interval(self.table, block_frames(25), lambda m: m.argmin(axis=1) - middle),
        }

    @property
    def late_frames(self) -> int:
        """Frames of 1/25 s by which the sound is late: lipwright's sign everywhere, the negative of the scripts'."""
        return -self.syncnet_offset


def window_count(n_frames: int, n_samples: int) -> int:
    """Windows that the scripts use: the shorter of both in frames, less 5 (one short of what there are)."""
    return max(0, min(n_frames, n_samples // 640) - 5)


def distances(lips: NDArray[Any], sound: NDArray[Any], reach: int = REACH) -> F32:
    """(N, 2 reach + 1) distances of (N, D) points: column k compares lips t with sound t + k - reach.

    PyTorch's pairwise distance: the norm of the difference plus 1e-6.
    """
    if lips.ndim != 2 or lips.shape != sound.shape or not len(lips):
        raise ShapeError("points", ("N >= 1", "D"), (*lips.shape, *sound.shape))
    video, audio = (torch.from_numpy(np.ascontiguousarray(x)) for x in (lips, sound))
    padded = pad(audio, (0, 0, reach, reach))
    columns = [pairwise_distance(video, padded[k : k + len(video)]) for k in range(2 * reach + 1)]
    return np.asarray(torch.stack(columns, 1).numpy(), dtype=np.float32)


def lip_sync(lips: NDArray[Any], sound: NDArray[Any], reach: int = REACH) -> LipSync:
    """Scores of (N, D) points of lips and sound, window by window in step."""
    each_shift = distances(lips, sound, reach)
    table = torch.from_numpy(each_shift)
    curve = table.T.contiguous().mean(1)
    least, place = torch.min(curve, 0)
    middle = torch.median(curve)  # of 31: the sixteenth
    each = (middle - table[:, place]).double().numpy()
    return LipSync(
        float(least),
        float(middle - least),
        reach - int(place),
        curve.numpy(),
        medfilt(np.pad(each, _SMOOTH), _SMOOTH)[_SMOOTH:-_SMOOTH],
        each_shift,
    )
