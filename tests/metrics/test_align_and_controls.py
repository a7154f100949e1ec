from __future__ import annotations

import numpy as np
import pytest

from lipwright.core.ibug import INNER_BOTTOM, MOUTH, MOUTH_JAW, lip_aperture
from lipwright.metrics import align, controls
from lipwright.metrics.landmarks import lmd

RNG = np.random.default_rng(0)
FACE = RNG.normal(0, 40, (68, 2))
FACE[[61, 62, 63]] = [[-5, 20], [0, 20], [5, 20]]
FACE[[67, 66, 65]] = [[-5, 22], [0, 22], [5, 22]]


def maps(n: int) -> np.ndarray:
    angle, scale = RNG.uniform(-0.3, 0.3, n), RNG.uniform(0.9, 1.1, n)
    a, b = scale * np.cos(angle), scale * np.sin(angle)
    x, y = RNG.uniform(-20, 20, (2, n)) + 200
    return np.stack([np.stack([a, -b, x], -1), np.stack([b, a, y], -1)], 1)


def talking(n: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """A head that moves rigidly and a lower lip that opens by `aperture` px in the face's own frame."""
    aperture = 4 + 4 * np.sin(np.arange(n))
    shapes = np.repeat(FACE[None], n, 0)
    shapes[:, INNER_BOTTOM, 1] = 20 + aperture[:, None]
    return align.apply(maps(n), shapes), aperture


def test_fit_similarity_finds_a_known_map() -> None:
    known = maps(6)
    found = align.fit_similarity(
        np.broadcast_to(FACE, (6, 68, 2)), align.apply(known, np.tile(FACE, (6, 1, 1)))
    )
    np.testing.assert_allclose(found, known, atol=1e-9)


def test_fit_similarity_by_hand_a_quarter_turn() -> None:
    square = np.array([[0.0, 0], [1, 0], [1, 1], [0, 1]])
    turned = np.array([[0.0, 0], [0, 1], [-1, 1], [-1, 0]])
    np.testing.assert_allclose(align.fit_similarity(square, turned), [[0, -1, 0], [1, 0, 0]], atol=1e-12)


def test_invert_undoes() -> None:
    known = maps(4)
    there = align.apply(known, np.tile(FACE, (4, 1, 1)))
    np.testing.assert_allclose(align.apply(align.invert(known), there), np.tile(FACE, (4, 1, 1)), atol=1e-9)


def test_aligned_track_shows_only_what_speech_moves() -> None:
    track, aperture = talking()
    shape = align.canonical_shape(track)
    aligned = align.apply(align.canonical_from_frame(track, shape), track)
    still = [k for k in range(68) if k not in INNER_BOTTOM]
    assert np.ptp(aligned[:, still], axis=0).max() < 1e-6
    opening = lip_aperture(aligned)
    np.testing.assert_allclose(opening / opening.mean(), aperture / aperture.mean(), rtol=1e-6)


def test_lip_aperture_is_the_mean_of_three_pairs() -> None:
    face = np.zeros((68, 2))
    face[[67, 66, 65], 1] = [3, 6, 9]
    assert lip_aperture(face) == pytest.approx(6)


def test_frozen_and_mean_mouth_keep_the_head_and_stop_the_lips() -> None:
    track, _ = talking()
    for control in (controls.mean_mouth(track), controls.frozen_mouth(track, 0)):
        other = [k for k in range(68) if k not in MOUTH_JAW]
        np.testing.assert_array_equal(control[:, other], track[:, other])
        shape = align.canonical_shape(track)
        aligned = align.apply(align.canonical_from_frame(track, shape), control)
        assert np.ptp(aligned[:, MOUTH], axis=0).max() < 1e-6
    frozen = controls.frozen_mouth(track, 7)
    np.testing.assert_allclose(frozen[7], track[7], atol=1e-6)
    assert lmd(track, controls.mean_mouth(track)) < lmd(track, controls.frozen_mouth(track))


def test_rest_frame_is_a_closed_one() -> None:
    track, aperture = talking()
    assert aperture[controls.rest_frame(track)] <= np.sort(aperture)[4]
