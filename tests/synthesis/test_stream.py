"""Live: any pieces of sound give the frames of the file, idling in between, quiet when told to be."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest
from tests.begun import begun

from lipwright.core.contracts import F32, Patch, RenderWindow
from lipwright.core.errors import ConfigError, ShapeError, SpeechError
from lipwright.core.ibug import INNER_BOTTOM, INNER_TOP, MOUTH_JAW
from lipwright.subject.store import Subject
from lipwright.synthesis.speaker import Persona
from lipwright.synthesis.stream import Stream, StreamFrame
from lipwright.synthesis.timeline import Timeline

LOOKAHEAD = 0.56
TOP, BOTTOM = ([MOUTH_JAW.index(i) for i in line] for line in (INNER_TOP, INNER_BOTTOM))


class Quick:
    """Draws nothing: what is wanted can be seen in the frames."""

    accepts, lookahead, independent = "landmarks", 2, True

    def reset(self) -> None:
        pass

    def render(self, window: RenderWindow) -> Iterator[Patch]:
        for _ in window.frames:
            yield Patch(np.zeros((9, 9, 3), np.uint8), np.zeros((9, 9), np.float32), np.eye(2, 3, dtype=np.float32))


@dataclass
class Clock:
    """Time as the test wants it."""

    now: float = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def speech(subject: Subject) -> F32:
    """Not a whole number of frames."""
    return subject.samples[16_000 : 16_000 + 22 * 640 + 111]


@pytest.fixture
def quick(persona: Persona) -> Iterator[Persona]:
    persona.renderers["quick"] = Quick()
    yield persona
    del persona.renderers["quick"]


def pieces(samples: F32, seed: int) -> Iterator[F32]:
    rng = np.random.default_rng(seed)
    while len(samples):
        n = int(rng.choice([1, 7, 160, 333, 640, 2000, 9000]))
        yield samples[:n]
        samples = samples[n:]


def all_of(stream: Stream, parts: Iterator[F32]) -> list[StreamFrame]:
    out = []
    for part in parts:
        stream.push(part)
        out += stream.ready()
    stream.finish()
    out += stream.ready()
    assert stream.done
    assert stream.pull() is None
    return out


def apertures(frames: list[StreamFrame]) -> np.ndarray:
    points = np.stack([f.frame.target_px for f in frames])  # type: ignore[arg-type]
    return np.asarray((points[:, BOTTOM, 1] - points[:, TOP, 1]).mean(1))


def test_any_pieces_give_the_frames_of_the_file(persona: Persona, speech: F32) -> None:
    wanted = list(persona.speak(speech, lookahead_s=LOOKAHEAD))
    before = set(threading.enumerate())
    with persona.stream(lookahead_s=LOOKAHEAD, clock=None) as stream:
        shown = all_of(stream, pieces(speech, 1))
    assert not begun(before)
    assert len(shown) == len(wanted) == 23
    for a, b in zip(shown, wanted, strict=True):
        assert (a.pts, a.frame.template_index) == (b.pts, b.template_index)
        for x, y in zip(a.frame.picture.planes, b.picture.planes, strict=True):  # type: ignore[attr-defined]
            np.testing.assert_array_equal(x, y)
    np.testing.assert_array_equal(np.concatenate([f.sound for f in shown])[: len(speech)], speech)


@pytest.mark.parametrize("fps", [25, "29.97"])
def test_what_is_wanted_is_that_of_the_file_at_any_rate_and_cut(quick: Persona, speech: F32, fps: object) -> None:
    wanted = quick.speak(speech, lookahead_s=LOOKAHEAD, renderer="quick", fps=fps).targets()  # type: ignore[arg-type]
    for seed in (2, 3):
        stream = quick.stream(lookahead_s=LOOKAHEAD, renderer="quick", clock=None, fps=fps)  # type: ignore[arg-type]
        with stream:
            shown = all_of(stream, pieces(speech, seed))
        np.testing.assert_array_equal(np.stack([f.frame.target_px for f in shown]), wanted)  # type: ignore[arg-type]
        assert [f.pts for f in shown] == [t / stream.fps for t in range(len(wanted))]


def test_a_frame_waits_for_its_look_ahead_and_no_longer(quick: Persona, speech: F32) -> None:
    with quick.stream(lookahead_s=LOOKAHEAD, renderer="quick", clock=None) as stream:
        first = round(LOOKAHEAD * 16_000)
        stream.push(speech[: first - 1281])
        assert stream.pull() is None
        stream.push(speech[first - 1281 : first])
        assert stream.pull() is not None
        assert stream.waiting_s == pytest.approx(first / 16_000 - 1 / 25)
        assert len(list(stream.ready())) <= 1


def test_it_idles_while_nothing_comes_and_late_sound_is_shown_later(quick: Persona, speech: F32) -> None:
    clock = Clock()
    with quick.stream(lookahead_s=LOOKAHEAD, renderer="quick", clock=clock, patience_s=0.1) as stream:
        assert stream.pull() is None
        clock.now += LOOKAHEAD + 0.1 - 0.001
        assert stream.pull() is None, "sound may be a little late"
        clock.now += 0.002
        idle = list(stream.ready())
        assert len(idle) == 1
        clock.now += 10 / 25
        idle += stream.ready()
        assert len(idle) == 11
        assert all(f.idle and not f.sound.any() for f in idle)
        assert len({f.frame.template_index for f in idle}) == 11, "the head moves on"
        half = len(speech) // 2
        stream.push(speech[:half])
        clock.now += 1.2  # the second half is late: longer than the first half lasts
        shown = list(stream.ready())
        stream.push(speech[half:])
        clock.now += 3
        shown += stream.ready()
    sound = np.concatenate([f.sound for f in shown])
    where = np.flatnonzero(sound)
    for part in (speech[:half], speech[half:]):
        loud = part[np.flatnonzero(part)[0] : np.flatnonzero(part)[-1] + 1]
        starts = [k for k in where if np.array_equal(sound[k : k + len(loud)], loud)]
        assert len(starts) == 1, "nothing is lost and nothing comes twice"
    assert [f.pts for f in shown] == [t / stream.fps for t in range(11, 11 + len(shown))]
    assert shown[-1].idle
    assert not all(f.idle for f in shown)
    rest = apertures(idle)
    np.testing.assert_allclose(apertures(shown[-5:]), rest.mean(), atol=0.15 * np.ptp(apertures(shown)) + np.ptp(rest))


def test_interrupted_it_is_quiet_at_once_and_eases_to_rest(quick: Persona, subject: Subject) -> None:
    talk = subject.samples[16_000:48_000]
    with quick.stream(lookahead_s=LOOKAHEAD, renderer="quick", clock=None) as stream:
        stream.push(talk)
        said = [stream.pull() for _ in range(15)]
        stream.interrupt()
        assert stream.waiting_s == 0
        assert stream.pull() is None, "nothing waits to be shown"
        stream.push(np.zeros(32_000, np.float32))
        quiet = list(stream.ready())
    spoken = apertures([f for f in said if f is not None])
    after = apertures(quiet)
    assert not np.concatenate([f.sound for f in quiet]).any()
    with quick.stream(lookahead_s=LOOKAHEAD, renderer="quick", clock=None) as other:
        other.push(np.zeros(48_000, np.float32))
        rest = apertures(list(other.ready()))[15 : 15 + len(after)]
    np.testing.assert_allclose(after[20:], rest[20:], atol=0.2)
    step = np.abs(np.diff(np.concatenate([spoken[-1:], after])))
    assert step[0] <= np.abs(np.diff(spoken)).max(), "no jump"


def test_speech_after_an_interruption_follows_at_once(persona: Persona, speech: F32) -> None:
    """With the memory, which plans ahead: its path goes on from the mouth that is shown."""
    with persona.stream(lookahead_s=LOOKAHEAD, clock=None) as stream:
        stream.push(speech)
        assert [stream.pull() is not None for _ in range(4)] == [True] * 4
        stream.interrupt()
        stream.push(speech)
        shown = [stream.pull() for _ in range(4)]
    sound = np.concatenate([f.sound for f in shown if f is not None])
    np.testing.assert_array_equal(sound, speech[: len(sound)])
    assert [f.pts for f in shown if f is not None] == [t / stream.fps for t in range(4, 8)]


def test_int16_bytes_and_other_rates(quick: Persona, speech: F32) -> None:
    pcm = (speech * 32767).astype(np.int16)
    found = []
    for given in (pcm, pcm.tobytes()):
        with quick.stream(lookahead_s=LOOKAHEAD, renderer="quick", clock=None) as stream:
            stream.push(given)
            stream.finish()
            found.append(np.concatenate([f.sound for f in stream.ready()])[: len(pcm)])
    np.testing.assert_array_equal(found[0], pcm.astype(np.float32) / 32768)
    np.testing.assert_array_equal(found[0], found[1])
    with quick.stream(lookahead_s=LOOKAHEAD, renderer="quick", clock=None, sample_rate=48_000) as stream:
        stream.push(np.repeat(speech, 3)[: 48_000 // 5])
        stream.finish()
        assert len(list(stream.ready())) == 5


def test_a_finished_stream_ends_with_the_sound(quick: Persona) -> None:
    with quick.stream(renderer="quick", clock=None) as stream:
        stream.finish()
        assert stream.done
        assert stream.pull() is None
        with pytest.raises(SpeechError, match="was finished"):
            stream.push(np.zeros(3, np.float32))


def test_what_cannot_be_pushed_or_streamed(quick: Persona, speech: F32) -> None:
    with quick.stream(renderer="quick", clock=None) as stream:
        with pytest.raises(ShapeError):
            stream.push(np.zeros((5, 2), np.float32))
        with pytest.raises(SpeechError, match="int32"):
            stream.push(np.zeros(5, np.int32))  # type: ignore[arg-type]
        with pytest.raises(SpeechError, match="not a number"):
            stream.push(np.full(5, np.nan, np.float32))
    with pytest.raises(ConfigError, match=r"0.1 s is too short: this persona needs 0.28 s"):
        quick.stream(lookahead_s=0.1, renderer="quick")
    with pytest.raises(ConfigError, match="neither replay"):
        quick.speak(speech, lookahead_s=1, replay=True)


def test_a_time_line_keeps_what_it_must() -> None:
    line = Timeline(keep=10)
    line.push(np.arange(1, 8, dtype=np.float32))
    assert (line.placed, line.waiting) == (0, 7)
    line.place(3)
    line.place(5)
    line.silence(5)
    assert (line.placed, line.waiting, line.spoken) == (5, 2, 5)
    np.testing.assert_array_equal(line.read(-2, 7), [0, 0, 1, 2, 3, 4, 5, 0, 0])
    line.place(9)
    line.silence(9)
    np.testing.assert_array_equal(line.read(4, 9), [5, 6, 7, 0, 0])
    line.push(np.ones(4, np.float32))
    line.cut(6)
    assert (line.placed, line.waiting, line.spoken) == (6, 0, 6)
    line.silence(100)
    np.testing.assert_array_equal(line.read(90, 101), np.zeros(11))
    assert len(line._held) <= 15
