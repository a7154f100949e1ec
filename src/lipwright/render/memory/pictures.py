"""The pictures of a memory: JPEG, left on disk where they were loaded from, decoded one by one when shown."""

from __future__ import annotations

import zlib
from collections import OrderedDict
from collections.abc import Sequence

import cv2
import numpy as np

from lipwright.core.contracts import U8
from lipwright.core.errors import CheckpointError, SubjectError

_JPEG = [cv2.IMWRITE_JPEG_QUALITY, 95, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
_CACHE = 64
"""Decoded pictures kept in memory."""


def encoded(rgb8: U8, frame: int) -> U8:
    """JPEG bytes of a picture; `frame` is named when that fails."""
    ok, data = cv2.imencode(".jpg", cv2.cvtColor(rgb8, cv2.COLOR_RGB2BGR), _JPEG)
    if not ok:
        raise SubjectError(f"frame {frame} cannot be encoded for the memory; prepare the footage again")
    return np.asarray(data, np.uint8).ravel()


class Pictures:
    """N JPEG pictures one behind the other in `data` (B,) uint8, which may be mapped from a file.

    `offsets` (N + 1,) says where each begins; `checks` (N,) holds their CRC-32, or None in older personas. Each picture
    is checked when it is first shown, so that loading need not read them all.
    """

    def __init__(self, data: U8, offsets: np.ndarray, checks: np.ndarray | None) -> None:
        self.data, self.offsets, self.checks = data, offsets, checks
        self._cache: OrderedDict[int, U8] = OrderedDict()

    @classmethod
    def of(cls, encoded: Sequence[U8]) -> Pictures:
        """From the bytes of each."""
        offsets = np.concatenate([[0], np.cumsum([len(data) for data in encoded])])
        return cls(np.concatenate(encoded), offsets, np.array([zlib.crc32(data.tobytes()) for data in encoded]))

    def __getitem__(self, index: int) -> U8:
        """RGB picture number `index`; CheckpointError when its bytes are damaged."""
        cached = self._cache.pop(index, None)  # one step each: two threads may speak from one memory
        if cached is None:
            cached = self._decoded(index)
        self._cache[index] = cached
        if len(self._cache) > _CACHE:
            self._cache.popitem(last=False)
        return cached

    def _decoded(self, index: int) -> U8:
        data = np.ascontiguousarray(self.data[self.offsets[index] : self.offsets[index + 1]])
        whole = self.checks is None or zlib.crc32(data.tobytes()) == int(self.checks[index])
        image = cv2.imdecode(data, cv2.IMREAD_COLOR) if whole and len(data) else None
        if image is None:
            raise CheckpointError(f"mouth {index} of the memory is damaged; copy the persona again or retrain")
        return np.ascontiguousarray(image[..., ::-1])
