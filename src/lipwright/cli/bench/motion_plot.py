"""The table of `bench motion` as a picture: errors with deviations, and the papers' ratios beside ours."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lipwright.cli.bench.motion_tables import values
from lipwright.core.files import atomic_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_BLUE, _GREY, _RED = "#2a6fbb", "#9aa5b1", "#c0392b"
_PANELS = (
    ("mouth_mse", "mouth MSE, 1e-6", 1e6),
    ("shape_mse", "mouth shape MSE, 1e-6", 1e6),
    ("train_cpu_s", "training, CPU s", 1.0),
    ("infer_s", "inference of 5 min, s", 1.0),
)


def plot(data: Mapping[str, Any], path: Path) -> None:
    """Write a .png: one line of panels for each subject that has runs."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    subjects = {name: s["runs"] for name, s in data["subjects"].items() if any(s["runs"].values())}
    figure = Figure(figsize=(16, 0.8 + 3.4 * max(len(subjects), 1)), facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(max(len(subjects), 1), len(_PANELS), squeeze=False)
    for line, (name, runs) in zip(axes, subjects.items(), strict=False):
        for panel, (key, title, factor) in zip(line, _PANELS, strict=True):
            _bars(panel, runs, key, factor)
            panel.set_title(f"{name}: {title}" if panel is line[0] else title, fontsize=9)
    with atomic_file(path) as temporary:
        figure.savefig(temporary, format="png", dpi=100)


def _bars(axes: Axes, runs: Mapping[str, Any], key: str, factor: float) -> None:
    """Mean and deviation of each row, top to bottom; the paper's ratio to Ours as a mark on our scale."""
    from lipwright.recipes.motion_table.rows import ROWS

    rows = [row for row in ROWS if values(runs.get(row.name, {}), key)]
    found = {row.name: [factor * v for v in values(runs[row.name], key)] for row in rows}
    means = [statistics.mean(found[row.name]) for row in rows]
    spread = [statistics.stdev(found[row.name]) if len(found[row.name]) > 1 else 0.0 for row in rows]
    where = list(range(len(rows)))
    axes.barh(where, means, xerr=spread, color=[_BLUE if row.name == "Ours" else _GREY for row in rows], height=0.6)
    ours = next((m for row, m in zip(rows, means, strict=True) if row.name == "Ours"), None)
    printed = ROWS[0].printed
    if key == "mouth_mse" and ours is not None and printed is not None:
        marks = [(i, ours * row.printed.mouth / printed.mouth) for i, row in enumerate(rows) if row.printed is not None]
        axes.plot([x for _, x in marks], [i for i, _ in marks], "|", color=_RED, markersize=12, label="paper's ratio")
        axes.legend(fontsize=7, loc="lower right")
    axes.set_yticks(where, [row.name for row in rows], fontsize=7)
    axes.invert_yaxis()
    if means and max(means) > 20 * max(min(means), 1e-9):
        axes.set_xscale("log")
    axes.tick_params(axis="x", labelsize=7)
