"""The rivals of each frame: the first is what the memory shows, the others are other moments, spans stay out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lipwright.core.contracts import U8, RenderWindow
from lipwright.core.errors import ConfigError
from lipwright.core.ibug import MOUTH_JAW
from lipwright.render.memory.bank import MouthBank, build_bank
from lipwright.render.memory.renderer import MemoryConfig, MemoryRenderer
from lipwright.subject.store import Subject

SHOWN = slice(60, 66)


@pytest.fixture(scope="module")
def clip(subject: Subject) -> list[U8]:
    return [frame for _, frame in zip(range(120), subject.frames.read(), strict=False)]


@pytest.fixture(scope="module")
def bank(subject: Subject, clip: list[U8]) -> MouthBank:
    return build_bank(enumerate(clip), subject.track)


@pytest.fixture(scope="module")
def window(subject: Subject, clip: list[U8]) -> RenderWindow:
    track = subject.track[SHOWN]
    return RenderWindow(clip[SHOWN], track, track.landmarks_px[:, MOUTH_JAW], track)


def test_the_first_is_what_the_memory_shows(bank: MouthBank, window: RenderWindow) -> None:
    renderer = MemoryRenderer(bank, replace(MemoryConfig(), crossfade=0.0, sharpen=0.1))
    given = list(renderer.candidates(window, 4))
    renderer.reset()
    for one, patch in zip(given, renderer.render(window), strict=True):
        assert len(one.mouths) == len(one.costs) == len(one.pictures) == 4
        mixed = one.base.copy()
        mixed[one.area] += one.inner[one.area][..., None] * (one.pictures[0] - mixed[one.area])
        np.testing.assert_array_equal(np.clip(mixed + 0.5, 0, 255).astype(np.uint8), patch.rgb8)
        moments = bank.source[one.mouths]
        assert np.abs(np.subtract.outer(moments, moments))[~np.eye(4, dtype=bool)].min() > 2
        assert (np.diff(one.costs[1:]) >= 0).all()


def test_a_memory_without_a_second_around_each_frame(bank: MouthBank, window: RenderWindow) -> None:
    renderer = MemoryRenderer(bank)
    assert [one.mouths[0] for one in renderer.candidates(window, 1)] == list(range(60, 66)), "itself, when allowed"
    renderer.reset()
    spans = np.arange(60, 66)[:, None] + [-25, 26]
    for t, one in enumerate(renderer.candidates(window, 5, spans), 60):
        assert (np.abs(bank.source[one.mouths] - t) > 25).all()


def test_nothing_left_to_choose_from(bank: MouthBank, window: RenderWindow) -> None:
    with pytest.raises(ConfigError, match="source frames 0 to 119 are all the memory holds"):
        next(MemoryRenderer(bank).candidates(window, 2, np.tile([0, 120], (6, 1))))


def test_fewer_moments_than_asked_for(subject: Subject, clip: list[U8], window: RenderWindow) -> None:
    renderer = MemoryRenderer(build_bank([(3, clip[3]), (4, clip[4]), (40, clip[40])], subject.track))
    assert all(len(one.mouths) == 2 for one in renderer.candidates(window, 6))
