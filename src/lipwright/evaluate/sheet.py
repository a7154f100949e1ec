"""Pictures to look at: real, generated and their difference side by side, the mouth enlarged."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from lipwright.core.contracts import U8
from lipwright.core.errors import ShapeError

GAP = 4
"""White pixels between cells."""
GAIN = 4
"""Differences are drawn this many times larger, around mid-grey."""

Rectangle = tuple[int, int, int, int]
"""(left, top, width, height) in pixels."""


def difference(real: U8, generated: U8, gain: int = GAIN) -> U8:
    """128 + gain (generated - real), clipped: grey where both agree."""
    if real.shape != generated.shape:
        raise ShapeError("generated", real.shape, generated.shape)
    signed = generated.astype(np.int16) - real.astype(np.int16)
    return np.asarray(np.clip(128 + gain * signed, 0, 255), dtype=np.uint8)


def contact_sheet(real: Sequence[U8], generated: Sequence[U8], boxes: Sequence[Rectangle], height: int = 192) -> U8:
    """One row per frame: real | generated | difference, in full and then the mouth box enlarged.

    Args:
        real, generated: frames (H, W, 3) of one size, in pairs.
        boxes: mouth box of each pair.
        height: of a row in pixels.
    Returns:
        (rows, columns, 3) RGB uint8.
    """
    rows = []
    for a, b, box in zip(real, generated, boxes, strict=True):
        near = (_cut(a, box), _cut(b, box))
        cells = [a, b, difference(a, b), *near, difference(*near)]
        rows.append(_beside([_to_height(cell, height) for cell in cells]))
    return _stack(rows)


def mouth_strip(rows: Sequence[Sequence[U8]], height: int = 72, per_line: int = 12) -> U8:
    """Consecutive mouth crops, one line of cells per video under each other, wrapped after `per_line`.

    Args:
        rows: for each video (say real, generated) its crops (h, w, 3) in time order, equally many.
        height: of a cell in pixels.
    """
    n = len(rows[0])
    if any(len(row) != n for row in rows):
        raise ShapeError("rows", (n,), tuple(len(row) for row in rows))
    lines = []
    for first in range(0, n, per_line):
        for row in rows:
            lines.append(_beside([_to_height(cell, height) for cell in row[first : first + per_line]]))
    return _stack(lines)


def triptych(columns: Sequence[Sequence[U8]], height: int = 192) -> U8:
    """Rows of equally timed frames of several videos: sound source | template | result, and the like."""
    return _stack([_beside([_to_height(cell, height) for cell in row]) for row in zip(*columns, strict=True)])


def _cut(rgb8: U8, box: Rectangle) -> U8:
    x, y, width, height = box
    return rgb8[y : y + height, x : x + width]


def _to_height(rgb8: U8, height: int) -> U8:
    width = max(1, round(rgb8.shape[1] * height / rgb8.shape[0]))
    method = cv2.INTER_AREA if height < rgb8.shape[0] else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(rgb8, (width, height), interpolation=method), dtype=np.uint8)


def _beside(cells: Sequence[U8]) -> U8:
    gap = np.full((cells[0].shape[0], GAP, 3), 255, np.uint8)
    parts = [part for cell in cells for part in (cell, gap)][:-1]
    return np.concatenate(parts, axis=1)


def _stack(rows: Sequence[U8]) -> U8:
    width = max(row.shape[1] for row in rows)
    padded = []
    for row in rows:
        blank = np.full((row.shape[0], width - row.shape[1], 3), 255, np.uint8)
        padded += [np.concatenate([row, blank], axis=1), np.full((GAP, width, 3), 255, np.uint8)]
    return np.concatenate(padded[:-1])
