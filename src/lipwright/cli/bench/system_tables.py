"""A table that `lipwright bench virtual-human` and `meta-talk` both end with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lipwright.cli.results import table


def absent(rows: Mapping[str, Any]) -> dict[str, Any] | None:
    """Rows that were not run, those of one reason in a line; None when all were."""
    named: dict[str, list[str]] = {}
    for row, facts in rows.items():
        if facts["status"] != "run":
            named.setdefault(facts.get("reason"), []).append(row)
    lines = [["; ".join(those), reason] for reason, those in named.items()]
    return table("not run", ("row", "why"), lines) if lines else None
