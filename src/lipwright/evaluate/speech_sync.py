"""Sync without trained weights: drift of the offset, and visemes against a transcript."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import U8
from lipwright.core.errors import SpeechError
from lipwright.evaluate.part import Part
from lipwright.evaluate.result import Curve, Row
from lipwright.evaluate.source import Scan
from lipwright.metrics import visemes
from lipwright.metrics.lips import Phone
from lipwright.metrics.visemes import Confusion
from lipwright.speech.phone_times import phone_times
from lipwright.speech.source import array_source
from lipwright.subject.drift import offset_trend
from lipwright.subject.sync import offset_over_time


def phones_of(transcript: Sequence[Phone] | str | None, scan: Scan) -> tuple[Phone, ...] | None:
    """Phones on the clock of a scan, which may begin after the video's first frame.

    A text is laid over the sound (English only); phones with times are moved from the video's clock.
    SpeechError when there is a text but no sound, or the text is not what is said.
    """
    if transcript is None:
        return None
    if not isinstance(transcript, str):
        first_s = float(scan.first / scan.fps)
        return tuple(Phone(p[0], p[1] - first_s, p[2] - first_s) for p in transcript)
    if not len(scan.samples):
        raise SpeechError(f"{scan.clip.name} has no sound, so a text has no times; give phones with times")
    found = phone_times(transcript, array_source(scan.samples), len(scan.samples))
    return tuple(Phone(*phone) for phone in found)


def drift_part(scans: Mapping[str, Scan]) -> Part:
    """Rows `speech.drift` and `speech.jump`, and the confidence of the offset over time, of 'video' and 'real'.

    The floor of the drift is its own standard error; a note says when a drift or jump is beyond chance.
    """
    part = Part()
    slopes: dict[str, float] = {}
    jumps: dict[str, float] = {}
    error: float | None = None
    for name in ("video", "real"):
        scan = scans.get(name)
        if scan is None or not len(scan.samples):
            continue
        track = scan.track
        windows = offset_over_time(track.landmarks_px, scan.samples, scan.fps, good=track.good)
        times, estimates = zip(*windows, strict=True)
        confidence = tuple(round(e.confidence, 3) for e in estimates)
        part.curves.append(Curve("audio-video offset, confidence", "", name, times, confidence))
        trend = offset_trend(windows)
        known = trend.kind != "unknown"
        slopes[name] = trend.slope_ms_per_min if known and trend.kind != "jump" else float("nan")
        jumps[name] = trend.jump_ms if known else float("nan")
        if name == "video" and math.isfinite(slopes[name]):
            error = trend.slope_error_ms_per_min
        if trend.significant:
            part.notes.append(f"{scan.clip.name}: {trend}")
    if any(math.isfinite(v) for v in (*slopes.values(), *jumps.values())):
        part.rows = [
            Row(
                *("speech.drift", "drift of the offset (+ audio falls behind)", "ms/min", "zero"),
                **_with_video(slopes),
                floor=error,
                interval=None if error is None else (slopes["video"] - 1.96 * error, slopes["video"] + 1.96 * error),
            ),
            Row("speech.jump", "jump of the offset (+ audio later)", "ms", "zero", **_with_video(jumps)),
        ]
    return part


def viseme_part(tracks: Mapping[str, NDArray[Any]], scans: Mapping[str, Scan], phones: Sequence[Phone] | None) -> Part:
    """Row `speech.viseme_accuracy`, the counts in `details` and their picture.

    Args:
        tracks: (T, 68, 2) landmarks by 'video', 'real', 'frozen', gaps filled.
        scans: of 'video' and 'real'.
        phones: on the video's clock; nothing is measured without.
    """
    part = Part()
    if not phones:
        return part
    fps = scans["video"].fps
    spoken = {name: visemes.said(track, phones, fps) for name, track in tracks.items()}
    if "real" in spoken:
        found = {name: visemes.confusion_by_reference(s, spoken["real"]) for name, s in spoken.items()}
        learnt = "shapes learnt on the real video"
    else:
        found = {name: visemes.confusion_by_textbook(s) for name, s in spoken.items()}
        learnt = "textbook shapes"
    classes = found["video"].classes
    if len(classes) < 2:
        part.notes.append(
            f"visemes were not compared: the transcript has {visemes.LEAST_PHONES} phones of fewer than two classes"
        )
        return part
    label = f"visemes seen as said, {len(classes)} classes (chance {1 / len(classes):.2f}; {learnt})"
    values = {name: confusion.balanced_accuracy for name, confusion in found.items()}
    part.rows.append(Row("speech.viseme_accuracy", label, "", "higher", **_with_video(values)))
    counts = {name: found[name].counts.tolist() for name in ("video", "real") if name in found}
    part.details["visemes"] = {"classes": list(classes), "said_by_seen": counts, "learnt_from": learnt}
    part.pictures["Visemes: said (down), seen (across), share of said"] = confusion_picture(
        {n: found[n] for n in ("real", "video") if n in found}
    )
    return part


def confusion_picture(found: Mapping[str, Confusion]) -> U8:
    """RGB picture of confusion counts side by side, each row in shares."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure: Figure = Figure(figsize=(5.2 * len(found), 4.2), layout="constrained", dpi=90)
    canvas = FigureCanvasAgg(figure)
    for axis, (name, confusion) in zip(figure.subplots(1, len(found), squeeze=False)[0], found.items(), strict=True):
        shares = confusion.counts / np.maximum(confusion.counts.sum(axis=1, keepdims=True), 1)
        axis.imshow(shares, vmin=0, vmax=1, cmap="Blues")
        ticks = range(len(confusion.classes))
        axis.set_xticks(ticks, confusion.classes, rotation=30, ha="right", fontsize=8)
        axis.set_yticks(ticks, confusion.classes, fontsize=8)
        for (said, seen), n in np.ndenumerate(confusion.counts):
            colour = "white" if shares[said, seen] > 0.55 else "black"
            axis.text(
                seen, said, f"{shares[said, seen]:.2f}\n({n})", ha="center", va="center", color=colour, fontsize=8
            )
        axis.set_title(name, fontsize=10, loc="left")
    canvas.draw()
    return np.array(canvas.buffer_rgba())[..., :3].copy()


def _with_video(values: Mapping[str, float]) -> dict[str, Any]:
    return {"video": None, **values}
