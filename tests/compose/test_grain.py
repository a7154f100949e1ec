"""Grain: found where there is some, made up where a patch lacks it, and nowhere else."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from lipwright.compose.grain import measure_grain, with_grain
from lipwright.compose.paste import paste
from lipwright.core.contracts import Patch
from lipwright.media.color import BT709
from lipwright.media.picture import Picture

SIDE = 320
EVERYWHERE = np.ones((SIDE, SIDE), np.float32)


def scene(bits: int = 8) -> NDArray[np.float32]:
    """A smooth picture of luma 60 to 200 with a hard edge."""
    rng = np.random.default_rng(3)
    soft = cv2.resize(cv2.GaussianBlur(rng.normal(size=(20, 20)).astype(np.float32), (0, 0), 2), (SIDE, SIDE))
    picture = 125 + 45 * soft / np.abs(soft).max()
    picture[:, 200:] += 25
    return picture.astype(np.float32) * (4 if bits == 10 else 1)


def stored(picture: NDArray[Any], bits: int = 8) -> NDArray[Any]:
    return np.clip(np.rint(picture), 0, 2**bits - 1).astype(np.uint8 if bits == 8 else np.uint16)


def noise(seed: int, sigma: float) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(size=(SIDE, SIDE)) * sigma


def sigma_of(picture: NDArray[Any], clean: NDArray[Any]) -> float:
    return float((picture.astype(np.float64) - clean).std())


@pytest.mark.parametrize(("bits", "sigma"), [(8, 1.5), (8, 4.0), (10, 6.0), (10, 16.0)])
def test_it_finds_the_noise_that_was_added(bits: int, sigma: float) -> None:
    grain = measure_grain(stored(scene(bits) + noise(1, sigma), bits))
    assert grain is not None
    np.testing.assert_allclose(np.sqrt(grain.fine), sigma, rtol=0.15)
    assert np.sqrt(grain.coarse).max() < 0.4 * sigma


def test_noise_that_grows_with_luma() -> None:
    """Noise of 2 % of the luma, within a fifth at every level."""
    clean = scene()
    grain = measure_grain(stored(clean + noise(2, 1) * clean * 0.02))
    assert grain is not None
    assert len(grain.level) > 1
    np.testing.assert_allclose(np.sqrt(grain.fine), 0.02 * grain.level, rtol=0.2)


def test_coarse_grain_is_told_from_fine() -> None:
    small = np.random.default_rng(4).normal(size=(SIDE // 2, SIDE // 2)).astype(np.float32)
    large = cv2.resize(small, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    grain = measure_grain(stored(scene() + 4 * large))
    assert grain is not None
    assert np.sqrt(grain.coarse).mean() > 5 * np.sqrt(grain.fine).mean()
    clean = stored(scene())
    made = with_grain(clean, stored(scene() + 4 * large), EVERYWHERE).astype(np.float32) - clean
    assert made.std() == pytest.approx(float((4 * large).std()), rel=0.2)
    across = np.corrcoef(made[:, 1:].ravel(), made[:, :-1].ravel())[0, 1]
    theirs = np.corrcoef(large[:, 1:].ravel(), large[:, :-1].ravel())[0, 1]
    assert across == pytest.approx(theirs, abs=0.15)


@pytest.mark.parametrize(("bits", "sigma"), [(8, 3.0), (10, 12.0)])
def test_a_clean_patch_gets_the_pictures_grain(bits: int, sigma: float) -> None:
    old, clean = stored(scene(bits) + noise(5, sigma), bits), stored(scene(bits), bits)
    new = with_grain(clean, old, EVERYWHERE)
    assert new.dtype == old.dtype
    assert sigma_of(new, clean) == pytest.approx(sigma, rel=0.15)
    assert abs(float(new.astype(float).mean() - clean.mean())) < 0.02 * sigma, "grain changes no brightness"


def test_a_patch_that_has_it_is_left_alone() -> None:
    old, new = stored(scene() + noise(6, 3)), stored(scene() + noise(7, 2.7))
    assert with_grain(new, old, EVERYWHERE) is new


def test_nothing_without_grain() -> None:
    """A clean picture, and one whose noise a codec has left in blocks."""
    clean = stored(scene())
    assert with_grain(clean, clean, EVERYWHERE) is clean
    done, data = cv2.imencode(".jpg", stored(scene() + noise(8, 3)), [cv2.IMWRITE_JPEG_QUALITY, 60])
    assert done
    coded = np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)
    assert with_grain(clean, coded, EVERYWHERE) is clean


def test_only_the_part_that_lacks_it_gets_some() -> None:
    """Half of the patch is the picture's own."""
    old, new = stored(scene() + noise(9, 4)), stored(scene())
    new[:, :160] = old[:, :160]
    made = with_grain(new, old, EVERYWHERE)
    assert sigma_of(made[:, :140], scene()[:, :140]) == pytest.approx(4, rel=0.1)
    assert sigma_of(made[:, 180:], scene()[:, 180:]) == pytest.approx(4, rel=0.15)


def test_it_is_new_in_every_frame_and_the_same_in_the_same() -> None:
    """Drawn from the frame itself: how frames are cut into windows, or in which order they come, is no matter."""
    clean = stored(scene())
    frames = [stored(scene() + noise(20 + t, 3)) for t in range(4)]
    made = [with_grain(clean, old, EVERYWHERE).astype(float) - clean for old in frames]
    np.testing.assert_array_equal(made[2], with_grain(clean, frames[2], EVERYWHERE).astype(float) - clean)
    apart = [abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) for i, a in enumerate(made) for b in made[:i]]
    assert max(apart) < 0.02, "grain that stays in place would look like dirt on the lens"


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv420p10le"])
def test_the_soft_rim_keeps_its_grain(pix_fmt: str) -> None:
    """Through `paste`: the noise is as strong in the middle, in the rim and outside, where nothing changes."""
    clean = np.repeat(stored(scene())[..., None], 3, axis=2)
    unit = 4 if "10" in pix_fmt else 1
    blank = Picture.of_rgb8(clean, BT709, pix_fmt)
    grainy = blank.editable()
    grainy.planes[0][:] = stored(blank.planes[0] + noise(30, 3 * unit), 8 if unit == 1 else 10)
    mask = np.zeros((SIDE, SIDE), np.float32)
    mask[80:240, 80:240] = 1
    mask = cv2.blur(mask, (61, 61)).astype(np.float32)
    made = paste(grainy, Patch(clean, mask, np.eye(2, 3, dtype=np.float32)))
    rest = (made.planes[0].astype(float) - blank.planes[0]) / unit
    assert rest[mask > 0.95].std() == pytest.approx(3, rel=0.15)
    assert rest[(mask > 0.2) & (mask < 0.8)].std() == pytest.approx(3, rel=0.15), "2.3 without the compensation"
    np.testing.assert_array_equal(made.planes[0][mask == 0], grainy.planes[0][mask == 0])


def test_a_sliver_has_no_grain() -> None:
    assert measure_grain(np.zeros((8, 200), np.uint8)) is None
    assert measure_grain(np.full((64, 64), 255, np.uint8)) is None
    thin = np.full((9, 40), 100, np.uint8)
    assert with_grain(thin, thin, np.ones((9, 40), np.float32)) is thin
