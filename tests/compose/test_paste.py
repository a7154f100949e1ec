from __future__ import annotations

import numpy as np
import pytest

from lipwright.compose.paste import paste
from lipwright.core.contracts import Patch


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
