from __future__ import annotations

import numpy as np
import pytest

from lipwright.core.contracts import F32
from lipwright.face.smooth import WINDOWS_FPS, Windows, windows
from lipwright.face.track import TrackBuilder, cuts


def test_windows_span_the_same_time_at_every_rate() -> None:
    assert windows(WINDOWS_FPS) == Windows(5, 5, 7, 11)
    assert windows(50) == Windows(9, 9, 13, 21)
    assert windows(30) == Windows(5, 5, 9, 13)
    for fps in (5, 12, 15, 23.976, 24, 29.97, 48, 59.94, 60, 120):
        made = windows(fps)
        for n, at_25 in zip((made.lip, made.lid, made.jaw, made.rigid), (5, 5, 7, 11), strict=True):
            assert n % 2 == 1
            assert n >= 3
            assert abs((n - 1) / fps - (at_25 - 1) / 25) <= 1 / fps + 1e-9 or n == 3


def moving(fps: float, seconds: float = 4, jump_s: float | None = None) -> F32:
    """A mesh that sways like a head, sampled at `fps`."""
    shape = np.random.default_rng(0).uniform(-60, 60, (478, 3)).astype(np.float32)
    t = np.arange(0, seconds, 1 / fps)
    middle = np.stack([250 + 15 * np.sin(3 * t), 250 + 8 * np.cos(4 * t), 0 * t], -1)
    if jump_s is not None:
        middle[t >= jump_s - 1e-9, 0] += 90
    return (shape + middle[:, None]).astype(np.float32)


@pytest.mark.parametrize("fps", [12.5, 50.0])
def test_smoothing_keeps_the_same_motion_at_every_rate(fps: float) -> None:
    def steady(dense: F32, rate: float) -> F32:
        builder = TrackBuilder((500, 500), fps=rate)
        for mesh in dense:
            builder.add([(mesh, 1.0)])
        return builder.finish()[0].dense_px

    np.testing.assert_allclose(steady(moving(fps), fps), moving(fps), atol=0.2)


def test_known_cuts_end_the_windows() -> None:
    dense = moving(25, jump_s=2.0)
    dense[50:, :, 0] -= 70  # 20 px of a face 120 px wide: too little for the builder's own rule
    assert not cuts(dense).any()

    def steady(*known: int) -> F32:
        builder = TrackBuilder((500, 500))
        for mesh in dense:
            builder.add([(mesh, 1.0)])
        return builder.finish(known)[0].dense_px

    assert np.abs(steady(50) - dense).max() < 0.2
    assert np.abs(steady() - dense).max() > 3, "without being told, the windows blur across it"
