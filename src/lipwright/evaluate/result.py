"""What an evaluation says: one row per metric, and how to read it."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any

from lipwright.evaluate.saved import Saved

SCHEMA = 2


@dataclass(frozen=True)
class Row:
    """One metric: the video's value and the values it must be read against; None where it has no meaning."""

    key: str
    """Stable name, such as `mouth.psnr`."""
    label: str
    unit: str
    better: str
    """'higher', 'lower', 'one' (nearest to 1), 'zero' (nearest to 0) or '' (a fact)."""
    video: float | None
    real: float | None = None
    """The real video's own value."""
    frozen: float | None = None
    """The real head with one frame's mouth."""
    mean: float | None = None
    """The real head with the mean mouth."""
    floor: float | None = None
    """What the tracker's own noise alone gives."""
    interval: tuple[float, float] | None = None
    """95 % interval of `video`; None where the number is no mean over frames or the clip is short."""


@dataclass(frozen=True)
class Curve:
    """One line of a plot over time."""

    title: str
    unit: str
    label: str
    times_s: tuple[float, ...]
    values: tuple[float, ...]


@dataclass(frozen=True)
class Evaluation(Saved):
    """Metrics of one video with their controls; prints as a table."""

    video: str
    reference: str | None
    rows: tuple[Row, ...]
    notes: tuple[str, ...]
    """What was aligned, left out or could not be measured."""
    protocol: dict[str, Any]
    """How it was measured: schema, protocol name, versions, rates, boxes. Holds nothing of the machine."""
    curves: tuple[Curve, ...] = field(default=(), repr=False)
    pictures: dict[str, Any] = field(default_factory=dict, repr=False)
    """Name to RGB uint8 sheet (H, W, 3), for `write_html`."""
    film: bytes = field(default=b"", repr=False)
    """mp4 of the videos side by side, for `write_html`; empty unless it was asked for."""
    details: dict[str, Any] = field(default_factory=dict, repr=False)
    """JSON-ready tables behind rows, such as confusion counts."""

    def __getitem__(self, key: str) -> Row:
        for row in self.rows:
            if row.key == key:
                return row
        raise KeyError(key)

    def __contains__(self, key: object) -> bool:
        return any(row.key == key for row in self.rows)

    def to_json(self) -> dict[str, Any]:
        """JSON-ready: rows without nan (None instead), notes, protocol and versions."""
        return {
            "schema": SCHEMA,
            "video": self.video,
            "reference": self.reference,
            "protocol": self.protocol,
            "notes": list(self.notes),
            **({"details": self.details} if self.details else {}),
            "metrics": {row.key: finite(asdict(row)) for row in self.rows},
        }

    def to_html(self) -> str:
        """One self-contained page: table, curves, sheets."""
        from lipwright.evaluate.page import page

        return page(self)

    def __str__(self) -> str:
        head = ("metric", "video", "95 %", "real", "frozen", "mean", "noise", "unit", "better")
        body = [
            (
                row.label,
                number(row.video),
                span(row.interval),
                *map(number, (row.real, row.frozen, row.mean, row.floor)),
                row.unit,
                row.better,
            )
            for row in self.rows
        ]
        widths = [max(len(line[i]) for line in (head, *body)) for i in range(len(head))]
        title = self.video + (f" against {self.reference}" if self.reference else "")
        lines = [f"{title} (protocol {self.protocol.get('name', '?')})", ""]
        for line in (head, *body):
            cells = [
                c.ljust(w) if i in (0, 7, 8) else c.rjust(w) for i, (c, w) in enumerate(zip(line, widths, strict=True))
            ]
            lines.append("  ".join(cells).rstrip())
        return "\n".join([*lines, *(f"note: {n}" for n in self.notes)])


def number(value: float | None) -> str:
    """A value for people: three or four digits, `-` when there is none."""
    if value is None or math.isnan(value):
        return "-"
    size = abs(value)
    return f"{value:.1f}" if size >= 100 else f"{value:.2f}" if size >= 10 else f"{value:.3f}"


def span(interval: tuple[float, float] | None) -> str:
    """An interval for people: `low..high`, `-` when there is none."""
    return "-" if interval is None else f"{number(interval[0])}..{number(interval[1])}"


def finite(row: dict[str, Any]) -> dict[str, Any]:
    """A row's values for JSON: None where a number is not finite, without the key."""
    return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in row.items() if k != "key"}
