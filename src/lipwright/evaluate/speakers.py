"""A persona as the protocols want to use it."""

from __future__ import annotations

import time
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lipwright.core.contracts import F32, LANDMARKS
from lipwright.evaluate.result import Row
from lipwright.evaluate.speed import Stopwatch
from lipwright.evaluate.stretch import tracked
from lipwright.persona.template import Template

if TYPE_CHECKING:
    from lipwright.synthesis.speaker import Persona


class PersonaSpeaker:
    """Lets a persona say samples over a stretch of footage: a `protocols.Speak`.

    Args:
        persona: who speaks.
        speak_options: passed on to `Persona.speak`, such as renderer='memory'.
    """

    def __init__(self, persona: Persona, **speak_options: Any) -> None:
        self.persona, self.options = persona, speak_options
        self.speed: list[Row] = []
        """How fast the last speech was made."""
        self.wanted: F32 | None = None
        """(T, 29, 2) the mouth and jaw that were wanted in the last speech, px of the template; None: only heard."""

    def __call__(
        self,
        samples: F32,
        template_path: Path,
        template_start_s: Fraction,
        template_end_s: Fraction,
        out_path: Path,
    ) -> None:
        """Track the stretch as a template (its sound is not read), speak over it, write the result."""
        with tracked(template_path, template_start_s, template_end_s, self.persona.template.fps) as subject:
            speaking = self.persona.speak(samples, template=Template.of_subject(subject), **self.options)
            watch = Stopwatch()
            try:
                speaking.write(out_path, progress=watch)
                self.speed = watch.rows(time.perf_counter() - watch.began_s, speaking.profile())
                self.wanted = speaking.targets() if speaking.accepts == LANDMARKS else None
            finally:
                speaking.close()
