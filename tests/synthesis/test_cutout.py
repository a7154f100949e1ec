"""The person on transparency, from pictures in their own planes to the file."""

from __future__ import annotations

from fractions import Fraction
from importlib.resources import files
from pathlib import Path

import av
import numpy as np

from lipwright.media.video import VideoReader
from lipwright.media.writer import EncoderSettings, VideoWriter
from lipwright.synthesis.cutout import cut_out


def test_the_presenter_is_cut_out(tmp_path: Path) -> None:
    path = tmp_path / "p.mov"
    with VideoReader(str(files("lipwright") / "assets" / "presenter.mp4"), end_s=Fraction(3, 25)) as reader:
        pictures = [frame.picture for frame in reader]
        color = reader.info.color
    with VideoWriter(path, (512, 512), Fraction(25), EncoderSettings(alpha=True, threads=1), color=color) as writer:
        write = cut_out(writer)
        for picture in pictures:
            write(picture)
    with av.open(str(path)) as container:
        back = list(container.decode(video=0))
    assert len(back) == 3
    for frame, picture in zip(back, pictures, strict=True):
        luma, _, _, alpha = (np.frombuffer(p, np.uint16).reshape(p.height, -1)[:, : p.width] for p in frame.planes)
        assert alpha[110:300, 200:310].min() > 0.95 * 4095  # the face, of ProRes' twelve bits
        assert alpha[:340, :90].max() < 0.05 * 4095
        assert np.abs(luma / 16 - picture.planes[0]).mean() < 1  # also where nothing shows
