"""Tracks and crops by the rules of SyncNet's pipeline, on boxes and pictures made by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from lipwright.core.errors import FootageError
from lipwright.evaluate.content_cuts import content_cuts
from lipwright.evaluate.face_boxes import BoxTrack, crops, longest_track, read_boxes, squashed
from lipwright.evaluate.script_copies import through_avi, through_jpeg


def still(n: int, box: tuple[float, ...] = (100, 100, 220, 260)) -> np.ndarray:
    return np.tile(np.array(box, float), (n, 1))


def test_a_face_must_be_seen_in_more_than_100_frames() -> None:
    assert longest_track(still(100)) is None
    found = longest_track(still(101))
    assert found is not None
    assert (found.first, len(found)) == (0, 101)
    gap = still(110)
    gap[50:60] = np.nan
    assert longest_track(gap) is None  # 100 detections over 110 frames


def test_the_box_must_be_larger_than_100_px_on_its_longer_side() -> None:
    assert longest_track(still(120, (0, 0, 60, 100))) is None
    assert longest_track(still(120, (0, 0, 60, 101))) is not None


def test_gaps_of_up_to_25_frames_are_bridged_on_a_straight_line() -> None:
    boxes = still(180)
    boxes[90:] += 10
    boxes[80:104] = np.nan  # from 79 to 104: 25 frames
    found = longest_track(boxes)
    assert found is not None
    assert len(found) == 180
    np.testing.assert_allclose(found.boxes[84], boxes[0] + 10 * (84 - 79) / 25)
    boxes[80:105] = np.nan
    assert longest_track(boxes) is None


def test_a_jump_starts_another_track_and_the_longest_counts() -> None:
    boxes = np.concatenate([still(120), still(150, (400, 100, 520, 260))])
    found = longest_track(boxes)
    assert found is not None
    assert (found.first, len(found)) == (120, 150)
    half = still(150, (100, 100, 220, 260))
    half[75:, [0, 2]] += 40.1  # of 120: the overlap falls just below one half
    assert longest_track(half) is None
    half[75:, [0, 2]] -= 0.2
    assert longest_track(half) is not None


def test_no_track_crosses_a_cut() -> None:
    found = longest_track(still(260), cuts=[120])
    assert found is not None
    assert (found.first, len(found)) == (120, 140)
    assert longest_track(still(190), cuts=[95]) is None


def test_cuts_by_colour_and_only_one_for_a_flash() -> None:
    dark, bright = np.full((90, 160, 3), 30, np.uint8), np.full((90, 160, 3), 200, np.uint8)
    assert content_cuts([dark] * 20 + [bright] * 20 + [dark] * 20) == [20, 40]
    assert content_cuts([dark] * 20 + [bright] + [dark] * 20) == [20]  # in and out of a flash
    assert content_cuts([dark] * 10 + [bright] * 40) == []  # 15 frames are the shortest shot
    near = np.full((90, 160, 3), 30 + 80, np.uint8)  # value alone by 80: 26.7 over three channels
    assert content_cuts([dark] * 20 + [near] * 20) == []
    assert content_cuts([dark] * 20 + [near + 2] * 20) == [20]
    assert content_cuts([]) == []


def coordinates(width: int = 300, height: int = 240) -> np.ndarray:
    """RGB frame whose red is x / 2 and green y / 2; blue is 40."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x / 2, y / 2, np.full_like(x, 40)], -1).astype(np.uint8)


def test_crop_is_2_8_half_sides_with_more_below_and_bgr() -> None:
    track = BoxTrack(2, still(40, (100, 90, 180, 150)))  # centre (140, 120), half side 40
    faces = list(crops([coordinates()] * 42, track))
    assert len(faces) == 40
    middle = faces[20]
    assert middle.shape == (224, 224, 3)
    assert (middle[..., 0] == 40).all()
    # x from 140 - 56 to 140 + 56, y from 120 - 40 to 120 + 72: 112 px in 224
    red, green = middle[..., 2].astype(float) * 2, middle[..., 1].astype(float) * 2
    np.testing.assert_allclose(red[0, [1, 222]], [84, 195], atol=2.1)
    np.testing.assert_allclose(green[[1, 222], 0], [80, 191], atol=2.1)


def test_grey_110_beyond_the_border() -> None:
    track = BoxTrack(0, still(20, (-20, 60, 100, 180)))  # centre 40, half 60: the left reaches -44
    face = list(crops([coordinates()] * 20, track))[10]
    assert (face[100, :50] == 110).all()
    assert (face[100, 80:, 0] == 40).all()


def test_one_wrong_box_does_not_move_the_crop() -> None:
    boxes = still(60, (100, 90, 180, 150))
    shaken = boxes.copy()
    shaken[30] += 25
    frames = [coordinates()] * 60
    for a, b in zip(crops(frames, BoxTrack(0, boxes)), crops(frames, BoxTrack(0, shaken)), strict=True):
        np.testing.assert_array_equal(a, b)


def test_boxes_outside_the_picture_are_an_error() -> None:
    with pytest.raises(FootageError, match=r"frame 0 .* lies outside the picture"):
        list(crops([coordinates()] * 20, BoxTrack(0, still(20, (900, 900, 1000, 1000)))))


def test_lossy_copies_keep_count_and_order_and_lose_detail() -> None:
    y, x = np.mgrid[:224, :224]
    faces = [np.stack([x, y, np.full_like(x, 6 * k)], -1).astype(np.uint8) for k in range(30)]
    for copies in (through_avi, through_jpeg):
        copied = list(copies(iter(faces)))
        assert len(copied) == 30
        assert all(c.shape == (224, 224, 3) for c in copied)
        levels = [float(c[..., 2].mean()) for c in copied]
        np.testing.assert_allclose(levels, 6 * np.arange(30), atol=6)
        assert any((a != b).any() for a, b in zip(copied, faces, strict=True))
    assert [f.shape for f in squashed([np.zeros((90, 160, 3), np.uint8)])] == [(224, 224, 3)]
    assert list(through_jpeg([])) == []


def test_boxes_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "b.json").write_text(json.dumps({"boxes": [[1, 2, 3, 4], None]}), encoding="utf-8")
    np.testing.assert_array_equal(read_boxes(tmp_path / "b.json"), [[1, 2, 3, 4], [np.nan] * 4])
    np.savez(tmp_path / "b.npz", boxes=still(3))
    np.testing.assert_array_equal(read_boxes(tmp_path / "b.npz"), still(3))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{}", "holds no face boxes"),
        ("no json", "holds no face boxes"),
        ("[[1, 2, 3]]", r"shape \(1, 3\)"),
        ("[null, null]", "expected"),
        ("[[1, 2, 3, 4], [5, 5, 4, 9]]", "the box of frame 1 is empty"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, content: str, words: str) -> None:
    (tmp_path / "b.json").write_text(content, encoding="utf-8")
    with pytest.raises(FootageError, match=words):
        read_boxes(tmp_path / "b.json")
    np.savez(tmp_path / "b.npz", boxes=np.array([object()]))
    with pytest.raises(FootageError, match="holds no face boxes"):
        read_boxes(tmp_path / "b.npz")
    with pytest.raises(FootageError, match="holds no face boxes"):
        read_boxes(tmp_path / "absent.json")
