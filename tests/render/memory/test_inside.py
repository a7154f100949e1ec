"""Teeth keep their size when a mouth is opened wider, or closed further, than it was filmed."""

from __future__ import annotations

import numpy as np
import pytest

from lipwright.core.contracts import F32
from lipwright.render.memory.inside import darkest_row, hollow, opening, rows_kept, tension, unstretched

IDENTITY = np.float32([[1, 0, 0], [0, 1, 0]])


def mouth(height: float, top: float = 20) -> F32:
    """29 points whose inner lips lie on straight lines: x from 10 to 50, `height` apart."""
    shape = np.zeros((29, 2), np.float32)
    x = np.linspace(10, 50, 5)
    shape[[12, 13, 14, 15, 16]] = np.stack([x, np.full(5, top)], 1)
    shape[[19, 18, 17]] = np.stack([x[1:4], np.full(3, top + height)], 1)
    return shape


def test_tension_is_one_within_the_limits() -> None:
    assert opening(mouth(10)) == 10
    assert tension(mouth(10), mouth(10), 100) == 1
    assert tension(mouth(14.9), mouth(10), 100) == 1
    assert tension(mouth(30), mouth(10), 100) == pytest.approx(2)
    assert tension(mouth(4), mouth(10), 100) == pytest.approx(0.5)
    assert tension(mouth(0.1), mouth(-0.2), 100) == 1, "both closed, whatever the tracker's noise"


def test_both_lips_keep_their_teeth() -> None:
    share = np.linspace(0, 1, 101).astype(np.float32)
    wider = rows_kept(share, 2.0, 0.4)
    np.testing.assert_allclose(wider[share <= 0.2], 2 * share[share <= 0.2], atol=1e-6)
    np.testing.assert_allclose(wider[share >= 0.7], 1 - 2 * (1 - share[share >= 0.7]), atol=1e-6)
    assert (wider[(share > 0.2) & (share < 0.7)] == np.float32(0.4)).all()
    assert (np.diff(wider) >= 0).all()
    closer = rows_kept(share, 0.5, 0.4)
    np.testing.assert_allclose(closer[share < 0.25], 0.5 * share[share < 0.25], atol=1e-6)
    np.testing.assert_allclose(closer[share > 0.55], 0.5 + 0.5 * share[share > 0.55], atol=1e-6)
    np.testing.assert_allclose(rows_kept(share, 1.0, 0.4), share, atol=1e-6)


def test_the_darkest_row_is_found() -> None:
    image = np.full((60, 60, 3), 200, np.uint8)
    image[27] = 30
    assert darkest_row(image, mouth(10)) == pytest.approx(0.7)
    image[27], image[20:22] = 200, 30
    assert darkest_row(image, mouth(10)) == 0.2, "some of both rows of teeth is always kept"


def test_only_what_is_between_the_lips_moves() -> None:
    y, x = np.mgrid[0:60, 0:60].astype(np.float32)
    field = np.stack([x, y], -1)
    area = (slice(0, 60), slice(0, 60))
    changed, stretched = unstretched(field, area, mouth(20), IDENTITY, 2.0, 0.5)
    moved = np.abs(changed - field).max(-1) > 1e-4
    assert moved[21:40, 25:36].mean() > 0.9
    assert not moved[:20].any()
    assert not moved[41:].any()
    np.testing.assert_allclose(changed[24, 30], [30, 28], atol=0.05)  # four below the upper lip: eight in the field
    assert stretched[30, 30] > 0.9
    assert stretched[21, 30] < 0.1
    part, _ = unstretched(field[10:50, 5:55], (slice(10, 50), slice(5, 55)), mouth(20), IDENTITY, 2.0, 0.5)
    np.testing.assert_allclose(part, changed[10:50, 5:55], atol=1e-3)


def test_a_stretched_row_has_no_streaks() -> None:
    rng = np.random.default_rng(0)
    picture = np.repeat(rng.normal(60, 20, (1, 60, 1)), 40, 0).repeat(3, 2).astype(np.float32)
    where = np.zeros((40, 60), np.float32)
    where[10:30, 10:50] = 1
    smooth = hollow(picture, where, 40)
    assert smooth[15:25, 15:45, 0].std() < 0.5 * picture[15:25, 15:45, 0].std()
    np.testing.assert_array_equal(smooth[where == 0], picture[where == 0])
    assert hollow(picture, np.zeros_like(where), 40) is picture
