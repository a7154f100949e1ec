"""Mouth crops, and what LipMatch says of the bundled presenter."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from lipwright.evaluate.match_part import cutters, match_part
from lipwright.evaluate.mouths import MouthCutter
from lipwright.evaluate.source import Clip, Scan, scan
from lipwright.lipmatch.card import late

from .drawn import FPS, NEUTRAL, MarkerTracker, Talk, head
from .test_presenter import PRESENTER


def landmarks(n: int, noses: np.ndarray, lips: float = 0.0) -> np.ndarray:
    from lipwright.face.landmarks68 import MAP_68

    points = np.stack([NEUTRAL[MAP_68[k] > 0, :2].mean(axis=0) for k in range(68)])
    points[48:, 1] += lips
    return (points[None] + noses[:n, None]).astype(np.float32)


def test_the_square_follows_the_head_and_never_the_lips() -> None:
    noses = head(20)
    still, open_lips = landmarks(20, noses), landmarks(20, noses)
    open_lips[7:, 48:, 1] += 9
    one, two = MouthCutter.on(still[:7], still, 48), MouthCutter.on(still[:7], open_lips, 48)
    np.testing.assert_allclose(one.crop_from_frame, two.crop_from_frame, atol=1e-4)
    steps = np.diff(one.crop_from_frame[:, :, 2], axis=0)
    scale = one.crop_from_frame[0, 0, 0]
    np.testing.assert_allclose(steps, -scale * np.diff(noses, axis=0), atol=1e-3)


def test_a_margin_shows_more_around_the_same_middle() -> None:
    points = landmarks(5, head(5))
    close, wide = MouthCutter.on(points, points, 48), MouthCutter.on(points, points, 60, 1.25)
    assert close.crop_from_frame[0, 0, 0] == pytest.approx(wide.crop_from_frame[0, 0, 0], rel=1e-4)
    np.testing.assert_allclose(wide.crop_from_frame[..., 2] - close.crop_from_frame[..., 2], 6, atol=1e-2)


def test_frames_pass_unchanged_and_leave_their_mouths(talk: Talk) -> None:
    seen = scan(talk.clip, FPS, (192, 144), MarkerTracker)
    cutter = MouthCutter.of(seen.track, 48)
    for mine, direct in zip(cutter.tap(seen.frames()), seen.frames(), strict=True):
        np.testing.assert_array_equal(mine, direct)
    middle = cutter.mouths[:, 15:40, 18:30].mean(axis=(1, 2))
    assert np.corrcoef(middle, talk.heights)[0, 1] < -0.9  # an open mouth is dark


def test_a_short_video_gets_one_note_and_no_rows(talk: Talk) -> None:
    seen = scan(talk.clip, FPS, (192, 144), MarkerTracker)
    scans = {"video": seen, "real": seen}
    part = match_part(scans, cutters(scans))
    assert part.rows == []
    assert part.notes == ["LipMatch did not score real.mp4: 4.4 s with sound are needed"]


@pytest.fixture(scope="module")
def presenter() -> Scan:
    if not PRESENTER.is_file():
        pytest.skip("the presenter is not part of this checkout")
    return scan(Clip(PRESENTER, Fraction(1), Fraction(9)), Fraction(25), (256, 256))


@pytest.mark.slow
def test_delays_of_the_presenter_are_found_and_controls_are_not_sure(presenter: Scan) -> None:
    cut = cutters({"real": presenter})["real"]
    for _ in cut.tap(presenter.frames()):
        pass
    found = {}
    for by in (-6, 0, 6):
        scans = {"video": replace(presenter, samples=late(presenter.samples, by)), "real": presenter}
        rows = {row.key: row for row in match_part(scans, {"video": cut, "real": cut}).rows}
        assert set(rows) == {"lipmatch.fit", "lipmatch.confidence", "lipmatch.offset"}
        found[by] = rows
    own = found[0]["lipmatch.offset"].video
    assert own is not None
    assert abs(own) < 60
    for by in (-6, 6):
        assert found[by]["lipmatch.offset"].video == pytest.approx(own + 40 * by, abs=20)
    sure = found[0]["lipmatch.confidence"]
    assert sure.interval is not None
    assert sure.interval[0] < (sure.video or 0) < sure.interval[1] + 0.05
    assert (sure.video or 0) > 3 * max(sure.frozen or 0, sure.mean or 0)


@pytest.mark.slow
def test_silence_has_no_offset_and_sound_that_ends_early_is_a_note(presenter: Scan) -> None:
    cut = cutters({"video": presenter})
    for _ in cut["video"].tap(presenter.frames()):
        pass
    silent = match_part({"video": replace(presenter, samples=0 * presenter.samples)}, cut)
    rows = {row.key: row.video for row in silent.rows}
    assert rows["lipmatch.offset"] is None
    assert rows["lipmatch.confidence"] == pytest.approx(0, abs=0.01)
    for n in (0, 1000, 40_000):
        part = match_part({"video": replace(presenter, samples=presenter.samples[:n])}, cut)
        assert part.rows == []
        assert len(part.notes) == 1
