"""A person's aligned crops, kept coded and decoded one at a time: 5000 of them at 720 px are 8 GB raw."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import U8
from lipwright.core.errors import CheckpointError


@dataclass(frozen=True)
class Crops:
    """N square RGB pictures of one size."""

    coded: U8
    """(bytes,) all pictures, PNG or JPEG, one after the other."""
    offsets: NDArray[np.int64]
    """(N + 1,) where each begins, and the end."""
    size: int
    """Side in pixels."""

    def __post_init__(self) -> None:
        if len(self.offsets) < 1 or int(self.offsets[-1]) != len(self.coded):
            raise CheckpointError("the crops are not whole; copy the packed file again or pack the subject again")

    @classmethod
    def of(cls, pictures: Iterable[U8], size: int, quality: int | None = None) -> Crops:
        """Code (size, size, 3) RGB pictures, one at a time.

        Args:
            quality: of JPEG with full chroma; None codes without loss. A loss spreads what is under the hull of a
                crop up to 7 px beyond it, so it is only for files that must be small.
        """
        kind, options = ".png", [cv2.IMWRITE_PNG_COMPRESSION, 1]
        if quality is not None:
            full = [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
            kind, options = ".jpg", [cv2.IMWRITE_JPEG_QUALITY, quality, *full]
        parts = [cv2.imencode(kind, cv2.cvtColor(p, cv2.COLOR_RGB2BGR), options)[1].ravel() for p in pictures]
        ends = np.cumsum([0, *(len(p) for p in parts)]).astype(np.int64)
        return cls(np.concatenate(parts) if parts else np.zeros(0, np.uint8), ends, size)

    @classmethod
    def joined(cls, several: Sequence[Crops]) -> Crops:
        """All pictures of one or more, in order."""
        sizes = [np.diff(crops.offsets) for crops in several]
        ends = np.concatenate([[0], np.cumsum(np.concatenate(sizes))]).astype(np.int64)
        return cls(np.concatenate([crops.coded for crops in several]), ends, several[0].size)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, index: int) -> U8:
        """(size, size, 3) RGB picture number `index`; CheckpointError when its bytes are damaged."""
        data = np.ascontiguousarray(self.coded[self.offsets[index] : self.offsets[index + 1]])
        image = cv2.imdecode(data, cv2.IMREAD_COLOR) if len(data) else None  # of nothing it would raise its own error
        if image is None or image.shape != (self.size, self.size, 3):
            raise CheckpointError(f"crop {index} cannot be decoded; pack the subject again")
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)

    def chosen(self, order: NDArray[np.int64], quality: int) -> Crops:
        """Some of the pictures, in this order, as JPEG."""
        return Crops.of((self[int(i)] for i in order), self.size, quality)
