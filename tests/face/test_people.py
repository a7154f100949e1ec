from __future__ import annotations

import numpy as np
import pytest

from lipwright.core.contracts import F32
from lipwright.face.people import PeopleSigns, find_people
from lipwright.face.smooth import WINDOWS_FPS, Windows, windows
from lipwright.face.track import TrackBuilder, cuts
from lipwright.face.usable import Reason

from .footage import SIZE, Tracked
from .test_cover import hand, planted
from .test_shots import framed, joined, still


def gathered(clip: Tracked, *pieces: tuple[int, int]) -> list[dict[str, np.ndarray]]:
    made = []
    for start, stop in pieces:
        signs = PeopleSigns(25)
        for frame, mesh in zip(clip.frames[start:stop], clip.dense[start:stop], strict=True):
            signs.add(frame, [(mesh, 1.0)] if mesh.any() else [])
        made.append(signs.arrays())
    return made


def test_one_clean_person_is_usable_throughout(clip: Tracked) -> None:
    people = find_people(gathered(clip, (0, 90), (90, 250)), (SIZE, SIZE), 25)
    assert people.usable.all()
    assert people.stretches == []
    assert people.shots == [(0, 250)]
    assert len(people.persons) == 1
    assert people.persons[0].share == 1
    assert people.caption_boxes == []
    builder = TrackBuilder((SIZE, SIZE))
    for mesh in clip.dense:
        builder.add([(mesh, 1.0)])
    alone, noise = builder.finish()
    np.testing.assert_array_equal(people.track.landmarks_px, alone.landmarks_px)
    assert people.noise_px == noise


def test_everything_at_once_is_told_apart(clip: Tracked) -> None:
    """A hand, a cut to a closer framing, frames without a face, and a damaged stretch."""
    frames = planted(clip, hand, [(40, 55)])
    dense = clip.dense.copy()
    dense[80:95] = 0
    film = Tracked(frames, dense)
    film = joined(film[:150], framed(film[150:], still(30, 20, 250, 100)))
    people = find_people(gathered(film, (0, 250)), (SIZE, SIZE), 25, damaged=[(200, 210)])
    assert people.shots == [(0, 150), (150, 250)]
    assert [s.reason for s in people.stretches] == [Reason.COVERED, Reason.NO_FACE, Reason.CUT, Reason.DAMAGED]
    for stretch, (start, stop) in zip(people.stretches, [(40, 55), (80, 95), (149, 151), (200, 210)], strict=True):
        assert abs(stretch.start - start) <= 2
        assert abs(stretch.stop - stop) <= 2
    assert people.usable.sum() >= 250 - 42 - 8


def test_footage_without_anybody(clip: Tracked) -> None:
    film = Tracked(clip.frames[:30], np.zeros((30, 478, 3), np.float32))
    people = find_people(gathered(film, (0, 30)), (SIZE, SIZE), 25)
    assert not people.usable.any()
    assert not people.track.present.any()
    assert people.persons == []
    assert [s.reason for s in people.stretches] == [Reason.NO_FACE]


def test_signatures_stay_small(clip: Tracked) -> None:
    (piece,) = gathered(clip, (0, 250))
    kept = sum(piece[name].nbytes for name in ("skin", "scene", "still")) / 250
    assert kept < 2500


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
