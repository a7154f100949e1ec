"""What is written is what was given: length, colour, sound, and all or nothing."""

from __future__ import annotations

import resource
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from lipwright.core.errors import ConfigError, OutputError, ShapeError
from lipwright.media.audio import read_audio, write_wav
from lipwright.media.color import BT709, ColorTags
from lipwright.media.probe import probe
from lipwright.media.settings import STORE
from lipwright.media.video import VideoReader
from lipwright.media.writer import EncoderSettings, VideoWriter

FAST = EncoderSettings(preset="ultrafast", threads=1)
PATCHES = np.uint8(
    [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 0], [0, 255, 255], [255, 0, 255], [250, 250, 250],
     [5, 5, 5], [128, 128, 128], [220, 170, 140], [90, 60, 50], [30, 60, 200]]
)  # fmt: skip


def patches(side: int = 32) -> np.ndarray:
    return np.ascontiguousarray(PATCHES.reshape(3, 4, 3).repeat(side, 0).repeat(side, 1))


def write(path: Path, frames: list[np.ndarray], fps: Fraction = Fraction(25), **options: object) -> Path:
    height, width = frames[0].shape[:2]
    with VideoWriter(path, (width, height), fps, **options) as writer:  # type: ignore[arg-type]
        for frame in frames:
            writer.write(frame)
    return path


def read(path: Path) -> list[np.ndarray]:
    with VideoReader(path) as reader:
        return [frame.rgb8 for frame in reader]


@pytest.mark.parametrize("fps", [Fraction(25), Fraction(30_000, 1001), Fraction(24), Fraction(60_000, 1001)])
def test_rate_and_numbers_come_back(
    tmp_path: Path, draw_number: Callable, read_number: Callable, fps: Fraction
) -> None:
    path = write(tmp_path / "a.mp4", [draw_number(i) for i in range(40)], fps, settings=FAST)
    info = probe(path)
    assert info.video is not None
    assert info.video.fps == fps
    assert info.duration_s == pytest.approx(40 / fps, abs=1e-3)
    assert [read_number(f) for f in read(path)] == list(range(40))


@pytest.mark.parametrize(
    "color",
    [
        BT709,
        ColorTags("limited", "smpte170m", "smpte170m", "smpte170m"),
        ColorTags("full", "bt709", "bt709", "bt709"),
        ColorTags("limited", "bt2020nc", "bt2020", "bt2020-10"),
    ],
)
def test_colours_and_tags_come_back_without_bias(tmp_path: Path, color: ColorTags) -> None:
    picture = patches()
    path = write(tmp_path / "c.mp4", [picture] * 4, settings=STORE, color=color)
    info = probe(path).video
    assert info is not None
    assert info.color == color
    error = read(path)[2].astype(float) - picture
    inner = error.reshape(3, 32, 4, 32, 3)[:, 8:24, :, 8:24].mean(axis=(1, 3))  # away from patch borders
    # swscale rounds full-range chroma down by half a level; nothing else may lean to one side.
    assert np.abs(inner.mean(axis=(0, 1))).max() < (1.0 if color.range == "full" else 0.35)
    assert np.abs(inner).max() < 3.5


def test_the_stored_numbers_follow_the_tagged_matrix(tmp_path: Path) -> None:
    """BT.709 (ITU-R BT.709-6, 3.2 and 3.4): Y = 16 + 219 (0.2126 R + 0.7152 G + 0.0722 B), rounded."""
    red = np.zeros((32, 32, 3), np.uint8)
    red[..., 0] = 255
    for tags, luma in ((BT709, 63), (ColorTags("limited", "smpte170m", "smpte170m", "smpte170m"), 81)):
        path = write(tmp_path / f"{tags.space}.mp4", [red] * 2, settings=STORE, color=tags)
        with av.open(str(path)) as container:
            frame = next(container.decode(video=0))
        assert abs(frame.to_ndarray()[:32].mean() - luma) < 0.6


def test_untagged_sizes_get_the_matrix_players_assume() -> None:
    assert ColorTags().resolved(480).space == "smpte170m"
    assert ColorTags().resolved(1080) == BT709


def test_odd_sizes_come_back_exactly(tmp_path: Path, draw_number: Callable, read_number: Callable) -> None:
    frames = [draw_number(i, 65, 49) for i in range(5)]
    path = write(tmp_path / "odd.mp4", frames, settings=FAST)
    info = probe(path).video
    assert info is not None
    assert (info.width, info.height, info.pix_fmt) == (65, 49, "yuv444p")
    back = read(path)
    assert [read_number(f) for f in back] == list(range(5))


@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000])
@pytest.mark.parametrize("source", ["array", "file"])
def test_sound_is_aligned_and_complete(
    tmp_path: Path, draw_number: Callable, clicks: Callable, rate: int, source: str
) -> None:
    sound = clicks(rate, 1.0, 0.5)[0]
    sound[-rate // 50 :] = 0.3  # the very end must be heard too
    write_wav(tmp_path / "s.wav", sound, rate)
    audio = sound if source == "array" else tmp_path / "s.wav"
    frames = [draw_number(i) for i in range(25)]
    path = write(tmp_path / "s.mp4", frames, settings=FAST, audio=audio, audio_rate=rate)
    back = read_audio(path, rate)
    first = int(np.argmax(np.abs(back) > 0.3))
    assert abs(first - rate // 2) <= rate // 1000  # 1 ms
    assert abs(len(back) - rate) <= 1
    assert np.abs(back[-rate // 100 :]).mean() > 0.1
    assert len(read(path)) == 25


def test_stereo_stays_stereo_and_odd_rates_are_resampled(tmp_path: Path, draw_number: Callable) -> None:
    write_wav(tmp_path / "s.wav", np.full((18_900, 2), 0.2, np.float32), 37_800)
    path = write(tmp_path / "s.mp4", [draw_number(0)] * 12, settings=FAST, audio=tmp_path / "s.wav")
    info = probe(path).audio
    assert info is not None
    assert (info.sample_rate, info.channels, info.codec) == (48_000, 2, "aac")


def test_faststart_puts_the_index_first(tmp_path: Path, draw_number: Callable) -> None:
    for name, settings, first in (("a", FAST, True), ("b", replace(FAST, faststart=False), False)):
        data = write(tmp_path / f"{name}.mp4", [draw_number(0)] * 3, settings=settings).read_bytes()
        assert (data.index(b"moov") < data.index(b"mdat")) is first


def test_bitrate_is_held(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 255, (120, 160, 3), dtype=np.uint8) for _ in range(50)]
    path = write(tmp_path / "n.mp4", noise, settings=replace(FAST, bitrate=400_000))
    assert path.stat().st_size * 8 / 2 == pytest.approx(400_000, rel=0.5)


def test_fixed_gop_places_keyframes(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frames = [rng.integers(0, 255, (48, 64, 3), dtype=np.uint8) for _ in range(30)]  # every frame a "scene cut"
    path = write(tmp_path / "g.mp4", frames, settings=STORE)
    with av.open(str(path)) as container:
        keys = [i for i, p in enumerate(p for p in container.demux(video=0) if p.size) if p.is_keyframe]
    assert keys == [0, 12, 24]


class Interrupted(list):
    """Frames that end in Ctrl-C."""

    def __iter__(self) -> Iterator[np.ndarray]:
        yield from super().__iter__()
        raise KeyboardInterrupt


def test_nothing_appears_after_an_error(tmp_path: Path, draw_number: Callable) -> None:
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "x.mp4", Interrupted([draw_number(0)]))
    assert list(tmp_path.iterdir()) == []


def test_an_old_result_survives_a_failed_new_one(tmp_path: Path, draw_number: Callable) -> None:
    path = write(tmp_path / "x.mp4", [draw_number(0)], settings=FAST)
    before = path.read_bytes()
    with pytest.raises(ShapeError), VideoWriter(path, (64, 48), Fraction(25)) as writer:
        writer.write(draw_number(0, 62, 48))
    assert path.read_bytes() == before


def test_no_frames_is_an_error(tmp_path: Path) -> None:
    with (
        pytest.raises(OutputError, match="no frame was given"),
        VideoWriter(tmp_path / "x.mp4", (64, 48), Fraction(25)),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def small_disk() -> Iterator[None]:
    """No file may grow beyond 200 kB: the kernel fails the write like a full disk does."""
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, old[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, old)
    signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.usefixtures("small_disk")
def test_a_full_disk_is_one_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 255, (240, 320, 3), dtype=np.uint8) for _ in range(12)]
    with pytest.raises(OutputError, match=r"cannot write .*full\.mp4: .*run again"):
        write(tmp_path / "full.mp4", noise, settings=replace(FAST, crf=5))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "x.mp4").mkdir()
    with pytest.raises(OutputError, match="it is a folder"):
        VideoWriter(tmp_path / "x.mp4", (64, 48), Fraction(25)).__enter__()
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(OutputError, match="cannot write"):
        VideoWriter(tmp_path / "file" / "x.mp4", (64, 48), Fraction(25)).__enter__()


def test_unknown_containers_and_settings_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"name it \.mp4"):
        VideoWriter(tmp_path / "x.gif", (64, 48), Fraction(25))
    with pytest.raises(ConfigError, match="choose from"):
        EncoderSettings(preset="fastest")
    with pytest.raises(ConfigError, match="outside 0 to 51"):
        EncoderSettings(codec="h264", crf=60)
