"""The drawn person, and a cache folder of each test's own."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.render.conftest import person

__all__ = ["person"]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of exported networks and choices."""
    monkeypatch.setenv("LIPWRIGHT_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("LIPWRIGHT_ENGINE", raising=False)
    return tmp_path / "cache" / "engines"
