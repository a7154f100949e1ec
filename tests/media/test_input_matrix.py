"""Every container, codec, rate, size and sound that footage comes in, with exact pictures and exact times.

`PYTHONPATH=src:tests/media python tests/media/test_input_matrix.py` prints the table of what is read from each.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from lipwright.core.clock import as_rate
from lipwright.media.audio import AudioReader, read_audio
from lipwright.media.color import ColorTags
from lipwright.media.probe import probe
from lipwright.media.video import VideoReader

Clip = Callable[..., Path]
Number = Callable[[np.ndarray], int]
F = Fraction
NTSC = F(1000, 1001)
HEVC = {"preset": "ultrafast", "x265-params": "log-level=none:pools=none"}
VP9 = {"deadline": "realtime", "cpu-used": "8"}
AV1 = {"preset": "8", "crf": "12", "svtav1-params": "lp=1"}  # faster presets skip whole small pictures
CLICK_S = F(3, 10)
_LATE_S = F(2, 1000)
"""How far the click may lie from its place (measured: at most 0.1 ms in the table below)."""


@dataclass(frozen=True)
class Case:
    """One file and what must be read from it."""

    suffix: str
    codec: str = "libx264"
    pix_fmt: str = "yuv420p"
    fps: Fraction = F(25)  # noqa: RUF009 (immutable)
    size: tuple[int, int] = (64, 48)
    sound: str = "aac"
    rate: int = 48_000
    layout: str = "stereo"
    options: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """For the table and the test's id."""
        size = f"{self.size[0]}x{self.size[1]}"
        sound = f"{self.sound} {self.rate} {self.layout}"
        return f"{self.suffix} {self.codec} {self.pix_fmt} {size} {float(self.fps):.3f} | {sound}"


RATES = [24 * NTSC, F(24), F(25), 30 * NTSC, F(30), F(50), 60 * NTSC, F(60)]
CONTAINERS = {  # codec and sound that each is commonly written with
    "mp4": ("libx264", "aac"),
    "mov": ("libx264", "pcm_s16le"),
    "mkv": ("libx264", "aac"),
    "webm": ("libvpx-vp9", "libopus"),
    "avi": ("mpeg4", "pcm_s16le"),
    "ts": ("libx264", "aac"),
}
CASES = [
    Case(suffix, codec, fps=fps, sound=sound, options=VP9 if codec == "libvpx-vp9" else {})
    for suffix, (codec, sound) in CONTAINERS.items()
    for fps in RATES
]
CASES += [
    Case("mp4", "libx265", options=HEVC),
    Case("mkv", "libx265", "yuv420p10le", options=HEVC),
    Case("ts", "libx265", options=HEVC),
    Case("mp4", "libvpx-vp9", options=VP9),
    Case("mp4", "libsvtav1", options=AV1, size=(128, 96)),
    Case("webm", "libsvtav1", "yuv420p10le", options=AV1, size=(128, 96), sound="libopus"),
    Case("mov", "prores_ks", "yuv422p10le", sound="pcm_s24le"),
    Case("mov", "prores_ks", "yuv444p10le", sound="pcm_s24le", rate=96_000),
    Case("ts", "mpeg2video", sound="mp2"),
    Case("avi", "mjpeg", "yuvj420p", sound="pcm_s16le", layout="mono"),
    Case("mkv", "ffv1", sound="flac", rate=96_000),
    Case("mkv", "libx264", "yuv422p10le", sound="flac", rate=44_100),
    Case("mov", "libx264", sound="pcm_s16le", rate=8_000, layout="mono"),
    Case("mov", "libx264", sound="pcm_f32le", rate=96_000),
    Case("mp4", "libx264", rate=16_000, layout="mono"),
    Case("mp4", "libx264", rate=22_050, layout="mono"),
    Case("mp4", "libx264", rate=44_100),
    Case("mp4", "libx264", layout="5.1"),
    Case("mkv", "libx264", sound="ac3", layout="5.1"),
    Case("mp4", "libx264", sound="libmp3lame"),
    Case("mkv", "libx264", sound="libopus", layout="5.1"),
    Case("mkv", "libx264", sound="libopus", rate=16_000, layout="mono"),
    Case("mp4", size=(49, 65), pix_fmt="yuv444p"),
    Case("mkv", size=(65, 48), pix_fmt="yuv444p"),
    Case("webm", "libvpx-vp9", size=(65, 49), options=VP9, sound="libopus"),
    Case("mov", "prores_ks", "yuv422p10le", size=(65, 49), sound="pcm_s16le"),
    Case("avi", "mjpeg", "yuvj420p", sound="pcm_u8", rate=11_025, layout="mono"),
    Case("mp4", size=(1280, 720)),
    Case("mp4", size=(1080, 1920)),
    Case("mov", "mjpeg", "yuvj420p", size=(3840, 2160), sound="pcm_s16le"),
]


def made(clip: Clip, clicks: Callable[..., np.ndarray], case: Case, n: int = 20) -> Path:
    channels = {"mono": 1, "stereo": 2, "5.1": 6}[case.layout]
    length = float(n / case.fps)
    return clip(
        f"clip.{case.suffix}", n=n if case.size[0] < 1000 else 6, fps=case.fps, size=case.size, codec=case.codec,
        pix_fmt=case.pix_fmt, options=case.options, sound=clicks(case.rate, length, float(CLICK_S), channels),
        sound_rate=case.rate, sound_codec=case.sound, layout=case.layout,
    )  # fmt: skip


def onset_s(samples: np.ndarray, rate: int = 16_000) -> float:
    """Seconds to the first sample above a third of the loudest: codecs smear a click."""
    return float(np.argmax(np.abs(samples) > np.abs(samples).max() / 3)) / rate


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_pictures_rate_length_and_click(
    clip: Clip, clicks: Callable[..., np.ndarray], read_number: Number, case: Case
) -> None:
    path = made(clip, clicks, case)
    n = 20 if case.size[0] < 1000 else 6
    with VideoReader(path) as reader:
        frames = list(reader)
        info = reader.info
    assert (info.width, info.height) == case.size
    assert info.fps == as_rate(case.fps)
    assert not info.variable
    assert info.fields == ""
    assert [read_number(f.rgb8) for f in frames] == list(range(n))
    assert [f.pts for f in frames] == [i / info.fps for i in range(n)]
    assert reader.damaged == 0
    assert reader.held == []
    assert abs(onset_s(read_audio(path)) - CLICK_S) <= _LATE_S
    described = probe(path)
    assert described.audio is not None
    assert described.audio.channels == {"mono": 1, "stereo": 2, "5.1": 6}[case.layout]


OPEN_HEVC = {"preset": "fast", "x265-params": "log-level=none:keyint=25:open-gop=1:pools=none"}
GROUPS = [
    ("mp4", "libx264", {"x264-params": "open-gop=1"}), ("ts", "libx264", {"x264-params": "open-gop=1"}),
    ("mkv", "libx264", {"x264-params": "intra-refresh=1"}), ("mp4", "libx265", OPEN_HEVC),
    ("ts", "libx265", OPEN_HEVC), ("mkv", "libx265", OPEN_HEVC), ("ts", "mpeg2video", {"g": "12", "bf": "2"}),
    ("mpg", "mpeg2video", {"g": "12", "bf": "2"}), ("webm", "libvpx-vp9", VP9 | {"g": "25"}),
    ("webm", "libsvtav1", AV1 | {"g": "25"}),
]  # fmt: skip


@pytest.mark.parametrize(("suffix", "codec", "options"), GROUPS)
def test_a_seek_into_open_groups_gives_the_same_pictures(
    clip: Clip, read_number: Number, suffix: str, codec: str, options: dict[str, str]
) -> None:
    """Pictures before a keyframe in time but after it in the file cannot be decoded after a seek: one group earlier."""
    path = clip(f"g.{suffix}", n=80, gop=25, bframes=3, codec=codec, size=(128, 96), options=options)
    for first in (0, 1, 24, 25, 26, 48, 52, 79):
        with VideoReader(path, start_s=F(first, 25)) as reader:
            given = [read_number(f.rgb8) for f in reader]
        assert given == list(range(first, 80))
        assert (reader.damaged, reader.held) == (0, [])


@pytest.mark.parametrize(("suffix", "codec"), [("h264", "libx264"), ("hevc", "libx265"), ("m2v", "mpeg2video")])
@pytest.mark.parametrize("bframes", [0, 3])
def test_bare_streams_without_timestamps_are_counted(
    clip: Clip, read_number: Number, suffix: str, codec: str, bframes: int
) -> None:
    options = {"libx264": {}, "libx265": {"preset": "fast", "x265-params": f"log-level=none:bframes={bframes}"}}
    path = clip(
        f"raw.{suffix}", n=40, codec=codec, bframes=bframes, size=(128, 96),
        options=options.get(codec, {"bf": str(bframes and 2)}),
    )  # fmt: skip
    for first in (0, 17):
        with VideoReader(path, fps=F(25), start_s=F(first, 25)) as reader:
            assert [read_number(f.rgb8) for f in reader] == list(range(first, 40))


# Times that do not begin at zero --------------------------------------------------------------------------------


@pytest.mark.parametrize("start", [F(-1, 5), F(-1, 25), F(3, 2)])
@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv", "ts"])
def test_first_timestamps_before_and_after_zero(
    clip: Clip, clicks: Callable[..., np.ndarray], read_number: Number, suffix: str, start: Fraction
) -> None:
    """Pictures and sound begin together at `start` on the file's clock."""
    path = clip(
        f"s.{suffix}", n=20, bframes=0, video_start_s=start, sound=clicks(48_000, 0.8, 0.3), sound_rate=48_000,
        sound_codec="aac" if suffix == "ts" else "pcm_s16le", sound_start_s=start,
        muxer={} if suffix in ("mkv", "ts") else {"avoid_negative_ts": "disabled"},
    )  # fmt: skip
    with VideoReader(path) as reader:
        given = [read_number(f.rgb8) for f in reader]
    # A file that begins before its own zero is told to be played from zero: what lies before is not shown.
    cut = len(set(range(20)) - set(given))
    assert given == list(range(cut, 20))
    assert cut == 0 or (start < 0 and cut == -(start * 25 // 1))
    assert abs(onset_s(read_audio(path)) - (CLICK_S - F(cut, 25))) <= _LATE_S  # on the first picture's clock


@pytest.mark.parametrize("offset", [F(-3, 10), F(-1, 10), F(2, 10), F(5)])
@pytest.mark.parametrize(("suffix", "sound"), [("mp4", "aac"), ("mov", "pcm_s16le"), ("mkv", "libopus"), ("ts", "aac")])
def test_sound_that_starts_early_or_late(
    clip: Clip, clicks: Callable[..., np.ndarray], suffix: str, sound: str, offset: Fraction
) -> None:
    path = clip(
        f"o.{suffix}", n=20, video_start_s=F(1), sound=clicks(48_000, 0.8, 0.5), sound_rate=48_000, bframes=0,
        sound_codec=sound, sound_start_s=1 + offset,
    )  # fmt: skip
    assert abs(onset_s(read_audio(path)) - (F(1, 2) + offset)) <= _LATE_S


# Colours ------------------------------------------------------------------------------------------------------


PATCHES = [(200, 60, 50), (60, 160, 70), (50, 80, 190), (225, 180, 150), (128, 128, 128), (235, 235, 235), (16, 16, 16)]


def patches(number: int, width: int, height: int) -> np.ndarray:
    picture = np.zeros((height, width, 3), np.uint8)
    for k, color in enumerate(PATCHES):
        picture[:, k * width // 7 : (k + 1) * width // 7] = color
    return picture


@pytest.mark.parametrize("limits", ["limited", "full"])
@pytest.mark.parametrize("space", ["bt709", "smpte170m", "bt470bg"])
@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv444p", "yuv420p10le"])
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_tagged_colours_come_back_within_two_levels(
    clip: Clip, limits: str, space: str, pix_fmt: str, suffix: str
) -> None:
    path = clip(
        f"c.{suffix}", n=2, size=(224, 64), picture=patches, pix_fmt=pix_fmt, options={"crf": "1"},
        tags=ColorTags(limits, space, space, "bt709"),
    )  # fmt: skip
    with VideoReader(path) as reader:
        assert (reader.info.color.range, reader.info.color.space) == (limits, space)
        picture = next(iter(reader)).rgb8
    for k, color in enumerate(PATCHES):
        middle = picture[16:48, k * 32 + 8 : k * 32 + 24].reshape(-1, 3).mean(axis=0)
        assert np.abs(middle - color).max() <= 2, (k, middle)


@pytest.mark.parametrize(("size", "space"), [((1280, 720), "bt709"), ((224, 64), "smpte170m")])
def test_untagged_colours_are_taken_as_players_do(clip: Clip, size: tuple[int, int], space: str) -> None:
    """The clip is converted with the matrix players assume for its size, and carries no tag."""
    path = clip("u.mp4", n=2, size=size, picture=patches, options={"crf": "1"})
    with VideoReader(path) as reader:
        assert reader.info.color.resolved(size[1]).space == space
        picture = next(iter(reader)).rgb8
    width = size[0] // 7
    for k, color in enumerate(PATCHES):
        middle = picture[16:48, k * size[0] // 7 + width // 4 : k * size[0] // 7 + width * 3 // 4].reshape(-1, 3)
        assert np.abs(middle.mean(axis=0) - color).max() <= 2


# Several sound tracks -------------------------------------------------------------------------------------------


def test_a_sound_track_can_be_chosen_and_the_default_is_taken_else(two_tracks: Path) -> None:
    assert abs(onset_s(read_audio(two_tracks, track=0)) - 0.2) < 0.002
    assert abs(onset_s(read_audio(two_tracks, track=1)) - 0.6) < 0.002
    assert abs(onset_s(read_audio(two_tracks)) - 0.6) < 0.002  # marked as the default
    assert AudioReader(two_tracks, None, track=0).source_rate == 48_000


def test_a_track_that_is_not_there_lists_what_is(two_tracks: Path) -> None:
    from lipwright.core.errors import FootageError

    with pytest.raises(FootageError, match=r"no sound track 2; choose one of 0 \(eng .*mono\), 1 \(deu .*mono\)"):
        AudioReader(two_tracks, track=2)


def table() -> None:
    """Print what is made and what is read back."""
    from tempfile import TemporaryDirectory

    from conftest import click_track, make_clip, number_in

    print("| file | fps read | pictures | click off by |\n|---|---|---|---|")
    for case in CASES:
        with TemporaryDirectory() as folder:

            def clip(name: str, folder: str = folder, **options: object) -> Path:
                return make_clip(Path(folder) / name, **options)

            path = made(clip, click_track, case)
            with VideoReader(path) as reader:
                given = [number_in(f.rgb8) for f in reader]
            off = 1000 * (onset_s(read_audio(path)) - float(CLICK_S))
            exact = "all, in order" if given == list(range(len(given))) else str(given)
            print(f"| {case.name.replace(' |', ',')} | {reader.info.fps} | {exact} | {off:+.1f} ms |")


if __name__ == "__main__":
    table()
