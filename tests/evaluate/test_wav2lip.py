"""Wav2Lip as a speaker: boxes by hand, only the box is redrawn, and a whole stretch of footage."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import torch

from lipwright.evaluate.wav2lip import Wav2LipSpeaker
from lipwright.media.video import VideoReader
from lipwright.render.teacher.faces import face_boxes, redrawn
from lipwright.render.teacher.networks import SIDE


class White(torch.nn.Module):
    """Stands in for the network: looks at its input, draws white."""

    def forward(self, mel: torch.Tensor, faces: torch.Tensor) -> torch.Tensor:
        assert mel.shape == (1, 1, 80, 16)
        assert not faces[0, :3, SIDE // 2 :].any()  # the mouth of the frame is hidden
        assert faces[0, 3:, SIDE // 2 :].any()
        return torch.ones(1, 3, SIDE, SIDE)


def test_only_the_box_is_redrawn() -> None:
    points = np.zeros((7, 68, 2), np.float32)
    points[:, 0], points[:, 1] = (20, 30), (60, 90)
    points[:, 2:] = (40, 60)
    boxes = face_boxes(points, (120, 140))
    assert boxes[0].tolist() == [20, 15, 60, 100]
    frame = np.full((140, 120, 3), 90, np.uint8)
    result = redrawn(White(), frame, boxes[0], np.zeros((80, 16), np.float32))  # type: ignore[arg-type]
    assert (result[15:100, 20:60] == 255).all()
    result[15:100, 20:60] = 90
    assert (result == frame).all()


def test_a_stretch_is_redrawn_frame_by_frame(presenter: Path, tmp_path: Path) -> None:
    speaker = Wav2LipSpeaker(White())  # type: ignore[arg-type]
    samples = (0.1 * np.sin(np.arange(32000) * 0.1)).astype(np.float32)
    speaker(samples, presenter, Fraction(2), Fraction(4), tmp_path / "said.mp4")
    with VideoReader(tmp_path / "said.mp4") as reader:
        frames = np.stack([frame.rgb8 for frame in reader])
    assert frames.shape == (50, 512, 512, 3)
    boxed = (frames > 240).all(-1).mean((1, 2))
    assert (boxed > 0.05).all()
    assert (boxed < 0.9).all()
    assert speaker.speed
