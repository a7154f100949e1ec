"""Display matrices and pixels that are not square."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from lipwright.media.probe import probe
from lipwright.media.upright import square_size
from lipwright.media.video import VideoReader

ONE, FAR = 1 << 16, 1 << 30
SIZE = (64, 48)


def corners() -> np.ndarray:
    """A picture that no turn or flip maps to itself: each quarter has its own grey."""
    picture = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    picture[:24, :32], picture[:24, 32:], picture[24:, :32], picture[24:, 32:] = 40, 100, 160, 220
    return picture


def clip(path: Path, matrix: list[int] | None = None, aspect: Fraction | None = None, size: tuple = SIZE) -> Path:
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=25, options={"crf": "4"})
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        if matrix:
            stream.set_display_matrix(matrix)
        if aspect:
            stream.codec_context.sample_aspect_ratio = aspect
        for i in range(3):
            frame = av.VideoFrame.from_ndarray(corners(), "rgb24").reformat(*size, format="yuv420p")
            frame.pts = i
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


MATRICES = {  # a, b, u, c, d, v, x, y, w: x' = a x + c y, y' = b x + d y
    "as it is": ([ONE, 0, 0, 0, ONE, 0, 0, 0, FAR], lambda p: p),
    "mirrored left to right": ([-ONE, 0, 0, 0, ONE, 0, 64 * ONE, 0, FAR], lambda p: p[:, ::-1]),
    "upside down mirror": ([ONE, 0, 0, 0, -ONE, 0, 0, 48 * ONE, FAR], lambda p: p[::-1]),
    "half turn": ([-ONE, 0, 0, 0, -ONE, 0, 64 * ONE, 48 * ONE, FAR], lambda p: p[::-1, ::-1]),
    "quarter clockwise": ([0, ONE, 0, -ONE, 0, 0, 48 * ONE, 0, FAR], lambda p: np.rot90(p, -1)),
    "quarter counter-clockwise": ([0, -ONE, 0, ONE, 0, 0, 0, 64 * ONE, FAR], lambda p: np.rot90(p)),
    "diagonal": ([0, ONE, 0, ONE, 0, 0, 0, 0, FAR], lambda p: p.transpose(1, 0, 2)),
    "other diagonal": (
        [0, -ONE, 0, -ONE, 0, 0, 48 * ONE, 64 * ONE, FAR],
        lambda p: p[::-1, ::-1].transpose(1, 0, 2),
    ),
}


@pytest.mark.parametrize("name", MATRICES)
@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv"])
def test_every_orientation_is_made_upright(tmp_path: Path, name: str, suffix: str) -> None:
    matrix, shown = MATRICES[name]
    truth = shown(corners()).astype(int)
    path = clip(tmp_path / f"turned.{suffix}", matrix)
    info = probe(path).video
    assert info is not None
    assert (info.height, info.width) == truth.shape[:2]
    with VideoReader(path) as reader:
        picture = next(iter(reader)).rgb8
    assert np.abs(picture - truth).mean() < 2


@pytest.mark.parametrize(
    ("size", "aspect", "shown"),
    [
        ((720, 576), Fraction(16, 11), (1048, 576)),  # PAL wide: 1047.3
        ((720, 480), Fraction(8, 9), (640, 480)),
        ((1440, 1080), Fraction(4, 3), (1920, 1080)),
        ((720, 576), None, (720, 576)),
        ((720, 576), Fraction(1), (720, 576)),
        ((720, 576), Fraction(0), (720, 576)),
        ((720, 576), Fraction(50), (720, 576)),  # a mistake of the file
    ],
)
def test_width_is_scaled_and_even(size: tuple[int, int], aspect: Fraction | None, shown: tuple[int, int]) -> None:
    assert square_size(*size, aspect) == shown


def test_anamorphic_footage_is_read_with_square_pixels(tmp_path: Path) -> None:
    path = clip(tmp_path / "wide.mp4", aspect=Fraction(16, 11), size=(80, 64))
    info = probe(path).video
    assert info is not None
    assert (info.pixel_aspect, info.width, info.height) == (Fraction(16, 11), 116, 64)
    with VideoReader(path) as reader:
        picture = next(iter(reader)).rgb8
    assert picture.shape == (64, 116, 3)
    assert abs(int(picture[16, 29, 0]) - 40) < 4
    assert abs(int(picture[48, 87, 0]) - 220) < 4


def test_anamorphic_and_turned(tmp_path: Path) -> None:
    path = clip(tmp_path / "both.mov", MATRICES["quarter clockwise"][0], Fraction(4, 3), (96, 64))
    with VideoReader(path) as reader:
        assert (reader.info.width, reader.info.height) == (64, 128)
        assert next(iter(reader)).rgb8.shape == (128, 64, 3)
