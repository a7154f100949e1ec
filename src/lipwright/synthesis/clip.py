"""Another clip as template: tracked once, kept in a cache folder, found again by content."""

from __future__ import annotations

import os
from pathlib import Path

from lipwright.core.cache import cache_folder
from lipwright.core.errors import FootageError
from lipwright.core.files import file_hash
from lipwright.persona.template import Template
from lipwright.subject.store import Subject


def clip_template(path: Path) -> Template:
    """Track a clip at its own rate; its sound does not matter. FootageError when it shows no face."""
    from lipwright.subject.prepare import prepare  # all that tracks a face; most speaking needs none of it

    folder = cache_folder() / "templates" / file_hash(path)[:16]
    return Template.of_subject(prepare(path, folder, need_sound=False))


def template_of(asked: str | os.PathLike[str] | Template | None, own: Template) -> Template:
    """What is spoken over: a template, a subject's footage, a clip, or `own` when None is asked for.

    FootageError when it is not there or shows no face.
    """
    if asked is None:
        return own
    if isinstance(asked, Template):
        return asked
    if Path(asked).is_dir():
        return Template.of_subject(Subject.open(asked))
    if Path(asked).is_file():
        return clip_template(Path(asked))
    raise FootageError(f"there is no template {asked}; name a video of the person or a prepared subject")
