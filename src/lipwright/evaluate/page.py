"""The page of one evaluation: film, scores, worst seconds, curves over time, sheets."""

from __future__ import annotations

import html
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lipwright.evaluate.html import document, footer, notes, picture, section, sheets, table, video
from lipwright.evaluate.result import Curve, Evaluation, Row, number, span

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LEAST_POINTS = 3
"""Curves of fewer points are left out of the plots."""
COLOURS = {"video": "#1f6fb4", "real": "#222831", "frozen": "#e07b1a", "mean": "#3a9a4a", "template": "#9457b5"}
"""One colour for each video in all plots."""


def page(evaluation: Evaluation) -> str:
    """The evaluation as HTML text."""
    against = f" against {evaluation.reference}" if evaluation.reference else ""
    parts = [
        notes(evaluation.notes),
        section("Watch", video(evaluation.film)) if evaluation.film else "",
        section("Scores", _scores(evaluation.rows)),
        section("Over time", picture(plots_png(evaluation.curves), "curves over time")) if evaluation.curves else "",
        *sheets(evaluation.pictures),
        footer(evaluation.protocol),
    ]
    return document(f"{evaluation.video}{against}", parts)


def plots_png(curves: Sequence[Curve]) -> bytes:
    """All curves under each other on one time axis, lines of one title in one plot."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    titles = list(dict.fromkeys(c.title for c in curves))
    titles = [t for t in titles if max(len(c.times_s) for c in curves if c.title == t) >= LEAST_POINTS] or titles[:1]
    figure: Figure = Figure(figsize=(11, 2.1 * len(titles) + 0.4), layout="constrained")
    FigureCanvasAgg(figure)  # no display and no global state
    axes = figure.subplots(len(titles), 1, sharex=True, squeeze=False)[:, 0]
    for axis, title in zip(axes, titles, strict=True):
        lines = [c for c in curves if c.title == title]
        for curve in lines:
            marker = "o" if len(curve.times_s) < 40 else ""
            colour = COLOURS.get(curve.label)
            axis.plot(curve.times_s, curve.values, lw=1.1, marker=marker, ms=4, label=curve.label, color=colour)
        axis.set_title(title, fontsize=10, loc="left")
        axis.set_ylabel(lines[0].unit, fontsize=9)
        axis.grid(alpha=0.25)
        axis.legend(fontsize=8, loc="upper right", frameon=False)
    axes[-1].set_xlabel("seconds")
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=100, metadata={"Software": None})
    return stream.getvalue()


def _scores(rows: Sequence[Row]) -> str:
    head = ["metric", "video", "95 %", "real", "frozen mouth", "mean mouth", "noise", "unit", "better"]
    lines = []
    for row in rows:
        others = [number(v) for v in (row.real, row.frozen, row.mean, row.floor)]
        value, sure = f"<span class=v>{number(row.video)}</span>", f"<span class=u>{span(row.interval)}</span>"
        lines.append([html.escape(row.label), value, sure, *others, html.escape(row.unit), row.better])
    return table(head, lines, left=(0, 7, 8))
