"""Pictures of several resolutions on one grid, and light that is the same on all of them."""

from __future__ import annotations

import numpy as np

from lipwright.render.crossmodal.patch import in_light_of
from lipwright.render.layers import Layer, flattened

HERE = np.eye(2, 3, dtype=np.float32)


def test_whole_shifts_keep_every_bit() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (40, 50, 3)).astype(np.uint8)
    patch = Layer(picture, np.ones((40, 50), np.float32), HERE)
    grid = np.array([[1, 0, -6], [0, 1, -9]], np.float32)
    np.testing.assert_array_equal(flattened([patch], grid, (20, 25)), picture[9:34, 6:26])


def test_a_finer_layer_covers_its_place_and_no_other() -> None:
    """Twice the pixels over a quarter of the picture; beyond its mask the first layer stays bit for bit."""
    under = Layer(np.full((40, 40, 3), 50, np.uint8), np.ones((40, 40), np.float32), HERE)
    finer = np.array([[2, 0, -20], [0, 2, -20]], np.float32)  # from frame pixel 10 to 20
    over = Layer(np.full((20, 20, 3), 200, np.uint8), np.ones((20, 20), np.float32), finer)
    made = flattened([under, over], HERE, (40, 40))
    assert (made[11:19, 11:19] == 200).all()
    outside = np.ones((40, 40), bool)
    outside[9:21, 9:21] = False
    assert (made[outside] == 50).all()
    np.testing.assert_array_equal(flattened([under, over], np.array([[1, 0, 30], [0, 1, 30]], np.float32), (8, 8)), 50)


def test_light_is_the_same_on_every_layer() -> None:
    """A template brighter to the right and below: the mouth at three times the pixels is lit as the head under it."""
    y, x = np.mgrid[0:64, 0:80].astype(np.float32)
    template = np.repeat((100 * (1 + 0.004 * (x - 40) + 0.003 * (y - 32)))[..., None], 3, 2).astype(np.uint8)
    rim = np.full((64, 80), 0.5, np.float32)  # all of it may be compared
    head = Layer(np.full((64, 80, 3), 90, np.uint8), rim, HERE)
    finer = np.array([[3, 0, -60], [0, 3, -45]], np.float32)  # frame 20 to 40 by 15 to 35
    mouth = Layer(np.full((60, 60, 3), 90, np.uint8), np.ones((60, 60), np.float32), finer)
    lit_head, lit_mouth = in_light_of(template, [head, mouth])
    assert np.abs(lit_head.rgb8.astype(int) - template).max() <= 3
    there = lit_head.rgb8[15:35, 20:40].astype(int)
    assert np.abs(lit_mouth.rgb8[::3, ::3].astype(int) - there).max() <= 1
    assert np.ptp(lit_mouth.rgb8[..., 0]) > 8
