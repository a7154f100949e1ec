"""Pictures as PNG."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lipwright.core.files import atomic_file

if TYPE_CHECKING:
    from lipwright.core.contracts import U8


def png(rgb8: U8) -> bytes:
    """(H, W, 3) RGB uint8 as the bytes of a PNG."""
    import cv2

    done, data = cv2.imencode(".png", cv2.cvtColor(rgb8, cv2.COLOR_RGB2BGR))
    if not done:
        raise ValueError(f"a picture of shape {rgb8.shape} cannot be written as PNG")
    return bytes(data)


def write_png(path: str | os.PathLike[str], rgb8: U8) -> None:
    """(H, W, 3) RGB uint8 into a file, atomically, whatever its name ends in; OutputError when it cannot be written."""
    with atomic_file(path) as temporary:
        temporary.write_bytes(png(rgb8))
