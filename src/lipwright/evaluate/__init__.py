"""Protocols, controls and reports over the metrics.

The room has the name of the public function `lipwright.evaluate`, and importing any part of it binds that
name to this module. So the module itself can be called, and `lipwright.evaluate(video)` works whatever was
imported before.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any


class _Room(ModuleType):
    def __call__(self, *args: Any, **options: Any) -> Any:
        """`evaluate.video.evaluate`."""
        from lipwright.evaluate.video import evaluate

        return evaluate(*args, **options)


sys.modules[__name__].__class__ = _Room
