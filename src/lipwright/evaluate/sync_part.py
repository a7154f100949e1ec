"""Everything about sync that is beyond one offset: LipMatch, LSE with the user's weights, drift, visemes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from lipwright.core import weights
from lipwright.core.errors import ConfigError
from lipwright.evaluate.boxes import Boxes
from lipwright.evaluate.mouths import MouthCutter
from lipwright.evaluate.part import Part
from lipwright.evaluate.result import Row
from lipwright.evaluate.source import Scan
from lipwright.evaluate.speech_sync import drift_part, viseme_part
from lipwright.metrics.lips import Phone

PROTOCOLS = {"tracks": ("tracks",), "frames": ("frames",), "both": ("tracks", "frames")}
"""Names a user may give for SyncNet's protocols."""
ABSENT = "LSE-D, LSE-C: absent, bring syncnet_v2.model (lipwright models add syncnet FILE)"


def lse_protocols(name: str) -> tuple[str, ...]:
    """The protocols a name stands for; ConfigError for an unknown one."""
    if name not in PROTOCOLS:
        raise ConfigError(f"unknown LSE protocol '{name}'; choose from {', '.join(PROTOCOLS)}")
    return PROTOCOLS[name]


def sync_part(
    tracks: Mapping[str, NDArray[Any]],
    scans: Mapping[str, Scan],
    boxes: Boxes,
    mouths: Mapping[str, MouthCutter],
    phones: Sequence[Phone] | None,
    lse: str = "tracks",
    face_boxes: str | os.PathLike[str] | None = None,
) -> Part:
    """Rows, curves and tables; see `lse_part`, `match_part`, `drift_part` and `viseme_part`.

    Without SyncNet's weights one row says how to get them. ConfigError for an unknown protocol.
    """
    wanted = lse_protocols(lse)
    part = drift_part(scans)
    part.add(viseme_part(tracks, scans, phones))
    from lipwright.evaluate.match_part import match_part  # with torch

    part.add(match_part(scans, mouths))
    path = weights.find("syncnet")
    if path is None:
        part.rows.append(Row("sync.absent", ABSENT, "", "", None))
        return part
    from lipwright.evaluate.syncnet import lse_part

    part.add(lse_part(scans, boxes, path, wanted, face_boxes))
    return part
