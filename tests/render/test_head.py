"""Head crop and mouth square: fixed per person, around the lips, cut at the frame's own resolution."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from tests.render.conftest import Person

from lipwright.core.contracts import F32
from lipwright.core.errors import CheckpointError, ConfigError
from lipwright.core.ibug import MOUTH, MOUTH_JAW
from lipwright.face.align import apply, zoom
from lipwright.presenter.scene import load_truth
from lipwright.render.head import SHARE, HeadGeometry
from lipwright.render.translation.crop import sample_crop
from lipwright.render.translation.geometry import TranslationGeometry


@pytest.fixture(scope="module")
def geometry(person: Person) -> HeadGeometry:
    return HeadGeometry.fit(person.landmarks, person.pose, 128)


def test_the_square_is_whole_pixels_in_the_crop_and_holds_every_mouth(person: Person, geometry: HeadGeometry) -> None:
    x, y, side = geometry.mouth_square
    assert side >= round(SHARE * 128)
    assert 0 <= x <= 128 - side
    assert 0 <= y <= 128 - side
    mouths = apply(geometry.head_maps(person.landmarks), person.landmarks)[:, MOUTH]
    assert (mouths >= np.array([x, y]) - 0.5).all()
    assert (mouths <= np.array([x, y]) + side - 0.5).all()
    middle = (mouths.min((0, 1)) + mouths.max((0, 1))) / 2
    np.testing.assert_allclose(np.array([x, y]) + (side - 1) / 2, middle, atol=4)


def test_a_square_too_small_for_the_open_mouth_grows_in_steps_and_says_so(person: Person) -> None:
    small = HeadGeometry.fit(person.landmarks, person.pose, 128, share=0.1)
    assert small.mouth_square[2] > round(0.1 * 128)
    assert (small.mouth_square[2] - round(0.1 * 128)) % 4 == 0
    wide = person.landmarks.copy()
    centre = wide[:, MOUTH].mean(1, keepdims=True)
    wide[:, MOUTH] = centre + 1.8 * (wide[:, MOUTH] - centre)
    grown = HeadGeometry.fit(wide, person.pose, 128)
    assert grown.grown == pytest.approx(grown.mouth_square[2] / 128 - SHARE)
    assert grown.grown > 0


def test_mouth_pixels_and_head_pixels_agree(person: Person, geometry: HeadGeometry) -> None:
    x, y, side = geometry.mouth_square
    for size in (64, 96):
        corners = np.array([[x - 0.5, y - 0.5], [x + side - 0.5, y + side - 0.5]], np.float32)
        np.testing.assert_allclose(
            apply(geometry.mouth_from_head(size), corners), [[-0.5] * 2, [size - 0.5] * 2], atol=1e-4
        )
        through = apply(geometry.mouth_from_head(size), apply(geometry.head_maps(person.landmarks), person.landmarks))
        np.testing.assert_allclose(
            apply(geometry.mouth_maps(person.landmarks, size), person.landmarks), through, atol=1e-3
        )


def test_neither_crop_nor_square_follow_the_mouth_of_a_frame(person: Person, geometry: HeadGeometry) -> None:
    moved = person.landmarks.copy()
    moved[:, [*MOUTH, *range(3, 14)]] += 30
    np.testing.assert_array_equal(geometry.head_maps(person.landmarks), geometry.head_maps(moved))
    np.testing.assert_array_equal(geometry.mouth_maps(person.landmarks, 64), geometry.mouth_maps(moved, 64))


def test_a_mouth_keeps_its_place_when_the_head_turns(presenter: Path) -> None:
    """Fitted on the presenter's first half: in the second its mouth moves sideways a third as far as in crops that
    follow the head; a head that never turns steers nothing."""
    truth = load_truth(presenter.with_name(presenter.stem + "_truth.npz"))
    points, half = truth.landmarks_px, len(truth.landmarks_px) // 2
    moves = []
    for steered in (False, True):
        fitted = TranslationGeometry.fit(points[:half], truth.pose_rad[:half], "full-face", 256, steered=steered)
        later = points[half:]
        moves.append(apply(fitted.crop_maps(later), later)[:, MOUTH].mean(1)[:, 0].std())
    assert moves[1] < moves[0] / 3
    still = np.repeat(points[:1], 40, axis=0)
    fitted = TranslationGeometry.fit(still, truth.pose_rad[:40], "full-face", 256, steered=True)
    assert np.abs(fitted.steering).max() < 1e-6


def test_mouths_are_cut_from_the_frame_and_not_from_the_head_crop(person: Person) -> None:
    """Lines two frame pixels apart are there in the mouth picture and gone from the head crop."""
    scale = 8
    large: F32 = (person.landmarks + 0.5) * scale - 0.5
    geometry = HeadGeometry.fit(large, person.pose, 128)
    frame = np.zeros((128 * scale, 128 * scale, 3), np.uint8)
    frame[:, ::4] = frame[:, 1::4] = 255
    size = geometry.native(512)
    mouth_map, head_map = geometry.mouth_maps(large, size)[0], geometry.head_maps(large)[0]
    assert zoom(mouth_map) > 0.9
    assert zoom(head_map) < 0.25
    mouth, head = sample_crop(frame, mouth_map, size), sample_crop(frame, head_map, 128)
    x, y, side = geometry.mouth_square
    enlarged = cv2.resize(head[y : y + side, x : x + side], (size, size), interpolation=cv2.INTER_CUBIC)
    middle = np.s_[size // 4 : -size // 4, size // 4 : -size // 4]
    assert mouth[middle].std() > 90, "black and white lines"
    assert enlarged[middle].std() < 10, "their grey"


def test_native_is_what_the_footage_shows_up_to_what_is_wanted(person: Person, geometry: HeadGeometry) -> None:
    frame_px = geometry.mouth_square[2] / np.median([zoom(m) for m in geometry.head_maps(person.landmarks)])
    assert geometry.native_px == pytest.approx(frame_px, rel=0.02)
    assert geometry.native(512) == 32 * int(np.ceil(geometry.native_px / 32))
    assert geometry.native(32) == 32


def test_state_round_trip_and_what_is_refused(person: Person, geometry: HeadGeometry) -> None:
    state = geometry.state()
    again = HeadGeometry.from_state(state)
    assert again.mouth_square == geometry.mouth_square
    np.testing.assert_array_equal(again.head_maps(person.landmarks), geometry.head_maps(person.landmarks))
    del state["head.mouth_square"]
    with pytest.raises(CheckpointError, match=r"head\.mouth_square"):
        HeadGeometry.from_state(state)
    with pytest.raises(ConfigError, match="multiple of 32"):
        HeadGeometry.fit(person.landmarks, person.pose, 100)
    with pytest.raises(ConfigError, match="mouth square"):
        HeadGeometry.fit(person.landmarks, person.pose, 128, share=0.9)
    assert replace(geometry, mouth_square=(0, 0, 48)).grown == 0


def test_a_jaw_that_moves_as_speech_says_is_found_and_kept(person: Person, geometry: HeadGeometry) -> None:
    """Points moved by a known amount for each number of speech: told again, for other frames, and after loading."""
    rng = np.random.default_rng(3)
    said = rng.normal(0, 1, (len(person.landmarks), 2)).astype(np.float32)
    amount = rng.normal(0, 4, (2, len(MOUTH_JAW), 2)).astype(np.float32)
    maps = geometry.head_maps(person.landmarks)
    points = apply(maps, person.landmarks)
    points[:, MOUTH_JAW] = geometry.crop.expected(person.pose)[:, [*range(20), *range(21, 30)]]
    points[:, MOUTH_JAW] += np.einsum("tk,kpc->tpc", said, amount)
    listening = geometry.listening(points, person.pose, said)
    assert listening.told is not None
    np.testing.assert_allclose(listening.told, amount, atol=0.15)
    again = HeadGeometry.from_state(listening.state())
    assert again.told is not None
    np.testing.assert_array_equal(again.told, listening.told)
    there = apply(maps, again.wanted(maps, person.pose, said))
    np.testing.assert_allclose(there, points[:, MOUTH_JAW], atol=0.6)
