"""Names to parts: recipes, motion models, renderers, trackers, speech features.

One `Registry` per kind. Registering a name twice is an error; an unknown name lists the known ones.
Third parties add recipes through the entry point group `lipwright.recipes`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.metadata import entry_points
from typing import Generic, TypeVar

from lipwright.core.errors import ConfigError

T = TypeVar("T")


class Registry(Generic[T]):
    """A dictionary of named things of one kind, optionally filled from an entry point group."""

    def __init__(self, kind: str, entry_point_group: str | None = None) -> None:
        self.kind = kind
        self._items: dict[str, T] = {}
        self._group = entry_point_group
        self._loaded = entry_point_group is None

    def add(self, name: str, item: T) -> T:
        """Register `item`; ConfigError when the name is taken."""
        if name in self._items:
            raise ConfigError(f"{self.kind} '{name}' is already registered; choose another name")
        self._items[name] = item
        return item

    def register(self, name: str) -> Callable[[T], T]:
        """Decorator form of `add`."""
        return lambda item: self.add(name, item)

    def get(self, name: str) -> T:
        """The item called `name`; ConfigError lists what there is."""
        self._load_entry_points()
        if name not in self._items:
            known = ", ".join(sorted(self._items)) or "none"
            raise ConfigError(f"unknown {self.kind} '{name}'; available: {known}")
        return self._items[name]

    def __iter__(self) -> Iterator[str]:
        self._load_entry_points()
        return iter(sorted(self._items))

    def __contains__(self, name: object) -> bool:
        self._load_entry_points()
        return name in self._items

    def _load_entry_points(self) -> None:
        if self._loaded or self._group is None:
            return
        self._loaded = True
        for point in entry_points(group=self._group):
            if point.name not in self._items:
                self.add(point.name, point.load())
