"""LipMatch, our own sync scorer, as rows: fit, confidence and offset, each with an interval. Never LSE."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from lipwright.core.clock import SAMPLE_RATE
from lipwright.core.contracts import F32
from lipwright.evaluate.mouths import MouthCutter
from lipwright.evaluate.part import Part
from lipwright.evaluate.result import Curve, Row
from lipwright.evaluate.source import Scan
from lipwright.evaluate.syncnet import source_frames
from lipwright.metrics.controls import rest_frame
from lipwright.metrics.lipfit import LEAST_WINDOWS, REACH, LipFit, fits, lip_fit
from lipwright.metrics.lipmatch import SIDE, embed_mouths, embed_sound, load_lipmatch
from lipwright.metrics.syncnet import WINDOW_FRAMES

FRAME_MS = 40
WIDEST_FRAMES = 4.0
"""An offset whose interval is wider is not given."""
LEAST_CONFIDENCE = 0.01
"""Nor one of less confidence: silence fits every shift alike."""
_LEAST_FRAMES = LEAST_WINDOWS + 2 * REACH + WINDOW_FRAMES - 1


def cutters(scans: Mapping[str, Scan]) -> dict[str, MouthCutter]:
    """For each scan what keeps its mouths while its frames are read for other metrics."""
    return {name: MouthCutter.of(scan.track, SIDE) for name, scan in scans.items()}


def match_part(scans: Mapping[str, Scan], cut: Mapping[str, MouthCutter]) -> Part:
    """Rows `lipmatch.*` of 'video' and 'real', with the real head's frozen and mean mouths, and confidence over time.

    Args:
        scans: by 'video' and 'real'.
        cut: the cutters of these scans, every frame passed.

    A video without sound, or of fewer than about 4.4 s, gets a note.
    """
    part = Part()
    (model, card), found = load_lipmatch(), dict[str, LipFit]()
    for name in ("video", "real"):
        scan = scans.get(name)
        if scan is None:
            continue
        mouths = cut[name].mouths[source_frames(len(scan), scan.fps)]
        if min(len(mouths), len(scan.samples) * 25 // SAMPLE_RATE) < _LEAST_FRAMES:
            note = f"LipMatch did not score {scan.clip.name}: {_LEAST_FRAMES / 25:.1f} s with sound are needed"
            part.notes += [note] * (note not in part.notes)
            continue
        sound = embed_sound(model, scan.samples)
        found[name] = _fit(embed_mouths(model, mouths), sound)
        part.curves.append(_over_time(found[name], name))
        if name == "real":
            still = cut[name].mouths[_rest(scan)]
            mean = cut[name].mouths[scan.track.present].mean(axis=0).astype(np.uint8)
            for control, mouth in (("frozen", still), ("mean", mean)):
                one = embed_mouths(model, np.repeat(mouth[None], WINDOW_FRAMES, axis=0))
                found[control] = _fit(np.repeat(one, len(sound), axis=0), sound)
    if "video" in found:
        part.rows = _rows(found)
        part.facts["lipmatch"] = f"steps {card.get('best_step')}, {card.get('trained_on')}"
    return part


def _fit(lips: F32, sound: F32) -> LipFit:
    n = min(len(lips), len(sound))
    return lip_fit(fits(lips[:n], sound[:n]))


def _rest(scan: Scan) -> int:
    seen = np.flatnonzero(scan.track.present)
    return int(seen[rest_frame(scan.track.landmarks_px[seen])])


def _rows(found: Mapping[str, LipFit]) -> list[Row]:
    video = found["video"]
    offsets: dict[str, Any] = {name: _offset_ms(found[name]) for name in ("video", "real") if name in found}
    sure = video.offset_interval if offsets["video"] is not None else None
    milliseconds = None if sure is None else (FRAME_MS * sure[0], FRAME_MS * sure[1])
    fit: dict[str, Any] = {name: one.fit for name, one in found.items()}
    confidence: dict[str, Any] = {name: one.confidence for name, one in found.items()}
    return [
        Row("lipmatch.fit", "LipMatch fit (not LSE)", "", "higher", **fit, interval=video.fit_interval),
        Row(
            *("lipmatch.confidence", "LipMatch confidence (not LSE)", "", "higher"),
            **confidence,
            interval=video.confidence_interval,
        ),
        Row(
            *("lipmatch.offset", "LipMatch offset (+ audio late)", "ms", "zero"),
            **offsets,
            interval=milliseconds,
        ),
    ]


def _offset_ms(fit: LipFit) -> float | None:
    span = fit.offset_interval
    narrow = span is not None and span[1] - span[0] <= WIDEST_FRAMES
    return FRAME_MS * fit.offset_frames if narrow and fit.confidence > LEAST_CONFIDENCE else None


def _over_time(fit: LipFit, name: str) -> Curve:
    """Each window at its middle frame."""
    times = (np.arange(len(fit.over_time)) + REACH + WINDOW_FRAMES / 2) / 25
    return Curve("LipMatch confidence", "", name, tuple(map(float, times)), tuple(map(float, fit.over_time)))
