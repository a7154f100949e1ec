"""Stages side by side: the same bits as one after the other, and no thread left however it ends."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.begun import begun

from lipwright.compose.paste import paste
from lipwright.core.contracts import F32, Patch, RenderWindow
from lipwright.core.threads import one_blas_thread
from lipwright.media.picture import Picture
from lipwright.media.writer import VideoWriter
from lipwright.persona.template import Template
from lipwright.render.memory.renderer import MemoryRenderer
from lipwright.subject.store import Subject
from lipwright.synthesis import drawing
from lipwright.synthesis.pipeline import Synthesis
from lipwright.synthesis.setup import Setup
from lipwright.synthesis.speaker import Persona


@pytest.fixture(scope="module")
def speech(subject: Subject) -> F32:
    return subject.samples[16_000 : 16_000 + 30 * 640]


class Whole:
    """A renderer that keeps everything to itself, as one from elsewhere would."""

    accepts = "landmarks"

    def __init__(self, inner: MemoryRenderer) -> None:
        self._inner, self.lookahead = inner, inner.lookahead

    def reset(self) -> None:
        self._inner.reset()

    def render(self, window: RenderWindow) -> Iterator[Patch]:
        return self._inner.render(window)


class Square:
    """Frame by frame, without state: a square as bright as the frame's place in the template."""

    accepts, lookahead, independent = "landmarks", 2, True

    def reset(self) -> None:
        pass

    def render(self, window: RenderWindow) -> Iterator[Patch]:
        for i, frame in enumerate(window.frames):
            ahead = window.target[i : i + 3].mean()
            picture = np.full((40, 60, 3), int(frame[:8, :8].mean() + ahead) % 256, np.uint8)
            shift = np.array([[1, 0, -200], [0, 1, -300]], np.float32)
            yield Patch(picture, np.pad(np.ones((30, 50), np.float32), 5), shift)


def planes(persona: Persona, speech: F32, **options: Any) -> list[Any]:
    return [f.picture.planes for f in persona.speak(speech, **options)]  # type: ignore[attr-defined]


def one_after_the_other(persona: Persona, speech: F32, renderer: Any, template: Template | None = None) -> list[Any]:
    """The whole speech as one window, every stage finished before the next begins."""
    template = template or persona.template
    made = Synthesis(Setup(persona.speak(speech)._voice, template, persona.motion(), renderer))
    n, walk = made.n_frames, made.walk
    store, first = template.store, template.first
    pictures = list(walk.shifted(first).frames(store.pictures, store.pictures_backward, n, Picture.mixed))
    track = template.track[walk.indices(0, n)]
    renderer.reset()
    window = RenderWindow([p.rgb8() for p in pictures], track, made.targets(0, n), track)
    return [paste(a, b).planes for a, b in zip(pictures, renderer.render(window), strict=True)]


def same(a: list[Any], b: list[Any]) -> bool:
    return len(a) == len(b) and all(
        np.array_equal(x, y) for these, those in zip(a, b, strict=True) for x, y in zip(these, those, strict=True)
    )


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_any_number_of_threads_gives_the_bits_of_one_stage_after_the_other(
    persona: Persona, speech: F32, workers: int
) -> None:
    with one_blas_thread():  # as speaking does by itself: more threads add up in another order
        expected = one_after_the_other(persona, speech, persona.renderer())
    assert same(planes(persona, speech, workers=workers), expected)


def test_pictures_shown_twice_are_not_written_to(persona: Persona, speech: F32) -> None:
    """A template of six frames, which goes back and forth and rests at its turns, with a renderer that sees it."""
    persona.renderers["square"] = Square()
    try:
        short = persona.template.part(30, 36)
        shown = planes(persona, speech, renderer="square", template=short, workers=3)
        assert same(shown, one_after_the_other(persona, speech, Square(), short))
        assert len(np.unique([p[0][310, 220] for p in shown])) > 3
    finally:
        del persona.renderers["square"]


def test_a_renderer_that_cannot_be_divided_is_run_in_one_thread(persona: Persona, speech: F32) -> None:
    own = persona.renderer()
    assert isinstance(own, MemoryRenderer)
    persona.renderers["whole"] = Whole(own)
    try:
        assert same(planes(persona, speech, renderer="whole", workers=4), planes(persona, speech, workers=1))
    finally:
        del persona.renderers["whole"]


def broken(*args: Any, **kwargs: Any) -> Any:
    raise RuntimeError("broken")


def interrupted(*args: Any, **kwargs: Any) -> Any:
    raise KeyboardInterrupt


def broken_pictures(self: Synthesis) -> Iterator[Picture]:
    yield from islice(self.template.store.pictures(), 5)
    raise RuntimeError("broken")


STAGES: list[tuple[Any, str, Callable[..., Any]]] = [
    (Synthesis, "pictures", broken_pictures),
    (Synthesis, "_targets", broken),
    (MemoryRenderer, "_patch", broken),
    (drawing, "paste", broken),
    (VideoWriter, "write", broken),
    (MemoryRenderer, "_patch", interrupted),
    (VideoWriter, "write", interrupted),
]


@pytest.mark.parametrize(("where", "name", "fault"), STAGES, ids=lambda x: getattr(x, "__name__", None) or str(x))
def test_a_stage_that_fails_ends_all_others(
    persona: Persona,
    speech: F32,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    where: Any,
    name: str,
    fault: Callable[..., Any],
) -> None:
    before = set(threading.enumerate())
    monkeypatch.setattr(where, name, fault)
    error = KeyboardInterrupt if fault is interrupted else RuntimeError
    with pytest.raises(error):
        persona.speak(speech, workers=2).write(tmp_path / "out.mp4")
    assert not begun(before)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("renderer", [None, "whole"])
def test_who_stops_early_leaves_no_thread(persona: Persona, speech: F32, renderer: str | None) -> None:
    before = set(threading.enumerate())
    own = persona.renderer()
    assert isinstance(own, MemoryRenderer)
    persona.renderers["whole"] = Whole(own)
    try:
        frames = iter(persona.speak(speech, renderer=renderer, workers=2))
        next(frames)
        assert begun(before)
        frames.close()  # type: ignore[attr-defined]
        assert not begun(before)
        iter(persona.speak(speech))
        assert not begun(before), "nothing runs before the first frame is asked for"
    finally:
        del persona.renderers["whole"]


def test_the_profile_names_stages_and_queues(persona: Persona, speech: F32, tmp_path: Path) -> None:
    speaking = persona.speak(speech[:6400])
    speaking.write(tmp_path / "out.mp4")
    cpu, waits = speaking.profile(), speaking.waits()
    assert set(cpu) == {"decode", "motion", "render", "sew", "colour", "compose", "encode", "libraries"}
    assert all(ms > 0 for name, ms in cpu.items() if name != "libraries")
    assert {"decoded pictures", "wanted motion", "finished frames", "frames to encode"} <= set(waits)
    assert speaking.profile() == cpu, "what happens afterwards does not count"
