"""Samples aligned to the first picture, at any rate and layout."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from lipwright.media.audio import AudioReader, read_audio, write_wav

Clip = Callable[..., Path]


def onset(samples: np.ndarray) -> int:
    """First sample above half of the peak."""
    return int(np.argmax(np.abs(samples) > np.abs(samples).max() / 2))


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100, 48_000, 96_000])
def test_any_rate_becomes_16_khz_to_the_sample(tmp_path: Path, clicks: Callable, rate: int) -> None:
    write_wav(tmp_path / "a.wav", clicks(rate, 1.5, 0.75)[0], rate)
    samples = read_audio(tmp_path / "a.wav")
    assert samples.dtype == np.float32
    assert samples.shape == (24_000,)
    assert abs(onset(samples) - 12_000) <= 2


@pytest.mark.parametrize(
    ("sound_start", "video_start"),
    [(0, 0), (Fraction(1, 2), 0), (0, Fraction(1, 2)), (Fraction(6, 5), 1), (Fraction(1, 4), 1)],
)
def test_sound_is_aligned_to_the_first_picture(
    clip: Clip, clicks: Callable, sound_start: Fraction, video_start: Fraction
) -> None:
    path = clip(
        "late.mkv", n=30, video_start_s=Fraction(video_start), bframes=0,
        sound=clicks(16_000, 2.0, 1.0), sound_start_s=Fraction(sound_start),
    )  # fmt: skip
    samples = read_audio(path)
    expected = (1 + sound_start - video_start) * 16_000
    assert abs(onset(samples) - expected) <= 16  # Matroska rounds to milliseconds
    assert abs(len(samples) - (2 + sound_start - video_start) * 16_000) <= 16


def test_negative_first_timestamp_of_aac(clip: Clip, clicks: Callable) -> None:
    path = clip(n=30, sound=clicks(48_000, 1.2, 0.5), sound_rate=48_000, sound_codec="aac")
    assert abs(onset(read_audio(path)) - 8_000) <= 8


def test_fragmented_mp4_without_a_stated_length(clip: Clip, clicks: Callable) -> None:
    """Streams recorded to disk have no duration in their header; nothing may be cut away."""
    path = clip(
        n=50, sound=clicks(48_000, 2.0, 1.5), sound_rate=48_000, sound_codec="aac",
        muxer={"movflags": "frag_keyframe+empty_moov+default_base_moof"},
    )  # fmt: skip
    samples = read_audio(path)
    assert abs(onset(samples) - 24_000) <= 16
    assert abs(len(samples) - 32_000) <= 1024  # the padding of the last packet cannot be told from sound


@pytest.mark.parametrize("suffix", ["mkv", "mov"])
def test_a_part_equals_the_same_part_of_the_whole(clip: Clip, suffix: str) -> None:
    rng = np.random.default_rng(0)
    sound = (rng.standard_normal((1, 16_000 * 6)) * 0.1).astype(np.float32)
    path = clip(f"long.{suffix}", n=150, sound=sound)
    whole = read_audio(path)
    part = read_audio(path, start_s=Fraction(9, 2), end_s=Fraction(5))
    assert part.shape == (8_000,)
    np.testing.assert_allclose(part, whole[72_000:80_000], atol=1e-6)


def test_stereo_is_averaged_and_never_louder(tmp_path: Path) -> None:
    write_wav(tmp_path / "s.wav", np.full((4_000, 2), 0.5, np.float32), 16_000)
    np.testing.assert_allclose(read_audio(tmp_path / "s.wav")[100:-100], 0.5, atol=1e-3)
    write_wav(tmp_path / "l.wav", np.tile(np.float32([[0.5, 0]]), (4_000, 1)), 16_000)
    np.testing.assert_allclose(read_audio(tmp_path / "l.wav")[100:-100], 0.25, atol=1e-3)


def test_surround_keeps_the_centre_loudest(clip: Clip) -> None:
    level = []
    for channel in range(6):
        sound = np.zeros((6, 16_000), np.float32)
        sound[channel] = 0.5
        samples = read_audio(clip(f"{channel}.mkv", n=25, sound=sound, layout="5.1"))
        level.append(samples[1000:-1000].mean())
    left, right, centre, low, back_left, back_right = level
    assert centre == max(level)
    assert left == pytest.approx(right)
    assert back_left == pytest.approx(back_right)
    assert low == pytest.approx(0, abs=1e-3)
    assert sum(level) == pytest.approx(0.5, abs=0.01)


def test_a_hole_becomes_silence(tmp_path: Path) -> None:
    path = tmp_path / "hole.mkv"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("pcm_s16le", rate=16_000)
        stream.codec_context.layout = "mono"
        for start in (0, 24_000):  # half a second, one second of nothing, half a second
            for at in range(0, 8_000, 1000):
                frame = av.AudioFrame.from_ndarray(np.full((1, 1000), 0.5, np.float32), "fltp", "mono")
                frame.sample_rate, frame.time_base, frame.pts = 16_000, Fraction(1, 16_000), start + at
                output.mux(stream.encode(frame))
    samples = read_audio(path)
    assert len(samples) == 32_000
    assert np.abs(samples[8_000:24_000]).max() < 1e-3
    assert samples[24_100:31_900].min() > 0.45


@pytest.mark.parametrize("n", [1, 777, 16_000, 100_000])
def test_blocks_join_to_the_whole(tmp_path: Path, n: int) -> None:
    rng = np.random.default_rng(1)
    write_wav(tmp_path / "n.wav", rng.uniform(-1, 1, 3_000).astype(np.float32), 16_000)
    blocks = list(AudioReader(tmp_path / "n.wav").blocks(n))
    assert [len(b) for b in blocks[:-1]] == [n] * (len(blocks) - 1)
    np.testing.assert_array_equal(np.concatenate(blocks), read_audio(tmp_path / "n.wav"))


def test_wav_round_trip_and_clipping(tmp_path: Path) -> None:
    write_wav(tmp_path / "c.wav", np.float32([0, 0.5, -0.5, 3, -3]), 16_000)
    np.testing.assert_allclose(read_audio(tmp_path / "c.wav"), [0, 0.5, -0.5, 32767 / 32768, -32767 / 32768], atol=2e-5)
