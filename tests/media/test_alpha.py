"""Transparency: what is given comes back from the file, beside the same colours."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
import pytest

from lipwright.core.errors import ConfigError, ShapeError
from lipwright.media.writer import EncoderSettings, VideoWriter


def decoded(path: Path) -> list[av.VideoFrame]:
    """Frames with their alpha: FFmpeg's own VP9 decoder drops it, libvpx keeps it."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        if stream.codec_context.name != "vp9":
            return list(container.decode(video=0))
        context = cast(av.VideoCodecContext, av.CodecContext.create("libvpx-vp9", "r"))
        frames = []
        for packet in container.demux(stream):
            frames += context.decode(packet) if packet.size else context.decode(None)
        return frames


def alpha_of(frame: av.VideoFrame) -> np.ndarray:
    """(H, W) as 0 to 255, of any depth."""
    bits = frame.format.components[3].bits
    plane = frame.planes[3]
    rows = np.frombuffer(plane, np.uint8 if bits == 8 else np.uint16).reshape(plane.height, -1)[:, : plane.width]
    return rows * 255.0 / (2**bits - 1)


def scene(n: int = 5) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """A disc that moves over a ramp, with a soft edge, and its colours everywhere."""
    y, x = np.mgrid[:48, :64]
    frames, alphas = [], []
    for i in range(n):
        distance = np.hypot(x - 24 - 2 * i, y - 24)
        alphas.append(np.rint(255 * np.clip((16 - distance) / 6, 0, 1)).astype(np.uint8))
        frames.append(np.stack([3 * x, 4 * y, np.full_like(x, 90)], -1).astype(np.uint8))
    return frames, alphas


@pytest.mark.parametrize("name", ["a.webm", "a.mkv", "a.mov"])
def test_alpha_comes_back(tmp_path: Path, name: str) -> None:
    frames, alphas = scene()
    path = tmp_path / name
    with VideoWriter(path, (64, 48), Fraction(25), EncoderSettings(alpha=True, threads=1)) as writer:
        for frame, alpha in zip(frames, alphas, strict=True):
            writer.write(frame, alpha)
        writer.write(frames[-1])
    back = decoded(path)
    assert len(back) == 6
    for found, given in zip(back, [*alphas, np.full((48, 64), 255)], strict=True):
        error = np.abs(alpha_of(found) - given)
        assert error.mean() < 1.5
        assert error.max() < 24
        assert alpha_of(found)[:, 60:].mean() == pytest.approx(given[:, 60:].mean(), abs=1)
    rgb8 = back[2].reformat(format="rgb24", src_colorspace=1).to_ndarray()
    assert np.abs(rgb8.astype(int) - frames[2]).mean() < 3  # the colours are whole, also where nothing shows


def test_webm_says_that_it_has_alpha(tmp_path: Path) -> None:
    frames, alphas = scene(2)
    for wanted in (True, False):
        path = tmp_path / f"{wanted}.webm"
        with VideoWriter(path, (64, 48), Fraction(25), EncoderSettings(alpha=wanted)) as writer:
            for frame, alpha in zip(frames, alphas, strict=True):
                writer.write(frame, alpha if wanted else None)
        element = bytes.fromhex("53c08101")  # AlphaMode 1 (Matroska specification, 0x53C0)
        assert (element in path.read_bytes()[:1000]) is wanted


def test_lossless_colours_beside_alpha_and_alpha_of_another_size(tmp_path: Path) -> None:
    frames, alphas = scene(1)
    settings = EncoderSettings(alpha=True, size=(32, 24), crf=0)
    with VideoWriter(tmp_path / "s.webm", (64, 48), Fraction(25), settings) as writer:
        writer.write(frames[0], alphas[0])
    [back] = decoded(tmp_path / "s.webm")
    small = alphas[0].reshape(24, 2, 32, 2).mean((1, 3))
    assert (back.width, back.height) == (32, 24)
    assert np.abs(alpha_of(back) - small).mean() < 3


def test_alpha_that_does_not_fit(tmp_path: Path) -> None:
    frames, _ = scene(1)
    with (
        pytest.raises(ConfigError, match=r"x\.mp4 keeps no transparency; set EncoderSettings\(alpha=True\)"),
        VideoWriter(tmp_path / "x.mp4", (64, 48), Fraction(25)) as writer,
    ):
        writer.write(frames[0], np.zeros((48, 64), np.uint8))
    settings = EncoderSettings(alpha=True)
    with (
        pytest.raises(ShapeError, match="alpha to write"),
        VideoWriter(tmp_path / "x.webm", (64, 48), Fraction(25), settings) as writer,
    ):
        writer.write(frames[0], np.zeros((24, 64), np.uint8))
    assert list(tmp_path.iterdir()) == []
