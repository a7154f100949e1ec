"""`lipwright bench compare OLD.json NEW.json`: whether anything got slower, by ratios to a baseline of the same run.

A ratio says how often a step fits into its baseline's processor time, so two machines, and a busy and a quiet one, can
be compared.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lipwright.cli.output import print_table
from lipwright.core.errors import ConfigError


def compare(old: Path, new: Path, share: float) -> None:
    """Print the ratios of both; ConfigError when one of the new is lower by more than `share` (0.1: a tenth)."""
    before, after = ratios(old), ratios(new)
    both = [name for name in before if name in after]
    if not both:
        raise ConfigError(f"{old} and {new} have no step in common; compare two runs of the same benchmark")
    rows, worse = [], []
    for name in both:
        change = after[name] / before[name] - 1
        fell = change < -share
        worse += [name] if fell else []
        rows.append(
            (name, f"{before[name]:.3g}", f"{after[name]:.3g}", f"{100 * change:+.0f} %", "slower" if fell else "")
        )
    print_table("", ("step", "before", "now", "change", ""), rows)
    for names, where in ((set(before) - set(after), old), (set(after) - set(before), new)):
        if names:
            print(f"only in {where}: {', '.join(sorted(names))}")
    if worse:
        raise ConfigError(
            f"{len(worse)} of {len(both)} ratios fell by more than {100 * share:g} %: {', '.join(worse)}; run the "
            "benchmark again on a quieter machine, or find what made it slower"
        )


def ratios(path: Path) -> dict[str, float]:
    """Step -> ratio of a file of `lipwright bench` or of benchmarks/suite.py; ConfigError when it is neither."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        given = _of(found)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"{path} is not a result of `lipwright bench` or benchmarks/suite.py ({error})") from error
    return {name: float(value) for name, value in given.items() if value}


def _of(found: Mapping[str, Any]) -> dict[str, Any]:
    if "measures" in found:
        return {m["step"]: m["cpu_ratio"] for m in found["measures"]}
    return dict(found["data"]["ratios"])
