"""Subject to Persona: the recipe's motion model, its renderer, the appearance memory, a template."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from lipwright import __version__
from lipwright.core.clock import FPS
from lipwright.core.contracts import U8, Renderer, check_pairing
from lipwright.core.errors import ConfigError, DependencyError, SubjectError
from lipwright.core.progress import Progress, Silent
from lipwright.face.smooth import runs
from lipwright.motion.data import MIN_FRAMES, MotionClip, MotionData
from lipwright.motion.model import CascadeMotion
from lipwright.motion.task import MotionTask
from lipwright.persona.bundle import CONSENT, check_place
from lipwright.persona.template import Template
from lipwright.recipes.base import Recipe, find
from lipwright.render.memory.bank import build_bank
from lipwright.render.memory.calibrate import calibrated
from lipwright.render.memory.renderer import MemoryRenderer
from lipwright.subject.store import Subject
from lipwright.synthesis.speaker import Persona
from lipwright.train.loop import Budget, Loop, TrainingRecord

DEFAULT_RECIPE = "instant"
"""What measures best today for every budget on a CPU (docs/results.md)."""
MEMORY_FRAMES = 4500
"""Mouths remembered at most: three minutes, after which new ones hardly differ."""
RENDER_FRAMES = 5000
"""Crops a renderer is trained on at most; evenly spread over longer footage."""
TEMPLATE_S = 60
"""Longest template kept in a persona."""


def train(
    subject: Subject | str | os.PathLike[str],
    *,
    out: str | os.PathLike[str] | None = None,
    recipe: str | None = None,
    preset: str = "draft",
    mode: str = "sewn",
    budget: str = "20m",
    resume: bool = False,
    device: str = "auto",
    seed: int = 0,
    log_dir: str | os.PathLike[str] | None = None,
    mouths: int = MEMORY_FRAMES,
    template_s: float = TEMPLATE_S,
    progress: Progress | None = None,
) -> Persona:
    """Train a persona.

    Args:
        subject: a prepared subject or its folder.
        out: where to save the persona; checkpoints lie beside it while training. None keeps it in memory.
        recipe: by name; the one that measures best when None.
        preset, mode: of the recipe's renderer.
        budget: time ('90s', '20m', '1.5h') for everything together, or steps ('400 steps') for each part.
        resume: go on from the checkpoints of an interrupted run with the same settings.
        device: 'auto', 'cpu' or 'cuda'.
        seed: of every random draw.
        log_dir: TensorBoard logs go there.
        mouths: how many mouths the appearance memory keeps; fewer make a smaller persona.
        template_s: seconds of footage the persona carries to speak over.
    """
    chosen, limit, progress = find(recipe or DEFAULT_RECIPE), Budget.parse(budget), progress or Silent()
    chosen.check(preset, mode)
    person = subject if isinstance(subject, Subject) else Subject.open(subject)
    where = _device(device)
    _check_rate(person)
    if out is not None:
        check_place(Path(out))
    work = _work_folder(person, out, chosen, preset, mode, seed)
    log = _logger(log_dir)
    motion, motion_record = _train_motion(person, chosen, limit, work, seed, where, resume, progress, log)
    renderers: dict[str, Renderer] = {"memory": _remember(person, mouths, progress)}
    records: dict[str, TrainingRecord] = {"motion": motion_record}
    if chosen.renderer == "translation":
        left = Budget(limit.seconds - motion_record.seconds if limit.seconds else None, limit.steps)
        renderers["translation"], records["renderer"] = _train_translation(
            person, preset, mode, left, work, seed, where, resume, progress, log
        )
    check_pairing(motion.info, renderers[chosen.renderer].accepts, chosen.name)
    info = {
        "recipe": chosen.name,
        "preset": preset,
        "mode": mode,
        "renderer": chosen.renderer,
        "lipwright": __version__,
        "source": person.info["source"],
        "budget": budget,
        "seed": seed,
        "training": {name: asdict(record) for name, record in records.items()},
        "consent": CONSENT,
    }
    persona = Persona(info, motion, renderers, _template(person, template_s))
    if out is not None:
        persona.save(out)
        shutil.rmtree(work, ignore_errors=True)
        with suppress(OSError):  # checkpoints of other settings may lie there
            work.parent.rmdir()
    return persona


def _device(name: str) -> str:
    import torch

    if name not in ("auto", "cpu") and not name.startswith("cuda"):
        raise ConfigError(f"unknown device '{name}'; available: auto, cpu, cuda")
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise ConfigError("device 'cuda' is not available on this machine; use --device cpu")
    return ("cuda" if torch.cuda.is_available() else "cpu") if name == "auto" else name


def _check_rate(subject: Subject) -> None:
    """Speech features have rows for 25 frames a second; frames at another rate would drift against them."""
    if subject.fps != FPS:
        raise SubjectError(
            f"{subject.path} was prepared at {float(subject.fps):g} fps and recipes learn at {FPS}; "
            "prepare the footage again without a frame rate"
        )


def _work_folder(
    subject: Subject, out: str | os.PathLike[str] | None, recipe: Recipe, preset: str, mode: str, seed: int
) -> Path:
    """Checkpoints of different settings never mix."""
    run = f"{recipe.name}-{preset}-{mode}-{seed}"
    base = subject.path / "training" if out is None else Path(out).parent / f".{Path(out).name}.training"
    return base / run


def _logger(folder: str | os.PathLike[str] | None) -> Callable[[str, float, int], None] | None:
    if folder is None:
        return None
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise DependencyError("TensorBoard is not installed; pip install 'lipwright[train]'") from error
    writer = SummaryWriter(str(folder))
    return lambda tag, value, step: writer.add_scalar(tag, value, step)


def _train_motion(
    subject: Subject,
    recipe: Recipe,
    limit: Budget,
    work: Path,
    seed: int,
    device: str,
    resume: bool,
    progress: Progress,
    log: Callable[[str, float, int], None] | None,
) -> tuple[CascadeMotion, TrainingRecord]:
    progress.start("speech features", None)
    data = motion_data(subject, recipe.motion.heard)
    progress.finish()
    budget = limit
    if limit.seconds is not None:
        budget = Budget(seconds=min(limit.seconds * recipe.motion_share, recipe.motion_limit_s))
    task = MotionTask(recipe.motion, data, seed, device)
    record = Loop(task, work, budget, "motion", progress, log).run(resume)
    return task.model(), record


def motion_data(subject: Subject, features: tuple[str, ...]) -> MotionData:
    """Training and validation stretches of a subject."""
    track = subject.track
    clip = MotionClip.from_track(track.landmarks_px, track.pose_rad, track.confidence, subject.samples, features)
    parts = {name: clip.part(r.start, r.stop) for name in ("train", "validation") if len(r := subject.split(name))}
    seen = int((parts["train"].weight > 0).sum()) if "train" in parts else 0
    if seen < MIN_FRAMES:
        raise SubjectError(
            f"{subject.path} leaves {seen} frames with a face to learn from, {MIN_FRAMES} are needed; "
            "prepare longer footage"
        )
    return MotionData((parts["train"],), (parts["validation"],) if len(parts["validation"]) > 1 else ())


def _remember(subject: Subject, mouths: int, progress: Progress) -> MemoryRenderer:
    track = subject.track
    seen = np.flatnonzero(track.present)
    keep = set(_stretches(seen, mouths).tolist())
    bank = build_bank(((t, f) for t, f in _watched(subject, "remember", progress) if t in keep), track)
    return calibrated(bank)


def _watched(subject: Subject, task: str, progress: Progress) -> Iterator[tuple[int, U8]]:
    progress.start(task, len(subject))
    for t, frame in enumerate(subject.frames.read()):
        yield t, frame
        progress.update(t + 1)
    progress.finish()


def _spread(frames: np.ndarray, most: int) -> np.ndarray:
    """At most `most` of the frames, evenly spread, first and last kept."""
    return frames[np.unique(np.linspace(0, len(frames) - 1, min(most, len(frames))).round().astype(int))]


def _stretches(frames: np.ndarray, most: int) -> np.ndarray:
    """At most `most` of the frames in stretches of a second, evenly spread.

    The memory plays neighbouring mouths on for free; thinned one by one they would have no neighbours.
    """
    if len(frames) <= most:
        return frames
    size = round(FPS)
    blocks = len(frames) // size
    kept = np.unique(np.linspace(0, blocks - 1, most // size).round().astype(int))
    return frames[(kept[:, None] * size + np.arange(size)).ravel()]


def _train_translation(
    subject: Subject,
    preset_name: str,
    mode: str,
    budget: Budget,
    work: Path,
    seed: int,
    device: str,
    resume: bool,
    progress: Progress,
    log: Callable[[str, float, int], None] | None,
) -> tuple[Renderer, TrainingRecord]:
    from lipwright.render.translation.config import preset
    from lipwright.render.translation.data import TranslationData
    from lipwright.render.translation.renderer import TranslationRenderer
    from lipwright.render.translation.task import TranslationTask

    config = preset(preset_name, mode)
    chosen = {
        name: _spread(subject.usable(name), RENDER_FRAMES // (1 if name == "train" else 10))
        for name in ("train", "validation")
    }
    frames = np.concatenate([chosen["train"], chosen["validation"]])
    keep, track = set(frames.tolist()), subject.track
    data = TranslationData.from_frames(
        (f for t, f in _watched(subject, "crops", progress) if t in keep),
        track.landmarks_px[frames],
        track.pose_rad[frames],
        config,
        np.arange(len(chosen["train"])),
        np.arange(len(chosen["train"]), len(frames)),
    )
    task = TranslationTask(config, data, seed, device)
    record = Loop(task, work, budget, "renderer", progress, log).run(resume)
    generator: Any = task.modules()["generator"]
    return TranslationRenderer(config, generator, data.geometry, device), record


def _template(subject: Subject, longest_s: float) -> Template:
    """The longest stretch with a face, at most `longest_s` long."""
    start, stop = max(runs(subject.track.present), key=lambda r: r[1] - r[0])
    return Template.of_subject(subject).part(start, min(stop, start + round(longest_s * subject.fps)))
