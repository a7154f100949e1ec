"""With the ICT model, where it is at hand."""

from __future__ import annotations

import numpy as np
import pytest
from tests.presenter.conftest import make_speech

from lipwright.core.ibug import INNER_BOTTOM, INNER_TOP
from lipwright.face.ict import IctModel
from lipwright.face.raster import project
from lipwright.presenter.lips import frame_times
from lipwright.presenter.look import Look
from lipwright.presenter.render import PresenterRenderer, RenderConfig
from lipwright.presenter.rig import Rig, build_rig, identity_coefficients, studio_camera, tongue_vertices
from lipwright.presenter.scene import perform
from lipwright.presenter.visemes import BILABIAL

SENTENCE = "pau b ih g b l uw b ow t s m ey p ao p pau"


def test_every_expression_of_the_shapes_exists(rig: Rig) -> None:
    from lipwright.presenter.visemes import expression_names

    assert set(expression_names()) <= set(rig.names)


def test_inner_lips_meet_on_the_mesh_itself(rig: Rig) -> None:
    p = perform(rig, make_speech(SENTENCE), seed=1)
    times = frame_times(len(p))
    for phone in p.phones:
        if phone.symbol in BILABIAL:
            frames = np.flatnonzero((times >= phone.start_s) & (times < phone.end_s))
            f = frames[p.gap_cm[frames].argmin()]
            mesh = rig.shape(p.weights[f], p.motion.gaze_rad[f])
            top, bottom = mesh[rig.landmark68[INNER_TOP]], mesh[rig.landmark68[INNER_BOTTOM]]
            assert abs(float((top - bottom)[:, 1].mean())) < 0.02


def test_landmarks_are_vertices_of_the_posed_mesh(rig: Rig) -> None:
    p = perform(rig, make_speech(SENTENCE), seed=1)
    f = 20
    shape = rig.shape(p.weights[f], p.motion.gaze_rad[f])
    posed = rig.pose(shape, p.pose_rad[f], p.motion.shift_cm[f])
    want = project(posed[rig.landmark68], studio_camera(512))[:, :2]
    np.testing.assert_allclose(p.landmarks_px[f], want, atol=1e-2)


def test_shoulders_stay_when_the_head_turns(rig: Rig) -> None:
    turned = rig.pose(rig.neutral, np.radians(np.array([0, 30, 0], np.float32)), np.zeros(3, np.float32))
    moved = np.linalg.norm(turned - rig.neutral, axis=1)
    assert moved[rig.neutral[:, 1] < -17].max() < 0.2
    assert moved[rig.landmark68[30]] > 3


def test_eyes_turn_about_their_centres(rig: Rig) -> None:
    looked = rig.shape(np.zeros(len(rig.names), np.float32), np.array([0.0, 0.2], np.float32))
    for first, end, centre in rig.eyes:
        before = np.linalg.norm(rig.neutral[first:end] - centre, axis=1)
        np.testing.assert_allclose(np.linalg.norm(looked[first:end] - centre, axis=1), before, atol=1e-4)
        front = first + int(rig.neutral[first:end, 2].argmax())
        assert looked[front, 0] > rig.neutral[front, 0]


def test_the_tongue_is_in_the_mouth(ict: IctModel) -> None:
    tongue = ict.neutral[tongue_vertices(ict)]
    assert 300 < len(tongue) < 1200
    assert np.abs(tongue[:, 0]).max() < 2.3
    assert tongue[:, 2].max() < 10.3  # behind the front teeth


def test_seeds_make_other_people(ict: IctModel) -> None:
    a, b = (build_rig(ict, identity_coefficients(s)).neutral for s in (1, 2))
    assert np.linalg.norm(a - b, axis=1).max() > 0.5
    assert np.array_equal(a, build_rig(ict, identity_coefficients(1)).neutral)


@pytest.mark.slow
def test_a_frame_shows_a_person_and_repeats(ict: IctModel, rig: Rig) -> None:
    renderer = PresenterRenderer(ict, rig, Look(), RenderConfig(size=128, noise=0.0))
    p = perform(rig, make_speech(SENTENCE), seed=1, size=128)
    m = p.motion

    def frame(f: int) -> np.ndarray:
        return renderer.frame(p.weights[f], m.gaze_rad[f], m.pose_rad[f], m.shift_cm[f], f)

    shown = frame(10)
    assert np.array_equal(shown, frame(10))
    x, y = p.landmarks_px[10, 30].round().astype(int)
    nose = shown[y, x].astype(int)
    assert nose[0] > nose[1] > nose[2]  # skin
    assert shown[4, 4].astype(int)[2] > shown[4, 4].astype(int)[0]  # blue studio
    assert shown[y, x].sum() > 2 * shown[4, 4].sum()
