"""A composed frame as the encoder wants it: untouched where it can be, otherwise converted once."""

from __future__ import annotations

import av
import numpy as np
from av.video.reformatter import ColorRange, VideoReformatter

from lipwright.core.contracts import U8
from lipwright.core.errors import ShapeError
from lipwright.media.color import RESIZE, ColorTags, apply_tags, convert, swscale_space
from lipwright.media.picture import Picture, bits, blank, planes_of

_RGB = "gbrp10le"
"""RGB between two matrices: fine enough for ten bits."""


class FrameMaker:
    """Frames of one size in, labelled encoder frames of one size and format out.

    Args:
        size: (width, height) of the frames given.
        out_size: of the frames made; scaled bicubically where it differs.
        pix_fmt: of the frames made, without alpha.
        alpha_fmt: the same with alpha when the file has transparency, else None.
        tags: resolved tags of the frames made.
    """

    def __init__(
        self, size: tuple[int, int], out_size: tuple[int, int], pix_fmt: str, alpha_fmt: str | None, tags: ColorTags
    ) -> None:
        self.size, self.out_size, self.pix_fmt, self.alpha_fmt, self.tags = size, out_size, pix_fmt, alpha_fmt, tags
        self._reformatter = VideoReformatter()
        self._to_rgb = VideoReformatter()
        self._alpha_reformatter = VideoReformatter()

    def __call__(self, frame: U8 | Picture, alpha: U8 | None) -> av.VideoFrame:
        """One encoder frame, without a timestamp. ShapeError for another size or type."""
        made = self._of_rgb(frame) if isinstance(frame, np.ndarray) else self._of_picture(frame)
        return made if self.alpha_fmt is None else self._with_alpha(made, alpha)

    def _of_rgb(self, rgb8: U8) -> av.VideoFrame:
        width, height = self.size
        if rgb8.shape != (height, width, 3) or rgb8.dtype != np.uint8:
            raise ShapeError("frame to write (uint8)", (height, width, 3), rgb8.shape)
        source = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb8), format="rgb24")
        return self._converted(source, None)

    def _of_picture(self, picture: Picture) -> av.VideoFrame:
        if picture.size != self.size:
            raise ShapeError("picture to write", self.size[::-1], picture.size[::-1])
        frame = picture.to_av()
        if (picture.pix_fmt, picture.tags, picture.size) == (self.pix_fmt, self.tags, self.out_size):
            return frame
        with picture.alone() as frame:
            return self._converted(frame, picture.tags)

    def _converted(self, frame: av.VideoFrame, tags: ColorTags | None) -> av.VideoFrame:
        """One swscale pass, two where the matrix changes; `tags` are the source's, None for RGB."""
        if tags is not None and swscale_space(tags.space) != swscale_space(self.tags.space):
            # swscale's own way from matrix to matrix gets 10-bit colours wrong (seen in FFmpeg 8): by RGB instead.
            frame, tags = convert(frame, self._to_rgb, tags, _RGB), None
        return convert(frame, self._reformatter, self.tags, self.pix_fmt, self.out_size, tags)

    def _with_alpha(self, frame: av.VideoFrame, alpha: U8 | None) -> av.VideoFrame:
        """The same planes and a fourth; opaque where no alpha is given."""
        assert self.alpha_fmt is not None
        width, height = self.size
        if alpha is None:
            alpha = np.full((height, width), 255, np.uint8)
        if alpha.shape != (height, width) or alpha.dtype != np.uint8:
            raise ShapeError("alpha to write (uint8)", (height, width), alpha.shape)
        if self.out_size != self.size:
            alpha = self._scaled(alpha)
        made = blank(frame.width, frame.height, self.alpha_fmt)
        targets = planes_of(made)
        for source, target in zip(planes_of(frame, self.pix_fmt), targets, strict=False):
            target[:] = source
        top = 2 ** bits(self.pix_fmt) - 1
        targets[3][:] = (alpha.astype(np.uint32) * top + 127) // 255
        apply_tags(made, self.tags)
        return made

    def _scaled(self, alpha: U8) -> U8:
        gray = av.VideoFrame.from_ndarray(np.ascontiguousarray(alpha), format="gray")
        width, height = self.out_size
        full = ColorRange.JPEG
        scaled = self._alpha_reformatter.reformat(
            gray, width, height, src_color_range=full, dst_color_range=full, interpolation=RESIZE, threads=1
        )
        return np.asarray(scaled.to_ndarray(), np.uint8)
