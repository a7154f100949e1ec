"""From the stored picture to the one that is shown: how it is turned and mirrored, and its size in square pixels.

Convention: first turned counter-clockwise by a multiple of 90 degrees, then mirrored left to right
(`Picture.turned`). A display matrix (ISO/IEC 14496-12, 6.2.2) maps stored to shown coordinates, x right and y
down: x' = a x + c y, y' = b x + d y.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable
from fractions import Fraction
from typing import cast

import av
from av.sidedata.sidedata import SideData, Type

from lipwright.core.clock import round_half_up

_ODDEST_PIXEL = Fraction(4)
"""Pixel aspects beyond this (or below its inverse) are mistakes of the file and are not believed."""


def orientation_of(frame: av.VideoFrame) -> tuple[int, bool]:
    """(degrees counter-clockwise: 0, 90, 180 or 270; whether then mirrored), by the frame's display matrix.

    (0, False) when it has none; angles between are rounded to quarters.
    """
    known = cast(Iterable[SideData], frame.side_data)
    matrix = next((s for s in known if s.type == Type.DISPLAYMATRIX), None)
    if matrix is None:
        return 0, False
    a, b, _, c, d, *_ = struct.unpack("=9i", bytes(matrix))
    mirrored = a * d - b * c < 0
    across = -a if mirrored else a
    if across == b == 0:
        return 0, False
    return round(-math.degrees(math.atan2(b, across)) / 90) * 90 % 360, mirrored


def square_size(width: int, height: int, pixel_aspect: Fraction | None) -> tuple[int, int]:
    """(width, height) of the stored picture with square pixels: the height is kept, the width scaled and even.

    The size itself when pixels are square, or the aspect is unknown or absurd.
    """
    if not pixel_aspect or pixel_aspect == 1 or not 1 / _ODDEST_PIXEL <= pixel_aspect <= _ODDEST_PIXEL:
        return width, height
    return max(2, 2 * round_half_up(width * pixel_aspect / 2)), height
