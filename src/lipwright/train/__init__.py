"""One training loop: budget, progress, checkpoints, exact resume.

The room has the name of the public function `lipwright.train`, and importing any part of it binds that name
to this module. So the module itself can be called: `lipwright.train(subject)` works whatever was imported
before.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any


class _Room(ModuleType):
    def __call__(self, *args: Any, **options: Any) -> Any:
        """The package's public `train`."""
        import lipwright

        return lipwright.__getattr__("train")(*args, **options)


sys.modules[__name__].__class__ = _Room
