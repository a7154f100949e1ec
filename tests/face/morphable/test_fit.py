"""Known faces are found again from their points and pictures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.face.morphable.drawn import SIZE, face, pictures, tracked, truth

from lipwright.core.contracts import F32
from lipwright.core.errors import CheckpointError, SubjectError
from lipwright.face.morphable import store
from lipwright.face.morphable.fit import Fit, FitConfig, follow, identity, pick, reprojection_px, smoothed
from lipwright.face.morphable.light import shade
from lipwright.face.morphable.model import camera_of
from lipwright.face.morphable.person import build
from lipwright.face.morphable.picture import overlay, photometric_error
from lipwright.face.morphable.solve import Noise, Points, State, first_state, projected, step, trust
from lipwright.face.morphable.targets import targets
from lipwright.face.pose import rotation

RAW = FitConfig(smooth=False)


def points_of(geometry: F32) -> Points:
    model, aim = face(0), targets(face(0))
    still = aim.points(model.mean) + np.tensordot(geometry, aim.points(model.geometry), 1)
    return Points(still.astype(np.float32), aim.points(model.expression))


def test_how_pixels_move_is_what_small_changes_do() -> None:
    c, camera = truth(2), camera_of(SIZE)
    points, turn = points_of(c.geometry), rotation(c.pose_rad)
    state = State(c.expression.copy(), turn, c.shift_cm.astype(np.float64))
    at, size = projected(points, state, camera), 1e-2
    for j in range(5):
        moved = replace(state, expression=state.expression + size * np.eye(5, dtype=np.float32)[j])
        np.testing.assert_allclose((projected(points, moved, camera).px - at.px) / size, at.jacobian[..., j], atol=0.03)
    for j in range(3):
        turned = replace(state, turn=rotation(size * np.eye(3, dtype=np.float32)[j]) @ turn)
        np.testing.assert_allclose(
            (projected(points, turned, camera).px - at.px) / size, at.jacobian[..., 5 + j], rtol=0.02, atol=1.0
        )
        pushed = replace(state, shift=state.shift + size * np.eye(3)[j])
        np.testing.assert_allclose(
            (projected(points, pushed, camera).px - at.px) / size, at.jacobian[..., 8 + j], atol=0.03
        )


def test_expression_and_pose_are_found_from_points() -> None:
    model, c, camera = face(0), truth(6), camera_of(SIZE)
    seen = targets(model).of(tracked(model, c), slice(0, 6))
    points, weights = points_of(c.geometry), targets(model).weights
    state = first_state(points, seen, c.pose_rad + np.float32(0.05), camera)
    for k in range(8):
        state = step(state, points, seen, weights, camera, Noise(), robust=k > 2)
    assert np.abs(state.pose_rad - c.pose_rad).max() < 0.01
    assert np.abs(state.shift - c.shift_cm).max() < 0.5
    assert np.abs(state.expression - c.expression).max() < 0.15
    assert np.abs(projected(points, state, camera).px - seen).max() < 0.3


def test_far_points_lose_their_say() -> None:
    """A quarter at three deviations; a hand that drags a tenth of the points 30 px away changes little."""
    np.testing.assert_allclose(trust(np.array([0, 3, 30], np.float32)), [1, 0.25, 1 / 101**2], rtol=1e-5)
    model, c, camera = face(0), truth(4), camera_of(SIZE)
    seen = targets(model).of(tracked(model, c), slice(0, 4))
    dragged = seen.copy()
    dragged[:, 40::10] += 30
    points, weights, found = points_of(c.geometry), targets(model).weights, {}
    for robust in (True, False):
        state = first_state(points, seen, c.pose_rad, camera)
        for k in range(10):
            state = step(state, points, dragged if k > 3 else seen, weights, camera, Noise(), robust=robust)
        found[robust] = np.abs(projected(points, state, camera).px - seen).mean()
    assert found[True] < 0.2
    assert found[False] > 5 * found[True]


@pytest.mark.slow
def test_a_rendered_person_is_found_again() -> None:
    """Geometry, expression, pose, texture and light of pictures whose truth is known; the same again under a bar."""
    model, c = face(), truth(24)
    track, frames = tracked(model, c, noise_px=0.2), pictures(model, c)
    config = replace(RAW, identity_frames=12)
    learnt, geometry, texture = identity(model, track, lambda f: frames[f], config)
    fit = follow(learnt, geometry, texture, track, iter(frames), config)
    assert reprojection_px(fit, track).mean() < 0.5
    assert np.abs(fit.coefficients.pose_rad - c.pose_rad).mean() < 0.02
    found, right = fit.coefficients.expression.ravel(), c.expression.ravel()
    assert np.corrcoef(found, right)[0, 1] > 0.95
    errors = [photometric_error(fit.model, fit.coefficients, t, frames[t], SIZE) for t in (0, 12, 23)]
    assert max(errors) < 8
    normals = np.array([[0, 0, 1], [0.5, 0.3, 0.81], [-0.5, -0.3, 0.81]], np.float32)
    skin = np.full((3, 3), 0.5, np.float32)
    lit = np.stack([shade(skin, normals, light) for light in fit.coefficients.light])
    truly = np.stack([shade(skin, normals, light) for light in c.light])
    assert np.corrcoef(lit[:, 1:].ravel(), truly[:, 1:].ravel())[0, 1] > 0.9
    assert fit.trusted.mean() > 0.9
    covered = [f.copy() for f in frames]
    for picture in covered:
        picture[100:125, 40:150] = 20
    hidden = follow(learnt, geometry, texture, track, iter(covered), config)
    assert hidden.trusted.mean() < fit.trusted.mean() - 0.05
    assert np.abs(hidden.coefficients.expression - c.expression).mean() < 0.3
    assert np.abs(hidden.coefficients.pose_rad - c.pose_rad).mean() < 0.02


def test_a_model_is_built_from_a_track_alone() -> None:
    model, c = face(0), truth(40)
    person = build(tracked(model, c))
    assert person.name == "person"
    assert len(person.expression) == 39
    size = np.sqrt((person.expression**2).sum((1, 2)))
    assert (np.diff(size) <= 1e-4 * size[0]).all()
    np.testing.assert_allclose(np.linalg.norm(person.mean[33] - person.mean[263]), 8.9, atol=4)
    assert size[5] < 0.5 * size[0]  # five ways to move, the rest is perspective
    with pytest.raises(SubjectError, match="at least 20 frames with a usable face, this footage has 5"):
        build(tracked(model, truth(5)))


def test_picked_frames_span_pose_and_mouth() -> None:
    track = tracked(face(0), truth(40))
    chosen = pick(track, 9)
    assert len(chosen) <= 9
    for values in (track.pose_rad[:, 0], track.pose_rad[:, 1]):
        assert values.argmin() in chosen
        assert values.argmax() in chosen


def test_smoothing_stays_within_stretches() -> None:
    c = truth(20)
    present = np.ones(20, bool)
    present[9:11] = False
    rng = np.random.default_rng(0)
    noisy = replace(c, shift_cm=c.shift_cm + rng.normal(size=c.shift_cm.shape).astype(np.float32))
    jumped = replace(noisy, shift_cm=noisy.shift_cm.copy())
    jumped.shift_cm[11:] += 100
    np.testing.assert_array_equal(smoothed(jumped, present).shift_cm[:9], smoothed(noisy, present).shift_cm[:9])
    assert np.diff(smoothed(noisy, present).shift_cm[:9], axis=0).std() < np.diff(noisy.shift_cm[:9], axis=0).std()
    # lips that part in one frame are not noise
    np.testing.assert_array_equal(smoothed(noisy, present).expression, c.expression)
    np.testing.assert_array_equal(smoothed(noisy, present).geometry, c.geometry)


def test_a_fit_is_kept_whole_and_other_files_are_refused(tmp_path: Path) -> None:
    model, c = face(0), truth(3)
    path = tmp_path / "face.npz"
    store.save(path, Fit(model, c, np.ones(3, np.float32)))
    again = store.load(path)
    assert again.model.name == "person"
    np.testing.assert_array_equal(again.coefficients.light, c.light)
    np.testing.assert_array_equal(again.model.expression, model.expression)
    assert again.model.dense_points is not None
    picture = overlay(again.model, again.coefficients, 0, pictures(model, c)[0])
    assert picture.shape == (192, 768, 3)
    path.write_bytes(path.read_bytes()[:500])
    for wrong in (path, tmp_path / "gone.npz"):
        with pytest.raises(CheckpointError, match="is not a fitted face"):
            store.load(wrong)
    np.savez(path, schema=9)
    with pytest.raises(CheckpointError, match="newer lipwright"):
        store.load(path)
