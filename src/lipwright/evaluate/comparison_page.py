"""The page of several methods: the papers' tables, all metrics, and the pictures side by side."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence

from lipwright.evaluate.comparison import Comparison, best, distance
from lipwright.evaluate.html import document, footer, notes, section, sheets, table, video
from lipwright.evaluate.result import Evaluation, Row, number, span

ARROWS = {"higher": "↑", "lower": "↓", "one": "→1", "zero": "→0", "": ""}
VIRTUAL_HUMAN = (
    ("FPS", ("speed.fps",)),
    ("SSIM", ("face.ssim_gaussian",)),
    ("PSNR", ("face.psnr",)),
    ("Sync", ("sync.lse_c", "lipmatch.confidence")),
    ("D_lip", ("landmarks.d_lip_px",)),
)
"""Columns of paper D's Table 1: (name, keys that may stand there, the first that was measured)."""
META_TALK = (
    ("LSE-D", ("sync.lse_d",)),
    ("LSE-C", ("sync.lse_c",)),
    ("FID", ("full.fid", "full.frechet_pyramid")),
    ("SSIM", ("full.ssim_gaussian",)),
)
"""Columns of paper C's tables."""
STAND_INS = {"lipmatch.confidence": "LipMatch", "full.frechet_pyramid": "Fréchet"}
"""What a column is called when its own metric needs weights that nobody brought: never by the paper's name."""
Columns = Sequence[tuple[str, Sequence[str]]]


def page(comparison: Comparison) -> str:
    """The comparison as HTML text."""
    title = f"{' / '.join(comparison.methods)} against {comparison.reference}"
    said = [f"{name}: {note}" for name, one in comparison.methods.items() for note in one.notes]
    first = next(iter(comparison.methods.values()))
    told = (
        "<p class=small>Bold: best. ≈ its 95 % interval holds the best value, so the two are not told apart here. "
        "One clip says little about a method.</p>"
    )
    return document(
        title,
        [
            section("Watch", video(comparison.film)) if comparison.film else "",
            section("As in the Virtual Human paper, Table 1", _paper(comparison, VIRTUAL_HUMAN) + told),
            section("As in the MetaTalk paper", _paper(comparison, META_TALK)),
            section("Every metric", _all(comparison)),
            *sheets(comparison.pictures),
            section("Notes", notes(said)),
            footer(first.protocol),
        ],
    )


def text(comparison: Comparison) -> str:
    """Both papers' tables for a terminal."""
    lines = []
    for columns in (VIRTUAL_HUMAN, META_TALK):
        chosen = [(name, _measured(comparison, keys)) for name, keys in columns]
        head = ["method", *(_head(name, key, comparison, plain=True) for name, key in chosen)]
        body = [
            [name, *(_plain(one, comparison, key) for _, key in chosen)] for name, one in comparison.methods.items()
        ]
        body.append(["real video", *(number(_real(comparison, key)) for _, key in chosen)])
        widths = [max(len(line[i]) for line in (head, *body)) for i in range(len(head))]
        for line in (head, *body):
            cells = [c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(line, widths, strict=True))]
            lines.append("  ".join(cells).rstrip())
        lines.append("")
    return "\n".join([*lines, "* best of the methods"])


def _plain(one: Evaluation, comparison: Comparison, key: str | None) -> str:
    if key is None:
        return "-"
    cells = {name: other[key] for name, other in comparison.methods.items()}
    won = any(comparison.methods[name] is one for name in best(one[key], cells))
    return number(one[key].video) + ("*" if won else "")


def _measured(comparison: Comparison, keys: Sequence[str]) -> str | None:
    """The first key that every method has a value of."""
    for key in keys:
        if all(key in one and one[key].video is not None for one in comparison.methods.values()):
            return key
    return None


def _head(name: str, key: str | None, comparison: Comparison, plain: bool = False) -> str:
    """The paper's name of a column; where something else had to stand in, its own name."""
    if key is None:
        return name if plain else f"{name}<span class=span>not measured</span>"
    row = next(iter(comparison.methods.values()))[key]
    called = STAND_INS.get(key, name) + ARROWS[row.better]
    return called if plain else f"{html.escape(called)}<span class=span>{html.escape(row.label)}</span>"


def _paper(comparison: Comparison, columns: Columns) -> str:
    chosen = [(name, _measured(comparison, keys)) for name, keys in columns]
    head = ["method", *(_head(name, key, comparison) for name, key in chosen)]
    lines = []
    for name in comparison.methods:
        lines.append([html.escape(name), *(_cell(comparison, key, name) if key else "-" for _, key in chosen)])
    real = [number(_real(comparison, key)) for _, key in chosen]
    return table(head, [*lines, ["<span class=u>real video</span>", *(f"<span class=u>{v}</span>" for v in real)]])


def _real(comparison: Comparison, key: str | None) -> float | None:
    return None if key is None else next(iter(comparison.methods.values()))[key].real


def _all(comparison: Comparison) -> str:
    head = ["metric", *map(html.escape, comparison.methods), "real", "unit", "better"]
    lines = []
    for row, cells in comparison.rows():
        shown = [_cell(comparison, row.key, name) for name in cells]
        lines.append([html.escape(row.label), *shown, number(row.real), html.escape(row.unit), row.better])
    return table(head, lines, left=(0, len(head) - 2, len(head) - 1))


def _cell(comparison: Comparison, key: str, name: str) -> str:
    cells = {other: one[key] for other, one in comparison.methods.items()}
    row, winners = cells[name], best(cells[name], cells)
    value = f"<span class=best>{number(row.video)}</span>" if name in winners else number(row.video)
    alike = " ≈" if winners and name not in winners and _holds(row, cells, winners[0]) else ""
    sure = f"<span class=span>{span(row.interval)}</span>" if row.interval else ""
    return f"{value}{alike}{sure}"


def _holds(row: Row, cells: Mapping[str, Row], winner: str) -> bool:
    """Whether the interval of a row reaches as near to the ideal as the winner's value."""
    top = distance(cells[winner])
    if row.interval is None or top is None:
        return False
    ends = [distance(row, end) for end in row.interval]
    crosses = row.better in ("one", "zero") and row.interval[0] <= (row.better == "one") <= row.interval[1]
    return crosses or any(end is not None and end <= top for end in ends)
