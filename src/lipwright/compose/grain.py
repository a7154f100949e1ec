"""Grain: what the camera's noise shows around a patch and a drawn patch lacks.

Measured in luma with the noise filter of Immerkaer 1996 ('Fast noise variance estimation'), which pictures hardly
pass and noise does, in full and in half size: fine and coarse grain. A picture's noise is that of its flattest
places, per level of luma; where a codec has left those flat there is no grain, and nothing is added.
The grain of a frame is drawn from its own pixels: another frame has other grain, the same frame always its own.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import F32

_FILTER = np.outer([1, -2, 1], [1, -2, 1]).astype(np.float32)
_CELL = 8
"""Pixels of a place whose noise is taken together."""
_STRIPS, _STRIP, _MOST_COLUMNS = 5, 16, 384
"""What is looked at of a region: strips of this many rows, and at most so many columns of each."""
_FLAT = 0.15
"""Share of places that are taken as flat."""
_BINS = 4
"""Levels of luma told apart."""
_FEWEST = 12
"""Places that a level needs."""
_LEAST_FINE, _LEAST_COARSE = 0.75, 1.5
"""8-bit levels of noise that count as grain: coded skin without any has as much as these, more of it coarse."""
_LACKING = 0.5
"""Share of the noise variance below which a patch lacks grain: what sampling alone takes away it may lack."""
_TILE = 512


@dataclass(frozen=True)
class Grain:
    """Noise variances of luma at several levels of luma, in the picture's own units."""

    level: F32
    """(L,) luma, ascending."""
    fine: F32
    """(L,) variance of white noise."""
    coarse: F32
    """(L,) variance of noise that is white in half the size."""

    def seen(self, unit: float) -> bool:
        """Whether it is more than coding leaves of a clean picture; `unit` of an 8-bit level."""
        fine, coarse = (float(np.sqrt(v.mean())) / unit for v in (self.fine, self.coarse))
        return fine > _LEAST_FINE or coarse > _LEAST_COARSE


def measure_grain(luma: NDArray[Any]) -> Grain | None:
    """The grain of a luma plane (h, w); None for one that is too small or where nothing is unclipped."""
    fine, coarse, level = _places(luma)
    top = 255 if luma.dtype == np.uint8 else 1023
    inside = (level > 0.08 * top) & (level < 0.9 * top)  # clipped places show no noise
    if inside.sum() < _FEWEST:
        return None
    fine, coarse, level = fine[inside], coarse[inside], level[inside]
    edges = np.quantile(level, np.linspace(0, 1, _BINS + 1))
    rows = []
    for low, high in pairwise(edges):
        here = (level >= low) & (level <= high)
        if here.sum() >= _FEWEST:
            rows.append((level[here].mean(), *_flattest(fine[here], coarse[here])))
    if not rows:
        rows = [(level.mean(), *_flattest(fine, coarse))]
    levels, seen_fine, seen_coarse = np.array(rows, np.float64).T
    # What white and coarse noise of variance 1 give: two equations for two variances.
    mix = np.linalg.solve(_responses(), np.stack([seen_fine, seen_coarse]))
    return Grain(*(np.asarray(v, np.float32) for v in (levels, mix[0].clip(min=0), mix[1].clip(min=0))))


def with_grain(new: NDArray[Any], old: NDArray[Any], weight: F32) -> NDArray[Any]:
    """The luma of a patch (h, w) with the grain that the luma it replaces has and it lacks, of the same type.

    Args: `new` the patch and `old` the picture, (h, w) uint8 or uint16 holding 10 bits; `weight` (h, w) how far it
    is used. Where both have about the same grain, or `old` has none, `new` is returned as it is.
    """
    unit = 1.0 if old.dtype == np.uint8 else 4.0
    theirs = measure_grain(old)
    if theirs is None or not theirs.seen(unit):
        return new
    used = weight > 0.5
    rows, columns = np.flatnonzero(used.any(1)), np.flatnonzero(used.any(0))
    if not len(rows):
        return new
    own = measure_grain(new[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
    if own is None:
        return new
    fine, coarse = (_missing(theirs, own, name) for name in ("fine", "coarse"))
    if not (fine.any() or coarse.any()):
        return new
    seed = zlib.crc32(old[::16, ::16].tobytes())
    return _added(new, weight, Grain(theirs.level, fine, coarse), seed)


def _missing(theirs: Grain, own: Grain, name: str) -> F32:
    """(L,) variance that lacks at the picture's levels of luma."""
    has = np.interp(theirs.level, own.level, getattr(own, name))
    wanted = getattr(theirs, name)
    certain = wanted > 0.15 * (theirs.fine + theirs.coarse)  # less of one kind is an error of measuring the other
    return np.where(certain & (has < _LACKING * wanted), wanted - has, 0).astype(np.float32)


def _added(new: NDArray[Any], weight: F32, lacks: Grain, seed: int) -> NDArray[Any]:
    """`new` plus noise of the given variances, less where it has such noise: parts may be the picture's own."""
    height, width = new.shape
    energy = cv2.filter2D(new, cv2.CV_32F, _FILTER)
    cv2.multiply(energy, energy, energy, 1 / 36)
    small = (-(-width // _CELL), -(-height // _CELL))  # all but the noise itself is smooth
    shrunk = (cv2.resize(plane, small, interpolation=cv2.INTER_AREA) for plane in (new, energy, weight))
    luma, local, share = (np.asarray(plane, np.float32) for plane in shrunk)
    # Two grains that are mixed weaken each other: in the soft rim the patch's is the stronger for it.
    gain = np.sqrt((2 - share) / share.clip(min=0.25))
    if lacks.fine.mean() > 0.1 * lacks.coarse.mean():  # coarse grain alone cannot be told from picture in one place
        wanted = np.interp(luma, lacks.level, lacks.fine).clip(min=1e-6)
        gain *= np.sqrt(np.clip(1 - cv2.blur(local, (3, 3)) / wanted, 0, 1))
    noise = np.zeros((height, width), np.float32)
    for kind, variance in enumerate((lacks.fine, lacks.coarse)):
        if variance.any():
            strength = (gain * np.sqrt(np.interp(luma, lacks.level, variance))).astype(np.float32)
            noise += cv2.resize(strength, (width, height)) * _noise(kind, (height, width), seed)
    if new.dtype == np.uint8:
        return np.asarray(cv2.add(new, noise, dtype=cv2.CV_8U), np.uint8)
    return np.asarray(np.clip(np.rint(new + noise), 0, 1023), np.uint16)


def _places(luma: NDArray[Any]) -> tuple[F32, F32, F32]:
    """Filtered energy in full and half size, and mean luma, of cells in some strips of a plane: (P,) each."""
    height, width = luma.shape
    if height < _STRIP or width < 4 * _CELL:
        return (np.zeros(0, np.float32),) * 3
    left = max(width - _MOST_COLUMNS, 0) // 2
    columns = slice(left, left + min(width, _MOST_COLUMNS) // _CELL * _CELL)
    tops = np.unique(np.linspace(0, height - _STRIP, min(_STRIPS, height // _STRIP)).astype(int))
    strips = np.stack([luma[y : y + _STRIP, columns] for y in tops], -1).astype(np.float32)  # as channels: one call
    half = cv2.resize(strips, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    cells = (strips.shape[1] // _CELL, _STRIP // _CELL)
    parts = (np.square(cv2.filter2D(strips, -1, _FILTER)), np.square(cv2.filter2D(half, -1, _FILTER)), strips)
    fine, coarse, level = (
        np.asarray(cv2.resize(p, cells, interpolation=cv2.INTER_AREA), np.float32).ravel() for p in parts
    )
    return fine, coarse, level


def _flattest(fine: F32, coarse: F32) -> tuple[float, float]:
    """Mean energies of the flattest places."""
    few = max(int(_FLAT * len(fine)), 4)
    flat = np.argpartition(coarse, few - 1)[:few] if few < len(coarse) else np.arange(len(coarse))
    return float(fine[flat].mean()), float(coarse[flat].mean())


@cache
def _tiles() -> tuple[F32, F32]:
    """White noise and noise that is white in half the size, variance 1, that repeat without a border."""
    rng = np.random.default_rng(0)
    white = rng.standard_normal((_TILE, _TILE)).astype(np.float32)
    small = rng.standard_normal((_TILE // 2, _TILE // 2)).astype(np.float32)
    around = np.pad(small, 4, mode="wrap")
    large = cv2.resize(around, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)[8:-8, 8:-8]
    return white, np.asarray(large / large.std(), np.float32)


@cache
def _responses() -> NDArray[np.float64]:
    """(2, 2) energies (full, half size) that `measure_grain` finds for each tile's variance of 1."""
    columns = []
    for tile in _tiles():
        fine, coarse, _ = _places(np.tile(tile, (1, 2)))
        columns.append(_flattest(fine, coarse))
    return np.array(columns).T


def _noise(kind: int, shape: tuple[int, int], seed: int) -> F32:
    """(h, w) of a tile from a place that the seed chooses."""
    y, x = (int(v) for v in np.random.default_rng([seed, kind]).integers(0, _TILE, 2))
    moved = np.roll(_tiles()[kind], (-y, -x), (0, 1))
    down, right = max(shape[0] - _TILE, 0), max(shape[1] - _TILE, 0)
    full = cv2.copyMakeBorder(moved, 0, down, 0, right, cv2.BORDER_WRAP) if down or right else moved
    return np.asarray(full[: shape[0], : shape[1]], np.float32)
