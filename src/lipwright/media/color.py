"""RGB <-> YCbCr with the matrix and range a file names, or what players assume when it names none.

swscale's default fast path darkens every picture by about one level and lets chroma be rounded down; the
flags used here remove both (measured: mean error below 0.2 levels on saturated patches).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import av
import numpy as np
from av.video.reformatter import ColorRange, Interpolation, VideoReformatter

from lipwright.core.contracts import U8

SPACES = {1: "bt709", 4: "fcc", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 9: "bt2020nc"}
"""ITU-T H.273 matrix coefficients by number."""
PRIMARIES = {1: "bt709", 4: "bt470m", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 8: "film", 9: "bt2020"}
PRIMARIES |= {10: "smpte428", 11: "smpte431", 12: "smpte432", 22: "ebu3213"}
TRANSFERS = {1: "bt709", 4: "gamma22", 5: "gamma28", 6: "smpte170m", 7: "smpte240m", 8: "linear"}
TRANSFERS |= {11: "iec61966-2-4", 13: "iec61966-2-1", 14: "bt2020-10", 15: "bt2020-12"}
TRANSFERS |= {16: "smpte2084", 17: "smpte428", 18: "arib-std-b67"}
RANGES = {1: "limited", 2: "full"}
UNKNOWN = "unspecified"

_FLAGS = Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
SAME_SIZE = Interpolation.BILINEAR | _FLAGS
RESIZE = Interpolation.BICUBIC | _FLAGS
HD_HEIGHT = 720


@dataclass(frozen=True)
class ColorTags:
    """How a file's numbers mean colours (ITU-T H.273 names); `unspecified` where the file does not say."""

    range: str = UNKNOWN
    """`limited` (16..235) or `full` (0..255)."""
    space: str = UNKNOWN
    """Matrix from RGB to YCbCr: bt709, smpte170m, bt470bg, bt2020nc ..."""
    primaries: str = UNKNOWN
    transfer: str = UNKNOWN

    def resolved(self, height: int) -> ColorTags:
        """The same without `unspecified`: BT.709 from 720 lines up, BT.601 below, limited range.

        That is what players assume for untagged files, so a file decoded by the guess and written with the
        guess as its tags looks the same everywhere.
        """
        hd = height >= HD_HEIGHT
        space = self.space if self.space != UNKNOWN else ("bt709" if hd else "smpte170m")
        standard = space if space in ("bt709", "smpte170m", "bt470bg") else "bt709"
        return ColorTags(
            self.range if self.range != UNKNOWN else "limited",
            space,
            self.primaries if self.primaries != UNKNOWN else standard,
            self.transfer if self.transfer != UNKNOWN else ("smpte170m" if standard != "bt709" else "bt709"),
        )


BT709 = ColorTags("limited", "bt709", "bt709", "bt709")
"""What we write unless the template says otherwise."""


def number_of(name: str, table: dict[int, str]) -> int:
    """The H.273 number of a name; 2 (unspecified) for names the table does not have."""
    return next((k for k, v in table.items() if v == name), 2)


def tags_of(frame: av.VideoFrame) -> ColorTags:
    """The tags of a decoded frame; RGB frames and JPEG-range formats count as full range."""
    full = frame.format.name.startswith("yuvj")
    return ColorTags(
        "full" if full else RANGES.get(int(frame.color_range), UNKNOWN),
        SPACES.get(int(frame.colorspace), UNKNOWN),
        PRIMARIES.get(int(frame.color_primaries), UNKNOWN),
        TRANSFERS.get(int(frame.color_trc), UNKNOWN),
    )


def swscale_space(space: str) -> int:
    """swscale's number of a matrix; that of BT.601 for names it does not know."""
    return {"bt709": 1, "fcc": 4, "smpte240m": 7, "bt2020nc": 9}.get(space, 5)


def to_rgb8(
    frame: av.VideoFrame, reformatter: VideoReformatter, tags: ColorTags, size: tuple[int, int] | None = None
) -> U8:
    """A decoded frame as (H, W, 3) RGB, optionally resized to `size` (width, height).

    `tags` are the file's, resolved or not. Rows may lie further apart than they are long.
    """
    known = tags.resolved(frame.height)
    width, height = size or (frame.width, frame.height)
    same = (width, height) == (frame.width, frame.height)
    is_rgb = frame.format.is_rgb
    picture = reformatter.reformat(
        frame,
        width=width,
        height=height,
        format="rgb24",
        src_colorspace=swscale_space(known.space),
        src_color_range=ColorRange.JPEG if known.range == "full" or is_rgb else ColorRange.MPEG,
        dst_color_range=ColorRange.JPEG,
        interpolation=SAME_SIZE if same else RESIZE,
        threads=1,
    )
    plane = picture.planes[0]
    rows: U8 = np.frombuffer(cast(memoryview, plane), np.uint8)[: plane.line_size * height]
    return rows.reshape(height, plane.line_size)[:, : 3 * width].reshape(height, width, 3)


def convert(
    frame: av.VideoFrame,
    reformatter: VideoReformatter,
    tags: ColorTags,
    pix_fmt: str,
    size: tuple[int, int] | None = None,
    source: ColorTags | None = None,
) -> av.VideoFrame:
    """A frame, RGB or meant as resolved `tags` say, in the planar format `pix_fmt`, labelled with them.

    `size` (width, height) scales it on the way; `source` are its own tags where only the range is another.
    """
    space = swscale_space(tags.space)
    width, height = size or (frame.width, frame.height)
    result = reformatter.reformat(
        frame,
        width=width,
        height=height,
        format=pix_fmt,
        src_colorspace=space,
        dst_colorspace=space,
        src_color_range=_range(frame.format, source or tags),
        dst_color_range=_range(av.VideoFormat(pix_fmt, width, height), tags),
        interpolation=SAME_SIZE if (width, height) == (frame.width, frame.height) else RESIZE,
        threads=1,
    )
    apply_tags(result, tags)
    return result


def _range(layout: av.VideoFormat, tags: ColorTags) -> ColorRange:
    return ColorRange.JPEG if layout.is_rgb or tags.range == "full" else ColorRange.MPEG


def apply_tags(target: av.VideoFrame | av.VideoCodecContext, tags: ColorTags) -> None:
    """Label a frame or an encoder; no pixel changes."""
    target.color_range = number_of(tags.range, RANGES)
    target.colorspace = number_of(tags.space, SPACES)
    target.color_primaries = number_of(tags.primaries, PRIMARIES)
    target.color_trc = number_of(tags.transfer, TRANSFERS)
