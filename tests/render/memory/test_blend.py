"""Detail given back, fades that keep it, light that follows the skin and not the mouth."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from lipwright.core.contracts import F32
from lipwright.render.memory.blend import detail, faded, lip_box, relight, sharpened

WHERE = (slice(8, 40), slice(8, 56))


@pytest.fixture
def noise() -> F32:
    return np.random.default_rng(1).normal(128, 20, (48, 64, 3)).astype(np.float32)


def test_detail_of_a_checkerboard() -> None:
    """Every pixel differs by 2 from each of its four neighbours: the Laplacian is 8 everywhere."""
    board = (np.indices((6, 6)).sum(0) % 2 * 2.0).astype(np.float32)
    assert detail(np.repeat(board[..., None], 3, 2)) == pytest.approx(64)
    assert detail(np.zeros((2, 9, 3), np.uint8)) == 0


def test_what_a_blur_took_is_given_back(noise: F32) -> None:
    soft = cv2.GaussianBlur(noise, (0, 0), 0.5)
    wanted = detail(noise[WHERE])
    assert detail(soft[WHERE]) < 0.6 * wanted
    assert detail(sharpened(soft, WHERE, wanted, 9.0)[WHERE]) == pytest.approx(wanted, rel=0.03)
    assert sharpened(noise, WHERE, 0.5 * wanted, 9.0) is noise, "never softer"
    limited = sharpened(soft, WHERE, wanted, 0.1)
    np.testing.assert_allclose(limited, soft + 0.1 * (soft - cv2.GaussianBlur(soft, (0, 0), 0.7)), atol=1e-3)


def test_sharpening_nothing() -> None:
    flat = np.full((48, 64, 3), 90, np.float32)
    assert sharpened(flat, WHERE, 5.0, 1.0) is flat
    outside = lip_box(np.float32([[-40, -40], [-20, -30]]))
    assert sharpened(flat, outside, 5.0, 1.0) is flat


def test_a_fade_mixes_what_is_coarse_and_keeps_what_is_fine(noise: F32) -> None:
    other = np.random.default_rng(2).normal(188, 20, noise.shape).astype(np.float32)
    assert faded(noise, [], 0.5, 1.5) is noise
    mixed = faded(noise, [other], 0.5, 1.5)
    assert mixed.mean() == pytest.approx(158, abs=1)
    assert detail(mixed) == pytest.approx(detail(noise), rel=0.1)
    assert detail(0.5 * (noise + other)) < 0.6 * detail(noise)


def test_light_is_multiplied_and_only_the_skin_decides(noise: F32) -> None:
    """A dimmer, warmer, slanting light on the same skin is found; the mouth gets it though it looks quite different."""
    mouth = noise.copy()
    mouth[20:30, 20:44] = 12  # dark between the lips
    skin = np.ones(mouth.shape[:2], np.float32)
    skin[18:32, 18:46] = 0
    slant = 1 + 0.3 * (np.arange(64, dtype=np.float32) / 64 - 0.5)[None, :, None]
    template = mouth * slant * np.float32([0.7, 0.65, 0.5])
    np.testing.assert_allclose(relight(mouth, template, skin), template, atol=0.5)
    other = template.copy()
    other[18:32, 18:46] = 250
    np.testing.assert_array_equal(relight(mouth, other, skin), relight(mouth, template, skin))
    assert relight(mouth, template, 0 * skin) is mouth, "nothing to compare"
