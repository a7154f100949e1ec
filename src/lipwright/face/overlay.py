"""Captions and logos burnt into the picture over the chin: what stays on the screen while the face moves.

While frames pass, gradients are summed over half a second in screen coordinates. Where their mean is strong
and they hardly vary, something stands still on the screen. A face that moved meanwhile by a pixel or two
leaves nothing of its own there, so still edges inside its outline belong to something in front of it. Nothing
is read and nothing about letters is assumed.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import F32, U8
from lipwright.face.smooth import runs

MAP_PX = 384
"""Longer side of the picture that gradients are taken of."""
CELL_PX = 8
"""Still edges are counted in cells of so many map pixels."""
BLOCK_S = 0.5
"""One count per so many seconds: captions stay longer, heads move within it."""
_SAMPLES = 6
"""Frames looked at in each block."""
_STRONG = 34.0
"""Grey levels per map pixel of an edge that is drawn: lips, nostrils and beards stay below 30."""
_VARIES = 0.06
"""Largest variance of a still edge's gradient over its squared mean."""
_MOVED_PX = 1.8
"""Map pixels that the face must have moved in a block for its own edges to be gone."""
_CELL_EDGES = 6
"""Still edge pixels (of 64) that make a cell."""
_CELLS = 3
"""Cells over the face that make a caption."""
_BLOCKS = 2
"""Blocks that a caption stays at least."""
_GAP_S = 1.6
"""Blocks between two covered ones are covered: the text changed there, or the face stood still."""
_OUTLINE = [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 33]
"""iBUG points around the lower face: jaw from below the ears, and the nose's base."""
_SHRINK = 0.94
"""The jaw's own edge against a still background is not over the face."""


class StillEdges:
    """Gathers (blocks, rows, columns) counts of still edge pixels while frames pass.

    Args:
        fps: frames per second; blocks are `block_frames(fps)` long, the last one shorter.
    """

    def __init__(self, fps: float) -> None:
        self._block = block_frames(fps)
        self._step = max(self._block // _SAMPLES, 1)
        self._counts: list[U8] = []
        self._frames = 0
        self._sums: list[F32] = []

    def add(self, rgb8: U8) -> None:
        """One RGB frame; all frames must be of one size."""
        if self._frames % self._block % self._step == 0:
            self._sum(rgb8)
        self._frames += 1
        if self._frames % self._block == 0:
            self._close()

    def counts(self) -> U8:
        """(B, rows, columns) still edge pixels per cell of all blocks, the last perhaps short; ends the gathering."""
        if self._sums:
            self._close()
        return np.stack(self._counts) if self._counts else np.zeros((0, 1, 1), np.uint8)

    def _sum(self, rgb8: U8) -> None:
        height, width = rgb8.shape[:2]
        scale = MAP_PX / max(height, width)
        step = max(int(1 / scale), 1)
        size = (max(round(width * scale), CELL_PX), max(round(height * scale), CELL_PX))
        small = cv2.resize(rgb8[::step, ::step], size, interpolation=cv2.INTER_LINEAR)  # by less than two: no aliasing
        grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
        gx = cv2.Sobel(grey, cv2.CV_32F, 1, 0, ksize=3, scale=0.125)
        gy = cv2.Sobel(grey, cv2.CV_32F, 0, 1, ksize=3, scale=0.125)
        if not self._sums:
            self._sums, self._taken = [np.zeros_like(gx) for _ in range(3)], 0
        cv2.accumulate(gx, self._sums[0])
        cv2.accumulate(gy, self._sums[1])
        cv2.accumulateSquare(gx, self._sums[2])
        cv2.accumulateSquare(gy, self._sums[2])
        self._taken += 1

    def _close(self) -> None:
        n = self._taken
        strength = (self._sums[0] ** 2 + self._sums[1] ** 2) / n**2
        still = (strength > _STRONG**2) & (self._sums[2] / n - strength < _VARIES * strength) & (n > 2)
        rows, columns = still.shape[0] // CELL_PX, still.shape[1] // CELL_PX
        cells = still[: rows * CELL_PX, : columns * CELL_PX].reshape(rows, CELL_PX, columns, CELL_PX)
        self._counts.append(cells.sum((1, 3)).astype(np.uint8))
        self._sums = []


@dataclass(frozen=True)
class Overlay:
    """What lies over the lower face."""

    covered: NDArray[np.bool_]
    """(T,) frames in which it does."""
    boxes: list[tuple[float, float, float, float]]
    """(x0, y0, x1, y1) px on the screen, the place that is covered longest first; empty when there is none."""


def block_frames(fps: float) -> int:
    """Frames per block."""
    return max(round(BLOCK_S * fps), 3)


def overlay(
    counts: U8,
    starts: NDArray[np.int_],
    landmarks_px: F32,
    present: NDArray[np.bool_],
    size: tuple[int, int],
    fps: float,
) -> Overlay:
    """Captions over the lower face of one track.

    Args:
        counts: (B, rows, columns) of `StillEdges`; those of joined pieces one after the other.
        starts: (B,) first frame of each block.
        landmarks_px: (T, 68, 2).
        present: (T,) frames with that face.
        size: (width, height) px of the frames.
        fps: frames per second.
    """
    n = len(landmarks_px)
    stops = np.append(starts[1:], n)
    scale = MAP_PX / max(size)
    found = np.zeros(len(counts), np.int8)  # 1 covered, 0 unknown, -1 clear
    places = np.zeros(counts.shape, np.float32)
    for b, (start, stop) in enumerate(zip(starts, stops, strict=True)):
        seen = np.flatnonzero(present[start:stop]) + start
        if len(seen) < 3:
            continue
        outline = _outline(landmarks_px[seen]) * scale
        if _moved(outline) < _MOVED_PX:
            continue
        cells = _inside(outline, (counts.shape[1], counts.shape[2])) & (counts[b] >= _CELL_EDGES)
        found[b] = 1 if cells.sum() >= _CELLS else -1
        if found[b] > 0:
            places[b] = cells * (stop - start)
    covered, where = np.zeros(n, bool), np.zeros(counts.shape[1:], np.float64)
    for start, stop in _bridged(found, round(_GAP_S / BLOCK_S)):
        covered[starts[start] : stops[stop - 1]] = True
        where += places[start:stop].sum(0)
    return Overlay(covered & present, _boxes(where, counts, CELL_PX / scale))


def _outline(landmarks_px: F32) -> F32:
    points = landmarks_px[:, _OUTLINE]
    middle = points.mean(1, keepdims=True)
    return (middle + (points - middle) * _SHRINK).astype(np.float32)


def _moved(outline: F32) -> float:
    """How far the face moved, the smaller of rise-and-fall and sway counted in: the middle's largest excursion."""
    middle = outline.mean(1)
    return float(np.linalg.norm(np.ptp(middle, axis=0)))


def _inside(outline: F32, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Cells whose middle lies inside the outline throughout the block."""
    inside = np.ones(shape, bool)
    for points in outline[[0, len(outline) // 2, -1]]:
        cells = np.zeros(shape, np.uint8)
        cv2.fillPoly(cells, [np.rint((points / CELL_PX - 0.5) * 16).astype(np.int32)], (1,), shift=4)
        inside &= cells > 0
    return inside


def _bridged(found: NDArray[np.int8], gap: int) -> list[tuple[int, int]]:
    """[start, stop) blocks that are covered or lie in a short gap between covered ones."""
    covered = found > 0
    for start, stop in runs(~covered):
        if start > 0 and stop < len(found) and stop - start <= gap:
            covered[start:stop] = True
    return [(start, stop) for start, stop in runs(covered) if stop - start >= _BLOCKS]


def _boxes(places: NDArray[np.float64], counts: U8, cell_px: float) -> list[tuple[float, float, float, float]]:
    """Screen boxes of the cells over the face, widened along their rows over still cells beside them."""
    if not places.any():
        return []
    often = (counts >= _CELL_EDGES).mean(0)
    core = places > 0.25 * places.max()
    rows = core.any(1)
    wide = core | (rows[:, None] & (often > 0.15))
    closed = cv2.morphologyEx(wide.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((1, 3), np.uint8))
    n, labels, stats, _ = cv2.connectedComponentsWithStats(closed, connectivity=8)
    kept = [k for k in range(1, n) if (core & (labels == k)).any()]
    kept.sort(key=lambda k: -float(places[labels == k].sum()))
    boxes = []
    for k in kept:
        x, y, w, h = (float(v) for v in stats[k, :4])
        boxes.append((x * cell_px, y * cell_px, (x + w) * cell_px, (y + h) * cell_px))
    return boxes
