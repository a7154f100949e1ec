"""Where things are kept that can be made again: tracked clips, exported networks, what was measured here."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """$LIPWRIGHT_CACHE, or ~/.cache/lipwright; not made here."""
    return Path(os.environ.get("LIPWRIGHT_CACHE") or Path.home() / ".cache" / "lipwright")
