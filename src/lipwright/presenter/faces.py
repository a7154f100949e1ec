"""Talking faces of people who do not exist: many identities and voices, to train a teacher on and to score it by."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lipwright.core.clock import SAMPLE_RATE
from lipwright.core.config import config_key
from lipwright.core.errors import ConfigError
from lipwright.core.files import make_folder
from lipwright.core.progress import Progress, track
from lipwright.face.ict import IctModel
from lipwright.presenter.look import look_of
from lipwright.presenter.motion import MotionConfig
from lipwright.presenter.render import PresenterRenderer, RenderConfig
from lipwright.presenter.rig import build_rig, identity_coefficients
from lipwright.presenter.scene import cut, perform
from lipwright.recipes.teacher.footage import faces_of
from lipwright.recipes.teacher.speech import HELD_OUT, VOICES, SyntheticVoices
from lipwright.render.teacher.data import TalkingFace
from lipwright.speech.tts import Speech

_FIRST, _FIRST_HELD_OUT = 2000, 8000
_SIZE = 256


@dataclass(frozen=True)
class RenderedFaces:
    """What to render; ConfigError for values out of range."""

    identities: int = 24
    """To learn from, each with a voice of its own."""
    held_out: int = 4
    """Other identities with voices that are never learnt from."""
    seconds: float = 8.0
    """Of each."""

    def __post_init__(self) -> None:
        for name, value, low, high in (
            ("identities", self.identities, 1, 6000), ("held out", self.held_out, 1, 1000),
            ("seconds", self.seconds, 1, 60),
        ):  # fmt: skip
            if not low <= value <= high:
                raise ConfigError(f"{value:g} {name} is outside [{low}, {high}]; choose a value inside")


def rendered_faces(
    model: IctModel, wanted: RenderedFaces, folder: Path, progress: Progress
) -> tuple[list[TalkingFace], list[TalkingFace]]:
    """(to learn from, held out); rendered where `folder` lacks them, so that an interrupted run goes on."""
    make_folder(folder)
    learnt = [(_FIRST + i, SyntheticVoices(1, VOICES, None), i) for i in range(wanted.identities)]
    judged = [(_FIRST_HELD_OUT + i, SyntheticVoices(2, HELD_OUT, None), i) for i in range(wanted.held_out)]
    found = []
    for seed, voices, index in track(learnt + judged, progress, "rendering faces", len(learnt) + len(judged)):
        path = folder / f"{seed}-{config_key([voices.key, wanted.seconds])}.npz"
        if not path.is_file():
            _rendered(model, seed, voices, index, wanted.seconds).save(path)
        found.append(TalkingFace.load(path))
    return found[: len(learnt)], found[len(learnt) :]


def _rendered(model: IctModel, seed: int, voices: SyntheticVoices, index: int, seconds: float) -> TalkingFace:
    rng, rig = np.random.default_rng([seed, 43]), build_rig(model, identity_coefficients(seed))
    said = voices(index)
    speech = Speech(said.samples, SAMPLE_RATE, tuple(said.phones or ()))  # type: ignore[arg-type]
    speech = cut(speech, 0, min(round(25 * seconds), len(said.samples) // 640))
    turn = MotionConfig(yaw_deg=float(rng.uniform(4, 18)), pitch_deg=float(rng.uniform(3, 8)))
    p = perform(rig, speech, seed=seed, config=turn, size=_SIZE)
    drawn = PresenterRenderer(model, rig, look_of(seed), RenderConfig(size=_SIZE, supersample=1, seed=seed))
    m = p.motion
    frames = (drawn.frame(p.weights[f], m.gaze_rad[f], m.pose_rad[f], m.shift_cm[f], f) for f in range(len(p)))
    return TalkingFace(faces_of(frames, p.landmarks_px, (_SIZE, _SIZE)), speech.samples)
