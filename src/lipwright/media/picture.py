"""A decoded picture in its own planes: what is not touched stays as it was, RGB is made only where it is needed.

Converting a 3840x2160 picture to RGB and back costs more than rendering a mouth, and loses what 8-bit RGB cannot
hold (10 bits, colours outside RGB). So pictures travel as Y'CbCr; a face region is converted, the rest never.

Chroma samples of 4:2:0 and 4:2:2 are taken to lie in the middle of the luma samples they belong to in both
directions, so that reading and writing undo each other wherever they truly lie (mostly at the left one).

Several threads may read a picture, but only one at a time may convert it: PyAV sets the source's own labels (matrix,
range, transfer) for the time of a conversion and puts back what it found, so a second one begun meanwhile would read
the pixels by half of the first one's labels, or leave them behind.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast

import av
import numpy as np
from av.video.frame import PictureType
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from lipwright.core.contracts import U8
from lipwright.media.color import ColorTags, apply_tags, convert, to_rgb8
from lipwright.media.formats import PIX_FMTS, nearest_pix_fmt, shape_of

Box = tuple[int, int, int, int]
"""x0, y0, x1, y1 in pixels, the last ones excluded."""
_ALIGN, _MARGIN = 16, 16
"""A region is converted with this much around it, on this grid: its pixels then equal those of the whole."""

_local = threading.local()


def reformatter(*key: Any) -> VideoReformatter:
    """A converter of this thread for one kind of conversion: setting one up costs more than a small picture."""
    kept: dict[tuple[Any, ...], VideoReformatter] = _local.__dict__.setdefault("kept", {})
    if key not in kept and len(kept) >= 16:
        kept.pop(next(iter(kept)))  # sizes change with every patch: the oldest goes
    return kept.setdefault(key, VideoReformatter())


def chroma_shift(pix_fmt: str) -> tuple[int, int]:
    """(horizontal, vertical) log2 subsampling of the chroma planes."""
    return {0: (1, 1), 1: (1, 0), 2: (0, 0)}[shape_of(pix_fmt)[0]]


def bits(pix_fmt: str) -> int:
    """Bits of a sample."""
    return shape_of(pix_fmt)[1]


@dataclass(frozen=True, eq=False)
class Picture:
    """One upright, progressive picture with square pixels."""

    frame: av.VideoFrame
    """Holds the samples, in one of `PIX_FMTS`; written to only by whoever alone holds the picture."""
    tags: ColorTags
    """Resolved: what the samples mean."""
    _converting: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    @classmethod
    def of_av(cls, frame: av.VideoFrame, tags: ColorTags) -> Picture:
        """A decoded frame as it is, or converted when its format is none of `PIX_FMTS`."""
        known = tags.resolved(frame.height)
        name = frame.format.name
        plain = name.replace("yuvj", "yuv")  # the same numbers; the range is in the tags
        if plain in PIX_FMTS:
            # A copy, because a decoded frame also says where its chroma lies, which swscale then follows: part of
            # a picture or an edited one could not be labelled so, and would be converted differently.
            return cls(_copied(planes_of(frame, plain), plain, (frame.width, frame.height)), known)
        nearest = nearest_pix_fmt(name, PIX_FMTS)
        return cls(convert(frame, reformatter("of_av", name, frame.width, frame.height), known, nearest), known)

    @classmethod
    def of_rgb8(cls, rgb8: U8, tags: ColorTags, pix_fmt: str) -> Picture:
        """(H, W, 3) RGB in the given planes."""
        height, width = rgb8.shape[:2]
        known = tags.resolved(height)
        source = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb8), format="rgb24")
        return cls(convert(source, reformatter("of_rgb8", width, height, pix_fmt, known), known, pix_fmt), known)

    @property
    def pix_fmt(self) -> str:
        """One of `PIX_FMTS`."""
        return str(self.frame.format.name)

    @property
    def size(self) -> tuple[int, int]:
        """(width, height)."""
        return self.frame.width, self.frame.height

    @cached_property
    def planes(self) -> tuple[NDArray[Any], ...]:
        """Y (H, W), Cb and Cr (h, w), uint8, or uint16 holding 10 bits. Written to only by who alone holds it."""
        return planes_of(self.frame, self.pix_fmt)

    def rgb8(self, box: Box | None = None) -> U8:
        """(h, w, 3) RGB of the whole or of a box inside the picture: the same values either way."""
        if box is None:
            return self._whole_rgb8()
        width, height = self.size
        right, down = chroma_shift(self.pix_fmt)
        if width % (1 << right) or height % (1 << down):  # chroma is stretched over the whole width: no part alone
            return np.ascontiguousarray(self._whole_rgb8()[box[1] : box[3], box[0] : box[2]])
        x0, y0 = (max(v - _MARGIN, 0) // _ALIGN * _ALIGN for v in box[:2])
        x1 = min(-(-(box[2] + _MARGIN) // _ALIGN) * _ALIGN, width)
        y1 = min(-(-(box[3] + _MARGIN) // _ALIGN) * _ALIGN, height)
        part = self._part((x0, y0, x1, y1))
        return self._rgb8_of(part)[box[1] - y0 : box[3] - y0, box[0] - x0 : box[2] - x0]

    def scaled(self, size: tuple[int, int]) -> U8:
        """(h, w, 3) RGB at another (width, height)."""
        return self._whole_rgb8(size)

    def resized(self, size: tuple[int, int]) -> Picture:
        """The same picture at another (width, height)."""
        key = ("resized", self.pix_fmt, self.size, size, self.tags)
        with self.alone() as frame:
            return Picture(convert(frame, reformatter(*key), self.tags, self.pix_fmt, size), self.tags)

    @contextmanager
    def alone(self) -> Iterator[av.VideoFrame]:
        """The frame while nobody else converts it: for every conversion of the picture itself."""
        with self._converting:
            yield self.frame

    def to_av(self) -> av.VideoFrame:
        """The frame labelled with the tags, for an encoder; its planes are shared with the picture.

        An encoder takes its labels from its own context: conversions in other threads do not disturb it.
        """
        with self.alone() as frame:
            apply_tags(frame, self.tags)
            frame.pict_type = PictureType.NONE  # else the encoder repeats the decoder's choice of keyframes
            return frame

    def editable(self) -> Picture:
        """A copy whose planes may be written to before it is handed on."""
        return Picture(_copied(self.planes, self.pix_fmt, self.size), self.tags)

    def mixed(self, other: Picture, share: float) -> Picture:
        """(1 - share) of this and `share` of another picture of the same format and size."""
        result = self.editable()
        for mine, theirs in zip(result.planes, other.planes, strict=True):
            mine[:] = np.rint(mine + np.float32(share) * (theirs.astype(np.float32) - mine)).astype(mine.dtype)
        return result

    def turned(self, quarter_turns: int, mirrored: bool = False) -> Picture:
        """Rotated counter-clockwise by quarters, then mirrored left to right."""
        turns, pix_fmt, planes = quarter_turns % 4, self.pix_fmt, self.planes
        if not turns and not mirrored:
            return self
        if turns % 2 and "422" in pix_fmt:  # turned, 4:2:2 would be subsampled in height, which nothing else reads
            pix_fmt = pix_fmt.replace("422", "444")
            with self.alone() as frame:
                planes = planes_of(convert(frame, reformatter("turned", pix_fmt, *self.size), self.tags, pix_fmt))
        turned = [np.rot90(p, turns) for p in planes]
        if mirrored:
            turned = [p[:, ::-1] for p in turned]
        return Picture(_copied(turned, pix_fmt, (turned[0].shape[1], turned[0].shape[0])), self.tags)

    def _whole_rgb8(self, size: tuple[int, int] | None = None) -> U8:
        with self.alone() as frame:
            return np.ascontiguousarray(self._rgb8_of(frame, size))

    def _rgb8_of(self, frame: av.VideoFrame, size: tuple[int, int] | None = None) -> U8:
        key = ("rgb8", frame.format.name, frame.width, frame.height, size, self.tags)
        return to_rgb8(frame, reformatter(*key), self.tags, size)

    def _part(self, box: Box) -> av.VideoFrame:
        x0, y0, x1, y1 = box
        right, down = chroma_shift(self.pix_fmt)
        cut = [self.planes[0][y0:y1, x0:x1]]
        cut += [p[y0 >> down : -(-y1 >> down), x0 >> right : -(-x1 >> right)] for p in self.planes[1:]]
        return _copied(cut, self.pix_fmt, (x1 - x0, y1 - y0))


def blank(width: int, height: int, pix_fmt: str) -> av.VideoFrame:
    """A frame whose samples are not set yet."""
    return av.VideoFrame(width, height, pix_fmt)


def planes_of(frame: av.VideoFrame, pix_fmt: str | None = None) -> tuple[NDArray[Any], ...]:
    """The planes of a frame as arrays that share its memory."""
    kind = np.uint16 if bits(pix_fmt or frame.format.name) > 8 else np.uint8
    arrays = []
    for plane in frame.planes:
        rows = np.frombuffer(cast(memoryview, plane), kind)
        step = plane.line_size // rows.itemsize
        arrays.append(rows[: step * plane.height].reshape(plane.height, step)[:, : plane.width])
    return tuple(arrays)


def _copied(planes: Any, pix_fmt: str, size: tuple[int, int]) -> av.VideoFrame:
    frame = blank(*size, pix_fmt)
    for target, source in zip(planes_of(frame), planes, strict=True):
        target[:] = source
    return frame
