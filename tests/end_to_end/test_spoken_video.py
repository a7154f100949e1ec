"""The whole way with the real tracker: footage, persona, speech, a file, and what can be seen and heard in it."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from lipwright.core.contracts import F32, U8, FaceTrack
from lipwright.core.ibug import INNER_BOTTOM, INNER_TOP, MOUTH_JAW, lip_aperture
from lipwright.face.track import TrackBuilder
from lipwright.face.tracker import TRACKERS
from lipwright.media.audio import read_audio
from lipwright.speech.tts import synthesise
from lipwright.subject.sync import estimate_offset
from lipwright.synthesis.speaker import Persona

pytestmark = pytest.mark.slow
SPEECH_S, SILENCE_S = 7, 1


@dataclass(frozen=True)
class Spoken:
    path: Path
    asked: F32
    samples: F32
    frames: list[U8]
    track: FaceTrack


def track_of(frames: list[U8]) -> FaceTrack:
    tracker = TRACKERS.get("mediapipe")(max_faces=1)
    builder = TrackBuilder((frames[0].shape[1], frames[0].shape[0]))
    for frame in frames:
        builder.add(tracker.detect(frame))
    tracker.close()
    return builder.finish()[0]


def decoded(path: Path) -> list[U8]:
    with av.open(str(path)) as container:
        return [f.to_ndarray(format="rgb24") for f in container.decode(video=0)]


@pytest.fixture(scope="module")
def spoken(persona: Persona, presenter: Path, tmp_path_factory: pytest.TempPathFactory) -> Spoken:
    """Seconds 20 to 27 of the presenter's voice, which the persona never heard, and a second of silence."""
    voice = read_audio(presenter, 16_000, Fraction(20), Fraction(20 + SPEECH_S))
    samples = np.concatenate([voice, np.zeros(16_000 * SILENCE_S, np.float32)])
    speaking = persona.speak(samples)
    path = speaking.write(tmp_path_factory.mktemp("spoken") / "out.mp4")
    frames = decoded(path)
    return Spoken(path, speaking.targets(), samples, frames, track_of(frames))


def asked_aperture(points: F32) -> np.ndarray:
    top, bottom = ([MOUTH_JAW.index(i) for i in side] for side in (INNER_TOP, INNER_BOTTOM))
    return np.linalg.norm(points[:, top] - points[:, bottom], axis=-1).mean(1)


def test_picture_and_sound_are_as_long_as_the_speech(spoken: Spoken) -> None:
    with av.open(str(spoken.path)) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        assert video.average_rate == 25
        assert (video.width, video.height) == (512, 512)
        assert video.pix_fmt == "yuv420p"
        stamps = [f.pts * f.time_base for f in container.decode(video=0)]
        container.seek(0)
        heard = sum(f.samples for f in container.decode(audio=0)) / audio.rate
    length = SPEECH_S + SILENCE_S
    assert stamps == [Fraction(t, 25) for t in range(25 * length)]
    assert heard == pytest.approx(length, abs=1 / 25)
    sound = read_audio(spoken.path, 16_000)
    assert np.corrcoef(sound[: 16_000 * SPEECH_S], spoken.samples[: 16_000 * SPEECH_S])[0, 1] > 0.95


def test_the_face_is_found_in_every_frame(spoken: Spoken) -> None:
    assert len(spoken.track) == 200
    assert spoken.track.present.all()


def test_the_lips_do_what_was_asked(spoken: Spoken) -> None:
    seen, asked = lip_aperture(spoken.track.landmarks_px), asked_aperture(spoken.asked)
    assert np.corrcoef(seen, asked)[0, 1] > 0.8
    assert 0.6 < seen.std() / asked.std() < 1.6


def test_the_mouth_rests_in_silence(spoken: Spoken) -> None:
    seen = lip_aperture(spoken.track.landmarks_px)
    still, moving = seen[-20:], seen[: 25 * SPEECH_S]
    assert still.std() < 0.25 * moving.std()
    assert still.mean() < np.quantile(moving, 0.5)


def test_sound_and_picture_are_in_sync(spoken: Spoken) -> None:
    """By the asked landmarks, and by the tracked ones, as far as the estimate is sure."""
    for mouth in (asked_aperture(spoken.asked), spoken.track.landmarks_px):
        estimate = estimate_offset(mouth, spoken.samples, 25)
        assert not estimate.sure or abs(estimate.offset_s) < 0.08
    # A lag of the picture behind what was asked would not show in a short speech's estimate: measure it itself.
    seen, asked = lip_aperture(spoken.track.landmarks_px), asked_aperture(spoken.asked)
    fits = {lag: np.corrcoef(seen[5 + lag : 195 + lag], asked[5:195])[0, 1] for lag in range(-4, 5)}
    assert max(fits, key=lambda lag: fits[lag]) == 0


def test_nothing_but_the_lower_face_changes(spoken: Spoken, persona: Persona) -> None:
    own = persona.template.store.frame(persona.template.first + 50)
    top = int(persona.template.track.landmarks_px[50, 30, 1]) - 30
    difference = np.abs(spoken.frames[50][:top].astype(int) - own[:top])
    assert difference.mean() < 2, "only the encoder's loss above the nose"


def test_text_is_spoken(persona: Persona, tmp_path: Path) -> None:
    from lipwright.core.errors import DependencyError

    try:
        expected = synthesise("Bob met my mother.", engine="auto", voice=None, language="en")
    except DependencyError:
        pytest.skip("no text-to-speech program on this machine")
    path = persona.speak(text="Bob met my mother.").write(tmp_path / "text.mp4")
    length = len(expected.samples) / expected.sample_rate
    frames = decoded(path)
    assert len(frames) == pytest.approx(25 * length, abs=1)
    track = track_of(frames)
    assert track.present.all()
    assert lip_aperture(track.landmarks_px).std() > 0.5
