"""What is kept of long footage: everything that differs, in stretches, and no more than asked for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lipwright.core.contracts import FaceTrack
from lipwright.core.ibug import MOUTH
from lipwright.render.memory.cover import _facilities, cover
from lipwright.subject.store import Subject


def mostly_closed(track: FaceTrack) -> FaceTrack:
    """200 frames of one mouth, and 16 of a quite different one at 120."""
    points = np.repeat(track.landmarks_px[:1], 200, 0)
    points[120:136, MOUTH, 1] += 12 * (points[120:136, MOUTH, 1] > points[0, MOUTH, 1].mean())
    first = track[[0] * 200]
    return replace(first, landmarks_px=points)


def test_the_rare_mouth_is_kept(subject: Subject) -> None:
    kept = cover(mostly_closed(subject.track), np.arange(200), 16, 8)
    assert len(kept) == 16
    assert set(range(120, 136)) & set(kept.tolist())
    assert set(kept.tolist()) - set(range(120, 136)), "and the usual one"


def test_stretches_stay_whole_and_in_order(subject: Subject) -> None:
    frames = np.flatnonzero(np.arange(250) % 50 != 49)
    kept = cover(subject.track, frames, 100, 8)
    assert 92 < len(kept) <= 100
    assert (np.diff(kept) > 0).all()
    places = np.searchsorted(frames, kept)
    assert set(np.unique(places // 8, return_counts=True)[1].tolist()) <= {8, len(frames) % 8}
    np.testing.assert_array_equal(frames[places], kept)


def test_little_footage_is_kept_whole(subject: Subject) -> None:
    np.testing.assert_array_equal(cover(subject.track, np.arange(30), 30, 8), np.arange(30))
    assert len(cover(subject.track, np.arange(30), 3, 8)) == 8, "one stretch at least"


def test_better_matched_than_an_even_choice(subject: Subject) -> None:
    from lipwright.core.ibug import MOUTH_JAW
    from lipwright.face.align import apply
    from lipwright.render.memory.features import ShapeWeights, describe
    from lipwright.render.region import FaceGeometry

    track = subject.track
    geometry = FaceGeometry.fit(track.landmarks_px)
    shapes = apply(geometry.aligner.maps(track.landmarks_px), track.landmarks_px)[:, MOUTH_JAW]
    rows = describe(shapes, track.pose_rad, geometry.eye_distance, ShapeWeights())
    even = (np.linspace(0, 30, 5).round().astype(int)[:, None] * 8 + np.arange(8)).ravel()

    def missed(kept: np.ndarray) -> float:
        return float(np.linalg.norm(rows[:, None] - rows[kept][None], axis=2).min(1).mean())

    assert missed(cover(track, np.arange(250), 40, 8)) < 0.95 * missed(even)


def test_greedy_by_hand() -> None:
    """Row 1 lowers the sum most; then row 2 serves the last column, which 1 does not, better than 0 does."""
    distance = np.float32([[0, 4, 9, 9], [1, 0, 1, 9], [9, 9, 9, 0]])
    assert _facilities(distance, 2) == [1, 2]
    assert _facilities(distance, 5) == [1, 2, 0]
