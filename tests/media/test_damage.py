"""Files with bytes missing or overwritten: reading goes on, and says which stretches it filled."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction as F
from pathlib import Path

import numpy as np
import pytest

from lipwright.media.audio import read_audio
from lipwright.media.video import VideoReader

Clip = Callable[..., Path]
Number = Callable[[np.ndarray], int]


def overwritten(path: Path, where: float, length: int = 150) -> Path:
    """The same file with noise over a part of it."""
    data = bytearray(path.read_bytes())
    at = int(len(data) * where)
    data[at : at + length] = np.random.default_rng(int(where * 1000)).bytes(length)
    path.write_bytes(bytes(data))
    return path


@pytest.mark.parametrize("where", [0.3, 0.4, 0.5])
@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv"])
@pytest.mark.parametrize("bframes", [0, 2])
def test_after_a_corrupt_middle_every_picture_shown_is_right(
    clip: Clip, read_number: Number, suffix: str, where: float, bframes: int
) -> None:
    path = overwritten(clip(f"d.{suffix}", n=150, gop=25, size=(128, 96), bframes=bframes), where)
    with VideoReader(path) as reader:
        frames = list(reader)
    assert [f.index for f in frames] == list(range(150))
    filled = [any(a <= f.pts < b for a, b in reader.held) for f in frames]
    wrong = [f.index for f, held in zip(frames, filled, strict=True) if read_number(f.rgb8) != f.index and not held]
    assert wrong == []
    assert reader.damaged > 0 or suffix == "mkv"  # which is read on from the next cluster without a word
    assert 0 < sum(b - a for a, b in reader.held) <= 3  # to a keyframe; Matroska loses the rest of a cluster
    assert read_number(frames[-1].rgb8) == 149


@pytest.mark.parametrize("where", [0.3, 0.4, 0.5])
@pytest.mark.parametrize("suffix", ["ts", "avi"])
def test_streams_without_an_index_go_on_after_damage(
    clip: Clip, read_number: Number, suffix: str, where: float
) -> None:
    """Here a decoder may paint over what it lost without saying so, and AVI forgets how many pictures those were."""
    path = overwritten(clip(f"d.{suffix}", n=150, gop=25, size=(128, 96), bframes=0), where)
    with VideoReader(path) as reader:
        given = [read_number(f.rgb8) for f in reader]
    assert abs(len(given) - 150) <= 8
    assert given[-20:] == list(range(130, 150))
    assert len(set(range(150)) - set(given)) <= 50  # two groups


def test_a_sound_packet_that_is_lost_keeps_the_rest_in_place(clip: Clip, clicks: Callable[..., np.ndarray]) -> None:
    sound = clicks(48_000, 6.0, 5.0)
    sound += 0.05 * np.random.default_rng(0).standard_normal(sound.shape).astype(np.float32)
    whole = clip("w.mkv", n=150, sound=sound, sound_rate=48_000, sound_codec="aac")
    before = read_audio(whole)
    after = read_audio(overwritten(whole, 0.5, 400))
    assert abs(len(before) - len(after)) <= 1024
    assert abs(int(np.argmax(np.abs(before))) - int(np.argmax(np.abs(after)))) <= 32  # Matroska counts milliseconds


def test_held_stretches_name_the_gap_and_only_real_gaps(clip: Clip, read_number: Number) -> None:
    times = [F(n, 25) for n in range(20)] + [F(n, 25) for n in range(40, 60)]
    path = clip("gap.mkv", n=40, times_s=times, bframes=0)
    with VideoReader(path, fps=F(25)) as reader:
        given = [read_number(f.rgb8) for f in reader]
    assert given == [*range(20), *[19] * 20, *range(20, 40)]
    assert len(reader.held) == 1
    assert [float(t) for t in reader.held[0]] == pytest.approx([0.8, 1.6], abs=0.002)
    assert reader.damaged == 0
    with VideoReader(path, fps=F(25), start_s=F(1), end_s=F(7, 5)) as reader:
        assert [read_number(f.rgb8) for f in reader] == [19] * 10
    assert reader.held == [(F(1), F(7, 5))]
    with VideoReader(path, fps=F(25), end_s=F(4, 5)) as reader:
        assert len(list(reader)) == 20
    assert reader.held == []


def test_a_file_that_never_recovers_keeps_its_length(clip: Clip, read_number: Number) -> None:
    """Damage after the only keyframe: the rest is held, so that the picture is as long as the sound."""
    path = overwritten(clip("end.mp4", n=100, gop=250, size=(128, 96), bframes=0), 0.7, 40)
    with VideoReader(path) as reader:
        given = [read_number(f.rgb8) for f in reader]
    assert len(given) == 100
    last = given[-1]
    assert given == [*range(last), *[last] * (100 - last)]
    assert reader.held[-1][1] == 4
