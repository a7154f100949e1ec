"""The person alone: every frame of the result with a matte of the person as its transparency."""

from __future__ import annotations

from collections.abc import Callable

from lipwright.media.picture import Picture
from lipwright.media.writer import VideoWriter


def cut_out(writer: VideoWriter) -> Callable[[Picture], None]:
    """A `write` for frames in order that gives `writer` their mattes, too; its settings must have `alpha`."""
    from lipwright.face.matte import MatteFinder

    finder = MatteFinder()

    def write(picture: Picture) -> None:
        writer.write(picture, finder.alpha(picture.rgb8()))

    return write
