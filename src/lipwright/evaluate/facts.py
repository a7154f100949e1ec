"""What stands beside every evaluation: tracks of the controls, facts another lab needs, what could not be seen."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import cv2
from numpy.typing import NDArray

import lipwright
from lipwright.evaluate.boxes import Boxes
from lipwright.evaluate.source import Scan
from lipwright.metrics import bootstrap
from lipwright.metrics.controls import frozen_mouth, mean_mouth


def control_tracks(video_px: NDArray[Any], real_px: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Landmarks (T, 68, 2) of the video, the real one and the two mouths that do not speak."""
    return {"video": video_px, "real": real_px, "frozen": frozen_mouth(real_px), "mean": mean_mouth(real_px)}


def whole_tracks(seen: Scan, real: Scan | None = None) -> dict[str, NDArray[Any]]:
    """Landmarks over all frames, gaps interpolated, because sound needs an unbroken clock."""
    tracks: dict[str, NDArray[Any]] = {"video": seen.track.landmarks_px}
    if real is not None:
        tracks |= {"real": real.track.landmarks_px, "frozen": frozen_mouth(real.track.landmarks_px)}
    return tracks


def face_notes(seen: Scan) -> list[str]:
    """A note when some frames show no face."""
    missing = int((~seen.track.present).sum())
    return [f"{seen.clip.name} shows no face in {missing} of {len(seen)} frames; they are left out"] * bool(missing)


def protocol_facts(name: str, seen: Scan, boxes: Boxes) -> dict[str, Any]:
    """What another lab needs to measure the same: nothing of the machine."""
    return {
        "name": name,
        "lipwright": lipwright.__version__,
        "mediapipe": version("mediapipe"),
        "frames": len(seen),
        "fps": str(seen.fps),
        "frame": f"{seen.size[0]}x{seen.size[1]}",
        "mouth_box": f"{boxes.size[0]}x{boxes.size[1]}",
        "intervals": f"95 %, {bootstrap.DRAWS} draws of {bootstrap.BLOCK_S:g} s blocks, seed {bootstrap.SEED}",
        "versions": {"opencv": cv2.__version__, **{name: version(name) for name in ("numpy", "scipy", "av")}},
    }
