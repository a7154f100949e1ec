"""Subject to Persona: the recipe's motion model, its renderer, the appearance memory, a template."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from torch import Tensor

from lipwright import __version__
from lipwright.core import parallel
from lipwright.core.config import config_key
from lipwright.core.contracts import Renderer, check_pairing
from lipwright.core.device import torch_device
from lipwright.core.errors import ConfigError, DependencyError
from lipwright.core.progress import Progress, Silent
from lipwright.face.smooth import runs
from lipwright.motion.model import CascadeMotion
from lipwright.persona.bundle import CONSENT, check_place
from lipwright.persona.template import Template
from lipwright.recipes.base import Recipe, find
from lipwright.recipes.parts import Run, fit_translation, remember, train_motion, translation_data
from lipwright.render.translation.config import TranslationConfig, changed_preset
from lipwright.render.translation.perceptual import check_perceptual
from lipwright.render.translation.renderer import TranslationRenderer
from lipwright.render.translation.start import initial_weights
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
    settings: Mapping[str, str] | None = None,
    init: str | os.PathLike[str] | None = None,
    renderer: str | os.PathLike[str] | None = None,
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
        settings: fields of the trained renderer's configuration, as text: {"size": "512", "generator": "local"}.
        init: what the renderer's weights begin from: a persona, a renderer's file, or pix2pixHD's `.pth`.
        renderer: a renderer trained elsewhere (`lipwright pack`, `python -m lipwright.train`), taken as it is.
    Started by torchrun, every process trains on its own crops and the first writes; `out` is needed then.
    """
    chosen, limit, where = find(recipe or DEFAULT_RECIPE), Budget.parse(budget), torch_device(device)
    chosen.check(preset, mode)
    plan = _plan(chosen, preset, mode, settings or {}, init, renderer, where)
    person = subject if isinstance(subject, Subject) else Subject.open(subject)
    if out is not None:
        check_place(Path(out))
    elif parallel.started():
        raise ConfigError("several processes train a persona only into a folder; give out")
    name = f"{chosen.name}-{preset}-{mode}-{seed}" + (f"-{config_key(dict(settings))}" if settings else "")
    work = _work_folder(person, out, name)
    with parallel.group(where):
        if not parallel.leads():
            progress, log_dir = None, None
        run = Run(work, seed, where, resume, progress or Silent(), _logger(log_dir))
        motion, renderers, records = _make(person, chosen, plan, limit, run, mouths)
        info = {
            "recipe": chosen.name,
            "preset": preset,
            "mode": mode,
            "renderer": chosen.renderer,
            "lipwright": __version__,
            "source": person.info["source"],
            "budget": budget,
            "seed": seed,
            "settings": dict(settings or {}),
            "training": {name: asdict(record) for name, record in records.items()},
            "consent": CONSENT,
        }
        persona = Persona(info, {motion.info.produces: motion}, renderers, _template(person, template_s))
        if out is not None and parallel.leads():
            _save(persona, Path(out), work)
        parallel.wait()
    return persona


@dataclass(frozen=True)
class _Plan:
    """What becomes of the recipe's trained renderer; all None when it has none."""

    config: TranslationConfig | None = None
    start: Mapping[str, Tensor] | None = None
    """Weights it begins with."""
    ready: TranslationRenderer | None = None
    """Trained elsewhere; nothing is left to train."""


def _plan(
    recipe: Recipe,
    preset: str,
    mode: str,
    settings: Mapping[str, str],
    init: str | os.PathLike[str] | None,
    renderer: str | os.PathLike[str] | None,
    device: str,
) -> _Plan:
    """Everything about the renderer that can be wrong is found before footage is read and motion is trained."""
    if recipe.renderer != "translation":
        if settings or init or renderer:
            raise ConfigError(f"recipe '{recipe.name}' trains no renderer of its own; --recipe pose-adaptive does")
        return _Plan()
    config = changed_preset(preset, mode, settings)
    check_perceptual(config)
    if renderer is not None and not Path(renderer).is_file():
        raise ConfigError(f"--renderer {renderer} is not a file; name the renderer.safetensors that was trained")
    ready = TranslationRenderer.load(renderer, device) if renderer is not None else None
    if ready is not None and ready.config.mode != mode:
        raise ConfigError(f"{renderer} was trained for mode {ready.config.mode}; use --mode {ready.config.mode}")
    return _Plan(config, initial_weights(init, config) if init is not None else None, ready)


def _make(
    subject: Subject, recipe: Recipe, plan: _Plan, limit: Budget, run: Run, mouths: int
) -> tuple[CascadeMotion, dict[str, Renderer], dict[str, TrainingRecord]]:
    """Motion model, renderers by kind, records of what was trained."""
    motion, record = train_motion(subject, recipe, limit, run)
    renderers: dict[str, Renderer] = {"memory": remember(subject, mouths, run.progress)}
    records = {"motion": record}
    if plan.ready is not None:
        renderers["translation"] = plan.ready
    elif plan.config is not None:
        left = Budget(limit.seconds - record.seconds if limit.seconds else None, limit.steps)
        data = translation_data(subject, plan.config, run.progress)
        renderers["translation"], records["renderer"] = fit_translation(plan.config, data, left, run, start=plan.start)
    check_pairing(motion.info, renderers[recipe.renderer].accepts, recipe.name)
    return motion, renderers, records


def _save(persona: Persona, out: Path, work: Path) -> None:
    """Write the persona; its checkpoints are no longer needed."""
    persona.save(out)
    shutil.rmtree(work, ignore_errors=True)
    with suppress(OSError):  # checkpoints of other settings may lie there
        work.parent.rmdir()


def _work_folder(subject: Subject, out: str | os.PathLike[str] | None, run: str) -> Path:
    """Checkpoints of different settings never mix."""
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
