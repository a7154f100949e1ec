from __future__ import annotations

import numpy as np
import pytest

from lipwright.compose.paste import paste
from lipwright.compose.walk import TemplateWalk
from lipwright.core.contracts import FaceTrack, Patch


def picture(seed: int, height: int = 60, width: int = 80) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, (height, width, 3), np.uint8)


def test_outside_the_mask_every_pixel_is_the_templates() -> None:
    frame, mask = picture(0), np.zeros((20, 30), np.float32)
    mask[5:15, 5:25] = np.linspace(0, 1, 20)
    patch = Patch(picture(1, 20, 30), mask, np.array([[1, 0, -40], [0, 1, -30]], np.float32))
    result = paste(frame, patch)
    outside = np.ones((60, 80), bool)
    outside[35:45, 46:65] = False
    assert np.array_equal(result[outside], frame[outside])
    assert np.array_equal(result[35:45, 64], patch.rgb8[5:15, 24]), "mask 1 shows the patch itself"
    assert not np.shares_memory(result, frame)


@pytest.mark.parametrize("angle", [0.0, 0.3])
def test_a_cut_and_pasted_region_comes_back(angle: float) -> None:
    import cv2

    smooth = cv2.GaussianBlur(picture(2, 200, 200), (0, 0), 4)
    c, s = np.cos(angle), np.sin(angle)
    to_patch = np.array([[c, -s, -20], [s, c, -30]], np.float32)
    cut = cv2.warpAffine(smooth, to_patch, (120, 120), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    mask = np.zeros((120, 120), np.float32)
    mask[20:100, 20:100] = 1
    back = paste(smooth, Patch(cut, mask, to_patch))
    assert np.abs(back.astype(int) - smooth).max() <= 3


def test_zero_strength_and_patches_off_the_picture_change_nothing() -> None:
    frame = picture(3)
    ones = np.ones((20, 30), np.float32)
    for x in (-500, 500):
        off = Patch(picture(4, 20, 30), ones, np.array([[1, 0, -x], [0, 1, 0]], np.float32))
        assert np.array_equal(paste(frame, off), frame)
    near = Patch(picture(4, 20, 30), ones, np.array([[1, 0, 0], [0, 1, 0]], np.float32))
    assert np.array_equal(paste(frame, near, 0.0), frame)


def test_patches_partly_outside_are_clipped() -> None:
    frame = picture(5)
    patch = Patch(picture(6, 20, 30), np.ones((20, 30), np.float32), np.array([[1, 0, 10], [0, 1, 5]], np.float32))
    result = paste(frame, patch)
    assert np.array_equal(result[:15, :20], patch.rgb8[5:, 10:])
    assert np.array_equal(result[15:], frame[15:])


def test_ping_pong_never_jumps_and_never_repeats_a_turn() -> None:
    walk = TemplateWalk(2, 6)
    assert walk.indices(0, 10).tolist() == [2, 3, 4, 5, 6, 5, 4, 3, 2, 3]
    assert walk.indices(-3, 1).tolist() == [2, 2, 2, 2]
    assert np.abs(np.diff(TemplateWalk(0, 9).indices(0, 200))).max() == 1
    assert TemplateWalk(3, 3).indices(0, 4).tolist() == [3, 3, 3, 3]


class Store:
    """A store that remembers how it was read."""

    def frame(self, index: int) -> int:
        return index

    def read(self, first: int, count: int) -> list[int]:
        return list(range(first, first + count))

    def backward(self, first: int, count: int) -> list[int]:
        return list(range(first, first - count, -1))


@pytest.mark.parametrize("n", [1, 4, 5, 9, 23])
@pytest.mark.parametrize("ends", [(0, 4), (2, 6), (3, 3), (0, 1)])
def test_pictures_follow_the_indices(n: int, ends: tuple[int, int]) -> None:
    walk = TemplateWalk(*ends)
    shown = list(walk.frames(Store(), n))  # type: ignore[arg-type]
    assert shown == walk.indices(0, n).tolist()


def test_turns_are_where_the_head_rests() -> None:
    n = 100
    speed = np.ones(n)
    speed[90:93] = 0  # a rest near the end
    x = np.cumsum(speed)
    landmarks = np.random.default_rng(0).uniform(0, 50, (68, 2))[None] + np.stack([x, 0 * x], -1)[:, None]
    track = FaceTrack(
        landmarks.astype(np.float32),
        np.zeros((n, 0, 3), np.float32),
        np.ones(n, np.float32),
        np.zeros((n, 3), np.float32),
        (64, 64),
    )
    assert TemplateWalk.through(track).last in (90, 91, 92)
    assert TemplateWalk.through(track).first == 0
