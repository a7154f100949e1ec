"""The real tracker on the bundled presenter: nobody's likeness, exact frames."""

from __future__ import annotations

import json
from fractions import Fraction
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from lipwright.evaluate.protocols import run_cross
from lipwright.evaluate.source import Clip, scan
from lipwright.evaluate.video import evaluate
from lipwright.media.audio import read_audio
from lipwright.media.video import VideoReader
from lipwright.media.writer import VideoWriter
from lipwright.metrics.lips import Phone
from lipwright.subject.sync import estimate_offset

PRESENTER = Path(str(files("lipwright") / "assets" / "presenter.mp4"))
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not PRESENTER.is_file(), reason="the presenter is not part of this checkout"),
]


def test_the_presenter_against_itself_and_its_sound() -> None:
    clip = Clip(PRESENTER, Fraction(1), Fraction(7))
    result = evaluate(clip, clip)
    assert result["mouth.psnr"].video == 100
    assert result["landmarks.lmd"].video == 0
    assert result["lips.correlation"].video == pytest.approx(1)
    assert result["time.no_face"].video == 0
    assert (result["lips.correlation"].mean or 9) < 0.6
    assert (result["mouth.psnr"].mean or 99) < 40


def test_cross_tells_the_template_from_the_speech() -> None:
    """A speaker that ignores the audio and plays the template: all leak, no speech."""

    def replay(samples: np.ndarray, template: Path, start: Fraction, end: Fraction, out: Path) -> None:
        reader = VideoReader(template, start_s=start, end_s=end)
        with reader, VideoWriter(out, reader.size, reader.fps, audio=samples) as writer:
            for frame in reader:
                writer.write(frame.rgb8)

    assert len(read_audio(PRESENTER, start_s=Fraction(7), end_s=Fraction(12))) == 80_000
    result = run_cross(replay, PRESENTER, (7, 12), (1, 6))
    assert (result["lips.template_leak"].video or 0) > 0.95
    assert abs(result["lips.correlation"].video or 9) < 0.6


def test_the_sound_is_where_the_presenters_lips_are() -> None:
    seen = scan(Clip(PRESENTER, Fraction(1), Fraction(13)), Fraction(25), (512, 512))
    for by_ms in (-200, -80, 0, 120):
        k = 16 * by_ms
        moved = np.pad(seen.samples, (k, 0)) if k >= 0 else seen.samples[-k:]
        estimate = estimate_offset(seen.track.landmarks_px, moved, seen.fps)
        assert estimate.sure
        assert 1000 * estimate.offset_s == pytest.approx(by_ms, abs=30)


def test_the_presenter_closes_its_lips_on_bilabials() -> None:
    phones = json.loads(PRESENTER.with_name("presenter_phones.json").read_text(encoding="utf-8"))["phones"]
    wanted = [Phone(*p) for p in phones if p[2] < 15]
    result = evaluate(Clip(PRESENTER, end_s=Fraction(15)), transcript=wanted)
    assert (result["speech.closure_rate"].video or 0) > 0.9
    late = [Phone(p.label, p.start_s + 0.5, p.end_s + 0.5) for p in wanted]
    wrong = evaluate(Clip(PRESENTER, end_s=Fraction(15)), transcript=late)
    assert (wrong["speech.closure_rate"].video or 1) < 0.8
