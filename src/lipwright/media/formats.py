"""Pixel formats by what they can hold: colour resolution and depth."""

from __future__ import annotations

from functools import cache

from lipwright.core.errors import ConfigError

PIX_FMTS = ("yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv422p10le", "yuv444p10le")
"""What pictures are held and written in; everything else is converted to the nearest of these when it is read."""


def nearest_pix_fmt(wanted: str, known: tuple[str, ...]) -> str:
    """The format of `known` that holds a picture of format `wanted` (any FFmpeg name) with the least loss.

    Depth weighs more than colour resolution; among those that lose nothing, the smallest.
    """
    subsampling, bits = shape_of(wanted)

    def cost(name: str) -> tuple[int, int, int, int]:
        held, depth = shape_of(name)
        return max(bits - depth, 0), max(subsampling - held, 0), max(depth - bits, 0), max(held - subsampling, 0)

    return min(known, key=cost)


@cache
def shape_of(pix_fmt: str) -> tuple[int, int]:
    """(colour resolution, bits): 0 for 4:2:0 and grey, 1 for 4:2:2, 2 for 4:4:4 and RGB; 8 or 10 bits (10 for more).

    ConfigError for a name that is no pixel format.
    """
    import av  # not at the top: the command line names the formats in its help, and help must be quick

    try:
        layout = av.VideoFormat(pix_fmt, 64, 64)
    except ValueError as error:
        raise ConfigError(f"{pix_fmt!r} is no pixel format; choose from {', '.join(PIX_FMTS)}") from error
    bits = 8 if max(c.bits for c in layout.components) <= 8 else 10
    if layout.is_rgb:
        return 2, bits
    if len(layout.components) < 3:
        return 0, bits
    return (layout.chroma_width(64) // 64) + (layout.chroma_height(64) // 64), bits
