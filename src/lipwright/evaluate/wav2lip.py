"""Wav2Lip as a speaker for the protocols, by the steps of its inference script, with weights that users bring."""

from __future__ import annotations

import time
from fractions import Fraction
from pathlib import Path

import numpy as np

from lipwright.core.contracts import F32
from lipwright.evaluate.result import Row
from lipwright.evaluate.speed import Stopwatch
from lipwright.evaluate.stretch import tracked
from lipwright.media.writer import VideoWriter
from lipwright.render.teacher.faces import face_boxes, redrawn
from lipwright.render.teacher.networks import Wav2Lip
from lipwright.speech.wav2lip_mel import CHUNK, HOP, chunks, mel


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
