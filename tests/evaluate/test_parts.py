"""Boxes, stills, sheets and the noise floor on their own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from lipwright.core.contracts import FaceTrack
from lipwright.core.errors import OutputError, ShapeError
from lipwright.core.ibug import MOUTH
from lipwright.evaluate.boxes import Boxes, mouth_boxes
from lipwright.evaluate.floor import landmark_noise
from lipwright.evaluate.result import Evaluation, number
from lipwright.evaluate.sheet import GAP, contact_sheet, difference, mouth_strip, triptych
from lipwright.evaluate.source import Clip
from lipwright.evaluate.stills import FEATHER, make_stills
from lipwright.face.landmarks68 import to_68
from lipwright.face.smooth import LIP_WINDOW, smooth

from .drawn import NEUTRAL, Talk


def face_track(noses: np.ndarray, size: tuple[int, int] = (400, 300)) -> FaceTrack:
    dense = np.tile(NEUTRAL, (len(noses), 1, 1))
    dense[..., :2] += noses[:, None].astype(np.float32)
    n = len(noses)
    return FaceTrack(to_68(dense), dense, np.ones(n, np.float32), np.zeros((n, 3), np.float32), size)


def test_boxes_have_one_size_follow_the_head_and_hold_the_mouth() -> None:
    noses = np.stack([np.linspace(150, 250, 40), np.full(40, 120.0)], -1)
    track = face_track(noses)
    boxes = mouth_boxes(track)
    mouth = track.landmarks_px[:, MOUTH]
    assert (boxes.corners <= mouth.min(1)).all()
    assert (boxes.corners + boxes.size >= mouth.max(1)).all()
    assert boxes.size[0] % 2 == boxes.size[1] % 2 == 0
    np.testing.assert_allclose(np.diff(boxes.corners[:, 0])[5:-5], np.diff(noses[:, 0])[5:-5], atol=1.01)


def test_boxes_do_not_follow_the_lips() -> None:
    track = face_track(np.full((30, 2), 150.0))
    moving = track.landmarks_px.copy()
    moving[10:20, MOUTH, 1] += 6
    opened = FaceTrack(moving, track.dense_px, track.confidence, track.pose_rad, track.size)
    assert np.ptp(mouth_boxes(opened).corners, axis=0).max() == 0


def test_boxes_stay_inside_the_picture() -> None:
    boxes = mouth_boxes(face_track(np.array([[2.0, 250.0], [398.0, 299.0]] * 4)))
    frame = np.zeros((300, 400, 3), np.uint8)
    for t in range(len(boxes)):
        assert boxes.cut(frame, t).shape == (boxes.size[1], boxes.size[0], 3)
    grown = boxes.grown(9, (400, 300))
    assert grown.size == (boxes.size[0] + 18, boxes.size[1] + 18)
    assert (grown.corners >= 0).all()


def test_stills_of_a_moving_flat_picture_give_the_same_mouth_everywhere() -> None:
    """A head that only translates over whole pixels: mean and frozen mouth are the very pixels."""
    rng = np.random.default_rng(0)
    noses = np.stack([150.0 + np.arange(12), np.full(12, 120.0)], -1)
    track = face_track(noses)
    patch = gaussian_filter(rng.normal(128, 600, (300, 400, 3)), (4, 4, 0)).clip(0, 255).astype(np.uint8)
    frames = [np.roll(patch, t, axis=1) for t in range(12)]
    boxes = mouth_boxes(track)
    outer = boxes.grown(FEATHER, track.size)
    mean, frozen = make_stills(frames, track, boxes, frozen=3)
    for t in (4, 5, 6, 7):  # the track's smoothing bends at its ends
        for still in (mean, frozen):
            pasted = still.paste(frames[t], t, boxes, outer).astype(int)
            gap = np.abs(pasted - outer.cut(frames[t], t))
            assert outer.cut(frames[t], t).std() > 20
            assert gap.mean() < 1.5
            assert gap[0].max() == gap[-1].max() == gap[:, 0].max() == gap[:, -1].max() == 0


def test_difference_is_grey_where_pictures_agree() -> None:
    a = np.full((4, 5, 3), 100, np.uint8)
    b = a.copy()
    b[0, 0] += 10
    b[1, 1] -= 50
    out = difference(a, b)
    assert out[2, 2, 0] == 128
    assert out[0, 0, 0] == 168
    assert out[1, 1, 0] == 0
    with pytest.raises(ShapeError):
        difference(a, b[1:])


def test_contact_sheet_layout() -> None:
    frames = [np.full((40, 60, 3), v, np.uint8) for v in (10, 200)]
    sheet = contact_sheet(frames, frames, [(10, 10, 20, 10), (12, 10, 20, 10)], height=80)
    assert sheet.shape == (2 * 80 + GAP, 3 * 120 + 3 * 160 + 5 * GAP, 3)
    assert sheet[40, 60, 0] == 10
    assert sheet[-40, 60, 0] == 200
    assert sheet[40, 2 * 120 + 2 * GAP + 60, 0] == 128


def test_mouth_strip_wraps_and_keeps_videos_under_each_other() -> None:
    real = [np.full((10, 20, 3), 10 * t, np.uint8) for t in range(5)]
    made = [np.full((10, 20, 3), 10 * t + 100, np.uint8) for t in range(5)]
    strip = mouth_strip([real, made], height=10, per_line=3)
    assert strip.shape == (4 * 10 + 3 * GAP, 3 * 20 + 2 * GAP, 3)
    assert strip[5, 5, 0] == 0
    assert strip[10 + GAP + 5, 5, 0] == 100
    assert strip[2 * (10 + GAP) + 5, 5, 0] == 30
    assert strip[-5, -5, 0] == 255  # the last line is shorter
    with pytest.raises(ShapeError):
        mouth_strip([real, made[1:]])


def test_triptych_puts_one_moment_on_a_row() -> None:
    columns = [[np.full((10, 10, 3), 50 * c + t, np.uint8) for t in range(2)] for c in range(3)]
    sheet = triptych(columns, height=10)
    assert sheet.shape == (20 + GAP, 30 + 2 * GAP, 3)
    assert [int(sheet[5, x, 0]) for x in (5, 19, 33)] == [0, 50, 100]


def test_noise_floor_sees_through_the_smoothing() -> None:
    rng = np.random.default_rng(0)
    raw = rng.normal(0, 0.8, (400, 68 * 2)).astype(np.float32)
    track = face_track(np.full((400, 2), 150.0))
    smooth_px = smooth(raw, LIP_WINDOW).reshape(400, 68, 2)
    noisy = FaceTrack(track.landmarks_px + smooth_px, track.dense_px, track.confidence, track.pose_rad, track.size)
    noise = landmark_noise(noisy)
    assert noise.sigma_px == pytest.approx(smooth_px[:, MOUTH].std(), rel=0.08)
    assert noise.step_px == pytest.approx(np.diff(smooth_px[:, MOUTH], axis=0).std(), rel=0.08)
    assert landmark_noise(track).sigma_px == pytest.approx(0, abs=1e-4)
    assert landmark_noise(track[:3]).sigma_px == 0


def test_a_clip_reads_its_stretch_and_its_sound(talk: Talk) -> None:
    from fractions import Fraction

    clip = Clip(talk.path, Fraction(1), Fraction(3))
    assert clip.name == "real.mp4 [1, 3) s"
    assert sum(1 for _ in clip.frames(Fraction(25), (96, 72))) == 50
    samples = clip.samples()
    assert len(samples) == 32_000
    assert np.corrcoef(samples, talk.sound[16_000:48_000])[0, 1] > 0.99


def test_numbers_for_people() -> None:
    assert [number(v) for v in (None, float("nan"), 0.12345, 12.345, 123.45)] == [
        "-",
        "-",
        "0.123",
        "12.35",
        "123.5",
    ]


def test_an_unwritable_report_says_so(tmp_path: Path) -> None:
    empty = Evaluation("a.mp4", None, (), (), {})
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(OutputError, match="cannot write"):
        empty.write_html(tmp_path / "file" / "report.html")


def test_boxes_count() -> None:
    assert len(Boxes(np.zeros((3, 2), np.int64), (4, 4))) == 3
