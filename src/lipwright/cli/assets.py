"""What ships inside the package, and the names that stand for it on the command line."""

from __future__ import annotations

from pathlib import Path

import lipwright
from lipwright.core.errors import PersonaError

ASSETS = Path(lipwright.__file__).parent / "assets"
DEMO_PERSONA = ASSETS / "demo.persona"
PRESENTER = ASSETS / "presenter.mp4"


def persona_path(name: str) -> Path:
    """The folder a persona argument means: `demo` is the one that ships."""
    if name == "demo" and not Path(name).exists():
        if not DEMO_PERSONA.exists():
            raise PersonaError("this installation has no demo persona; run `lipwright demo` to make one")
        return DEMO_PERSONA
    return Path(name)
