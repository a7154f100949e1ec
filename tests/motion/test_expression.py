"""The slow smile: found under speech and head motion, -1 to 1, and nothing where nobody smiles."""

from __future__ import annotations

import numpy as np
import pytest

from lipwright.core.contracts import F32
from lipwright.core.errors import ShapeError
from lipwright.motion.expression import corners, slow_smile

COUNT, FPS = 1000, 25.0


def face(widths: np.ndarray, lifts: np.ndarray, turn: float = 0.0) -> F32:
    """Eyes 100 px apart; mouths `widths` px wide whose corners are `lifts` px above the middle of the lips."""
    points = np.zeros((len(widths), 68, 2))
    points[:, 36], points[:, 45] = (-50, 0), (50, 0)
    points[:, 48, 0], points[:, 54, 0] = -widths / 2, widths / 2
    points[:, [48, 54], 1] = 60 - lifts[:, None]
    points[:, 51], points[:, 57] = (0, 50), (0, 70)
    c, s = np.cos(turn), np.sin(turn)
    return (points @ np.array([[c, s], [-s, c]])).astype(np.float32)


@pytest.mark.parametrize("turn", [0.0, 0.4])
def test_corners_are_width_and_lift_in_eye_distances(turn: float) -> None:
    measured = corners(face(np.array([60.0, 80.0]), np.array([0.0, 10.0]), turn))
    np.testing.assert_allclose(measured, [0.6, 0.9], atol=1e-5)


def performed(smile: np.ndarray, seed: int = 0) -> tuple[F32, F32, F32]:
    """Landmarks, pose and windows of a mouth that speech spreads five times as far as the smile does."""
    rng = np.random.default_rng(seed)
    said = np.convolve(rng.normal(size=COUNT + 4), np.ones(5) / 5, "valid")
    pose = np.zeros((COUNT, 3), np.float32)
    pose[:, 1] = 0.2 * np.sin(np.arange(COUNT) / 31)
    widths = 60 + 10 * said + 20 * pose[:, 1] + 4 * smile
    heard = np.repeat(said[:, None, None], 6, 1).astype(np.float32)
    return face(widths, 2 * smile), pose, heard


def test_a_smile_is_found_beneath_speech_and_turns() -> None:
    smile = np.where((np.arange(COUNT) // 125) % 2, 1.0, -1.0)
    points, pose, heard = performed(smile)
    found = slow_smile(points, pose, heard, np.ones(COUNT, bool), np.arange(800), FPS)
    assert found.shape == (COUNT,)
    assert np.abs(found).max() <= 1
    assert np.corrcoef(found, smile)[0, 1] > 0.85
    assert abs(found[:800].mean()) < 0.1


def test_a_mouth_that_only_speaks_does_not_smile() -> None:
    points, pose, heard = performed(np.zeros(COUNT))
    found = slow_smile(points, pose, heard, np.ones(COUNT, bool), np.arange(800), FPS)
    assert np.abs(found).max() < 0.15


def test_frames_without_a_mouth_take_what_is_around_them() -> None:
    smile = np.where(np.arange(COUNT) > 500, 1.0, -1.0)
    points, pose, heard = performed(smile)
    good = np.ones(COUNT, bool)
    good[700:720] = False
    broken = points.copy()
    broken[700:720] = 0
    whole, found = (slow_smile(p, pose, heard, good, np.arange(1000), FPS) for p in (points, broken))
    np.testing.assert_array_equal(whole, found)
    with pytest.raises(ShapeError):
        slow_smile(points, pose, heard[:-1], good, np.arange(1000), FPS)
