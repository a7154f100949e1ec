"""What one group of metrics adds to an evaluation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from lipwright.evaluate.result import Curve, Row


@dataclass
class Part:
    """Pieces of an `Evaluation`."""

    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    curves: list[Curve] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    """For `Evaluation.protocol`."""
    pictures: dict[str, Any] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)

    def add(self, other: Part) -> None:
        """Append another part."""
        self.rows += other.rows
        self.notes += other.notes
        self.curves += other.curves
        self.facts |= other.facts
        self.pictures |= other.pictures
        self.details |= other.details
