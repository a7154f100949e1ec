"""Everything about sync that is beyond one offset: LSE with the user's weights, drift, visemes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from lipwright.evaluate.boxes import Boxes
from lipwright.evaluate.part import Part
from lipwright.evaluate.source import Scan
from lipwright.evaluate.speech_sync import drift_part, viseme_part
from lipwright.evaluate.syncnet import lse_part
from lipwright.metrics.lips import Phone


def sync_part(
    tracks: Mapping[str, NDArray[Any]],
    scans: Mapping[str, Scan],
    boxes: Boxes,
    phones: Sequence[Phone] | None,
    lse: str = "tracks",
    face_boxes: str | os.PathLike[str] | None = None,
) -> Part:
    """Rows, curves and tables; see `lse_part`, `drift_part` and `viseme_part`."""
    part = drift_part(scans)
    part.add(viseme_part(tracks, scans, phones))
    part.add(lse_part(scans, boxes, lse, face_boxes))
    return part
