"""Where a patch is used: soft at its rim, on both chins, nowhere else."""

from __future__ import annotations

import numpy as np

from lipwright.render.translation.facial_map import fill_hull
from lipwright.render.translation.masks import head_mask, sewing_mask


def test_masks_are_zero_at_the_rim_and_one_inside() -> None:
    hull = fill_hull(np.array([[10, 10], [50, 10], [50, 50], [10, 50]], np.float32), 64)
    whole = np.array([[-99, -99], [160, -99], [160, 160], [-99, 160]], np.float32)
    mask = sewing_mask(hull, [whole], 5)
    assert mask[hull == 0].max() == 0
    assert mask[30, 30] == 1
    assert np.all(np.diff(mask[30, 8:30]) >= 0)
    square = head_mask(64, 6)
    assert square[0].max() == square[:, -1].max() == 0
    assert square[32, 32] == 1


def test_a_sewn_patch_covers_both_chins_and_no_background() -> None:
    hull = np.full((100, 100), 255, np.uint8)

    def jaw(chin: float) -> np.ndarray:
        return np.array([[30, 10], [35, chin - 15], [50, chin], [65, chin - 15], [70, 10]], np.float32)

    high, low = (sewing_mask(hull, [jaw(chin)], 3) for chin in (50, 70))
    both = sewing_mask(hull, [jaw(50), jaw(70)], 3)
    assert low[68, 50] == both[68, 50] == 1
    assert high[68, 50] == 0
    assert np.all(both >= np.maximum(high, low) - 1e-6)
    assert both[:, :20].max() == both[80:].max() == 0
