"""What can be kept: as JSON for programs and as a page for people."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

from lipwright.core.files import atomic_file, write_json


class Saved(ABC):
    """Results that write themselves to files, atomically."""

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """JSON-ready values."""

    @abstractmethod
    def to_html(self) -> str:
        """One self-contained page; opens from disk."""

    def write_json(self, path: str | os.PathLike[str]) -> None:
        """Write `to_json`."""
        write_json(path, self.to_json())

    def write_html(self, path: str | os.PathLike[str]) -> None:
        """Write `to_html`."""
        with atomic_file(path) as temporary:
            Path(temporary).write_text(self.to_html(), encoding="utf-8")
