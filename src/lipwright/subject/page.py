"""The footage report as one picture: what can be used, how the head moves, lips against loudness, some moments."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lipwright.core.clock import timecode
from lipwright.core.files import atomic_file
from lipwright.face.smooth import runs
from lipwright.face.usable import Reason
from lipwright.subject.arrays import mapped
from lipwright.subject.contact import face_crop
from lipwright.subject.judge import Verdict, by_reason
from lipwright.subject.sound import BLOCK_S, Loudness
from lipwright.subject.store import Subject
from lipwright.subject.trace import Curves

_POINTS = 2000
"""Values drawn along a curve at most; each is the mean of what lies between."""
_MOMENTS = 6
_CLOSE_S = 8.0
"""Length of the stretch whose lips and loudness are shown close up."""
_GOOD = "#4c9a63"
_BAD = ("#c0504d", "#e08e45", "#8064a2", "#4f81bd", "#7f7f7f", "#b3a25c", "#31859c", "#d16ba5", "#3f3f3f")


def write_page(
    path: Path, subject: Subject, present: NDArray[np.bool_], verdict: Verdict, curves: Curves, loudness: Loudness
) -> None:
    """Draw the page of a finished subject as PNG. OutputError when it cannot be written."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(14, 11), dpi=80)
    FigureCanvasAgg(figure)
    # Placed by hand: matplotlib's own layout takes longer than all of the drawing.
    room = {"left": 0.05, "right": 0.95, "top": 0.93, "bottom": 0.02, "hspace": 0.62, "wspace": 0.04}
    grid = figure.add_gridspec(5, _MOMENTS, height_ratios=[0.5, 1.4, 1.2, 1.2, 1.9], **room)
    times = np.arange(len(subject)) / float(subject.fps)
    good = verdict.usable & present
    name = subject.info["source"]["name"]
    figure.suptitle(f"{name}: {subject.report['usable_s']:.1f} of {subject.report['length_s']:.1f} s can be used")
    _timeline(figure.add_subplot(grid[0, :]), verdict, float(subject.fps), len(subject), subject.report)
    _pose(figure.add_subplot(grid[1, :]), times, curves.pose_rad, present)
    _speech(figure.add_subplot(grid[2, :]), times, curves.lips, good, loudness, None)
    _speech(figure.add_subplot(grid[3, :]), times, curves.lips, good, loudness, _close_up(good, float(subject.fps)))
    for k, frame in enumerate(_moments(verdict, good)):
        _moment(figure.add_subplot(grid[4, k]), subject, verdict, frame)
    with atomic_file(path) as temporary:
        figure.savefig(temporary)


def _timeline(axes: Any, verdict: Verdict, fps: float, total: int, report: dict[str, Any]) -> None:
    axes.set(xlim=(0, total / fps), ylim=(0, 1), yticks=[], title="What can be used")
    axes.axvspan(0, total / fps, color=_GOOD, lw=0, label="usable")
    for k, reason in enumerate(by_reason(verdict.stretches)):
        spans = [(s.start / fps, (s.stop - s.start) / fps) for s in verdict.stretches if s.reason is reason]
        axes.broken_barh(spans, (0, 1), color=_BAD[k % len(_BAD)], lw=0, label=reason.value)
    for start in report["shot_starts_s"][1:]:
        axes.axvline(start, color="black", lw=1)
    axes.legend(loc="upper left", bbox_to_anchor=(0, -0.35), ncols=4, fontsize=8, frameon=False)


def _pose(axes: Any, times: NDArray[Any], pose_rad: NDArray[Any], present: NDArray[np.bool_]) -> None:
    degrees = np.where(present[:, None], np.degrees(pose_rad), np.nan)
    for k, name in enumerate(("pitch", "yaw", "roll")):
        axes.plot(*_thinned(times, degrees[:, k]), lw=1, label=name)
    axes.axhline(0, color="0.8", lw=0.8)
    axes.set(xlim=(0, times[-1]), ylabel="degrees", title="Head pose")
    axes.legend(loc="upper right", ncols=3, fontsize=8)


def _speech(
    axes: Any,
    times: NDArray[Any],
    lips: NDArray[Any],
    good: NDArray[np.bool_],
    loudness: Loudness,
    span: tuple[float, float] | None,
) -> None:
    """Lip opening and loudness over all of the footage, or over a close-up."""
    shown = np.where(good, lips, np.nan)
    level = loudness.level_db
    heard = (np.arange(len(level)) + 0.5) * float(BLOCK_S)
    low, high = span or (0.0, float(times[-1]))
    here, there = (times >= low) & (times <= high), (heard >= low) & (heard <= high)
    axes.plot(*_thinned(times[here], shown[here]), color="#c0504d", lw=1)
    axes.set(xlim=(low, high), ylabel="lip opening, px")
    axes.set_title("Lip opening (red) and loudness (blue)" + (", close up" if span else ""))
    other = axes.twinx()
    other.plot(*_thinned(heard[there], np.maximum(level[there], -80)), color="#4f81bd", lw=0.8, alpha=0.7)
    other.set_ylabel("dB")


def _moment(axes: Any, subject: Subject, verdict: Verdict, frame: int) -> None:
    points = mapped(subject.path / "landmarks.npz", "landmarks_px")[frame]
    (x0, y0), (x1, y1) = points.min(0).tolist(), points.max(0).tolist()
    axes.imshow(face_crop(subject.frames.frame(frame), (x0, y0, x1, y1), 200))
    why = next((s.reason for s in verdict.stretches if s.start <= frame < s.stop), None)
    at = timecode(frame / subject.fps)
    axes.set_title(
        at if why is None else f"{at}\n{_folded(why)}", fontsize=8, color="black" if why is None else _BAD[0]
    )
    axes.axis("off")


def _folded(reason: Reason) -> str:
    words, lines = reason.value.split(), [""]
    for word in words:
        if len(lines[-1]) + len(word) > 26:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return "\n".join(lines)


def _moments(verdict: Verdict, good: NDArray[np.bool_]) -> list[int]:
    """Frames to show: one of each reason, the longest stretches first, and usable ones spread evenly."""
    bad: list[int] = []
    for reason in list(by_reason(verdict.stretches))[: _MOMENTS // 2]:
        longest = max((s for s in verdict.stretches if s.reason is reason), key=lambda s: s.stop - s.start)
        bad.append((longest.start + longest.stop) // 2)
    usable = np.flatnonzero(good)
    n = _MOMENTS - len(bad)
    places = ((np.arange(n) + 0.5) / n * len(usable)).astype(int)
    return sorted({*bad, *usable[places].tolist()})


def _close_up(good: NDArray[np.bool_], fps: float) -> tuple[float, float]:
    """The middle of the longest usable stretch."""
    start, stop = max(runs(good), key=lambda r: r[1] - r[0], default=(0, len(good)))
    middle, half = (start + stop) / 2 / fps, min(_CLOSE_S, (stop - start) / fps) / 2
    return middle - half, middle + half


def _thinned(x: NDArray[Any], y: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """At most `_POINTS` of a curve, means of what lies between."""
    step = -(-len(x) // _POINTS)
    if step <= 1:
        return x, y
    n = len(x) // step * step
    return x[:n].reshape(-1, step).mean(1), y[:n].reshape(-1, step).mean(1)
