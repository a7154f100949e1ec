"""Pictures in their own planes reach the encoder untouched; all others are converted once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.video.reformatter import VideoReformatter

from lipwright.core.errors import ConfigError, ShapeError
from lipwright.media.codecs import VIDEO
from lipwright.media.color import BT709, ColorTags
from lipwright.media.formats import PIX_FMTS, nearest_pix_fmt, shape_of
from lipwright.media.frames import FrameMaker
from lipwright.media.picture import Picture, blank
from lipwright.media.video import VideoReader
from lipwright.media.writer import EncoderSettings, VideoWriter

BT601 = ColorTags("limited", "smpte170m", "smpte170m", "smpte170m")
SHIFT = {"420": (1, 1), "422": (0, 1), "444": (0, 0)}


def picture_of(planes: tuple[np.ndarray, ...], pix_fmt: str, tags: ColorTags = BT709) -> Picture:
    """A picture of given planes."""
    height, width = planes[0].shape
    picture = Picture(blank(width, height, pix_fmt), tags)
    for target, values in zip(picture.planes, planes, strict=True):
        target[:] = values
    return picture


def noise(pix_fmt: str, seed: int = 0, size: tuple[int, int] = (64, 48), tags: ColorTags = BT709) -> Picture:
    """Every legal and illegal value of the format: only an untouched plane keeps them all."""
    rng = np.random.default_rng(seed)
    down, right = SHIFT[pix_fmt[3:6]]
    kind, top = (np.uint16, 1023) if pix_fmt.endswith("10le") else (np.uint8, 255)
    shapes = [(size[1], size[0])] + [(size[1] >> down, size[0] >> right)] * 2
    return picture_of(tuple(rng.integers(0, top + 1, s).astype(kind) for s in shapes), pix_fmt, tags)


def planes_in(path: Path) -> list[tuple[str, list[np.ndarray]]]:
    found = []
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            kind = np.uint16 if frame.format.components[0].bits > 8 else np.uint8
            rows = [np.frombuffer(p, kind).reshape(p.height, -1)[:, : p.width].copy() for p in frame.planes]
            found.append((frame.format.name, rows))
    return found


def write(path: Path, pictures: list[Any], settings: EncoderSettings, **options: Any) -> VideoWriter:
    with VideoWriter(path, pictures[0].size, Fraction(25), settings, **options) as writer:
        for picture in pictures:
            writer.write(picture)
    return writer


@pytest.mark.parametrize(
    ("codec", "pix_fmt"),
    [(c, p) for c in ("h264", "hevc") for p in PIX_FMTS] + [("vp9", p) for p in PIX_FMTS[:3]],
)
@pytest.mark.parametrize("tags", [BT709, ColorTags("full", "bt709", "bt709", "bt709")], ids=lambda t: t.range)
def test_lossless_keeps_every_sample_of_every_plane(tmp_path: Path, codec: str, pix_fmt: str, tags: ColorTags) -> None:
    pictures = [noise(pix_fmt, seed, tags=tags) for seed in range(3)]
    path = tmp_path / "p.mkv"
    settings = EncoderSettings(codec=codec, crf=0, preset="ultrafast", threads=1)
    writer = write(path, pictures, settings, color=tags, source_pix_fmt=pix_fmt)
    assert writer.pix_fmt == pix_fmt
    back = planes_in(path)
    assert len(back) == 3
    for picture, (name, planes) in zip(pictures, back, strict=True):
        assert name.replace("yuvj", "yuv") == pix_fmt
        assert all((a == b).all() for a, b in zip(picture.planes, planes, strict=True))


def test_one_picture_may_be_written_many_times(tmp_path: Path) -> None:
    pictures = [noise("yuv420p", 0), noise("yuv420p", 1)]
    given = [pictures[i] for i in (0, 0, 1, 0, 1, 1)]
    settings = EncoderSettings(codec="hevc", crf=0, threads=1)
    write(tmp_path / "p.mkv", given, settings)
    back = planes_in(tmp_path / "p.mkv")
    assert len(back) == 6
    assert all(
        (a == b).all()
        for p, (_, planes) in zip(given, back, strict=True)
        for a, b in zip(p.planes, planes, strict=True)
    )


def flat(colour: tuple[int, int, int], pix_fmt: str, tags: ColorTags, size: tuple[int, int] = (64, 48)) -> Picture:
    like = noise(pix_fmt, size=size)
    scale = 4 if pix_fmt.endswith("10le") else 1
    planes = tuple(np.full_like(p, v * scale) for p, v in zip(like.planes, colour, strict=True))
    return picture_of(planes, pix_fmt, tags)


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv444p", "yuv422p10le"])
def test_another_matrix_range_or_depth_is_converted(tmp_path: Path, pix_fmt: str) -> None:
    """Saturated red: (81, 90, 240) in BT.601 limited; (63, 102, 240) in BT.709 (BT.709-6, 3.2 to 3.4)."""
    red = flat((81, 90, 240), "yuv420p", BT601)
    settings = EncoderSettings(crf=0, preset="ultrafast", threads=1, pix_fmt=pix_fmt)
    write(tmp_path / "p.mkv", [red], settings, color=BT709)
    name, planes = planes_in(tmp_path / "p.mkv")[0]
    assert name == pix_fmt
    scale = 4 if pix_fmt.endswith("10le") else 1
    assert [float(p.mean()) / scale for p in planes] == pytest.approx([63, 102.3, 240], abs=1)


@pytest.mark.parametrize(("source", "pix_fmt"), [("yuv422p10le", "yuv420p"), ("yuv420p", "yuv444p10le")])
def test_another_depth_and_resolution_alone_keep_the_values(tmp_path: Path, source: str, pix_fmt: str) -> None:
    settings = EncoderSettings(crf=0, preset="ultrafast", threads=1, pix_fmt=pix_fmt)
    write(tmp_path / "p.mkv", [flat((81, 90, 240), source, BT709)], settings)
    planes = planes_in(tmp_path / "p.mkv")[0][1]
    scale = 4 if pix_fmt.endswith("10le") else 1
    assert [float(p.mean()) / scale for p in planes] == pytest.approx([81, 90, 240], abs=0.3)


def test_limited_pictures_in_a_full_range_file(tmp_path: Path) -> None:
    """Luma 63 of 16..235 is (63 - 16) 255 / 219 = 54.7 of 0..255, chroma 128 + (240 - 128) 255 / 224 = 255.5."""
    red = flat((63, 102, 240), "yuv420p", BT709)
    full = ColorTags("full", "bt709", "bt709", "bt709")
    write(tmp_path / "p.mkv", [red], EncoderSettings(crf=0, preset="ultrafast", threads=1), color=full)
    planes = planes_in(tmp_path / "p.mkv")[0][1]
    assert [float(p.mean()) for p in planes] == pytest.approx([54.7, 98.4, 255], abs=1.2)


@pytest.mark.parametrize(
    ("asked", "expected"), [((32, 24), (32, 24)), (24, (32, 24)), ((128, 96), (128, 96)), (96, (128, 96))]
)
@pytest.mark.parametrize("kind", ["rgb", "picture"])
def test_the_file_has_the_size_asked_for(tmp_path: Path, asked: Any, expected: tuple[int, int], kind: str) -> None:
    ramp = np.linspace(40, 200, 64).round().astype(np.uint8)
    rgb8 = np.ascontiguousarray(np.broadcast_to(ramp[None, :, None], (48, 64, 3)))
    luma = np.rint(16 + ramp * (219 / 255)).astype(np.uint8)
    grey = np.full((24, 32), 128, np.uint8)
    picture = picture_of((np.broadcast_to(luma, (48, 64)).copy(), grey, grey), "yuv420p")
    settings = EncoderSettings(crf=0, preset="ultrafast", threads=1, size=asked)
    with VideoWriter(tmp_path / "z.mp4", (64, 48), Fraction(25), settings) as writer:
        writer.write(rgb8 if kind == "rgb" else picture)
    assert writer.out_size == expected
    with VideoReader(tmp_path / "z.mp4") as reader:
        back = next(iter(reader)).rgb8
    assert back.shape == (expected[1], expected[0], 3)
    x = np.arange(expected[0])
    centre = (x + 0.5) * 64 / expected[0] - 0.5
    wanted = np.interp(centre, np.arange(64), ramp)
    inner = slice(expected[0] // 8, -expected[0] // 8)
    assert np.abs(back[expected[1] // 2, inner, 1] - wanted[inner]).max() < 3


def test_pictures_of_another_size_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ShapeError), VideoWriter(tmp_path / "x.mp4", (64, 48), Fraction(25)) as writer:
        writer.write(noise("yuv420p", size=(32, 48)))


@pytest.mark.parametrize(
    ("source", "codec", "expected"),
    [
        ("yuv420p", "h264", "yuv420p"),
        ("yuvj420p", "h264", "yuv420p"),
        ("nv12", "hevc", "yuv420p"),
        ("p010le", "hevc", "yuv420p10le"),
        ("yuv420p12le", "hevc", "yuv420p10le"),
        ("yuv422p10le", "h264", "yuv422p10le"),
        ("gbrp", "h264", "yuv444p"),
        ("yuv422p10le", "vp9", "yuv422p"),
        ("yuv444p10le", "av1", "yuv420p10le"),
        ("yuv420p", "prores", "yuv422p10le"),
        ("yuv444p", "prores", "yuv444p10le"),
        ("yuv411p", "h264", "yuv422p"),
    ],
)
def test_the_nearest_format_is_chosen(source: str, codec: str, expected: str) -> None:
    assert nearest_pix_fmt(source, VIDEO[codec].pix_fmts) == expected


def test_formats_by_what_they_hold() -> None:
    assert [shape_of(p) for p in PIX_FMTS] == [(0, 8), (1, 8), (2, 8), (0, 10), (1, 10), (2, 10)]
    with pytest.raises(ConfigError, match="no pixel format"):
        shape_of("yuv9000")


class OneAtATime:
    """Converts as a reformatter does, and notes how many conversions of the same frame were under way at once."""

    def __init__(self, both: threading.Event) -> None:
        self._both, self._inside, self._lock, self.most = both, 0, threading.Lock(), 0

    def reformat(self, *args: Any, **options: Any) -> av.VideoFrame:
        with self._lock:
            self._inside += 1
            self.most = max(self.most, self._inside)
            if self._inside == 2:
                self._both.set()
        self._both.wait(0.2)  # for the second one, which must not come
        made = VideoReformatter().reformat(*args, **options)
        with self._lock:
            self._inside -= 1
        return made


@pytest.mark.parametrize("use", ["rgb8", "scaled", "resized", "turned", "written"])
def test_a_picture_is_converted_by_one_thread_at_a_time(use: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """PyAV writes to the labels of the frame it converts, so that a second conversion would read the first one's."""
    shown = noise("yuv422p")
    counted = OneAtATime(threading.Event())
    monkeypatch.setattr("lipwright.media.picture.reformatter", lambda *key: counted)
    maker = FrameMaker((64, 48), (64, 48), "yuv420p", None, BT709)
    monkeypatch.setattr(maker, "_reformatter", counted)
    uses: dict[str, Callable[[], object]] = {
        "rgb8": shown.rgb8,
        "scaled": lambda: shown.scaled((32, 24)),
        "resized": lambda: shown.resized((32, 24)),
        "turned": lambda: shown.turned(1),
        "written": lambda: maker(shown, None),
    }
    threads = [threading.Thread(target=f) for f in (uses[use], shown.rgb8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counted.most == 1
