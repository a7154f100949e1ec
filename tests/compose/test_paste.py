from __future__ import annotations

import cv2
import numpy as np
import pytest

from lipwright.compose.paste import _weights, paste
from lipwright.core.contracts import Patch
from lipwright.media.color import ColorTags
from lipwright.media.formats import PIX_FMTS
from lipwright.media.picture import Picture


def pixels(seed: int, height: int = 60, width: int = 80, smooth: float = 0.0) -> np.ndarray:
    noise = np.random.default_rng(seed).integers(0, 255, (height, width, 3), np.uint8)
    return cv2.GaussianBlur(noise, (0, 0), smooth) if smooth else noise


def held(seed: int, pix_fmt: str = "yuv444p", height: int = 60, width: int = 80, smooth: float = 0.0) -> Picture:
    return Picture.of_rgb8(pixels(seed, height, width, smooth), ColorTags(), pix_fmt)


def at(x: float, y: float, angle: float = 0.0) -> np.ndarray:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, -x], [s, c, -y]], np.float32)


def same(a: Picture, b: Picture) -> bool:
    return all(np.array_equal(p, q) for p, q in zip(a.planes, b.planes, strict=True))


@pytest.mark.parametrize("angle", [0.0, 0.2])
@pytest.mark.parametrize("pix_fmt", PIX_FMTS)
def test_outside_the_mask_every_pixel_is_the_templates(pix_fmt: str, angle: float) -> None:
    template, mask = held(0, pix_fmt), np.zeros((20, 30), np.float32)
    mask[5:15, 5:25] = np.linspace(0, 1, 20)
    before = [p.copy() for p in template.planes]
    patch = Patch(pixels(1, 20, 30), mask, at(40, 30, angle))
    result = paste(template, patch)
    spread = cv2.warpAffine(mask, patch.crop_from_frame, (80, 60), flags=cv2.WARP_INVERSE_MAP | cv2.INTER_LINEAR)
    outside = spread == 0
    assert outside.sum() > 3000
    assert np.array_equal(result.rgb8()[outside], template.rgb8()[outside])
    assert np.any(result.rgb8() != template.rgb8())
    assert all(np.array_equal(p, q) for p, q in zip(before, template.planes, strict=True)), (
        "the template is not touched"
    )


@pytest.mark.parametrize("pix_fmt", PIX_FMTS)
def test_a_mask_of_one_shows_the_patch_itself(pix_fmt: str) -> None:
    patch = Patch(pixels(1, 32, 40, smooth=3.0), np.ones((32, 40), np.float32), at(20, 10))
    result = paste(held(0, pix_fmt, smooth=3.0), patch).rgb8()[14:38, 24:56]
    assert np.abs(result.astype(int) - patch.rgb8[4:28, 4:36]).max() <= (2 if "444" in pix_fmt else 6)


@pytest.mark.parametrize("angle", [0.0, 0.3])
@pytest.mark.parametrize("pix_fmt", PIX_FMTS)
def test_a_cut_and_pasted_region_comes_back(pix_fmt: str, angle: float) -> None:
    template = held(2, pix_fmt, 200, 200, smooth=4.0)
    to_patch = at(20, 30, angle)
    cut = cv2.warpAffine(template.rgb8(), to_patch, (120, 120), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    mask = np.zeros((120, 120), np.float32)
    mask[20:100, 20:100] = 1
    back = paste(template, Patch(cut, mask, to_patch))
    assert np.abs(back.rgb8().astype(int) - template.rgb8()).max() <= 4


def test_zero_strength_and_patches_off_the_picture_change_nothing() -> None:
    template, ones = held(3), np.ones((20, 30), np.float32)
    for x in (-500, 500):
        assert same(paste(template, Patch(pixels(4, 20, 30), ones, at(x, 0))), template)
    assert same(paste(template, Patch(pixels(4, 20, 30), ones, at(0, 0)), 0.0), template)


@pytest.mark.parametrize("size", [(60, 80), (61, 81)])
@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv444p"])
def test_patches_partly_outside_are_clipped(pix_fmt: str, size: tuple[int, int]) -> None:
    template = held(5, pix_fmt, *size, smooth=3.0)
    patch = Patch(pixels(6, 20, 30, smooth=5.0), np.ones((20, 30), np.float32), at(-10, -5))
    result = paste(template, patch).rgb8()
    assert np.abs(result[:13, :18].astype(int) - patch.rgb8[5:18, 10:28]).max() <= (2 if pix_fmt == "yuv444p" else 6)
    assert np.array_equal(result[16:], template.rgb8()[16:])
    corner = Patch(pixels(6, 20, 30), np.ones((20, 30), np.float32), at(size[1] - 7, size[0] - 3))
    assert np.any(paste(template, corner).rgb8()[-3:, -7:] != template.rgb8()[-3:, -7:])


def test_a_mask_that_grows_stays_in_place() -> None:
    """Sampled at every second pixel, it must lie where full sampling puts it, to a fiftieth of its range."""
    mask = np.zeros((64, 64), np.float32)
    mask[20:44, 24:40] = 1
    mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), 3), np.float32)
    c, s = np.cos(0.1) * 0.4, np.sin(0.1) * 0.4
    grows = np.array([[c, -s, 4], [s, c, 6]])
    full = cv2.warpAffine(mask, grows, (130, 141), flags=cv2.WARP_INVERSE_MAP | cv2.INTER_LINEAR)
    assert np.abs(_weights(mask, grows, (130, 141)) - full).max() < 0.02
