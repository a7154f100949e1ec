"""The memory renderer when the motion model makes no error: held-out frames drawn from their own landmarks.

python benchmarks/true_landmarks.py SUBJECT/ [--held-out 7] [--out RESULT.mp4]

Mouths are remembered from everything before the last seconds; those are drawn again and compared, in memory
and before encoding, by the code of `lipwright evaluate`. Controls as there: a frozen and a mean mouth, both
of the held-out frames themselves, which makes the mean image a little harder to beat than one from training.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from lipwright.compose.paste import paste
from lipwright.core.contracts import U8, RenderWindow
from lipwright.core.ibug import MOUTH_JAW
from lipwright.evaluate.boxes import mouth_boxes
from lipwright.evaluate.pictures import compare
from lipwright.evaluate.stills import make_stills
from lipwright.face.track import FaceTrack
from lipwright.media.writer import VideoWriter
from lipwright.metrics.controls import rest_frame
from lipwright.render.memory.bank import build_bank
from lipwright.render.memory.renderer import MemoryRenderer
from lipwright.subject.store import Subject

WINDOW = 25


def drawn(renderer: MemoryRenderer, frames: list[U8], track: FaceTrack) -> Iterator[U8]:
    """The frames with their mouths drawn anew from their own landmarks."""
    renderer.reset()
    for start in range(0, len(frames), WINDOW):
        stop = min(start + WINDOW, len(frames))
        seen = track[start : min(stop + renderer.lookahead, len(frames))]
        window = RenderWindow(frames[start:stop], track[start:stop], seen.landmarks_px[:, MOUTH_JAW], seen)
        for frame, patch in zip(window.frames, renderer.render(window), strict=True):
            yield paste(frame, patch)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("subject", type=Path, help="folder made by `lipwright prepare`, held-out seconds included")
    parser.add_argument("--held-out", type=float, default=7.0, help="seconds at the end that are not remembered")
    parser.add_argument("--out", type=Path, help="also write the result as a video")
    options = parser.parse_args()

    subject = Subject.open(options.subject)
    first = len(subject) - round(options.held_out * subject.fps)
    learnt = ((t, frame) for t, frame in enumerate(subject.frames.read()) if t < first)
    renderer = MemoryRenderer.calibrated(build_bank(learnt, subject.track[:first]))
    frames, track = list(subject.frames.read(first)), subject.track[first:]
    made = list(drawn(renderer, frames, track))
    if options.out is not None:
        with VideoWriter(options.out, subject.size, subject.fps) as writer:
            for frame in made:
                writer.write(frame)

    boxes = mouth_boxes(track)
    calm = int(np.flatnonzero(track.present)[rest_frame(track.landmarks_px[track.present])])
    mean, frozen = make_stills(frames, track, boxes, calm)
    found = compare(frames, made, boxes, {"frozen": frozen, "mean": mean}, float(subject.fps), set())
    print(f"{len(renderer.bank)} mouths remembered, {len(frames)} frames drawn, box {boxes.size[0]}x{boxes.size[1]}")
    for name in ("video", "frozen", "mean"):
        values = found.mouth[name].means(found.mouth["real"])
        print(f"{name:7}", "  ".join(f"{key} {value:.3f}" for key, value in values.items()))


if __name__ == "__main__":
    main()
