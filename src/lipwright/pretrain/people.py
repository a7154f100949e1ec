"""Rendered people who speak, prepared and packed for training: made once and kept in a folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lipwright.core.progress import Progress, Silent
from lipwright.face.ict import IctModel
from lipwright.presenter.make import Job, make
from lipwright.presenter.sentences import text_lasting
from lipwright.recipes.neural_face import face_data, fitted
from lipwright.recipes.teacher.speech import VOICES
from lipwright.render.neural_face.config import NeuralFaceConfig
from lipwright.render.neural_face.packed import save_packed
from lipwright.subject.prepare import prepare
from lipwright.subject.store import Subject
from lipwright.train.run import Run

FIRST, FIRST_HELD_OUT = 2000, 9100
"""Numbers of the first person to learn from and of the first to be judged by: never the presenter's, nor those of
benchmarks."""
_VOICES = [voice for voice in VOICES if voice[2].startswith("en")]
"""They read English sentences."""
_TURNS_DEG = (10.0, 16.0, 24.0)
"""Largest turns of the head, in turn."""


@dataclass(frozen=True)
class Filmed:
    """How long and large people are rendered."""

    seconds: float = 12.0
    """About as long each speaks."""
    size: int = 512
    """Pixels of the square picture."""


def packed_person(
    model: IctModel,
    person: int,
    filmed: Filmed,
    config: NeuralFaceConfig,
    folder: Path,
    progress: Progress | None = None,
) -> Path:
    """The packed file of one person, made where the folder lacks it: rendered, prepared, fitted, cut and drawn.

    Args: `person` is the seed of face, look, voice, words and head motion; `config` is what is packed for.
    """
    place = folder / f"{person}-{filmed.size}-{filmed.seconds:g}s"
    packed = place / f"{config.size}.packed.safetensors"
    if packed.is_file():
        return packed
    progress, footage, subject = progress or Silent(), place / "footage.mp4", place / "person.subject"
    place.mkdir(parents=True, exist_ok=True)
    if not footage.is_file():
        engine, voice, language = _VOICES[person % len(_VOICES)]
        text = text_lasting(np.random.default_rng(person), filmed.seconds)
        turn = _TURNS_DEG[person % len(_TURNS_DEG)]
        job = Job(text, footage, person, engine, voice, language, size=filmed.size, yaw_deg=turn, seed=person, crf=18)
        make(model, job, progress)
    prepared = Subject.open(subject) if subject.is_dir() else prepare(footage, subject, progress=progress)
    fit = fitted(prepared, Run(place, person, "cpu", True, progress))
    save_packed(packed, face_data(prepared, fit, config, progress), config)
    return packed
