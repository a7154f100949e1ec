"""Stripes and checks that networks leave from pixel to pixel, told from detail by how evenly they go on.

Transposed convolutions overlap differently on even and odd pixels. What that leaves alternates over whole surroundings
alike, where the detail of a picture does not: its mean against an alternating sign, over some pixels around, is next to
nothing. So the stripes are found as three carriers (along, across, both) with an amplitude that changes slowly, and
everything else stays as sharp as it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar, cast

import cv2
import numpy as np

from lipwright.core.contracts import F32, U8

A = TypeVar("A", bound=np.ndarray)

_AROUND = 8
"""Pixels of the two box filters that an amplitude is the mean of; even, so that they leave nothing of a plane."""


def stripes(picture: np.ndarray) -> F32:
    """What alternates in a picture (h, w) or (h, w, 3), in its units."""
    height, width = picture.shape[:2]
    rows, columns = (np.where(np.arange(n) % 2, np.float32(-1), np.float32(1)) for n in (height, width))
    down, across = np.repeat(rows[:, None], width, 1), np.repeat(columns[None], height, 0)
    rest, found = picture.astype(np.float32), np.zeros(picture.shape, np.float32)
    for carrier in (down, across, down * across):
        wave = carrier if picture.ndim == 2 else carrier[..., None]
        part = wave * _slow(rest * wave)
        found += part
        rest -= part
    return found


def unstriped(picture: A) -> A:
    """The picture without them, of the same type; levels of 8 bit are rounded."""
    rest = picture.astype(np.float32) - stripes(picture)
    if picture.dtype == np.uint8:
        rest = np.clip(rest + 0.5, 0, 255)
    return cast("A", rest.astype(picture.dtype))


def striped(pictures: Sequence[U8]) -> float:
    """Mean energy of the stripes of pictures (h, w, 3), squared levels."""
    return float(np.mean([np.square(stripes(picture)).mean() for picture in pictures]))


def _slow(values: F32) -> F32:
    box = (_AROUND, _AROUND)
    once = cv2.blur(values, box, anchor=(_AROUND // 2 - 1,) * 2)
    return np.asarray(cv2.blur(once, box, anchor=(_AROUND // 2,) * 2), np.float32)
