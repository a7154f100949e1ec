"""One self-contained page: scores, curves over time, sheets. No script, no network, opens from disk."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import cv2

from lipwright.core.contracts import U8
from lipwright.evaluate.result import Curve, Evaluation, Row, number, span

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_STYLE = """
body{font:15px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:1180px;padding:0 1rem;color:#1c2330}
h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem}table{border-collapse:collapse;width:100%}
th,td{padding:.25rem .6rem;text-align:right;border-bottom:1px solid #e3e6ec;font-variant-numeric:tabular-nums}
th:first-child,td:first-child,td.t,th.t{text-align:left}td.v{font-weight:600}td.u{color:#6a7385}
img{max-width:100%;height:auto;border:1px solid #e3e6ec}ul{color:#6a4b00}footer{color:#6a7385;margin-top:2rem}
"""


def page(evaluation: Evaluation) -> str:
    """The evaluation as HTML text."""
    against = f" against {evaluation.reference}" if evaluation.reference else ""
    title = html.escape(f"{evaluation.video}{against}")
    parts = [
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>",
        f"<title>{title}</title><style>{_STYLE}</style></head><body><h1>{title}</h1>",
    ]
    if evaluation.notes:
        parts.append("<ul>" + "".join(f"<li>{html.escape(n)}</li>" for n in evaluation.notes) + "</ul>")
    parts.append("<h2>Scores</h2>" + _table(evaluation.rows))
    if evaluation.curves:
        parts.append("<h2>Over time</h2>" + _image(plots_png(evaluation.curves), "curves over time"))
    for name, sheet in evaluation.pictures.items():
        parts.append(f"<h2>{html.escape(name)}</h2>" + _image(_png(sheet), name))
    protocol = ", ".join(f"{k}: {_words(v)}" for k, v in evaluation.protocol.items())
    parts.append(f"<footer>{html.escape(protocol)}</footer></body></html>\n")
    return "\n".join(parts)


def plots_png(curves: Sequence[Curve]) -> bytes:
    """All curves under each other on one time axis, lines of one title in one plot."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    titles = list(dict.fromkeys(c.title for c in curves))
    figure: Figure = Figure(figsize=(11, 2.1 * len(titles) + 0.4), layout="constrained")
    FigureCanvasAgg(figure)  # no display and no global state
    axes = figure.subplots(len(titles), 1, sharex=True, squeeze=False)[:, 0]
    for axis, title in zip(axes, titles, strict=True):
        lines = [c for c in curves if c.title == title]
        for curve in lines:
            marker = "o" if len(curve.times_s) < 40 else ""
            axis.plot(curve.times_s, curve.values, lw=1.1, marker=marker, ms=4, label=curve.label)
        axis.set_title(title, fontsize=10, loc="left")
        axis.set_ylabel(lines[0].unit, fontsize=9)
        axis.grid(alpha=0.25)
        axis.legend(fontsize=8, loc="upper right", frameon=False)
    axes[-1].set_xlabel("seconds")
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=100, metadata={"Software": None})
    return stream.getvalue()


def _words(fact: object) -> str:
    return " ".join(f"{k} {v}" for k, v in fact.items()) if isinstance(fact, dict) else str(fact)


def _table(rows: Sequence[Row]) -> str:
    head = ["metric", "video", "95 %", "real", "frozen mouth", "mean mouth", "noise", "unit", "better"]
    cells = "".join(f"<th{' class=t' if i in (0, 7, 8) else ''}>{h}</th>" for i, h in enumerate(head))
    lines = [f"<table><tr>{cells}</tr>"]
    for row in rows:
        others = "".join(f"<td>{number(v)}</td>" for v in (row.real, row.frozen, row.mean, row.floor))
        lines.append(
            f"<tr><td>{html.escape(row.label)}</td><td class=v>{number(row.video)}</td>"
            f"<td class=u>{span(row.interval)}</td>{others}"
            f"<td class='t u'>{html.escape(row.unit)}</td><td class='t u'>{row.better}</td></tr>"
        )
    return "\n".join([*lines, "</table>"])


def _png(rgb8: U8) -> bytes:
    done, data = cv2.imencode(".png", cv2.cvtColor(rgb8, cv2.COLOR_RGB2BGR))
    if not done:
        raise ValueError(f"a picture of shape {rgb8.shape} cannot be written as PNG")
    return bytes(data)


def _image(png: bytes, name: str) -> str:
    code = base64.b64encode(png).decode("ascii")
    return f"<img alt='{html.escape(name)}' src='data:image/png;base64,{code}'>"
