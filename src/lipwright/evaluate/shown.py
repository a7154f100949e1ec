"""Which moments a page shows: spread frames, a strip of consecutive mouths, the worst seconds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lipwright.core.contracts import U8
from lipwright.core.ibug import lip_aperture
from lipwright.evaluate.boxes import Boxes
from lipwright.evaluate.pictures import Comparison
from lipwright.evaluate.sheet import contact_sheet, mouth_strip
from lipwright.evaluate.source import Scan

SHEET_ROWS = 6
STRIP_FRAMES = 24
WORST = 5
"""Seconds that are shown as the worst."""


def sheet_frames(n: int) -> list[int]:
    """Frames spread over n."""
    return sorted({round((i + 0.5) * n / SHEET_ROWS) for i in range(SHEET_ROWS)} & set(range(n)))


def strip_frames(real: Scan) -> range:
    """The stretch of a strip's length in which the lips move most."""
    speed = np.abs(np.diff(lip_aperture(real.track.landmarks_px), prepend=np.nan))
    speed[~real.track.present | ~np.isfinite(speed)] = 0
    if len(speed) <= STRIP_FRAMES:
        return range(len(speed))
    first = int(np.argmax(np.convolve(speed, np.ones(STRIP_FRAMES), mode="valid")))
    return range(first, first + STRIP_FRAMES)


def worst_seconds(psnr: Sequence[float], fps: float, n: int = WORST) -> list[tuple[float, int]]:
    """(mean PSNR of the mouth box in dB, its worst frame) of the seconds with the lowest mean, worst first."""
    step = max(1, round(fps))
    values = np.minimum(psnr, 100.0)
    starts = range(0, max(len(values) - step // 2, 1), step)
    found = [(float(values[a : a + step].mean()), a + int(np.argmin(values[a : a + step]))) for a in starts]
    return sorted(found)[:n]


def comparison_sheets(comparison: Comparison, boxes: Boxes, seen: Scan, real: Scan) -> dict[str, Any]:
    """Contact sheet, strip of mouths and the worst seconds, by title."""
    strip = [t for t in strip_frames(real) if t in comparison.kept]
    crops = [[boxes.cut(comparison.kept[t][side], t) for t in strip] for side in (0, 1)]
    sheets = {
        "Real, generated, difference (x4); mouth enlarged": _rows(
            boxes, {t: comparison.kept[t] for t in sheet_frames(len(real)) if t in comparison.kept}
        ),
        "Consecutive mouths: real above generated": mouth_strip(crops),
    }
    fps = float(real.fps)
    worst = worst_seconds(comparison.mouth["video"].psnr, fps)
    if len(worst) > 1 and worst[0][0] < 100:
        told = ", ".join(f"{t / fps:.1f} s ({psnr:.1f} dB)" for psnr, t in worst)
        sheets[f"Worst seconds first, by PSNR of the mouth: {told}"] = _rows(
            boxes, {t: (real.frame(t), seen.frame(t)) for _, t in worst}
        )
    return sheets


def _rows(boxes: Boxes, pairs: dict[int, tuple[U8, U8]]) -> U8:
    rectangles = [(*map(int, boxes.corners[t]), *boxes.size) for t in pairs]
    return contact_sheet(
        [a for a, _ in pairs.values()],
        [b for _, b in pairs.values()],
        rectangles,  # type: ignore[arg-type]
    )
