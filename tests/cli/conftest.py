"""Stand-ins for the long work behind the verbs: these tests are about the command line itself."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """`stand_in("lipwright.subject.prepare", prepare=function)` replaces a module for one test."""

    def replace(name: str, **attributes: Any) -> None:
        module = ModuleType(name)
        for key, value in attributes.items():
            setattr(module, key, value)
        monkeypatch.setitem(sys.modules, name, module)

    return replace


@pytest.fixture
def calls(stand_in: Callable[..., None]) -> list[tuple[tuple[Any, ...], dict[str, Any]]]:
    """Records calls of `prepare`; returns a subject with a report."""
    seen: list[tuple[tuple[Any, ...], dict[str, Any]]] = []

    def prepare(*args: Any, **options: Any) -> SimpleNamespace:
        seen.append((args, options))
        report = {"length_s": 57.0, "faces": {"found": 0.98}, "cuts": [3, 9], "in_sync": True}
        return SimpleNamespace(report=report, advice=["Use a brighter lamp."])

    stand_in("lipwright.subject.prepare", prepare=prepare)
    return seen
