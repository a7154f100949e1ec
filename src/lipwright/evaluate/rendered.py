"""A renderer alone: a subject's held-out frames drawn again from their own landmarks, beside the real ones.

Protocol `truth` without speech, persona or encoder: what is measured is the composed frame in the subject's own
planes. Metrics and boxes are those of every other table.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass

import numpy as np

from lipwright.compose.paste import paste
from lipwright.core.contracts import U8, FaceTrack, Renderer, RenderWindow
from lipwright.core.errors import SubjectError
from lipwright.core.ibug import MOUTH_JAW
from lipwright.evaluate.boxes import Boxes, mouth_boxes
from lipwright.evaluate.picturerows import value
from lipwright.evaluate.pictures import Curves
from lipwright.evaluate.sheet import contact_sheet, mouth_strip
from lipwright.face.smooth import runs
from lipwright.media.picture import Picture
from lipwright.metrics import image
from lipwright.metrics.detail import laplacian_energy, luma
from lipwright.metrics.steadiness import frame_energy
from lipwright.subject.store import Subject

WINDOW = 25
"""Frames handed to the renderer at once."""
_SHEET, _STRIP = 5, 12
"""Pictures kept to look at: spread frames, and consecutive mouths from the middle."""


@dataclass(frozen=True)
class Rendered:
    """What a renderer makes of held-out frames."""

    scores: dict[str, float]
    """mouth_psnr_db, mouth_ssim, mouth_sharpness and mouth_jitter (ratios to real), full_ssim, frames."""
    sheet: U8
    """Spread frames: real | generated | difference, then their mouths enlarged."""
    strip: U8
    """Consecutive mouths, real above generated."""


def held_out(subject: Subject) -> tuple[int, int]:
    """(start, stop) of the longest stretch of validation frames that shows the face; SubjectError below 3."""
    frames = subject.split("validation")
    stretches = runs(subject.track.good[frames.start : frames.stop])
    start, stop = max(stretches, key=lambda r: r[1] - r[0], default=(0, 0))
    if stop - start < 3:
        raise SubjectError(f"{subject.path} has no 3 consecutive held-out frames with a face; prepare longer footage")
    return frames.start + start, frames.start + stop


def rendered(renderer: Renderer, subject: Subject) -> Rendered:
    """Draw the held-out stretch with its true landmarks and compare; the renderer's own state stays untouched."""
    start, stop = held_out(subject)
    track = subject.track[start:stop]
    boxes, real, made = mouth_boxes(track), Curves(), Curves()
    whole: list[float] = []
    count = stop - start
    shown = set(np.linspace(0, count - 1, _SHEET).round().astype(int).tolist())
    middle = max((count - _STRIP) // 2, 0)
    pairs: list[tuple[U8, U8]] = []
    sheet: list[tuple[U8, U8, int]] = []
    strip: list[tuple[U8, U8]] = []
    pictures = subject.frames.pictures(start, count)
    for t, (before, after) in enumerate(_composed(renderer, pictures, track)):
        pairs = [*pairs[-1:], (before, after)]
        _look(boxes, t, pairs, real, made)
        whole.append(image.ssim_gaussian(before, after))
        if t in shown:
            sheet.append((before, after, t))
        if middle <= t < middle + _STRIP:
            strip.append((boxes.cut(before, t).copy(), boxes.cut(after, t).copy()))
    scores = {
        "mouth_psnr_db": value("psnr", made, real),
        "mouth_ssim": value("ssim_gaussian", made, real),
        "mouth_sharpness": value("sharpness_ratio", made, real),
        "mouth_jitter": value("jitter_ratio", made, real),
        "full_ssim": float(np.mean(whole)),
        "frames": float(count),
    }
    rectangles = [(int(boxes.corners[t][0]), int(boxes.corners[t][1]), *boxes.size) for *_, t in sheet]
    picture = contact_sheet([a for a, *_ in sheet], [b for _, b, _ in sheet], rectangles)
    return Rendered(
        scores, picture, mouth_strip([[a for a, _ in strip], [b for _, b in strip]], height=144, per_line=6)
    )


def _composed(renderer: Renderer, pictures: Iterator[Picture], track: FaceTrack) -> Iterator[tuple[U8, U8]]:
    """(real, composed) frames."""
    own = copy(renderer)
    own.reset()
    count = len(track)
    for first in range(0, count, WINDOW):
        last = min(first + WINDOW, count)
        ahead = track[first : min(last + own.lookahead, count)]
        batch = [next(pictures) for _ in range(first, last)]
        frames = [picture.rgb8() for picture in batch]
        window = RenderWindow(frames, track[first:last], ahead.landmarks_px[:, MOUTH_JAW], ahead)
        for picture, frame, patch in zip(batch, frames, own.render(window), strict=True):
            yield frame, paste(picture, patch).rgb8()


def _look(boxes: Boxes, t: int, pairs: list[tuple[U8, U8]], real: Curves, made: Curves) -> None:
    """Measure the mouth box of frame `t`, the last of `pairs`; changes are read in that frame's box."""
    shown = [boxes.cut(frame, t) for frame in pairs[-1]]
    for curves, frame in zip((real, made), shown, strict=True):
        curves.detail.append(laplacian_energy(frame))
    if len(pairs) == 2:
        for curves, frame, before in zip((real, made), shown, pairs[0], strict=True):
            curves.change.append(frame_energy(boxes.cut(before, t), luma(frame)))
    made.psnr.append(image.psnr(shown[0], shown[1]))
    made.ssim_gaussian.append(image.ssim_gaussian(shown[0], shown[1]))
