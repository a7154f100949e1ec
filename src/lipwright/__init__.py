"""lipwright: video of one person and any speech in, lip-synced video of that person out.

The public names load on first use, so that `import lipwright` stays instant.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_PUBLIC = {
    "prepare": "lipwright.subject.prepare",
    "Subject": "lipwright.subject.store",
    "train": "lipwright.recipes.train",
    "Persona": "lipwright.synthesis.speaker",
    "evaluate": "lipwright.evaluate.video",
    "LipwrightError": "lipwright.core.errors",
}

__all__ = ["LipwrightError", "Persona", "Subject", "__version__", "evaluate", "prepare", "train"]

if TYPE_CHECKING:
    from lipwright.core.errors import LipwrightError


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'lipwright' has no attribute '{name}'")
    return getattr(import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_PUBLIC])
