"""Lines over time for the report page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lipwright.core.ibug import lip_aperture
from lipwright.evaluate.pictures import Comparison
from lipwright.evaluate.result import Curve
from lipwright.evaluate.source import Scan
from lipwright.metrics.image import PSNR_CAP
from lipwright.metrics.silence import frame_levels
from lipwright.subject.sync import offset_over_time


def aperture_curves(tracks: Mapping[str, NDArray[Any]], fps: float) -> list[Curve]:
    """Lip aperture of the videos in px."""
    return [
        _curve("lip aperture", "px", name, lip_aperture(tracks[name]), fps)
        for name in ("real", "video", "template")
        if name in tracks
    ]


def psnr_curves(comparison: Comparison, fps: float) -> list[Curve]:
    """PSNR of the mouth box per frame, of the video and the controls."""
    return [
        _curve("PSNR of the mouth box", "dB", name, np.minimum(c.psnr, PSNR_CAP), fps)
        for name, c in comparison.mouth.items()
        if name != "real"
    ]


def sound_curves(scans: Mapping[str, Scan]) -> list[Curve]:
    """Loudness, and the audio-video offset in windows where it is sure."""
    curves = []
    for name, scan in scans.items():
        if not len(scan.samples):
            continue
        if name == "video":
            levels = np.maximum(frame_levels(scan.samples, len(scan), scan.fps), -80)
            curves.append(_curve("loudness", "dBFS", "video", levels, float(scan.fps)))
        windows = offset_over_time(scan.track.landmarks_px, scan.samples, scan.fps, good=scan.track.good)
        sure = [(t, 1000 * e.offset_s) for t, e in windows if e.sure]
        if sure:
            times, values = zip(*sure, strict=True)
            curves.append(Curve("audio-video offset", "ms", name, times, values))
    return curves


def _curve(title: str, unit: str, label: str, values: Sequence[float] | NDArray[Any], fps: float) -> Curve:
    times = tuple(float(t) for t in np.arange(len(values)) / fps)
    return Curve(title, unit, label, times, tuple(float(v) for v in values))
