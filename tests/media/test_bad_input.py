"""Everything a user may hand over by mistake gets one clear sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from lipwright.core.errors import FootageError
from lipwright.media.audio import read_audio, write_wav
from lipwright.media.probe import probe
from lipwright.media.video import VideoReader

Clip = Callable[..., Path]


def refuse(path: Path, words: str) -> None:
    for use in (probe, VideoReader, read_audio):
        with pytest.raises(FootageError, match=words) as caught:
            use(path)
        message = str(caught.value)
        assert message.startswith(str(path))
        assert "\n" not in message
        assert ";" in message  # a next step follows


def test_missing(tmp_path: Path) -> None:
    refuse(tmp_path / "none.mp4", "does not exist")


def test_folder(tmp_path: Path) -> None:
    refuse(tmp_path, "is a folder")


def test_empty(tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    refuse(tmp_path / "empty.mp4", "is empty")


@pytest.mark.parametrize("content", [b"just some text\n" * 40, bytes(range(256)) * 64])
@pytest.mark.parametrize("suffix", ["mp4", "txt", "dat"])
def test_not_media(tmp_path: Path, content: bytes, suffix: str) -> None:
    path = tmp_path / f"notes.{suffix}"
    path.write_bytes(content)
    refuse(path, "not a video or audio file|is a text file")


@pytest.mark.parametrize(("kept", "words"), [(0.2, "its beginning or index is missing"), (0.7, "damaged index")])
def test_truncated_in_or_before_its_index(clip: Clip, kept: float, words: str) -> None:
    path = clip(n=30)
    data = path.read_bytes()
    path.write_bytes(data[: int(kept * len(data))])
    refuse(path, words)


@pytest.mark.parametrize(("suffix", "codec", "pix_fmt"), [("png", "png", "rgb24"), ("jpg", "mjpeg", "yuvj420p")])
def test_an_image_is_not_footage(tmp_path: Path, suffix: str, codec: str, pix_fmt: str) -> None:
    path = tmp_path / f"photo.{suffix}"
    with av.open(str(path), "w", format="image2", options={"update": "1"}) as output:
        stream = output.add_stream(codec, rate=1)
        stream.width, stream.height, stream.pix_fmt = 64, 48, pix_fmt
        frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 90, np.uint8)).reformat(format=pix_fmt)
        output.mux(stream.encode(frame) + stream.encode(None))
    refuse(path, "is an image, not footage")


def test_no_picture_track(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", np.zeros(1600, np.float32))
    with pytest.raises(FootageError, match="no picture track"):
        VideoReader(tmp_path / "a.wav")
    info = probe(tmp_path / "a.wav")
    assert info.video is None
    assert info.audio is not None
    assert (info.audio.sample_rate, info.audio.channels) == (16_000, 1)


def test_no_sound_track(clip: Clip) -> None:
    path = clip(n=3)
    with pytest.raises(FootageError, match="no sound track"):
        read_audio(path)
    assert probe(path).audio is None


def test_sound_without_a_sample(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", np.zeros(0, np.float32))
    with pytest.raises(FootageError, match="cannot be decoded or is empty"):
        read_audio(tmp_path / "a.wav")


def test_a_file_without_permission_or_with_garbage_inside(clip: Clip) -> None:
    path = clip("g.mkv", n=12)
    data = path.read_bytes()
    start = data.index(b"\x1f\x43\xb6\x75")  # first Matroska cluster
    path.write_bytes(data[: start + 4] + bytes(len(data) - start - 4))
    with pytest.raises(FootageError, match="can be decoded"):
        probe(path)
