"""Subject to Persona: the recipe's motion model, its renderer, the appearance memory, a template."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from lipwright import __version__
from lipwright.core.contracts import Renderer, check_pairing
from lipwright.core.errors import ConfigError, DependencyError
from lipwright.core.progress import Progress, Silent
from lipwright.face.smooth import runs
from lipwright.persona.bundle import CONSENT, check_place
from lipwright.persona.template import Template
from lipwright.recipes.base import Recipe, find
from lipwright.recipes.parts import Run, remember, train_motion, train_translation
from lipwright.subject.store import Subject
from lipwright.synthesis.speaker import Persona
from lipwright.train.loop import Budget, TrainingRecord

DEFAULT_RECIPE = "instant"
"""What measures best today for every budget on a CPU (docs/results.md)."""
MEMORY_FRAMES = 4500
"""Mouths remembered at most: three minutes; of more footage those are kept that differ."""
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
    if out is not None:
        check_place(Path(out))
    work = _work_folder(person, out, chosen, preset, mode, seed)
    run = Run(work, seed, where, resume, progress, _logger(log_dir))
    motion, motion_record = train_motion(person, chosen, limit, run)
    renderers: dict[str, Renderer] = {"memory": remember(person, mouths, progress)}
    records: dict[str, TrainingRecord] = {"motion": motion_record}
    if chosen.renderer == "translation":
        left = Budget(limit.seconds - motion_record.seconds if limit.seconds else None, limit.steps)
        renderers["translation"], records["renderer"] = train_translation(person, preset, mode, left, run)
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


def _template(subject: Subject, longest_s: float) -> Template:
    """The longest stretch with a face, at most `longest_s` long."""
    start, stop = max(runs(subject.track.good), key=lambda r: r[1] - r[0])
    return Template.of_subject(subject).part(start, min(stop, start + round(longest_s * subject.fps)))
