"""Detail that a drawing lost comes back, to the energy of the real pictures and no further."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from lipwright.core.contracts import U8
from lipwright.render.crisp import MOST, Crisp, edges


def mouths(count: int = 6) -> list[U8]:
    """Blobs of several sizes over a plane."""
    rng = np.random.default_rng(4)
    made = []
    for _ in range(count):
        field = sum(cv2.GaussianBlur(rng.normal(0, 40 * s, (64, 80, 3)), (0, 0), s) for s in (1.0, 2.0, 5.0))
        made.append(np.clip(120 + field, 30, 220).astype(np.uint8))
    return made


def energy(pictures: list[U8]) -> float:
    return float(np.mean([np.square(edges(p.astype(np.float32))).mean() for p in pictures]))


def soft(pictures: list[U8], sigma: float) -> list[U8]:
    return [np.asarray(cv2.GaussianBlur(p, (0, 0), sigma), np.uint8) for p in pictures]


def test_a_little_blur_is_undone_in_energy_and_error() -> None:
    real = mouths()
    drawn = soft(real, 0.6)
    crisp = Crisp.fit(drawn, real)
    shown = [crisp(p) for p in drawn]
    assert 0 < crisp.gain < MOST
    assert energy(drawn) < 0.75 * energy(real)
    assert energy(shown) == pytest.approx(energy(real), rel=0.05)
    before, after = (np.mean([np.square(a.astype(float) - b).mean() for a, b in zip(x, real, strict=True)])
                     for x in (drawn, shown))  # fmt: skip
    assert after < before


def test_it_never_softens_never_exaggerates_and_leaves_flat_places_alone() -> None:
    real = mouths()
    assert Crisp.fit(real, real).gain == 0
    assert Crisp.fit(real, soft(real, 1.0)).gain == 0
    assert Crisp.fit(soft(real, 3.0), real).gain == MOST
    flat = np.full((20, 20, 3), 77, np.uint8)
    np.testing.assert_array_equal(Crisp(MOST)(flat), flat)
    assert Crisp()(real[0]) is real[0]


def test_enlarged_drawings_are_compared_at_the_size_of_the_footage() -> None:
    real = mouths()
    large = [np.asarray(cv2.resize(p, (160, 128), interpolation=cv2.INTER_CUBIC), np.uint8) for p in real]
    drawn = soft(large, 1.2)
    crisp = Crisp.fit(drawn, large, 2.0)
    assert crisp.sigma == pytest.approx(1.8)
    shown = [np.asarray(cv2.resize(crisp(p), (80, 64), interpolation=cv2.INTER_AREA), np.uint8) for p in drawn]
    small = [np.asarray(cv2.resize(p, (80, 64), interpolation=cv2.INTER_AREA), np.uint8) for p in large]
    assert energy(shown) == pytest.approx(energy(small), rel=0.1)


def test_stripes_go_and_pass_for_no_detail() -> None:
    real = mouths()
    y, x = np.mgrid[:64, :80]
    stripes = (12 * (((x + y) % 2) - 0.5)).astype(np.int16)[..., None]
    drawn = [np.clip(p + stripes, 0, 255).astype(np.uint8) for p in soft(real, 0.8)]
    crisp = Crisp.fit(drawn, real)
    assert crisp.even
    assert crisp.gain > 0
    shown = [crisp(p) for p in drawn]

    def alternating(pictures: list[U8]) -> float:
        return float(np.mean([abs((p[..., 1] * np.where((x + y) % 2, 1.0, -1.0)).mean()) for p in pictures]))

    assert alternating(drawn) > 5
    assert alternating(shown) < 0.1
    before, after = (np.mean([np.square(a.astype(float) - b).mean() for a, b in zip(z, real, strict=True)])
                     for z in (drawn, shown))  # fmt: skip
    assert after < 0.7 * before
    assert not Crisp.fit(soft(real, 0.6), real).even


@pytest.mark.parametrize("crisp", [Crisp(0.5, 1.25), Crisp(0.5, 1.25, even=True), Crisp(0.0, 1.0, even=True)])
def test_it_is_kept(crisp: Crisp) -> None:
    assert Crisp.from_state(crisp.state()) == crisp
    assert Crisp.from_state(Crisp().state()) == Crisp()
