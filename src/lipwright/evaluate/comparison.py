"""Several methods on the same clip: each evaluated alike, then beside each other."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from lipwright.core.contracts import U8
from lipwright.core.errors import ConfigError
from lipwright.evaluate.boxes import mouth_boxes
from lipwright.evaluate.film import film
from lipwright.evaluate.options import Options
from lipwright.evaluate.pair import Pair, aligned, measure_pair
from lipwright.evaluate.result import Evaluation, Row, finite
from lipwright.evaluate.saved import Saved
from lipwright.evaluate.sheet import mouth_strip, triptych
from lipwright.evaluate.shown import sheet_frames, strip_frames
from lipwright.evaluate.source import Scan, as_clip
from lipwright.evaluate.sync_part import lse_protocols


@dataclass(frozen=True)
class Comparison(Saved):
    """Evaluations of several videos against one reference, in the order given."""

    reference: str
    methods: Mapping[str, Evaluation]
    pictures: dict[str, Any] = field(default_factory=dict, repr=False)
    """Name to RGB uint8 sheet."""
    film: bytes = field(default=b"", repr=False)

    def rows(self) -> list[tuple[Row, dict[str, Row]]]:
        """(the first method's row, every method's own) of all metrics that every method has."""
        first, *others = self.methods.values()
        return [
            (row, {name: one[row.key] for name, one in self.methods.items()})
            for row in first.rows
            if all(row.key in other for other in others)
        ]

    def to_json(self) -> dict[str, Any]:
        """JSON-ready: each method's evaluation, and which are best by metric."""
        return {
            "reference": self.reference,
            "methods": {name: one.to_json() for name, one in self.methods.items()},
            "best": {row.key: best(row, cells) for row, cells in self.rows() if best(row, cells)},
            "real": {row.key: finite(asdict(row))["real"] for row, _ in self.rows()},
        }

    def to_html(self) -> str:
        """One self-contained page: the papers' tables, all metrics, pictures side by side."""
        from lipwright.evaluate.comparison_page import page

        return page(self)

    def __str__(self) -> str:
        from lipwright.evaluate.comparison_page import text

        return text(self)


def best(row: Row, cells: Mapping[str, Row]) -> list[str]:
    """The methods with the best value; none for facts, for fewer than two values, or when all are equal."""
    away = {name: distance(one) for name, one in cells.items()}
    known = {name: d for name, d in away.items() if d is not None}
    if len(known) < 2 or len({*known.values()}) == 1:
        return []
    return [name for name, d in known.items() if d == min(known.values())]


def distance(row: Row, value: float | None = None) -> float | None:
    """How far a row (or another value of its kind) is from the best there is; None where that has no meaning."""
    shown = row.video if value is None else value
    if shown is None or shown != shown:
        return None
    match row.better:
        case "higher":
            return -shown
        case "lower":
            return shown
        case "one":
            return abs(shown - 1)
        case "zero":
            return abs(shown)
        case _:
            return None


def compare_methods(
    videos: Mapping[str, str | os.PathLike[str]],
    reference: str | os.PathLike[str],
    options: Options | None = None,
) -> Comparison:
    """Evaluate every video against the reference, and put them side by side where all are in step.

    Args:
        videos: file by the name of its method, two or more.
        reference: the real video of the same moments.
        options: as for one video; `film` adds one film of all.

    FootageError as `evaluate`; ConfigError for fewer than two videos.
    """
    given = options or Options()
    lse_protocols(given.lse)
    if len(videos) < 2:
        raise ConfigError("a comparison needs at least two videos; give them all, with --reference")
    real_clip = as_clip(reference)
    pairs: dict[str, Pair] = {}
    found: dict[str, Evaluation] = {}
    for name, path in videos.items():
        pairs[name] = aligned(as_clip(path), real_clip, given.make_tracker)
        found[name] = measure_pair(pairs[name], replace(given, film=False))
    pictures, mp4 = _side_by_side(pairs, given.film)
    return Comparison(real_clip.name, found, pictures, mp4)


def _side_by_side(pairs: Mapping[str, Pair], with_film: bool) -> tuple[dict[str, Any], bytes]:
    """Sheet, strip and film of the real video and every method, over the frames that all have."""
    labels, scans = ["real", *pairs], _in_step(list(pairs.values()))
    wanted, strip = sheet_frames(len(scans[0])), strip_frames(scans[0])
    boxes = mouth_boxes(scans[0].track)
    columns: list[list[U8]] = [[] for _ in scans]
    mouths: list[list[U8]] = [[] for _ in scans]
    with film(labels, scans[0].fps, scans[0].size, scans[0].samples, with_film) as made:
        passing = [made.tap(i, one.frames()) for i, one in enumerate(scans)]
        for t, moment in enumerate(zip(*passing, strict=False)):
            for frame, column, row in zip(moment, columns, mouths, strict=True):
                if t in wanted:
                    column.append(frame.copy())
                if t in strip:
                    row.append(boxes.cut(frame, t).copy())
    order = ", ".join(labels)
    sheets = {
        f"Side by side: {order}": triptych(columns),
        f"Consecutive mouths, from the top: {order}": mouth_strip(mouths),
    }
    return sheets, made.mp4


def _in_step(pairs: Sequence[Pair]) -> list[Scan]:
    """The real scan and every method's, cut to the frames of the reference that all have."""
    first = max(pair.real.first for pair in pairs)
    end = min(pair.real.first + len(pair.real) for pair in pairs)
    parts = [pair.seen.part(first - pair.real.first, end - first) for pair in pairs]
    return [pairs[0].real.part(first - pairs[0].real.first, end - first), *parts]
