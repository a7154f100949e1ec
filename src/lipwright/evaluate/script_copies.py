"""The lossy copies that SyncNet's and Wav2Lip's scripts make of pictures before the network sees them.

The scripts store crops as an MPEG-4 avi (OpenCV's XVID) and unpack it with ffmpeg into JPEG files at the default bit
rate of 200 kbit/s, which is coarse. The network has always been scored on such pictures, so they are part of the
protocol. Their first copies (MPEG-4 and JPEG at quality 2, sound as MP3) are nearly without loss and left out.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from lipwright.core.contracts import U8
from lipwright.core.errors import OutputError

_RATE = 25


def through_avi(crops: Iterable[U8]) -> Iterator[U8]:
    """BGR crops of one size after MPEG-4 and JPEG; OutputError when OpenCV cannot write MPEG-4."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "crops.avi"
        _write_avi(crops, path)
        with av.open(str(path)) as container:
            yield from through_jpeg(frame for frame in container.decode(video=0))


def through_jpeg(pictures: Iterable[U8 | av.VideoFrame]) -> Iterator[U8]:
    """BGR pictures of one size after ffmpeg's JPEG at its default bit rate."""
    encoder: av.VideoCodecContext | None = None
    for n, picture in enumerate(pictures):
        frame = picture if isinstance(picture, av.VideoFrame) else av.VideoFrame.from_ndarray(picture, format="bgr24")
        if encoder is None:
            encoder = av.CodecContext.create("mjpeg", "w")
            encoder.width, encoder.height, encoder.pix_fmt = frame.width, frame.height, "yuvj420p"
            encoder.time_base = Fraction(1, _RATE)
            encoder.framerate = Fraction(_RATE)
        ready = frame.reformat(format="yuvj420p")
        ready.pts, ready.time_base = n, Fraction(1, _RATE)
        for packet in encoder.encode(ready):
            yield np.asarray(cv2.imdecode(np.frombuffer(bytes(packet), np.uint8), cv2.IMREAD_COLOR), dtype=np.uint8)


def _write_avi(crops: Iterable[U8], path: Path) -> None:
    writer: cv2.VideoWriter | None = None
    try:
        for crop in crops:
            if writer is None:
                size = (crop.shape[1], crop.shape[0])
                writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"XVID"), _RATE, size)
                if not writer.isOpened():
                    raise OutputError("this OpenCV cannot write MPEG-4, which LSE needs; install its usual wheel")
            writer.write(crop)
    finally:
        if writer is not None:
            writer.release()
