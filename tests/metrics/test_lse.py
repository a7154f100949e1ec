from __future__ import annotations

import zlib
from itertools import pairwise

import numpy as np
import pytest

from lipwright.core.errors import ShapeError
from lipwright.metrics.lse import distances, lip_sync, window_count


def noise(key: str) -> np.ndarray:
    return np.random.RandomState(zlib.crc32(f"input:{key}".encode())).standard_normal((60, 1024)).astype(np.float32)


def test_reference_values_of_a_planted_shift() -> None:
    lips = noise("lse.v")
    late = (np.roll(lips, 3, axis=0) + np.float32(0.3) * noise("lse.a")).astype(np.float32)
    found = lip_sync(lips, late)
    assert found.lse_d == pytest.approx(10.73791790008545, rel=1e-5)
    assert found.lse_c == pytest.approx(33.607852935791016, rel=1e-5)
    np.testing.assert_allclose(
        found.curve[:4], [42.862770080566406, 43.0018310546875, 43.24406051635742, 43.472957611083984], rtol=1e-5
    )
    assert found.syncnet_offset == -3  # the sound is late: SyncNet says negative
    assert found.late_frames == 3  # lipwright says positive


@pytest.mark.parametrize("late", [-15, -9, -1, 0, 1, 6, 15])
def test_every_shift_within_reach_is_found(late: int) -> None:
    rng = np.random.default_rng(1)
    talk = rng.normal(size=(160, 32)).astype(np.float32)
    found = lip_sync(talk[30:130], talk[30 - late : 130 - late])
    assert found.late_frames == late == -found.syncnet_offset
    assert found.lse_d < 2


def test_more_noise_means_worse_scores() -> None:
    rng = np.random.default_rng(2)
    talk, other = rng.normal(size=(2, 100, 64)).astype(np.float32)
    scores = [lip_sync(talk, talk + np.float32(k) * other) for k in (0.1, 0.5, 1.0, 2.0)]
    assert all(a.lse_d < b.lse_d and a.lse_c > b.lse_c for a, b in pairwise(scores))


def test_arithmetic_by_hand() -> None:
    lips, sound = np.array([[0.0, 0.0], [3.0, 4.0]]), np.array([[3.0, 4.0], [0.0, 0.0]])
    table = distances(lips, sound, reach=1)
    np.testing.assert_allclose(table, [[0, 5, 0], [0, 5, 5]], atol=2e-6)  # zeros stand beyond the ends
    found = lip_sync(lips, sound, reach=1)
    np.testing.assert_allclose(found.curve, [0, 5, 2.5], atol=2e-6)
    assert (found.lse_d, found.lse_c, found.syncnet_offset) == (
        pytest.approx(0, abs=2e-6),
        pytest.approx(2.5, abs=2e-6),
        1,
    )
    assert found.confidence.shape == (2,)


def test_equal_points_are_a_millionth_apart() -> None:
    point = np.zeros((1, 1024), np.float32)
    assert distances(point, point, reach=0)[0, 0] == pytest.approx(1e-6 * 32)


def test_windows_are_one_fewer_than_fit() -> None:
    assert window_count(100, 64_000) == 95
    assert window_count(200, 64_000 + 639) == 95
    assert window_count(4, 64_000) == 0


def test_pieces_must_fit() -> None:
    with pytest.raises(ShapeError):
        distances(np.zeros((3, 4)), np.zeros((4, 4)))
    with pytest.raises(ShapeError):
        lip_sync(np.zeros((0, 4)), np.zeros((0, 4)))


def test_intervals_hold_the_scores_and_a_planted_delay() -> None:
    rng = np.random.default_rng(4)
    lips = rng.normal(size=(200, 32)).astype(np.float32)
    sound = np.roll(lips, 3, axis=0) + 0.5 * rng.normal(size=lips.shape).astype(np.float32)
    found = lip_sync(lips, sound)
    sure = found.intervals()
    assert found.late_frames == 3
    assert sure["offset"] == (3, 3)
    for key, value in (("lse_d", found.lse_d), ("lse_c", found.lse_c)):
        low, high = sure[key] or (0, 0)
        assert low < value < high
    assert lip_sync(lips[:40], sound[:40]).intervals()["lse_d"] is None
