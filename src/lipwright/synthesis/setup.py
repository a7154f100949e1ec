"""What one speech over one template is made of."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from lipwright.core.clock import as_rate
from lipwright.core.contracts import MotionModel, Renderer
from lipwright.core.errors import ConfigError
from lipwright.persona.template import Template
from lipwright.synthesis.voice import Voice


@dataclass(frozen=True)
class Setup:
    """Who says what over which template, and how the result runs."""

    voice: Voice
    template: Template
    motion: MotionModel
    renderer: Renderer
    fps: Fraction | None = None
    """Of the result; the template's when None."""
    extend: str = "auto"
    """What happens when the speech is longer than the template, see `compose.walk.MODES`."""
    workers: int | None = None
    """Threads that draw, where frames do not depend on each other; as many as there are cores when None."""


def rate_of(fps: Fraction | float | str | None) -> Fraction | None:
    """A frame rate as users give it, exact; None stays None. ConfigError for what is no rate."""
    try:
        return None if fps is None else as_rate(fps)
    except ValueError as error:
        raise ConfigError(f"{error}; give a frame rate such as 25 or 29.97") from error
