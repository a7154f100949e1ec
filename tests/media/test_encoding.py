"""Which codec goes where, and one sentence for what cannot be."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lipwright.core.errors import ConfigError
from lipwright.media.audio import write_wav
from lipwright.media.encoding import plan
from lipwright.media.probe import probe
from lipwright.media.writer import EncoderSettings, VideoWriter


@pytest.mark.parametrize(
    ("path", "options", "expected"),
    [
        ("a.mp4", {}, ("h264", "aac", "yuv420p")),
        ("a.M4V", {}, ("h264", "aac", "yuv420p")),
        ("a.webm", {}, ("vp9", "opus", "yuv420p")),
        ("a.mkv", {}, ("h264", "flac", "yuv420p")),
        ("a.mov", {"codec": "prores"}, ("prores", "pcm_s24le", "yuv422p10le")),
        ("a.mov", {"codec": "prores", "audio_codec": "pcm_s16le"}, ("prores", "pcm_s16le", "yuv422p10le")),
        ("a.mkv", {"codec": "prores", "pix_fmt": "yuv444p10le"}, ("prores", "flac", "yuv444p10le")),
        ("a.webm", {"codec": "av1"}, ("av1", "opus", "yuv420p")),
        ("a.webm", {"alpha": True}, ("vp9", "opus", "yuva420p")),
        ("a.mov", {"alpha": True}, ("prores", "pcm_s24le", "yuva444p10le")),
    ],
)
def test_the_suffix_implies_the_rest(path: str, options: dict[str, Any], expected: tuple[str, str, str]) -> None:
    made = plan(path, EncoderSettings(**options), (64, 48))
    assert (made.video.name, made.sound.name, made.pix_fmt) == expected


@pytest.mark.parametrize(
    ("path", "options", "words"),
    [
        ("a.gif", {}, "name it .mp4, .m4v, .mov, .mkv or .webm"),
        ("a.webm", {"codec": "h264"}, "cannot write h264 to a.webm: name the file .mp4 or .m4v or .mov or .mkv, or "),
        ("a.mp4", {"codec": "prores"}, "name the file .mov or .mkv, or choose codec h264 or hevc or vp9 or av1"),
        ("a.mp4", {"alpha": True}, "cannot write transparency to a.mp4: use vp9 in .webm or .mkv, or prores"),
        ("a.mov", {"alpha": True, "codec": "hevc"}, "cannot write transparency to a.mov as hevc"),
        ("a.webm", {"alpha": True, "pix_fmt": "yuv444p"}, "vp9 with transparency is yuv420p"),
        ("a.webm", {"alpha": True, "size": (65, 48)}, "65x48 is odd"),
        ("a.webm", {"audio_codec": "aac"}, "cannot write aac sound to a.webm: in .webm use opus"),
        ("a.mp4", {"audio_codec": "flac"}, "in .mp4 use aac"),
        ("a.webm", {"pix_fmt": "yuv420p10le"}, "vp9 has no yuv420p10le; choose from yuv420p, yuv422p, yuv444p"),
        ("a.mp4", {"codec": "av1", "size": (65, 48)}, "av1 holds no odd size such as 65x48"),
        ("a.mp4", {"pix_fmt": "yuv420p", "size": (64, 49)}, "yuv420p holds no odd size such as 64x49"),
        ("a.mp4", {"crf": 60}, "crf 60 is outside 0 to 51 of h264"),
        ("a.mp4", {"crf": -1}, "crf -1 is outside 0 to 51"),
        ("a.mov", {"codec": "prores", "bitrate": 10**7}, "prores has no bit rate to choose"),
        ("a.mov", {"codec": "prores", "preset": "fast"}, "prores has no speed presets"),
        ("a.webm", {"bframes": 2}, "vp9 has no B-frames to choose"),
    ],
)
def test_what_cannot_be_is_one_sentence(path: str, options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        plan(path, EncoderSettings(**options), (64, 48))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "options",
    [
        {"codec": "mpeg2"},
        {"preset": "fastest"},
        {"pix_fmt": "rgb24"},
        {"audio_codec": "mp3"},
        {"codec": "av1", "crf": 0},
        {"codec": "prores", "crf": 40},
        {"bitrate": 5},
        {"size": 3},
        {"size": (64, 99_999)},
    ],
)
def test_values_that_no_file_can_have(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="choose"):
        EncoderSettings(**options)


@pytest.mark.parametrize(
    ("size", "wanted", "expected"),
    [
        ((1920, 1080), 720, (1280, 720)),
        ((1080, 1920), 720, (720, 1280)),
        ((640, 480), (99, 77), (99, 77)),
        ((853, 480), 240, (426, 240)),
        ((3840, 2160), 1080, (1920, 1080)),
        ((64, 48), None, (64, 48)),
    ],
)
def test_sizes(size: tuple[int, int], wanted: Any, expected: tuple[int, int]) -> None:
    assert plan("a.mp4", EncoderSettings(size=wanted), size).size == expected


@pytest.mark.parametrize(
    ("codec", "suffix", "pix_fmt"),
    [
        ("h264", ".mp4", "yuv444p"),
        ("hevc", ".mp4", "yuv444p"),
        ("vp9", ".webm", "yuv444p"),
        ("prores", ".mov", "yuv444p12le"),
    ],
)
def test_odd_sizes_survive(tmp_path: Path, codec: str, suffix: str, pix_fmt: str) -> None:
    """ProRes 4444 holds ten bits, which its decoder hands out as twelve."""
    path = tmp_path / f"o{suffix}"
    with VideoWriter(path, (65, 49), Fraction(25), EncoderSettings(codec=codec)) as writer:
        writer.write(np.full((49, 65, 3), 80, np.uint8))
    info = probe(path).video
    assert info is not None
    assert (info.width, info.height, info.pix_fmt) == (65, 49, pix_fmt)


def test_pictures_pass_their_depth_on(tmp_path: Path) -> None:
    for source, name in (("yuv420p10le", "yuv420p10le"), ("yuv422p", "yuv422p"), (None, "yuv420p")):
        path = tmp_path / "p.mp4"
        with VideoWriter(path, (64, 48), Fraction(25), source_pix_fmt=source) as writer:
            writer.write(np.full((48, 64, 3), 80, np.uint8))
        info = probe(path).video
        assert info is not None
        assert info.pix_fmt == name


@pytest.mark.parametrize("codec", ["h264", "hevc", "vp9", "av1"])
def test_bit_rates_are_held(tmp_path: Path, codec: str) -> None:
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 255, (96, 128, 3), dtype=np.uint8) for _ in range(50)]
    sizes = []
    for rate in (200_000, 800_000):
        settings = EncoderSettings(codec=codec, bitrate=rate, preset="ultrafast", threads=1)
        with VideoWriter(tmp_path / "n.mkv", (128, 96), Fraction(25), settings) as writer:
            for frame in noise:
                writer.write(frame)
        sizes.append((tmp_path / "n.mkv").stat().st_size * 8 / 2)
    assert sizes[0] < 0.7 * sizes[1]
    assert (
        400_000 < sizes[1] < (2_000_000 if codec == "av1" else 1_200_000)
    )  # av1: two seconds are short for an average


def test_lower_crf_is_larger_and_slower_presets_work(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 255, (96, 128, 3), dtype=np.uint8)
    for codec, crfs in (
        ("h264", (10, 30)),
        ("hevc", (10, 30)),
        ("vp9", (10, 50)),
        ("av1", (10, 50)),
        ("prores", (1, 9)),
    ):
        sizes = []
        for crf in crfs:
            settings = EncoderSettings(codec=codec, crf=crf, threads=1)
            settings = settings if codec == "prores" else replace(settings, preset="medium")
            path = tmp_path / "n.mkv"
            with VideoWriter(path, (128, 96), Fraction(25), settings) as writer:
                for _ in range(3):
                    writer.write(noise)
            sizes.append(path.stat().st_size)
        assert sizes[0] > 1.2 * sizes[1]


def test_sound_of_a_file_at_a_rate_the_codec_does_not_take(tmp_path: Path) -> None:
    write_wav(tmp_path / "s.wav", np.full((18_900, 2), 0.2, np.float32), 37_800)
    for suffix, expected in (
        (".webm", (48_000, 2, "opus")),
        (".mkv", (37_800, 2, "flac")),
        (".mp4", (48_000, 2, "aac")),
    ):
        path = tmp_path / f"s{suffix}"
        with VideoWriter(path, (64, 48), Fraction(25), audio=tmp_path / "s.wav") as writer:
            for _ in range(13):
                writer.write(np.full((48, 64, 3), 80, np.uint8))
        info = probe(path).audio
        assert info is not None
        assert (info.sample_rate, info.channels, info.codec) == expected


def test_more_than_two_channels_are_refused(tmp_path: Path) -> None:
    sound = np.zeros((100, 6), np.float32)
    with (
        pytest.raises(ConfigError, match="give 1 or 2"),
        VideoWriter(tmp_path / "x.mp4", (64, 48), Fraction(25), audio=sound),
    ):
        pass
    assert list(tmp_path.iterdir()) == []
