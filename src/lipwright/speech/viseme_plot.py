"""Viseme curves drawn against the waveform: rows of a few seconds, one lane for each channel that moves."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lipwright.core.clock import SAMPLE_RATE
from lipwright.core.files import atomic_file
from lipwright.speech.channels import CONSONANTS, EXAMPLES, INDEX, JAWLESS, PLAIN_OF, VOWELS
from lipwright.speech.source import SampleSource
from lipwright.speech.viseme_track import VisemeTrack

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROW_S, LONGEST_S = 6.0, 60.0
"""Seconds of one row, and of a picture: a longer one could not be read."""
_WIDTH, _LANE, _WAVE, _GAP, _HEAD = 16.0, 0.2, 1.0, 0.55, 0.95
"""Inches."""
_LEFT, _RIGHT = 1.75, 0.25
_COLOURS = {"lips": "#c0392b", "vowel": "#2a6fbb", "tongue": "#6b7280", "teeth": "#2f8f5b", "both": "#111827"}
_MEANING = {
    "lips": "lips meet",
    "teeth": "teeth together, lips rounded",
    "tongue": "tongue",
    "vowel": "vowels",
    "both": "from loudness and phones",
}
_KIND = {
    **dict.fromkeys(VOWELS, "vowel"),
    **dict.fromkeys(("M", "BP", "FV"), "lips"),
    **dict.fromkeys(("SZ", "ShChZh", "JY", "R", "W"), "teeth"),
    **dict.fromkeys(("LNTD", "GK", "Th"), "tongue"),
    **dict.fromkeys(("Jaw", "Lip"), "both"),
}
_ORDER = ("Jaw", "Lip", "M", "BP", "FV", *(c for c in CONSONANTS if c not in ("M", "BP", "FV")), *VOWELS)
_NARROW_S = 0.09
_MOVES = 0.1
"""A channel that stays below is left out."""


def plot_track(
    path: str | os.PathLike[str],
    found: VisemeTrack,
    source: SampleSource,
    window_s: tuple[float, float],
    title: str,
) -> None:
    """Write a .png or .svg of the seconds [start, end) of a track, atomically."""
    start_s, end_s = window_s
    rows = max(int(np.ceil((end_s - start_s) / ROW_S - 1e-9)), 1)
    row_s = ROW_S if rows > 1 else max(end_s - start_s, 0.5)
    lanes = _lanes(found, start_s, end_s)
    figure, axes = _pages(rows, len(lanes))
    for row, (wave, curves) in enumerate(axes):
        begin = start_s + row * row_s
        _draw_wave(wave, found, source, begin, begin + row_s, end_s)
        _draw_lanes(curves, found, lanes, begin, begin + row_s)
    _head(figure, found, title)
    with atomic_file(path) as temporary:
        figure.savefig(temporary, format=Path(path).suffix[1:].lower(), dpi=100)


def _lanes(found: VisemeTrack, start_s: float, end_s: float) -> list[tuple[str, list[str]]]:
    """(channel, its jawless variants) of those that move in the stretch, top to bottom."""
    a, b = (round(t * float(found.fps)) for t in (start_s, end_s))
    peak = found.values[a:b].max(axis=0, initial=0)
    lanes = [(name, [j for j in JAWLESS if PLAIN_OF[j] == name]) for name in _ORDER]
    return [(n, more) for n, more in lanes if n in ("Jaw", "Lip") or max(peak[INDEX[c]] for c in (n, *more)) >= _MOVES]


def _pages(rows: int, lanes: int) -> tuple[Figure, list[tuple[Axes, Axes]]]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    row = _WAVE + lanes * _LANE + _GAP
    height = _HEAD + rows * row
    figure = Figure(figsize=(_WIDTH, height), facecolor="white")
    FigureCanvasAgg(figure)
    axes = []
    for k in range(rows):
        top = height - _HEAD - k * row
        boxes = ((top - _WAVE, _WAVE), (top - _WAVE - lanes * _LANE, lanes * _LANE))
        wave, curves = (
            figure.add_axes((_LEFT / _WIDTH, y / height, 1 - (_LEFT + _RIGHT) / _WIDTH, h / height)) for y, h in boxes
        )
        axes.append((wave, curves))
    return figure, axes


def _draw_wave(
    axes: Axes, found: VisemeTrack, source: SampleSource, start_s: float, stop_s: float, end_s: float
) -> None:
    last_s = min(stop_s, end_s)
    samples = source(round(start_s * SAMPLE_RATE), round(last_s * SAMPLE_RATE))
    size = max(len(samples) // 1800, 1)
    parts = samples[: len(samples) // size * size].reshape(-1, size)
    top = max(float(np.abs(samples).max(initial=0)), 1e-3)
    times = start_s + (np.arange(len(parts)) + 0.5) * size / SAMPLE_RATE
    low, high = parts.min(axis=1) / top, parts.max(axis=1) / top
    axes.fill_between(times, low, high, color="#9aa5b1", linewidth=0.4, edgecolor="#7b8794")
    axes.set_xlim(start_s, stop_s)
    axes.set_ylim(-1.95, 1.1)
    axes.axis("off")
    _draw_phones(axes, found, start_s, last_s)


def _draw_phones(axes: Axes, found: VisemeTrack, start_s: float, stop_s: float) -> None:
    """Symbols under the wave, every other one of a run of short phones lower, so that they never overlap."""
    lower = False
    for phone in found.phones:
        a, b = max(phone.start_s, start_s), min(phone.end_s, stop_s)
        if a >= b:
            continue
        lower = b - a < _NARROW_S and not lower
        axes.plot([a, a, b, b], [-1.14, -1.2, -1.2, -1.14], color="#cbd2d9", linewidth=0.7)
        symbol = phone.symbol.lower()
        axes.text(
            (a + b) / 2, -1.72 if lower else -1.42, symbol, ha="center", va="center", fontsize=8.5, color="#1f2933"
        )


def _draw_lanes(
    axes: Axes, found: VisemeTrack, lanes: list[tuple[str, list[str]]], start_s: float, stop_s: float
) -> None:
    fps = float(found.fps)
    a, b = max(int(start_s * fps) - 1, 0), min(int(stop_s * fps) + 2, len(found.values))
    times = (np.arange(a, b) + 0.5) / fps
    for k, (name, variants) in enumerate(lanes):
        base, colour = len(lanes) - 1 - k, _COLOURS[_KIND[name]]
        axes.axhline(base, color="#e4e7eb", linewidth=0.6, zorder=0)
        for channel, strong in ((name, True), *((v, False) for v in variants)):
            curve = 0.9 * found.values[a:b, INDEX[channel]]
            if curve.max(initial=0) > 0:
                axes.fill_between(times, base, base + curve, color=colour, alpha=0.55 if strong else 0.2, linewidth=0)
                moving = np.convolve(curve > 0, np.ones(3), "same") > 0
                shown = np.where(moving, base + curve, np.nan)
                axes.plot(times, shown, color=colour, linewidth=0.9, linestyle="-" if strong else (0, (2, 1)))
        axes.text(
            -0.008, base + 0.35, f"{EXAMPLES[name]}  $\\bf{{{name}}}$", transform=axes.get_yaxis_transform(),
            ha="right", va="center", fontsize=8, color=colour,
        )  # fmt: skip
    axes.set_xlim(start_s, stop_s)
    axes.set_ylim(-0.1, len(lanes))
    axes.set_yticks([])
    axes.set_xticks(np.arange(np.ceil(2 * start_s), np.floor(2 * stop_s) + 1) / 2)
    axes.tick_params(axis="x", labelsize=8, color="#9aa5b1", labelcolor="#52606d")
    axes.grid(axis="x", color="#eef0f2", linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "left", "right"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color("#cbd2d9")


def _head(figure: Figure, found: VisemeTrack, title: str) -> None:
    height = figure.get_size_inches()[1]
    left = _LEFT / _WIDTH
    how = "phones known" if found.known else "phones heard by the recogniser"
    figure.text(left, 1 - 0.3 / height, title, fontsize=14, weight="bold", va="center")
    line = (
        f"{how}; curves from 0 to 1 at {float(found.fps):g} frames a second; seconds below; lighter: between two vowels"
    )
    figure.text(left, 1 - 0.55 / height, line, fontsize=9, color="#52606d", va="center")
    x = left
    for kind, meaning in _MEANING.items():
        figure.text(x, 1 - 0.77 / height, "■ " + meaning, fontsize=9, color=_COLOURS[kind], va="center")
        x += (0.35 + 0.075 * len(meaning)) / _WIDTH
