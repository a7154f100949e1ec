"""Finding faces in a frame: the `FaceTracker` interface and its MediaPipe backend.

MediaPipe 0.10.21 ships its models inside the wheel (Apache-2.0), so nothing is downloaded. Its API is
frozen and later versions removed it; everything else sees only `FaceTracker`, so a second backend is
one class and one line in `TRACKERS`.
"""

from __future__ import annotations

import contextlib
import os
import sys
import warnings
from collections.abc import Callable, Iterator

import numpy as np

from lipwright.core.contracts import F32, U8, FaceTracker
from lipwright.core.registry import Registry

N_DENSE = 478
"""Points of the MediaPipe mesh with irises."""

_CROP_PX, _CROP_SHARE = 192, 1.5
"""Side of the mesh network's input, and of the square it shows over the longer side of the face's box."""

MIN_DETECTION = 0.5
MIN_TRACKING = 0.5


@contextlib.contextmanager
def quiet_native() -> Iterator[None]:
    """Keep the native library's start-up chatter off stderr (it writes to the descriptor itself)."""
    for name, value in (("GLOG_minloglevel", "3"), ("TF_CPP_MIN_LOG_LEVEL", "3")):
        os.environ.setdefault(name, value)
    try:
        sys.stderr.flush()
        saved = os.dup(2)
    except (OSError, ValueError):  # no stderr at all: nothing to keep quiet
        yield
        return
    sink = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(sink, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(sink)


class MediaPipeTracker:
    """MediaPipe face mesh with refined lips and irises.

    Args:
        max_faces: how many faces to look for; 1 is fastest (no detector while the face is followed).
        static: treat every frame on its own (no tracking between frames).
    """

    name = "mediapipe"

    def __init__(self, max_faces: int = 1, static: bool = False) -> None:
        with quiet_native(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # deprecation notes of mediapipe's own dependencies
            from mediapipe.python.solutions.face_mesh import FaceMesh

            self._mesh = FaceMesh(
                static_image_mode=static,
                max_num_faces=max_faces,
                refine_landmarks=True,
                min_detection_confidence=MIN_DETECTION,
                min_tracking_confidence=MIN_TRACKING,
            )
            self._mesh.process(np.zeros((64, 64, 3), np.uint8))  # delegates are created on first use
        self._face_seen = False

    def detect(self, rgb8: U8) -> list[tuple[F32, float]]:
        """All faces as ((478, 3) px, confidence), largest first."""
        height, width = rgb8.shape[:2]
        # The landmark graph warms up, and chatters, with the first face.
        quiet = contextlib.nullcontext() if self._face_seen else quiet_native()
        with quiet, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = self._mesh.process(np.ascontiguousarray(rgb8)).multi_face_landmarks or []
        self._face_seen = self._face_seen or bool(found)
        scale = np.array([width, height, width], np.float32)
        faces = []
        for face in found:
            points = np.array([(p.x, p.y, p.z) for p in face.landmark], np.float32) * scale
            points[:, :2] -= _half_crop_pixel(points)
            faces.append((points, _inside_share(points, width, height)))
        return sorted(faces, key=lambda f: -float(np.ptp(f[0][:, 0]) * np.ptp(f[0][:, 1])))

    def close(self) -> None:
        """Release the native graph."""
        self._mesh.close()


def _half_crop_pixel(points: F32) -> float:
    """How far right and down the backend's points lie, in pixels of the picture.

    Its network sees the face in a square crop of 192 pixels, sampled without half a pixel: of the crop, not of the
    picture, so the shift follows the face's size. The bundled presenter tracked at half to four times its size gives
    the same points to 0.04 px of 512 then; without it they move by 0.9 px.
    """
    return 0.5 * _CROP_SHARE * float(np.ptp(points[:, :2], axis=0).max()) / _CROP_PX


def _inside_share(points: F32, width: int, height: int) -> float:
    """Share of mesh points inside the picture: the backend reports no score, and this is what fails first."""
    inside = ((points[:, 0] >= 0) & (points[:, 0] < width) & (points[:, 1] >= 0) & (points[:, 1] < height)).mean()
    return max(float(inside), 1e-3)


TRACKERS: Registry[Callable[..., FaceTracker]] = Registry("face tracker")
TRACKERS.add("mediapipe", MediaPipeTracker)
