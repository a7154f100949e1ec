"""What the stages of `meta-talk` need of a subject: its fitted face, pairs of speech and expression, pictures."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lipwright.core.clock import FPS
from lipwright.core.contracts import MotionModel
from lipwright.core.errors import CheckpointError, ConfigError
from lipwright.core.progress import Progress
from lipwright.core.resample import linear, positions
from lipwright.face.morphable import store
from lipwright.face.morphable.fit import Fit
from lipwright.motion.expressed import ExpressedLandmarks
from lipwright.motion.expression_lips import FEATURES
from lipwright.motion.expression_model import ExpressionConfig, ExpressionMotion
from lipwright.motion.expression_pairs import own_pairs
from lipwright.motion.model import CascadeMotion
from lipwright.recipes.expression_pairs import PairsConfig, divided_settings, gathered
from lipwright.recipes.parts import RENDER_FRAMES, motion_data, stretches, watched
from lipwright.render.neural_face.config import NeuralFaceConfig, changed_preset
from lipwright.render.neural_face.geometry import FaceGeometry
from lipwright.render.translation.perceptual import perceptual_distance
from lipwright.subject.face import fit_subject
from lipwright.subject.store import Subject
from lipwright.train.finished import finished
from lipwright.train.loop import Budget, TrainingRecord
from lipwright.train.run import Run
from lipwright.train.speech_expression import fit_expression, with_lips

if TYPE_CHECKING:
    from lipwright.render.neural_face.data import FaceData
    from lipwright.render.neural_face.renderer import NeuralFaceRenderer

FIT_FILE = "face.npz"
"""Where the fit lies while a persona is trained."""
_SAME_CM = 0.01
"""Two fits of the same footage move every point alike to this, for a unit of every coefficient."""
EXPRESSION_SHARE, EXPRESSION_LIMIT_S = 0.1, 300.0
"""Of a time budget, for speech to expression; more than the limit helps it no further."""


@dataclass(frozen=True)
class FacePlan:
    """All settings of one persona's parts."""

    renderer: NeuralFaceConfig
    pairs: PairsConfig = field(default_factory=PairsConfig)
    expression: ExpressionConfig = field(default_factory=ExpressionConfig)
    own_split: str | None = None
    """Split of the footage whose own pairs are learnt from; None: all of it, of which some is held out then."""
    closing: bool = True
    """Whether lips close where phones say so and rest in silence (`motion.expression_lips`); published systems do not
    care."""


class MadeFace(NamedTuple):
    """What the stages made."""

    motion: MotionModel
    """Speech to expression."""
    landmarks: MotionModel
    """Speech to landmarks, with what expressions tell."""
    renderer: NeuralFaceRenderer
    records: dict[str, TrainingRecord]
    """By part."""


def plan_of(preset: str, settings: Mapping[str, str]) -> FacePlan:
    """A preset with some fields, of renderer or pairs, set from text; ConfigError for what is no setting."""
    pairs, others = divided_settings(settings)
    return FacePlan(changed_preset(preset, others), pairs)


def fitted(subject: Subject, run: Run) -> Fit:
    """The subject's face; what an interrupted run fitted is kept."""
    file = run.work / FIT_FILE
    if run.resume and file.is_file():
        try:
            kept = store.load(file)
            if len(kept.coefficients) == len(subject):
                return kept
        except CheckpointError:
            pass  # half of one, of another version: it takes seconds to make again
    run.work.mkdir(parents=True, exist_ok=True)
    fit_subject(subject.path, file, progress=run.progress)
    return store.load(file)


def face_data(subject: Subject, fit: Fit, config: NeuralFaceConfig, progress: Progress) -> FaceData:
    """Pictures and drawings of a subject's frames, of evenly spread seconds where it has very many."""
    from lipwright.render.neural_face.data import FaceData

    chosen = {}
    for name, most in (("train", RENDER_FRAMES), ("validation", RENDER_FRAMES // 10)):
        chosen[name] = stretches(subject.usable(name), most, round(subject.fps))
    frames = np.concatenate([chosen["train"], chosen["validation"]])
    order = np.argsort(frames, kind="stable")
    places = np.argsort(order, kind="stable")
    frames = frames[order]
    keep, track = set(frames.tolist()), subject.track
    return FaceData.from_frames(
        (f for t, f in watched(subject, "drawings", progress) if t in keep),
        _of_frames(fit, frames),
        track.landmarks_px[frames],
        track.pose_rad[frames],
        subject.size,
        config,
        places[: len(chosen["train"])],
        places[len(chosen["train"]) :],
        frames,
    )


def _of_frames(fit: Fit, frames: NDArray[np.int64]) -> Fit:
    return replace(fit, coefficients=fit.coefficients.frames(frames), trusted=fit.trusted[frames])


def fit_renderer(
    config: NeuralFaceConfig, data: FaceData, budget: Budget, run: Run, name: str = "renderer"
) -> tuple[NeuralFaceRenderer, TrainingRecord]:
    """The renderer, on pictures in memory."""
    from lipwright.render.neural_face.task import NeuralFaceTask

    task = NeuralFaceTask(config, data, run.seed, run.device, perceptual_distance(config, run.device))
    record = run.loop(task, budget, name)
    return finished(task, record), record


def train_speech(
    subject: Subject, fit: Fit, plan: FacePlan, motion: MotionModel, limit: Budget, run: Run
) -> tuple[ExpressionMotion, TrainingRecord]:
    """Speech to expression: its pairs, its network, and lips that close; of the whole `limit` it takes its share.

    Args: `motion` is speech to landmarks of the same person (for the teacher).
    """
    pairs, facts = gathered(subject, fit, motion, plan.pairs, plan.expression.feature, limit, run, plan.own_split)
    share = limit
    if limit.seconds is not None:
        share = Budget(seconds=min(limit.seconds * EXPRESSION_SHARE, EXPRESSION_LIMIT_S))
    said, record = fit_expression(pairs, plan.expression, share, run)
    if plan.closing:
        heard = (plan.expression.feature, *FEATURES)
        said = with_lips(said, own_pairs(subject, fit, heard, split=plan.own_split), fit, motion)
    record.about = facts
    return said, record


def told_landmarks(subject: Subject, fit: Fit, motion: CascadeMotion, said: ExpressionMotion) -> ExpressedLandmarks:
    """Speech to landmarks by both: the map from expressions is found on the training frames."""
    clip = motion_data(subject, ()).train[0]
    ratio = FPS / subject.fps
    start = int(subject.split("train").start * ratio)
    rows, share = positions(start, start + len(clip), FPS, subject.fps)
    expression = linear(fit.coefficients.expression, rows, share)
    seen = (clip.weight > 0) & (fit.trusted[rows] > 0)
    return ExpressedLandmarks.fit(motion, said, expression, clip.landmarks, clip.conditions, seen)


def train_neural_face(
    subject: Subject,
    plan: FacePlan,
    motion: CascadeMotion,
    limit: Budget,
    run: Run,
    ready: NeuralFaceRenderer | None = None,
) -> MadeFace:
    """All stages within `limit`; of a renderer that is `ready` only speech to expression is left to train.

    Args: `motion` as in `train_speech`.
    """
    began = time.perf_counter()
    fit = fitted(subject, run)
    if ready is not None:
        check_same_face(ready, subject, fit)
    said, record = train_speech(subject, fit, plan, motion, limit, run)
    records, told = {"expression": record}, told_landmarks(subject, fit, motion, said)
    if ready is not None:
        return MadeFace(said, told, ready, records)
    spent_s = time.perf_counter() - began
    left = Budget(max(limit.seconds - spent_s, limit.seconds / 4) if limit.seconds else None, limit.steps)
    data = face_data(subject, fit, plan.renderer, run.progress)
    renderer, records["renderer"] = fit_renderer(plan.renderer, data, left, run)
    return MadeFace(said, told, renderer, records)


def check_same_face(renderer: NeuralFaceRenderer, subject: Subject, fit: Fit) -> None:
    """ConfigError when a renderer's expressions are not those of a fit: the same numbers would be other mouths."""
    config = renderer.config
    own = FaceGeometry.of(fit, subject.track.landmarks_px, subject.usable("train"), config.size, config.room).moves
    other = renderer.geometry.moves
    if own.shape != other.shape or not np.allclose(own, other, atol=_SAME_CM):
        raise ConfigError("this renderer was trained on another fit of the face; pack this subject and train it again")
