"""What the lips do, and how they fit the sound, as rows: which metric is shown, and what stands beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from lipwright.core.clock import sample_of
from lipwright.core.ibug import lip_aperture
from lipwright.evaluate.landmarkrows import COLUMNS, Tracks
from lipwright.evaluate.result import Row
from lipwright.evaluate.source import Scan
from lipwright.metrics import lips, steadiness
from lipwright.metrics.bootstrap import (
    Interval,
    block_frames,
    correlation_interval,
    deviation_interval,
    mean_interval,
    ratio_interval,
)
from lipwright.metrics.lips import Phone
from lipwright.metrics.silence import silence_mask
from lipwright.subject.sync import estimate_offset


def lip_rows(tracks: Tracks, fps: float, reference: str = "real") -> list[Row]:
    """How the aperture follows the real one, and how steady the points are; `fps` spaces the intervals' blocks."""
    apertures = {name: lip_aperture(track) for name, track in tracks.items()}
    real = apertures[reference]

    def row(key: str, label: str, better: str, f: Callable[[str], float], sure: Interval | None) -> Row:
        cells = {name: f(name) for name in COLUMNS if name in tracks}
        return Row(key, label, "", better, **cells, interval=sure)

    mouths = {name: track[:, 48:68] for name, track in tracks.items()}
    thirds = {name: steadiness.third_difference_energies(mouths[name]) for name in ("video", reference)}
    block = block_frames(fps)
    return [
        row(
            "lips.correlation",
            "lip aperture, correlation with real",
            "higher",
            lambda n: lips.correlation(apertures[n], real),
            correlation_interval(apertures["video"], real, block),
        ),
        row(
            "lips.amplitude",
            "lip aperture, amplitude to real",
            "one",
            lambda n: lips.amplitude_ratio(apertures[n], real),
            deviation_interval(apertures["video"], real, block),
        ),
        row(
            "lips.jitter",
            "mouth landmark jitter, ratio to real",
            "one",
            lambda n: steadiness.landmark_jitter_ratio(mouths[n], mouths[reference]),
            ratio_interval(thirds["video"], thirds[reference], block),
        ),
    ]


def speech_rows(
    tracks: Tracks, scans: Mapping[str, Scan], phones: Sequence[Phone] | None = None
) -> tuple[list[Row], list[str]]:
    """Rows that need sound: offset, how lips follow loudness, silence ratio, closure; and notes.

    Only closure is given for the frozen mouth: a mouth that never moves has no offset, and its silence
    ratio is noise over noise.
    """
    sound = {"video": scans["video"], "real": scans.get("real")}
    cells: dict[str, dict[str, float]] = {k: {} for k in ("offset", "sure", "follow", "silence", "closure")}
    closed: dict[str, list[bool]] = {}
    notes = []
    for name, track in tracks.items():
        scan = sound.get(name) or scans.get("real") or scans["video"]
        aperture = lip_aperture(track)
        if not len(scan.samples):
            if name in ("video", "real"):
                notes.append(f"{scan.clip.name} has no sound: its offset and silence were not measured")
            continue
        if name in ("video", "real"):
            estimate = estimate_offset(track, scan.samples, scan.fps, good=scan.track.good)
            cells["offset"][name] = 1000 * estimate.offset_s if estimate.sure else float("nan")
            cells["sure"][name] = estimate.confidence
            cells["follow"][name] = estimate.score
            if not estimate.sure:
                notes.append(f"offset of {scan.clip.name}: {estimate}")
            silent = silence_mask(scan.samples[: sample_of(len(track), scan.fps)], len(track), scan.fps)
            cells["silence"][name] = lips.silence_ratio(aperture, silent)
        if phones:
            level = lips.closed_level(lip_aperture(tracks.get("real", tracks["video"])))
            closed[name] = lips.bilabial_closures(aperture, phones, float(scan.fps), level)
            cells["closure"][name] = float(np.mean(closed[name])) if closed[name] else float("nan")
    named = [
        ("offset", "speech.offset", "audio-video offset (+ audio late)", "ms", "zero"),
        ("sure", "speech.offset_confidence", "offset, confidence", "", "higher"),
        ("follow", "speech.correlation", "lips and loudness, correlation", "", "higher"),
        ("silence", "speech.silence_ratio", "lip motion in silence over speech", "", "lower"),
        ("closure", "speech.closure_rate", "/p b m/ that close the lips", "", "higher"),
    ]
    sure = {"speech.closure_rate": mean_interval(np.array(closed.get("video", [])), 1)}  # phones stand apart
    rows = [
        Row(key, label, unit, better, **{"video": None, **cells[cell]}, interval=sure.get(key))
        for cell, key, label, unit, better in named
        if cells[cell]
    ]
    return rows, notes
