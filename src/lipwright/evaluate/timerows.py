"""What time alone shows: length, repeated frames, cuts, blinks, flicker."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from lipwright.core.clock import SAMPLE_RATE
from lipwright.evaluate.result import Row
from lipwright.evaluate.source import Scan
from lipwright.face.shots import shots
from lipwright.face.skin import UPPER
from lipwright.metrics import flicker, steadiness
from lipwright.metrics.blinks import blink_rate, eye_openness
from lipwright.metrics.blockiness import blockiness
from lipwright.metrics.bootstrap import Interval, block_frames, mean_interval, ratio_interval

HEAD = 1.5
"""The head and its hair, over the rectangle of the 68 points."""


def time_rows(scans: Mapping[str, Scan]) -> list[Row]:
    """Rows that need one video only; the real one's stand beside the video's."""
    static = _static(scans.get("real") or scans["video"])
    energies = {name: flicker.flicker_energy(scan.cells, static) for name, scan in scans.items()}
    by_name = {id(scan): energies[name] for name, scan in scans.items()}
    facts: list[tuple[str, str, str, str, Callable[[Scan], float]]] = [
        ("time.duration", "duration", "s", "", lambda s: float(len(s) / s.fps)),
        ("time.sound_gap", "sound longer than picture", "ms", "zero", sound_gap),
        ("time.no_face", "frames without a face", "", "lower", lambda s: float(1 - s.track.present.mean())),
        ("time.frozen", "repeated frames", "", "lower", lambda s: steadiness.frozen_share(list(s.changes))),
        ("time.longest_freeze", "longest standstill", "s", "lower", longest_freeze),
        ("time.cuts", "cuts", "", "", cuts),
        (
            "time.flicker",
            "flicker where nothing moves",
            "grey levels",
            "lower",
            lambda s: flicker.flicker(by_name[id(s)]),
        ),
        ("time.blinks", "blinks", "per minute", "", _blinks),
        ("time.noise", "tracker noise on the mouth, RMS", "px", "", lambda s: s.noise_px),
        ("time.blockiness", "blocks of the whole video, steps on the 8 px grid", "", "one", _blockiness),
    ]
    sure = _intervals(scans["video"], energies["video"])
    return [
        Row(key, label, unit, better, **{name: f(scan) for name, scan in scans.items()}, interval=sure.get(key))
        for key, label, unit, better, f in facts
    ]


def sound_gap(scan: Scan) -> float:
    """Length of the sound minus that of the picture in ms; nan without sound."""
    if not len(scan.samples):
        return float("nan")
    return 1000 * float(len(scan.samples) / SAMPLE_RATE - len(scan) / scan.fps)


def longest_freeze(scan: Scan) -> float:
    """Longest stretch of frames that repeat the one before, in seconds."""
    still = np.concatenate([[0], scan.changes < steadiness.FROZEN_BELOW, [0]]).astype(np.int8)
    edges = np.flatnonzero(np.diff(still))
    return float(max(edges[1::2] - edges[::2], default=0) / float(scan.fps))


def cuts(scan: Scan) -> float:
    """Number of cuts."""
    points = scan.track.dense_px[:, UPPER, :2]
    boxes = np.concatenate([points.min(axis=1), points.max(axis=1)], axis=1).astype(np.float32)
    boxes[~scan.track.present] = np.nan
    return float(len(shots(scan.scenes, boxes[:, None], float(scan.fps)).shots) - 1)


def _blinks(scan: Scan) -> float:
    return blink_rate(eye_openness(scan.track.landmarks_px), float(scan.fps))


def _blockiness(scan: Scan) -> float:
    return blockiness(scan.blocks)


def _static(scan: Scan) -> NDArray[np.bool_]:
    """Quietest cells outside every place the head reaches."""
    rows, columns = scan.cells.shape[1:]
    points = scan.track.landmarks_px[scan.track.present]
    low, high = points.min(axis=1), points.max(axis=1)
    centre, half = (low + high) / 2, (high - low) / 2 * HEAD
    low, high = (centre - half).min(axis=0), (centre + half).max(axis=0)
    x = (np.arange(columns) + 0.5) * scan.size[0] / columns
    y = (np.arange(rows) + 0.5) * scan.size[1] / rows
    blocked = np.outer((y >= low[1]) & (y <= high[1]), (x >= low[0]) & (x <= high[0]))
    return flicker.static_cells(scan.cells, np.asarray(blocked))


def _intervals(scan: Scan, energy: NDArray[np.float64]) -> dict[str, Interval | None]:
    block = block_frames(float(scan.fps))
    squared = mean_interval(energy, block)
    return {
        "time.no_face": mean_interval(~scan.track.present, block),
        "time.frozen": mean_interval(scan.changes < steadiness.FROZEN_BELOW, block),
        "time.flicker": _roots(squared),
        "time.blockiness": ratio_interval(
            scan.blocks[:, 0], scan.blocks[:, 1], block_frames(float(scan.fps) / scan.block_every)
        ),
    }


def _roots(squared: Interval | None) -> Interval | None:
    # The smallest mean of zeros may come out a rounding error below zero.
    return None if squared is None else (max(squared[0], 0.0) ** 0.5, max(squared[1], 0.0) ** 0.5)
