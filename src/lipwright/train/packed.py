"""Training on a packed subject, into a folder of weights, figures and pictures."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from lipwright.core import parallel
from lipwright.core.checkpoint import load_config
from lipwright.core.config import to_dict, with_changes
from lipwright.core.contracts import U8
from lipwright.core.device import torch_device
from lipwright.core.errors import CheckpointError, ConfigError
from lipwright.core.files import make_folder, write_json
from lipwright.core.png import write_png
from lipwright.core.progress import Progress, Silent
from lipwright.render.neural_face import packed as of_faces
from lipwright.render.neural_face.start import check_start
from lipwright.render.neural_face.task import NeuralFaceTask
from lipwright.render.oracle import packed as of_heads
from lipwright.render.translation.packed import load_packed
from lipwright.render.translation.perceptual import perceptual_distance
from lipwright.render.translation.start import initial_weights
from lipwright.render.translation.task import TranslationTask
from lipwright.train.crossmodal import PAIRS_FOLDER, Plan, drawn_set, fit_crossmodal, kind_of, left_of
from lipwright.train.finished import finished
from lipwright.train.loop import Budget, Loop, TrainingRecord
from lipwright.train.run import Run


def train_packed(
    packed: Path,
    out: Path,
    budget: Budget,
    device: str = "auto",
    changes: Mapping[str, str] | None = None,
    init: Path | None = None,
    resume: bool = False,
    seed: int = 0,
    progress: Progress | None = None,
) -> TrainingRecord:
    """Train the renderer of a packed subject and write it with its figures and pictures into the folder `out`.

    Args as `lipwright.train`; `changes` may change anything but what the pictures fix: mode and size.
    Returns the record of the renderer.
    """
    where = torch_device(device)
    if not packed.is_file():
        raise CheckpointError(f"{packed} is not a file; make one with: lipwright pack SUBJECT")
    with parallel.group(where):
        told = (progress or Silent()) if parallel.leads() else Silent()
        run = Run(make_folder(out), seed, where, resume, told)
        described = load_config(packed)
        changes = changes or {}
        if of_heads.KIND in described:
            if init is not None:
                raise ConfigError("virtual-human begins from no other weights; leave --init out")
            return _crossmodal(packed, budget, run, changes)
        if of_faces.KIND in described:
            return _neural_face(packed, budget, run, {**changes, "start": str(init)} if init is not None else changes)
        return _translation(packed, budget, run, changes, init)


def _translation(
    packed: Path, budget: Budget, run: Run, changes: Mapping[str, str], init: Path | None
) -> TrainingRecord:
    data, config = load_packed(packed)
    changed = with_changes(config, changes)
    if (changed.mode, changed.size) != (config.mode, config.size):
        raise ConfigError(f"{packed} was packed for {config.mode} at {config.size} px; pack the subject again")
    start = initial_weights(init, changed) if init is not None else None
    perceptual = perceptual_distance(changed, run.device)
    return _fitted(TranslationTask(changed, data, run.seed, run.device, perceptual, start), budget, run)


def _neural_face(packed: Path, budget: Budget, run: Run, changes: Mapping[str, str]) -> TrainingRecord:
    """The renderer of meta-talk."""
    data, config = of_faces.load_packed(packed)
    changed = with_changes(config, changes)
    for name in ("size", "room"):
        if getattr(changed, name) != getattr(config, name):
            raise ConfigError(f"{packed} was packed with {name} {getattr(config, name)}; pack the subject again")
    check_start(changed)
    perceptual = perceptual_distance(changed, run.device)
    return _fitted(NeuralFaceTask(changed, data, run.seed, run.device, perceptual), budget, run)


def _fitted(task: TranslationTask | NeuralFaceTask, budget: Budget, run: Run) -> TrainingRecord:
    """Train, and leave the renderer with what there is to read and to look at."""
    loop = Loop(task, run.work, budget, "renderer", run.progress)
    record = loop.run(run.resume)
    if parallel.leads():
        finished(task, record).save(run.work / "renderer.safetensors", half=True)
        _tell(run, to_dict(task.config), {"renderer": record}, {"preview": task.preview(), "mouths": task.mouths()})
        loop.discard()
    parallel.wait()
    return record


def _crossmodal(packed: Path, budget: Budget, run: Run, changes: Mapping[str, str]) -> TrainingRecord:
    """Oracle, synthetic set and renderer of virtual-human."""
    pictures, speech, config, oracle = of_heads.load_packed(packed)
    changed = with_changes(config, changes)
    fixed = ("size", "speech", "speech_dim", "window", "lips", "expressions")
    for name in fixed:
        if getattr(changed, name) != getattr(config, name):
            raise ConfigError(f"{packed} was packed with {name} {getattr(config, name)}; pack the subject again")
    if changed.oracle == "memory":
        raise ConfigError("the memory as oracle needs the footage itself; train oracle=memory where the footage is")
    plan = Plan(changed, replace(oracle, kind=kind_of(changed.oracle)), "sewn")
    records: dict[str, TrainingRecord] = {}
    pairs, spent_s = None, 0.0
    if plan.synthetic:
        pairs, records, spent_s = drawn_set(plan, pictures, budget, run)
    data = of_heads.crossmodal_data(pictures, speech, changed.size)
    renderer, record = fit_crossmodal(changed, data, pairs, left_of(budget, spent_s), run)
    records["renderer"] = record
    if parallel.leads():
        renderer.save(run.work / "renderer.safetensors", half=True)
        _tell(run, to_dict(changed), records, {})
        for name in records:
            (run.work / f"{name}.checkpoint").unlink(missing_ok=True)
        shutil.rmtree(run.work / PAIRS_FOLDER, ignore_errors=True)
    parallel.wait()
    return record


def _tell(run: Run, config: dict[str, Any], records: dict[str, TrainingRecord], pictures: dict[str, U8]) -> None:
    """Figures and pictures beside the weights; figures of the renderer on top, other stages by name."""
    for name, picture in pictures.items():
        write_png(run.work / f"{name}.png", picture)
    others = {name: asdict(record) for name, record in records.items() if name != "renderer"}
    figures = {"config": config, "device": run.device, **asdict(records["renderer"]), **others}
    write_json(run.work / "training.json", figures)
