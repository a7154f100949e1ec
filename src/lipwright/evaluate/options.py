"""What a caller of `evaluate` may choose."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from lipwright.evaluate.source import MakeTracker
from lipwright.metrics.lips import Phone


@dataclass(frozen=True)
class Options:
    """See `evaluate.video.evaluate`."""

    transcript: Sequence[Phone] | str | None = None
    make_tracker: MakeTracker | None = None
    protocol: str = "video"
    lse: str = "tracks"
    face_boxes: str | os.PathLike[str] | None = None
    film: bool = False
