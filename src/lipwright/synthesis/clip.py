"""Another clip as template: tracked once, kept in a cache folder, found again by content."""

from __future__ import annotations

from pathlib import Path

from lipwright.core.cache import cache_folder
from lipwright.core.files import file_hash
from lipwright.persona.template import Template


def clip_template(path: Path) -> Template:
    """Track a clip at its own rate; its sound does not matter. FootageError when it shows no face."""
    from lipwright.subject.prepare import prepare  # all that tracks a face; most speaking needs none of it

    folder = cache_folder() / "templates" / file_hash(path)[:16]
    return Template.of_subject(prepare(path, folder, need_sound=False))
