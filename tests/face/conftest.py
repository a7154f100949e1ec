"""The presenter, tracked once, as footage that tests damage on purpose."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest

from lipwright.face.tracker import MediaPipeTracker
from lipwright.media.video import VideoReader

from .footage import SIZE, Tracked, track


@pytest.fixture(scope="session")
def tracker() -> Iterator[MediaPipeTracker]:
    made = MediaPipeTracker()
    yield made
    made.close()


@pytest.fixture(scope="session")
def clip(presenter: Path, tracker: MediaPipeTracker) -> Tracked:
    """Ten seconds."""
    with VideoReader(presenter, end_s=Fraction(10), size=(SIZE, SIZE)) as reader:
        return track([f.rgb8 for f in reader], tracker)


@pytest.fixture(scope="session")
def other(presenter: Path, tracker: MediaPipeTracker) -> Tracked:
    """Three seconds of the presenter's other clip."""
    with VideoReader(presenter.with_name("presenter_cross.mp4"), end_s=Fraction(3), size=(SIZE, SIZE)) as reader:
        return track([f.rgb8 for f in reader], tracker)
