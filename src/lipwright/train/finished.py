"""What a training of pictures leaves: its renderer, and how the pictures do that it will show."""

from __future__ import annotations

import os
from typing import Protocol, TypeVar

from lipwright.train.loop import TrainingRecord


class Kept(Protocol):
    """A renderer of its own file."""

    def save(self, path: str | os.PathLike[str], half: bool = False) -> None:
        """Write it, atomically."""


R = TypeVar("R", bound=Kept, covariant=True)


class Drawn(Protocol[R]):
    """A task of `train.loop` whose result draws."""

    def renderer(self) -> R:
        """What has been trained, ready to speak."""

    def validate(self) -> dict[str, float]:
        """Held-out scores; once there is a renderer, of what it shows."""


def finished(task: Drawn[R], record: TrainingRecord) -> R:
    """The renderer of a task; held-out scores of what it shows go into the record, as `about.shown`."""
    renderer = task.renderer()
    record.about["shown"] = task.validate()
    return renderer
