from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.presenter.conftest import make_speech

from lipwright.core.errors import SpeechError
from lipwright.face.raster import project
from lipwright.presenter.make import mouth_camera
from lipwright.presenter.motion import head_motion, rotation
from lipwright.presenter.rig import PIVOT_CM, Rig, studio_camera
from lipwright.presenter.scene import (
    accents,
    combine,
    crossed,
    cut,
    load_phones,
    load_truth,
    perform,
    save_phones,
    save_truth,
)
from lipwright.speech.tts import Phone, Speech

SENTENCE = "pau dh ax b ih g b l uw b ow t m uw v d pau " * 6


def test_frames_cover_the_speech(toy_rig: Rig) -> None:
    p = perform(toy_rig, make_speech(SENTENCE), seed=2)
    assert len(p) == len(p.lips) == len(p.motion) == len(p.landmarks_px) == len(p.gap_cm)
    assert len(p) * 640 >= len(p.speech.samples) > (len(p) - 1) * 640


def test_tracks_repeat_bit_for_bit(toy_rig: Rig) -> None:
    a, b = (perform(toy_rig, make_speech(SENTENCE), seed=2) for _ in range(2))
    assert np.array_equal(a.landmarks_px, b.landmarks_px)
    assert np.array_equal(a.weights, b.weights)


def test_landmarks_are_the_projected_mesh(toy_rig: Rig) -> None:
    p = perform(toy_rig, make_speech(SENTENCE), seed=2, size=700)
    f = 33
    shape = toy_rig.shape(p.weights[f], p.motion.gaze_rad[f])[:68]
    turned = (shape - PIVOT_CM) @ rotation(p.pose_rad[f]).T + PIVOT_CM + p.motion.shift_cm[f]
    np.testing.assert_allclose(p.landmarks_px[f], project(turned, studio_camera(700))[:, :2], atol=2e-3)


def test_truth_scales_with_the_picture(toy_rig: Rig) -> None:
    small, large = (perform(toy_rig, make_speech(SENTENCE), seed=2, size=s) for s in (512, 1024))
    # pixel centres are at integers, so half a pixel moves with the scale
    np.testing.assert_allclose((small.landmarks_px + 0.5) * 2 - 0.5, large.landmarks_px, atol=2e-3)


def test_lips_do_not_depend_on_the_head_nor_the_head_on_the_lips(toy_rig: Rig) -> None:
    speech = make_speech(SENTENCE)
    a, b = perform(toy_rig, speech, seed=1), perform(toy_rig, speech, seed=9)
    assert np.array_equal(a.lips, b.lips)
    assert not np.array_equal(a.pose_rad, b.pose_rad)
    other = combine(toy_rig, speech, b.lips, a.motion)
    assert np.array_equal(other.landmarks_px, a.landmarks_px)


def test_given_motion_must_be_long_enough(toy_rig: Rig) -> None:
    with pytest.raises(SpeechError, match="only 10"):
        perform(toy_rig, make_speech(SENTENCE), motion=head_motion(10, 1))


def test_speech_without_phones_is_refused(toy_rig: Rig) -> None:
    with pytest.raises(SpeechError, match="no phone times"):
        perform(toy_rig, replace(make_speech(SENTENCE), phones=None))


def test_crossed_says_the_end_over_the_head_of_the_beginning(toy_rig: Rig) -> None:
    whole = perform(toy_rig, make_speech(SENTENCE), seed=3)
    c = crossed(toy_rig, whole, 4)
    assert len(c) == 100
    assert np.array_equal(c.lips, whole.lips[-100:])
    assert np.array_equal(c.pose_rad, whole.pose_rad[:100])
    rigid = [36, 39]  # made-up landmarks: what both share is the gap, free of the head
    assert np.abs(c.landmarks_px[:, rigid] - whole.landmarks_px[:100, rigid]).max() > 0
    np.testing.assert_allclose(c.gap_cm, whole.gap_cm[-100:], atol=2e-2)
    start = (len(whole) - 100) * 640
    assert np.array_equal(c.speech.samples, whole.speech.samples[start:])
    with pytest.raises(SpeechError, match="too few"):
        crossed(toy_rig, whole, 60)


def test_cutting_clips_phones_to_the_stretch() -> None:
    speech = Speech(np.zeros(16000, np.float32), 16000, (Phone("a", 0.0, 0.5), Phone("b", 0.5, 1.0)))
    part = cut(speech, 10, 20)
    assert part.phones == (
        Phone("a", 0.0, pytest.approx(0.1)),
        Phone("b", pytest.approx(0.1), pytest.approx(0.4)),
    )
    assert len(part.samples) == 6400


def test_truth_survives_the_disk(toy_rig: Rig, tmp_path: Path) -> None:
    p = perform(toy_rig, make_speech(SENTENCE), seed=2)
    save_truth(tmp_path / "t.npz", p)
    truth = load_truth(tmp_path / "t.npz")
    np.testing.assert_allclose(truth.landmarks_px, p.landmarks_px, atol=1 / 32 + 1e-4)
    np.testing.assert_allclose(truth.pose_rad, p.pose_rad)
    np.testing.assert_allclose(truth.gap_cm, p.gap_cm, atol=2e-3)
    assert (truth.size, truth.fps) == (512, p.fps)


def test_phones_survive_the_disk(tmp_path: Path) -> None:
    phones = (Phone("pau", 0.0, 0.25), Phone("b", 0.25, 0.4))
    save_phones(tmp_path / "p.json", phones, "B.", "voice")
    assert load_phones(tmp_path / "p.json") == phones


def test_accents_are_the_loud_moments() -> None:
    t = np.arange(4 * 16000) / 16000
    loud = sum(np.exp(-(((t - c) / 0.1) ** 2)) for c in (0.8, 2.9))
    speech = Speech((np.sin(2 * np.pi * 200 * t) * loud).astype(np.float32), 16000, None)
    np.testing.assert_allclose(accents(speech), [0.8, 2.9], atol=0.05)
    assert accents(Speech(np.zeros(50, np.float32), 16000, None)) == []


def test_the_mouth_camera_follows_the_mouth_at_a_fixed_scale(toy_rig: Rig) -> None:
    p = perform(toy_rig, make_speech(SENTENCE), seed=2, size=640)
    points = toy_rig.landmarks(p.weights, p.motion)
    for f in (0, 50):
        crop = project(points[f], mouth_camera(p, f))[:, :2]
        np.testing.assert_allclose(crop[48:60].mean(axis=0), [255.5, 255.5], atol=0.05)
        studio = project(points[f], studio_camera(640))[:, :2]
        ratio = np.ptp(crop, axis=0) / np.ptp(studio, axis=0)
        np.testing.assert_allclose(ratio, (512 / 9) / (640 / 39), rtol=1e-4)
