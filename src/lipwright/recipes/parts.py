"""The parts of a persona, each from a subject: motion model, appearance memory, trained renderer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from lipwright.core.clock import FPS, round_half_up
from lipwright.core.contracts import U8, Renderer
from lipwright.core.errors import SubjectError
from lipwright.core.progress import Progress
from lipwright.core.resample import cubic, linear, positions
from lipwright.motion.data import MIN_FRAMES, MotionClip, MotionData
from lipwright.motion.model import CascadeMotion
from lipwright.motion.task import MotionTask
from lipwright.recipes.base import Recipe
from lipwright.render.memory.bank import build_bank
from lipwright.render.memory.cover import STRETCH_S, cover
from lipwright.render.memory.renderer import MemoryRenderer
from lipwright.render.region import FaceGeometry
from lipwright.subject.store import Subject
from lipwright.train.finished import finished
from lipwright.train.loop import Budget, TrainingRecord
from lipwright.train.run import Run

if TYPE_CHECKING:
    from torch import Tensor

    from lipwright.render.translation.config import TranslationConfig
    from lipwright.render.translation.data import TranslationData

RENDER_FRAMES = 5000
"""Crops a renderer is trained on at most; evenly spread over longer footage."""


def train_motion(subject: Subject, recipe: Recipe, limit: Budget, run: Run) -> tuple[CascadeMotion, TrainingRecord]:
    """The recipe's motion model, within its share of `limit`."""
    run.progress.start("speech features", None)
    data = motion_data(subject, recipe.motion.heard)
    run.progress.finish()
    budget = limit
    if limit.seconds is not None:
        budget = Budget(seconds=min(limit.seconds * recipe.motion_share, recipe.motion_limit_s))
    task = MotionTask(recipe.motion, data, run.seed, run.device)
    record = run.loop(task, budget, "motion")
    return task.model(), record


def motion_data(subject: Subject, features: tuple[str, ...]) -> MotionData:
    """Training and validation stretches of a subject, at the rate of motion models."""
    track, fps = subject.track, subject.fps
    rows, share = positions(0, round_half_up(len(track) * FPS / fps), FPS, fps)
    good = track.good
    # Between two frames both must be good: a landmark half way to a covered mouth is none.
    whole = good[rows] & (good[np.minimum(rows + 1, len(good) - 1)] | (share == 0))
    clip = MotionClip.from_track(
        cubic(track.landmarks_px, rows, share),
        linear(track.pose_rad, rows, share),
        np.where(whole, track.confidence[rows], 0).astype(np.float32),
        subject.samples,
        features,
    )
    parts = {}
    for name in ("train", "validation"):
        split = subject.split(name)
        start, stop = (min(int(at * FPS / fps), len(clip)) for at in (split.start, split.stop))
        if stop > start:
            parts[name] = clip.part(start, stop)
    seen = int((parts["train"].weight > 0).sum()) if "train" in parts else 0
    if seen < MIN_FRAMES:
        raise SubjectError(
            f"{subject.path} leaves {seen} frames with a face to learn from, {MIN_FRAMES} are needed; "
            "prepare longer footage"
        )
    return MotionData((parts["train"],), (parts["validation"],) if len(parts["validation"]) > 1 else ())


def remember(subject: Subject, mouths: int, progress: Progress) -> MemoryRenderer:
    """The appearance memory of at most `mouths` frames that show the face: of more, those that differ."""
    track = subject.track
    keep = set(cover(track, np.flatnonzero(track.good), mouths, round(STRETCH_S * subject.fps)).tolist())
    bank = build_bank(((t, f) for t, f in watched(subject, "remember", progress) if t in keep), track)
    return MemoryRenderer(bank)


def remember_training(subject: Subject, progress: Progress) -> MemoryRenderer:
    """The appearance memory of the training frames alone, for figures on held-out ones."""
    keep = set(subject.usable("train").tolist())
    geometry = FaceGeometry.fit(subject.track.landmarks_px[np.array(sorted(keep))])
    frames = ((t, frame) for t, frame in watched(subject, "remember", progress) if t in keep)
    return MemoryRenderer(build_bank(frames, subject.track, geometry))


def watched(subject: Subject, task: str, progress: Progress) -> Iterator[tuple[int, U8]]:
    """All frames of a subject with their numbers, told as a stage of its own."""
    progress.start(task, len(subject))
    for t, frame in enumerate(subject.frames.read()):
        yield t, frame
        progress.update(t + 1)
    progress.finish()


def spread(frames: np.ndarray, most: int) -> np.ndarray:
    """At most `most` of the frames, evenly spread, first and last kept."""
    return frames[np.unique(np.linspace(0, len(frames) - 1, min(most, len(frames))).round().astype(int))]


def stretches(frames: np.ndarray, most: int, size: int) -> np.ndarray:
    """At most `most` of the frames in stretches of `size` (a second), evenly spread.

    The memory plays neighbouring mouths on for free; thinned one by one they would have no neighbours.
    """
    if len(frames) <= most:
        return frames
    blocks = len(frames) // size
    kept = np.unique(np.linspace(0, blocks - 1, max(most // size, 1)).round().astype(int))
    return frames[(kept[:, None] * size + np.arange(size)).ravel()]


def translation_data(subject: Subject, config: TranslationConfig, progress: Progress) -> TranslationData:
    """Crops of evenly spread frames, or of evenly spread seconds where the renderer learns from neighbours."""
    from lipwright.render.translation.data import TranslationData

    chosen = {}
    for name, most in (("train", RENDER_FRAMES), ("validation", RENDER_FRAMES // 10)):
        usable = subject.usable(name)
        single = config.sample_frames == 1
        chosen[name] = spread(usable, most) if single else stretches(usable, most, round(subject.fps))
    frames = np.concatenate([chosen["train"], chosen["validation"]])
    keep, track = set(frames.tolist()), subject.track
    return TranslationData.from_frames(
        (f for t, f in watched(subject, "crops", progress) if t in keep),
        track.landmarks_px[frames],
        track.pose_rad[frames],
        config,
        np.arange(len(chosen["train"])),
        np.arange(len(chosen["train"]), len(frames)),
        frames,
    )


def fit_translation(
    config: TranslationConfig,
    data: TranslationData,
    budget: Budget,
    run: Run,
    name: str = "renderer",
    start: Mapping[str, Tensor] | None = None,
) -> tuple[Renderer, TrainingRecord]:
    """A translation renderer of any configuration; `start` are weights it begins with (`initial_weights`)."""
    from lipwright.render.translation.perceptual import perceptual_distance
    from lipwright.render.translation.task import TranslationTask

    perceptual = perceptual_distance(config, run.device)
    task = TranslationTask(config, data, run.seed, run.device, perceptual, start)
    record = run.loop(task, budget, name)
    return finished(task, record), record
