"""Random access, backwards, and cutting: always the frame that was asked for."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from lipwright.core.errors import FootageError
from lipwright.media.cut import copy_frames
from lipwright.media.settings import STORE
from lipwright.media.store import FrameStore
from lipwright.media.writer import VideoWriter

N = 50


@pytest.fixture
def stored(tmp_path: Path, draw_number: Callable) -> Path:
    path = tmp_path / "frames.mp4"
    with VideoWriter(path, (64, 48), Fraction(30_000, 1001), replace(STORE, preset="ultrafast")) as writer:
        for i in range(N):
            writer.write(draw_number(i))
    return path


def test_length_rate_and_size(stored: Path) -> None:
    store = FrameStore(stored)
    assert (len(store), store.fps, store.size) == (N, Fraction(30_000, 1001), (64, 48))


def test_every_frame_by_number(stored: Path, read_number: Callable) -> None:
    store = FrameStore(stored)
    for i in (0, 1, 11, 12, 13, 23, 24, 36, 48, 49):
        assert read_number(store.frame(i)) == i


@pytest.mark.parametrize(("first", "count"), [(0, N), (5, 1), (11, 2), (12, 12), (30, 20), (7, 0)])
def test_forward_and_backward(stored: Path, read_number: Callable, first: int, count: int) -> None:
    store = FrameStore(stored)
    span = list(range(first, first + count))
    assert [read_number(f) for f in store.read(first, count)] == span
    if count:
        assert [read_number(f) for f in store.backward(span[-1], count)] == span[::-1]


def test_ping_pong_to_the_ends(stored: Path, read_number: Callable) -> None:
    store = FrameStore(stored)
    shown = [read_number(f) for f in (*store.read(40), *store.backward(48), *store.read(1, 3))]
    assert shown == [*range(40, 50), *range(48, -1, -1), 1, 2, 3]


def test_both_directions_give_the_same_pixels(stored: Path) -> None:
    store = FrameStore(stored)
    for a, b in zip(store.read(), reversed(list(store.backward(N - 1))), strict=True):
        np.testing.assert_array_equal(a, b)


def test_two_iterators_side_by_side(stored: Path, read_number: Callable) -> None:
    store = FrameStore(stored)
    pairs = [(read_number(a), read_number(b)) for a, b in zip(store.read(3, 9), store.backward(45, 9), strict=True)]
    assert pairs == [(3 + k, 45 - k) for k in range(9)]


@pytest.mark.parametrize("ask", [lambda s: s.frame(N), lambda s: s.frame(-1), lambda s: s.backward(3, 5)])
def test_frames_outside_are_refused(stored: Path, ask: Callable) -> None:
    with pytest.raises(IndexError, match="which has 50"):
        ask(FrameStore(stored))


@pytest.mark.parametrize(("first", "count", "got"), [(12, 20, (12, 20)), (15, 10, (12, 13)), (36, 99, (36, 14))])
def test_a_cut_starts_at_a_keyframe_and_is_bit_exact(
    stored: Path, tmp_path: Path, read_number: Callable, first: int, count: int, got: tuple[int, int]
) -> None:
    assert copy_frames(stored, tmp_path / "cut.mp4", first, count) == got
    cut = FrameStore(tmp_path / "cut.mp4")
    assert (len(cut), cut.fps) == (got[1], Fraction(30_000, 1001))
    for a, b in zip(cut.read(), FrameStore(stored).read(*got), strict=True):
        np.testing.assert_array_equal(a, b)


def test_cutting_beyond_the_end_or_with_b_frames(stored: Path, tmp_path: Path, clip: Callable) -> None:
    with pytest.raises(FootageError, match="ends before frame 90"):
        copy_frames(stored, tmp_path / "cut.mp4", 90, 5)
    with pytest.raises(FootageError, match="bframes=0"):
        copy_frames(clip("b.mp4", n=30, bframes=3), tmp_path / "cut.mp4", 0, 5)
    assert not (tmp_path / "cut.mp4").exists()


def test_reading_backwards_holds_one_group(stored: Path) -> None:
    """Python's own allocations stay at a few frames: nothing collects the clip."""
    store = FrameStore(stored)
    tracemalloc.start()
    for _ in store.backward(N - 1):
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 12 * 64 * 48 * 3


def test_a_file_with_b_frames_and_without_an_index_is_read_too(clip: Callable, read_number: Callable) -> None:
    for name in ("b.mp4", "b.mkv"):
        store = FrameStore(clip(name, n=30, bframes=3))
        assert [read_number(f) for f in store.backward(29)] == list(range(29, -1, -1))
        assert [read_number(f) for f in store.read(13, 4)] == [13, 14, 15, 16]
