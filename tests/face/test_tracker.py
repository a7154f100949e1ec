"""What the backend gives, held against itself."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from lipwright.face.tracker import TRACKERS
from lipwright.media.video import VideoReader


@pytest.mark.slow
def test_points_do_not_depend_on_the_size_a_face_is_tracked_at(presenter: Path) -> None:
    """Half a pixel of the network's crop is taken out: what is left is a twentieth of a pixel."""
    with VideoReader(presenter, end_s=Fraction(2, 5)) as reader:
        frames = [f.rgb8 for f in reader]
    means = {}
    for scale in (0.5, 1.0, 2.0):
        tracker = TRACKERS.get("mediapipe")()
        side = round(512 * scale)
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        seen = [tracker.detect(np.asarray(cv2.resize(f, (side, side), interpolation=method), np.uint8)) for f in frames]
        tracker.close()
        points = np.array([faces[0][0][:, :2] for faces in seen])
        means[scale] = ((points + 0.5) / scale - 0.5).mean((0, 1))
    for scale in (0.5, 2.0):
        assert np.abs(means[scale] - means[1.0]).max() < 0.06
