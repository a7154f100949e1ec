"""Frames on an exact grid, whatever the file's own clock."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from lipwright.core.errors import ConfigError
from lipwright.media.probe import probe
from lipwright.media.video import VideoReader

Clip = Callable[..., Path]
Number = Callable[[np.ndarray], int]


def numbers(path: Path, read: Number, **options: object) -> list[int]:
    with VideoReader(path, **options) as reader:  # type: ignore[arg-type]
        return [read(frame.rgb8) for frame in reader]


@pytest.mark.parametrize("fps", [Fraction(25), Fraction(30_000, 1001), Fraction(24_000, 1001), Fraction(50)])
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_constant_rate_comes_back_frame_for_frame(clip: Clip, read_number: Number, fps: Fraction, suffix: str) -> None:
    path = clip(f"a.{suffix}", n=30, fps=fps)
    with VideoReader(path) as reader:
        frames = list(reader)
        assert reader.fps == fps
    assert [read_number(f.rgb8) for f in frames] == list(range(30))
    assert [f.pts for f in frames] == [i / fps for i in range(30)]
    assert [f.index for f in frames] == list(range(30))


def test_50_to_25_takes_every_second_frame(clip: Clip, read_number: Number) -> None:
    assert numbers(clip(n=20, fps=Fraction(50)), read_number, fps=Fraction(25)) == list(range(0, 20, 2))


def test_ntsc_to_25_keeps_the_length(clip: Clip, read_number: Number) -> None:
    shown = numbers(clip(n=60, fps=Fraction(30_000, 1001)), read_number, fps=Fraction(25))
    assert len(shown) == 50  # 60 frames last 2.002 s
    # Grid frame n shows the picture nearest to n/25 s: round(n/25 * 29.97).
    assert shown == [round(Fraction(n, 25) * Fraction(30_000, 1001)) for n in range(50)]


def test_variable_rate_is_sampled_and_held(clip: Clip, read_number: Number) -> None:
    ms = [0, 40, 100, 300, 310, 320, 500]
    path = clip(n=len(ms), times_s=[Fraction(m, 1000) for m in ms], bframes=0)
    # Grid times 0, 40, ... ms; a picture counts from less than half a period (20 ms) before a grid time.
    expected = [max(i for i, m in enumerate(ms) if m < 40 * n + 20) for n in range(13)]
    shown = numbers(path, read_number, fps=Fraction(25))
    assert shown[:13] == expected
    assert expected == [0, 1, 1, 2, 2, 2, 2, 2, 5, 5, 5, 5, 5]
    assert set(shown[13:]) == {6}


@pytest.mark.parametrize("start", [Fraction(3, 2), Fraction(1, 10)])
def test_late_first_timestamp_is_time_zero(clip: Clip, read_number: Number, start: Fraction) -> None:
    path = clip("late.mkv", n=10, video_start_s=start, bframes=0)
    assert numbers(path, read_number) == list(range(10))
    info = probe(path).video
    assert info is not None
    assert info.start_s == pytest.approx(start, abs=0.001)


def test_missing_timestamps_are_counted(clip: Clip, read_number: Number) -> None:
    assert numbers(clip("raw.h264", n=10, bframes=0), read_number, fps=Fraction(25)) == list(range(10))


@pytest.mark.parametrize("bframes", [0, 3])
@pytest.mark.parametrize("first", [1, 11, 12, 13, 25, 39])
@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts", "avi"])
def test_seeking_gives_the_same_frames(clip: Clip, read_number: Number, suffix: str, bframes: int, first: int) -> None:
    path = clip(f"a.{suffix}", n=40, bframes=bframes)
    with VideoReader(path, start_s=Fraction(first, 25)) as reader:
        frames = list(reader)
    assert [f.index for f in frames] == list(range(first, 40))
    assert [read_number(f.rgb8) for f in frames] == list(range(first, 40))


def test_start_and_end_bound_the_frames(clip: Clip, read_number: Number) -> None:
    path = clip(n=40)
    shown = numbers(path, read_number, start_s=Fraction(1, 5), end_s=Fraction(1, 2))
    assert shown == list(range(5, 13))  # 0.20 <= pts < 0.50


def test_seeking_in_a_long_group_without_keyframes(clip: Clip, read_number: Number) -> None:
    path = clip(n=80, gop=200)
    assert numbers(path, read_number, start_s=Fraction(70, 25)) == list(range(70, 80))


@pytest.mark.parametrize(("rotation", "turns"), [(90, 1), (180, 2), (-90, 3)])
def test_rotation_is_applied(clip: Clip, draw_number: Callable, rotation: int, turns: int) -> None:
    path = clip("turned.mov", n=3, rotation=rotation)
    info = probe(path).video
    assert info is not None
    with VideoReader(path) as reader:
        frame = next(iter(reader)).rgb8
    assert frame.shape == (info.height, info.width, 3) == ((64, 48, 3) if turns % 2 else (48, 64, 3))
    truth = np.rot90(draw_number(0), turns)
    assert np.abs(frame.astype(int) - truth).mean() < 4


def test_rotated_frames_scale_to_the_size_asked_for(clip: Clip) -> None:
    with VideoReader(clip("turned.mov", n=2, rotation=90), size=(24, 32)) as reader:
        assert next(iter(reader)).rgb8.shape == (32, 24, 3)


def test_odd_size_and_ten_bit(clip: Clip, read_number: Number) -> None:
    path = clip(n=5, size=(65, 49), pix_fmt="yuv444p")
    with VideoReader(path) as reader:
        frames = list(reader)
    assert frames[0].rgb8.shape == (49, 65, 3)
    assert numbers(clip("ten.mp4", n=5, pix_fmt="yuv420p10le"), read_number) == list(range(5))


def test_a_cut_off_tail_ends_the_video(clip: Clip, read_number: Number) -> None:
    path = clip("whole.mkv", n=60)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])
    shown = numbers(path, read_number)
    assert 5 < len(shown) < 60
    intact = len(shown) - 2  # the packet at the cut is lost, the picture before it is held
    assert shown[:intact] == list(range(intact))


def test_a_damaged_middle_is_held_over(clip: Clip, read_number: Number) -> None:
    path = clip("hurt.mkv", n=120, gop=10, bframes=0)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 200] = bytes(200)
    path.write_bytes(bytes(data))
    shown = numbers(path, read_number)
    assert len(shown) == 120
    assert shown[:40] == list(range(40))
    assert shown[-20:] == list(range(100, 120))


def test_a_rate_of_zero_is_refused(clip: Clip) -> None:
    path = clip(n=2)
    with pytest.raises(ConfigError, match="give a rate such as 25"):
        VideoReader(path, fps=Fraction(0))


def test_a_larger_cover_picture_is_not_the_video(clip: Clip, read_number: Number) -> None:
    path = clip(n=6, cover=True)
    info = probe(path).video
    assert info is not None
    assert (info.width, info.height) == (64, 48)
    assert numbers(path, read_number) == list(range(6))


def test_fragmented_mp4(clip: Clip, read_number: Number) -> None:
    path = clip(n=30, muxer={"movflags": "frag_keyframe+empty_moov+default_base_moof"})
    assert numbers(path, read_number) == list(range(30))
    assert numbers(path, read_number, start_s=Fraction(20, 25)) == list(range(20, 30))
