from __future__ import annotations

import numpy as np
import pytest

from lipwright.core.ibug import JAW, MOUTH, RIGID
from lipwright.face.align import Aligner, Box, apply, compose, invert, similarity


def face(rng: np.random.Generator, n: int = 1) -> np.ndarray:
    base = np.random.default_rng(5).uniform(-100, 100, (68, 2)).astype(np.float32)
    base[[36, 39, 42, 45]] = [[-70, -58], [-28, -54], [28, -54], [70, -58]]
    angle, scale = rng.uniform(-0.3, 0.3, n), rng.uniform(0.8, 1.2, n)
    turn = np.stack([np.stack([np.cos(angle), -np.sin(angle)], -1), np.stack([np.sin(angle), np.cos(angle)], -1)], -2)
    return (np.einsum("nij,kj->nki", turn * scale[:, None, None], base) + rng.uniform(200, 300, (n, 1, 2))).astype(
        np.float32
    )


def test_similarity_recovers_a_known_map() -> None:
    points = np.random.default_rng(0).normal(size=(1, 12, 2))
    angle, scale, shift = 0.4, 1.7, np.array([3.0, -2.0])
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    found = similarity(points, points @ (scale * turn).T + shift)
    np.testing.assert_allclose(found[0], np.c_[scale * turn, shift], atol=1e-5)


def test_round_trips_and_composition() -> None:
    rng = np.random.default_rng(1)
    a, b = similarity(face(rng, 3), face(rng, 3)), similarity(face(rng, 3), face(rng, 3))
    points = rng.uniform(0, 500, (3, 9, 2)).astype(np.float32)
    np.testing.assert_allclose(apply(invert(a), apply(a, points)), points, atol=2e-3)
    np.testing.assert_allclose(apply(compose(b, a), points), apply(b, apply(a, points)), atol=2e-3)


def test_every_frame_lands_on_the_canonical_shape() -> None:
    faces = face(np.random.default_rng(2), 20)
    aligner = Aligner.fit(faces)
    placed = apply(aligner.maps(faces), faces)[:, RIGID]
    np.testing.assert_allclose(placed, np.broadcast_to(aligner.rigid, placed.shape), atol=0.01)
    eyes = aligner.rigid[-1] - aligner.rigid[-4]
    assert abs(float(eyes[1])) < 1e-3, "eyes are level"


def test_mouth_and_jaw_cannot_move_the_map() -> None:
    faces = face(np.random.default_rng(3), 5)
    aligner = Aligner.fit(faces)
    moved = faces.copy()
    moved[:, MOUTH + JAW] += np.random.default_rng(4).normal(0, 30, (5, len(MOUTH + JAW), 2))
    assert np.array_equal(aligner.maps(faces), aligner.maps(moved))
    assert np.array_equal(aligner.rigid, Aligner.fit(moved).rigid)


def test_box_edges_meet_pixel_edges() -> None:
    box = Box(-10, 20, 40, 20, (80, 40))
    corners = np.array([[-10, 20], [30, 40]], np.float32)
    np.testing.assert_allclose(apply(box.crop_from_canonical(), corners), [[-0.5, -0.5], [79.5, 39.5]], atol=1e-5)


@pytest.mark.parametrize("n", [1, 2])
def test_short_tracks_work(n: int) -> None:
    faces = face(np.random.default_rng(6), n)
    assert np.isfinite(Aligner.fit(faces).maps(faces)).all()
