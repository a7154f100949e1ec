"""A subject's training data in one file, for training its renderer on another machine."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from lipwright.core.progress import Progress, Silent
from lipwright.recipes.parts import translation_data
from lipwright.subject.store import Subject


def pack(
    subject: Subject | str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    preset: str = "standard",
    mode: str = "sewn",
    settings: Mapping[str, str] | None = None,
    megabytes: float = 20.0,
    progress: Progress | None = None,
) -> Path:
    """Write crops, landmarks, pose and geometry of a subject; evenly fewer crops than there are if need be.

    Args as `recipes.train.train`; `megabytes` limits the crops. Returns the file.
    """
    from lipwright.render.translation.config import changed_preset
    from lipwright.render.translation.packed import save_packed, thinned

    person = subject if isinstance(subject, Subject) else Subject.open(subject)
    config = changed_preset(preset, mode, settings or {})
    save_packed(out, thinned(translation_data(person, config, progress or Silent()), megabytes), config)
    return Path(out)
