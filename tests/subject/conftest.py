"""Footage made from the presenter, with what real footage does wrong."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from lipwright.core.contracts import F32, U8
from lipwright.media.audio import read_audio
from lipwright.media.settings import EncoderSettings
from lipwright.media.video import VideoReader
from lipwright.media.writer import VideoWriter


@pytest.fixture(scope="session")
def talk(presenter: Path) -> tuple[list[U8], F32]:
    """(75 frames of 256 px, 3 s of 16 kHz sound) of the presenter, from second 6."""
    with VideoReader(presenter, start_s=Fraction(6), end_s=Fraction(9), size=(256, 256)) as reader:
        frames = [f.rgb8 for f in reader]
    return frames, read_audio(presenter, 16_000, Fraction(6), Fraction(9))


@pytest.fixture
def film(tmp_path: Path) -> Callable[..., Path]:
    """`film(frames, sound)` writes a clip of 25 fps and returns its path."""

    def make(frames: list[U8], sound: F32 | None, name: str = "clip.mp4") -> Path:
        size = (frames[0].shape[1], frames[0].shape[0])
        settings = EncoderSettings(crf=12, pix_fmt="yuv444p" if size[0] % 2 or size[1] % 2 else "yuv420p")
        with VideoWriter(tmp_path / name, size, Fraction(25), settings, audio=sound) as writer:
            for frame in frames:
                writer.write(np.ascontiguousarray(frame))
        return tmp_path / name

    return make


@pytest.fixture(autouse=True)
def no_page(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing the report takes longer than preparing three seconds; one module looks at it."""
    if request.module.__name__.rpartition(".")[2] != "test_people":
        monkeypatch.setattr("lipwright.subject.finish.write_page", lambda *a: None)
