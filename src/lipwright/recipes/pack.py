"""A subject's training data in one file, for training its renderer on another machine."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from lipwright.core.errors import ConfigError
from lipwright.core.progress import Progress, Silent
from lipwright.recipes import crossmodal, neural_face
from lipwright.recipes.base import find
from lipwright.recipes.parts import train_motion, translation_data
from lipwright.subject.store import Subject
from lipwright.train.loop import Budget
from lipwright.train.run import Run

_MOTION_STEPS = 500
"""Of the motion model that says the lips of validation frames; those of training frames are as tracked."""


def pack(
    subject: Subject | str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    recipe: str = "pose-adaptive",
    preset: str = "standard",
    mode: str = "sewn",
    settings: Mapping[str, str] | None = None,
    megabytes: float = 20.0,
    progress: Progress | None = None,
) -> Path:
    """Write pictures, landmarks, pose and geometry of a subject; evenly fewer frames than there are if need be.

    Args as `recipes.train.train`; `megabytes` limits what frames take. Returns the file.
    """
    chosen = find(recipe)
    chosen.check(preset, mode)
    person = subject if isinstance(subject, Subject) else Subject.open(subject)
    told = progress or Silent()
    if chosen.renderer == "translation":
        _pack_translation(person, Path(out), preset, mode, settings or {}, megabytes, told)
    elif chosen.renderer == "crossmodal":
        _pack_crossmodal(person, Path(out), crossmodal.plan_of(preset, mode, settings or {}), megabytes, told)
    elif chosen.renderer == "neural-face":
        _pack_face(person, Path(out), neural_face.plan_of(preset, settings or {}), megabytes, told)
    else:
        raise ConfigError(f"recipe '{recipe}' trains no renderer of its own, so there is nothing to pack")
    return Path(out)


def _pack_translation(
    subject: Subject,
    out: Path,
    preset: str,
    mode: str,
    settings: Mapping[str, str],
    megabytes: float,
    progress: Progress,
) -> None:
    from lipwright.render.translation.config import changed_preset
    from lipwright.render.translation.packed import save_packed, thinned

    config = changed_preset(preset, mode, settings)
    save_packed(out, thinned(translation_data(subject, config, progress), megabytes), config)


def _pack_face(subject: Subject, out: Path, plan: neural_face.FacePlan, megabytes: float, progress: Progress) -> None:
    from lipwright.render.neural_face.packed import save_packed, thinned

    with tempfile.TemporaryDirectory() as folder:
        fit = neural_face.fitted(subject, Run(Path(folder), 0, "cpu", False, progress))
    save_packed(out, thinned(neural_face.face_data(subject, fit, plan.renderer, progress), megabytes), plan.renderer)


def _pack_crossmodal(subject: Subject, out: Path, plan: crossmodal.Plan, megabytes: float, progress: Progress) -> None:
    from lipwright.render.oracle.packed import save_packed, thinned

    if plan.oracle.kind == "memory":
        raise ConfigError("the memory as oracle needs the footage itself; train oracle=memory where the footage is")
    lips = None
    if plan.config.lips:
        with tempfile.TemporaryDirectory() as folder:
            run = Run(Path(folder), 0, "cpu", False, progress)
            motion, _ = train_motion(subject, find("virtual-human"), Budget(steps=_MOTION_STEPS), run)
        lips = crossmodal.spoken_lips(subject, plan.config, motion)
    progress.start("speech features", None)
    windows = crossmodal.heard(subject, plan.config, lips)
    progress.finish()
    data = crossmodal.oracle_data(subject, plan.oracle, progress)
    frames = np.concatenate(crossmodal.chosen_frames(subject))
    save_packed(out, *thinned(data, windows[frames], megabytes), plan.config, plan.oracle)
