"""Portraits: where they lie, which pixels they show, and that the face's camera goes with them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lipwright.core.contracts import FaceTrack
from lipwright.core.progress import Silent
from lipwright.face.morphable.model import Coefficients, landmarks_px, neutral
from lipwright.face.morphable.person import build
from lipwright.recipes.teacher.portrait import FACE, SIDE, Portrait, cropped, place, portrait
from lipwright.recipes.teacher.reconstruct import reconstruct
from lipwright.subject.store import Subject


def test_the_face_is_96_pixels_high_and_in_the_middle() -> None:
    points = np.zeros((5, 68, 2), np.float32)
    points[:, 0], points[:, 1] = (100, 200), (300, 392)
    points[:, 2:] = (200, 296)
    scale, corner, size = place(points, (640, 480))
    assert scale == FACE / 192
    assert size == (320, 240)
    assert corner == ((100 - 128), round(148 - 128 + 0.06 * 256))


def test_pixels_come_from_where_the_map_says() -> None:
    """A ramp stays a ramp: small pixel u covers what lies about (u + 1/2) / scale."""
    ramp = np.broadcast_to(np.arange(800, dtype=np.float32)[None, :, None] / 4, (700, 800, 3)).astype(np.uint8)
    for scale in (0.9, 0.5, 0.31):
        corner = (round(100 * scale), round(60 * scale))
        made = cropped(ramp, scale, corner).astype(float)
        inside = int(min(SIDE, 790 * scale - corner[0]))
        wanted = ((np.arange(inside) + 0.5 + corner[0]) / scale - 0.5) / 4
        # eight bits cut off half a level on average, twice where the frame is made smaller first
        np.testing.assert_allclose(made[100, 2 : inside - 2, 0], wanted[2:-2], atol=1.6)


def small(corner: tuple[int, int]) -> Portrait:
    return Portrait(None, 0.4, corner, (205, 192))  # type: ignore[arg-type]


def test_portraits_go_back_to_their_place_in_the_frame() -> None:
    picture = np.arange(SIDE * SIDE * 3, dtype=np.uint32).reshape(SIDE, SIDE, 3).astype(np.uint8)
    for corner in ((-20, -30), (10, 5)):
        placed = small(corner)
        canvas = placed.on_frame(picture)
        assert canvas.shape == (192, 205, 3)
        x, y = max(corner[0], 0) + 3, max(corner[1], 0) + 4
        assert (canvas[y, x] == picture[y - corner[1], x - corner[0]]).all()
    one = FaceTrack(
        np.ones((1, 68, 2), np.float32), np.ones((1, 478, 3), np.float32), np.ones(1, np.float32),
        np.zeros((1, 3), np.float32), (SIDE, SIDE),
    )  # fmt: skip
    moved = small((10, 5)).in_frame(one)
    assert moved.size == (205, 192)
    assert moved.landmarks_px[0, 0].tolist() == [11, 6]
    assert moved.dense_px[0, 0].tolist() == [11, 6, 1]


def test_a_face_is_seen_the_same_in_the_small_frame(subject: Subject, tmp_path: Path) -> None:
    """Its points, projected by the small frame's camera, lie where the portrait shows the large frame's."""
    made = portrait(subject, tmp_path, Silent())
    assert made.template.store.size == (SIDE, SIDE)
    assert len(made.template.store) == len(subject)
    model = build(subject.track)
    c = neutral(model)
    large, little = (landmarks_px(model, c, size)[0] for size in (subject.size, made.size))
    np.testing.assert_allclose((large + 0.5) * made.scale - 0.5, little, atol=0.6)
    there = made.template.track.landmarks_px[0] + made.corner
    np.testing.assert_allclose(there, (subject.track.landmarks_px[0] + 0.5) * made.scale - 0.5, atol=1e-3)


def test_expression_is_found_again_in_the_portrait(subject: Subject, tmp_path: Path) -> None:
    """The footage's own mesh, seen through the portrait, gives the expression that the footage gave."""
    from dataclasses import replace

    from lipwright.face.morphable.fit import FitConfig, follow

    made, frames = portrait(subject, tmp_path, Silent()), slice(40, 60)
    model = build(subject.track)
    zero = np.zeros(len(model.geometry), np.float32), np.zeros(len(model.texture), np.float32)
    own = follow(model, *zero, subject.track[frames], subject.frames.read(40, 20), FitConfig())
    seen = made.template.track[frames]
    dense = np.array(subject.track.dense_px[frames]) * np.float32(made.scale)
    dense[..., :2] += 0.5 * made.scale - 0.5 - np.array(made.corner, np.float32)
    expression, weight = reconstruct(
        made, replace(own, coefficients=_with(own.coefficients, *zero)), replace(seen, dense_px=dense),
        made.template.store.read(40, 20),
    )  # fmt: skip
    assert weight.all()
    lips = model.landmark68(model.expression)[:, 48:68]
    apart = np.einsum("te,ekc->tkc", expression - own.coefficients.expression, lips)
    spread = np.einsum("te,ekc->tkc", own.coefficients.expression - own.coefficients.expression.mean(0), lips)
    assert np.linalg.norm(apart, axis=-1).mean() < 0.25 * np.linalg.norm(spread, axis=-1).mean()


def _with(c: Coefficients, geometry: np.ndarray, texture: np.ndarray) -> Coefficients:
    return Coefficients(geometry, texture, c.expression, c.pose_rad, c.shift_cm, c.light)
