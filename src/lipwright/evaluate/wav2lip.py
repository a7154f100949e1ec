"""Wav2Lip as a speaker for the protocols, by the steps of its inference script, with weights that users bring."""

from __future__ import annotations

import time
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from lipwright.core.contracts import F32, U8
from lipwright.evaluate.result import Row
from lipwright.evaluate.speed import Stopwatch
from lipwright.evaluate.stretch import tracked
from lipwright.media.writer import VideoWriter
from lipwright.render.teacher.networks import SIDE, Wav2Lip
from lipwright.speech.wav2lip_mel import CHUNK, HOP, chunks, mel

BELOW_PX = 10
"""Pixels added below the face: the script's `--pads 0 10 0 0`."""
_FOREHEAD = 0.25
"""Of the height from brows to chin: how far a detector's box reaches above the brows. Ours; the script has S3FD."""
_SMOOTH = 5
"""Frames over which boxes are averaged, as in the script."""


class Wav2LipSpeaker:
    """A `protocols.Speak`: the script's hard rectangle, at the size of the footage.

    Boxes come from our tracker instead of S3FD; the reference face is the frame's own, as in the script for videos.
    """

    def __init__(self, network: Wav2Lip) -> None:
        self._network = network
        self.speed: list[Row] = []
        """How fast the last speech was made."""

    def __call__(
        self,
        samples: F32,
        template_path: Path,
        template_start_s: Fraction,
        template_end_s: Fraction,
        out_path: Path,
    ) -> None:
        """Track the stretch, redraw every face in it, write the result."""
        with tracked(template_path, template_start_s, template_end_s) as subject:
            watch, drawing_s = Stopwatch(), 0.0
            watch.start("wav2lip", None)
            lacking = max(CHUNK * HOP - len(samples), 0)
            heard = chunks(mel(np.pad(samples, (0, lacking))), len(subject), subject.fps)
            boxes = face_boxes(subject.track.landmarks_px, subject.size)
            with VideoWriter(out_path, subject.size, subject.fps, audio=samples) as writer:
                for frame, box, piece in zip(subject.frames.read(), boxes, heard, strict=True):
                    began = time.perf_counter()
                    result = redrawn(self._network, frame, box, piece)
                    drawing_s += time.perf_counter() - began
                    writer.write(result)
                    watch.update(len(watch.done_s) + 1)
            each_ms = 1000 * drawing_s / max(len(watch.done_s), 1)
            self.speed = watch.rows(time.perf_counter() - watch.began_s, {"render": each_ms})


def face_boxes(landmarks_px: F32, size: tuple[int, int]) -> NDArray[np.int64]:
    """(T, 4) x0, y0, x1, y1 inside frames of (width, height), averaged over five frames."""
    low, high = landmarks_px.min(1), landmarks_px.max(1)
    top = low[:, 1] - _FOREHEAD * (high[:, 1] - low[:, 1])
    raw = np.stack([low[:, 0], top, high[:, 0], high[:, 1] + BELOW_PX], 1)
    steady = np.stack([raw[max(min(t, len(raw) - _SMOOTH), 0) :][:_SMOOTH].mean(0) for t in range(len(raw))])
    width, height = size
    whole = np.round(steady).astype(np.int64)
    return np.clip(whole, 0, [width - 2, height - 2, width, height])


def redrawn(network: Wav2Lip, frame: U8, box: NDArray[np.int64], heard: F32) -> U8:
    """(H, W, 3) RGB with the face in the box as the network draws it for (80, 16) mel columns."""
    x0, y0, x1, y1 = (int(v) for v in box)
    face = np.asarray(cv2.resize(frame[y0:y1, x0:x1], (SIDE, SIDE))[..., ::-1], np.float32) / 255
    hidden = face.copy()
    hidden[SIDE // 2 :] = 0
    both = np.concatenate([hidden, face], 2).transpose(2, 0, 1)[None]
    with torch.inference_mode():
        drawn = network(torch.from_numpy(heard[None, None]), torch.from_numpy(np.ascontiguousarray(both)))
    picture = (drawn[0].numpy().transpose(1, 2, 0)[..., ::-1] * 255).astype(np.uint8)
    result = frame.copy()
    result[y0:y1, x0:x1] = cv2.resize(np.ascontiguousarray(picture), (x1 - x0, y1 - y0))
    return result
