"""Templates and results at any rate: as long as the speech, in step with it, nothing lost of the template."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from lipwright.core.clock import FPS, n_frames
from lipwright.core.contracts import F32, FaceTrack, Frame, Patch, RenderWindow
from lipwright.core.resample import cubic, linear, positions
from lipwright.media.audio import read_audio
from lipwright.media.probe import probe
from lipwright.media.settings import STORE, EncoderSettings
from lipwright.media.video import VideoReader
from lipwright.media.writer import VideoWriter
from lipwright.persona.template import Template
from lipwright.subject.store import Subject
from lipwright.synthesis.pipeline import Synthesis
from lipwright.synthesis.setup import Setup
from lipwright.synthesis.speaker import Persona
from lipwright.synthesis.voice import voice_of_samples

NTSC = [Fraction(24_000, 1001), Fraction(30_000, 1001), Fraction(60_000, 1001)]
RATES = [*NTSC, Fraction(24), Fraction(25), Fraction(30), Fraction(50), Fraction(60)]
QUICK = EncoderSettings(preset="ultrafast")


@pytest.fixture(scope="module")
def at_rate(subject: Subject, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Template]:
    """`at_rate(fps, pix_fmt)` is the start of the presenter filmed at that rate (nearest frames, curves between)."""
    folder = tmp_path_factory.mktemp("rates")

    def make(fps: Fraction, pix_fmt: str = "yuv420p", seconds: int = 2) -> Template:
        path, n = folder / f"{float(fps):.3f}-{pix_fmt}-{seconds}.mp4", round(seconds * fps)
        rows, share = positions(0, n, fps, FPS)
        if not path.exists():
            pictures = list(subject.frames.read(0, int(rows[-1]) + 1))
            with VideoWriter(path, subject.size, fps, replace(STORE, pix_fmt=pix_fmt, preset="ultrafast")) as writer:
                for r in rows:
                    writer.write(pictures[int(r)])
        t = subject.track
        points, pose = cubic(t.landmarks_px, rows, share), linear(t.pose_rad, rows, share)
        return Template(path, FaceTrack(points, t.dense_px[:n, :0], np.ones(n, np.float32), pose, t.size))

    return make


@pytest.mark.parametrize("fps", RATES)
def test_the_result_has_the_templates_rate_and_the_speechs_length(
    persona: Persona, subject: Subject, at_rate: Callable[..., Template], tmp_path: Path, fps: Fraction
) -> None:
    speech = subject.samples[: 16_000 + 777]
    out = persona.speak(speech, template=at_rate(fps)).write(tmp_path / "out.mp4", QUICK)
    info = probe(out)
    assert info.video is not None
    assert info.video.fps == fps
    with VideoReader(out) as reader:
        frames = sum(1 for _ in reader)
    assert frames == n_frames(len(speech), fps)
    assert 0 <= frames / fps - Fraction(len(speech), 16_000) < 1 / fps
    assert abs(len(read_audio(out)) - len(speech)) <= 1024, "an encoder's block at most"


@pytest.mark.parametrize("fps", [*NTSC, Fraction(50)])
def test_the_mouth_is_where_the_motion_model_put_it_at_that_time(
    persona: Persona, subject: Subject, at_rate: Callable[..., Template], fps: Fraction
) -> None:
    """Against the same speech over a 25 fps template, read between its frames; heads are taken out of both."""
    speech = subject.samples[:32_000]

    def mouths(template: Template) -> F32:
        synthesis = Synthesis(Setup(voice_of_samples(speech), template, persona.motion(), persona.renderer()))
        points = synthesis.targets(0, synthesis.n_frames)
        return (points - synthesis.walk.mixed(template.centre_px, 0, synthesis.n_frames)[:, None]) / template.scale_px

    base, other = mouths(at_rate(Fraction(25))), mouths(at_rate(fps))
    aperture, fine = (p[:, 18, 1] - p[:, 14, 1] for p in (base, other))
    time = np.arange(len(fine)) / float(fps)
    errors = {
        shift: float(np.abs(np.interp(time + shift, np.arange(len(aperture)) / 25, aperture) - fine)[10:-10].mean())
        for shift in (-0.02, -0.01, 0.0, 0.01, 0.02)
    }
    assert min(errors, key=lambda s: errors[s]) == 0.0, errors
    assert errors[0.0] < 0.1 * np.ptp(aperture)


def test_another_rate_on_request(persona: Persona, subject: Subject, at_rate: Callable[..., Template]) -> None:
    speaking = persona.speak(subject.samples[:16_000], template=at_rate(Fraction(50)), fps="29.97")
    frames = list(speaking)
    assert speaking.fps == NTSC[1]
    assert len(frames) == 30
    shown = [f.template_index for f in frames]
    assert np.abs(np.diff(shown) - 50 / 29.97).max() < 1
    assert shown[15] == pytest.approx(15 * 50 / 29.97, abs=1)


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv422p10le", "yuv444p"])
def test_what_is_outside_the_mask_is_the_template_in_its_own_planes(
    persona: Persona, subject: Subject, at_rate: Callable[..., Template], pix_fmt: str
) -> None:
    template = at_rate(Fraction(25), pix_fmt)
    assert template.store.pix_fmt == pix_fmt
    boxes = persona.renderer().footprint(template.track)  # type: ignore[attr-defined]
    frames: list[Frame] = list(persona.speak(subject.samples[:3200], template=template))
    for frame, own, (x0, y0, x1, y1) in zip(frames, template.store.pictures(), boxes, strict=False):
        for k, (made, before) in enumerate(zip(frame.picture.planes, own.planes, strict=True)):  # type: ignore[attr-defined]
            right, down = (made.shape[1] < frame.rgb8.shape[1], made.shape[0] < frame.rgb8.shape[0]) if k else (0, 0)
            outside = np.ones(made.shape, bool)
            outside[y0 >> down : -(-y1 >> down), x0 >> right : -(-x1 >> right)] = False
            assert np.array_equal(made[outside], before[outside])
            assert np.any(made != before)
        assert np.array_equal(frame.rgb8[y1 + 2 :], own.rgb8()[y1 + 2 :])


def test_renderers_get_the_whole_frame_unless_they_say_what_they_read(persona: Persona, subject: Subject) -> None:
    class Whole:
        accepts, lookahead = "landmarks", 0
        seen: list[np.ndarray] = []  # noqa: RUF012

        def reset(self) -> None: ...

        def render(self, window: RenderWindow):  # type: ignore[no-untyped-def]
            for frame in window.frames:
                self.seen.append(frame)
                yield Patch(frame[:4, :4], np.zeros((4, 4), np.float32), np.eye(2, 3, dtype=np.float32))

    persona.renderers["whole"] = Whole()
    try:
        frames = list(persona.speak(subject.samples[:1280], renderer="whole"))
    finally:
        del persona.renderers["whole"]
    for frame, seen in zip(frames, Whole.seen, strict=True):
        assert np.array_equal(seen, frame.rgb8)


def test_speech_later_by_some_samples_moves_the_mouth_as_much_later(persona: Persona, subject: Subject) -> None:
    """By less than a frame: 256 samples are 16 ms, four tenths of one."""
    speech, delay = subject.samples[: 16_000 * 6], 256
    late = np.concatenate([np.zeros(delay, np.float32), speech])
    track = subject.track
    held = [np.repeat(a[:1], 250, 0) for a in (track.landmarks_px, track.dense_px, track.confidence, track.pose_rad)]
    still = Template(subject.path / "frames.mp4", FaceTrack(*held, track.size))
    apertures = []
    for samples in (speech, late):
        synthesis = Synthesis(Setup(voice_of_samples(samples), still, persona.motion(), persona.renderer()))
        points = synthesis.targets(0, 150)
        apertures.append(points[:, 18, 1] - points[:, 14, 1])
    time = np.arange(10, 140)
    shifts = np.arange(-1.0, 2.01, 0.05)
    errors = [np.abs(np.interp(time - s, np.arange(150), apertures[0]) - apertures[1][10:140]).mean() for s in shifts]
    assert shifts[int(np.argmin(errors))] == pytest.approx(delay / 640, abs=0.15)
