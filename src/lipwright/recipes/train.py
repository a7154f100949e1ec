"""Subject to Persona: the recipe's motion model, its renderer, the appearance memory, a template."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from torch import Tensor

from lipwright import __version__
from lipwright.core import parallel
from lipwright.core.config import config_key
from lipwright.core.contracts import LANDMARKS, MotionModel, Renderer, check_pairing
from lipwright.core.device import torch_device
from lipwright.core.errors import ConfigError, DependencyError
from lipwright.core.progress import Progress, Silent
from lipwright.core.threads import one_blas_thread
from lipwright.face.smooth import runs
from lipwright.persona.bundle import CONSENT, check_place
from lipwright.persona.template import Template
from lipwright.recipes import crossmodal, neural_face
from lipwright.recipes.base import Recipe, find
from lipwright.recipes.parts import fit_translation, remember, train_motion, translation_data
from lipwright.render.crossmodal.renderer import CrossModalRenderer
from lipwright.render.neural_face.renderer import NeuralFaceRenderer
from lipwright.render.neural_face.start import check_start
from lipwright.render.translation.config import TranslationConfig, changed_preset
from lipwright.render.translation.perceptual import check_perceptual
from lipwright.render.translation.renderer import TranslationRenderer
from lipwright.render.translation.start import initial_weights
from lipwright.subject.store import Subject
from lipwright.synthesis.speaker import Persona
from lipwright.train.crossmodal import Plan
from lipwright.train.loop import Budget, TrainingRecord
from lipwright.train.run import Run

DEFAULT_RECIPE = "instant"
"""What measures best today for every budget on a CPU (docs/results.md)."""
MEMORY_FRAMES = 4500
"""Mouths remembered at most: three minutes; of more footage those are kept that differ."""
TEMPLATE_S = 60
"""Longest template kept in a persona."""


@one_blas_thread()
def train(
    subject: Subject | str | os.PathLike[str],
    *,
    out: str | os.PathLike[str] | None = None,
    recipe: str | None = None,
    preset: str = "draft",
    mode: str | None = None,
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
        preset, mode: of the recipe's renderer; its own first mode when None.
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
    mode = mode or chosen.modes[0]
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
        motions, renderers, records = _make(person, chosen, plan, limit, run, mouths)
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
        persona = Persona(info, motions, renderers, _template(person, template_s))
        if out is not None and parallel.leads():
            _save(persona, Path(out), work)
        parallel.wait()
    return persona


@dataclass(frozen=True)
class _Plan:
    """What becomes of the recipe's trained renderer; all None when it has none."""

    translation: TranslationConfig | None = None
    start: Mapping[str, Tensor] | None = None
    """Weights it begins with."""
    crossmodal: Plan | None = None
    face: neural_face.FacePlan | None = None
    ready: Renderer | None = None
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
    if recipe.renderer not in ("translation", "crossmodal", "neural-face"):
        if settings or init or renderer:
            raise ConfigError(f"recipe '{recipe.name}' trains no renderer of its own; --recipe pose-adaptive does")
        return _Plan()
    if renderer is not None and not Path(renderer).is_file():
        raise ConfigError(f"--renderer {renderer} is not a file; name the renderer.safetensors that was trained")
    if recipe.renderer == "crossmodal":
        return _crossmodal_plan(preset, mode, settings, init, renderer, device)
    if recipe.renderer == "neural-face":
        return _face_plan(preset, settings, init, renderer, device)
    config = changed_preset(preset, mode, {**dict(recipe.settings), **settings})
    check_perceptual(config)
    ready = TranslationRenderer.load(renderer, device) if renderer is not None else None
    if ready is not None and ready.config.mode != mode:
        raise ConfigError(f"{renderer} was trained for mode {ready.config.mode}; use --mode {ready.config.mode}")
    return _Plan(config, initial_weights(init, config) if init is not None else None, ready=ready)


def _crossmodal_plan(
    preset: str,
    mode: str,
    settings: Mapping[str, str],
    init: str | os.PathLike[str] | None,
    renderer: str | os.PathLike[str] | None,
    device: str,
) -> _Plan:
    if init is not None:
        raise ConfigError("virtual-human begins from no other weights, its networks are small; leave --init out")
    plan = crossmodal.plan_of(preset, mode, settings)
    check_perceptual(plan.config)
    if renderer is None:
        return _Plan(crossmodal=plan)
    trained = CrossModalRenderer.load(renderer, device)  # the same network serves both modes
    ready = CrossModalRenderer(trained.network, trained.geometry, mode, device, trained.crisp)
    return _Plan(crossmodal=replace(plan, config=ready.config), ready=ready)


def _face_plan(
    preset: str,
    settings: Mapping[str, str],
    init: str | os.PathLike[str] | None,
    renderer: str | os.PathLike[str] | None,
    device: str,
) -> _Plan:
    plan = neural_face.plan_of(preset, {**settings, "start": str(init)} if init is not None else settings)
    check_perceptual(plan.renderer)
    check_start(plan.renderer)
    return _Plan(face=plan, ready=NeuralFaceRenderer.load(renderer, device) if renderer is not None else None)


def _make(
    subject: Subject, recipe: Recipe, plan: _Plan, limit: Budget, run: Run, mouths: int
) -> tuple[dict[str, MotionModel], dict[str, Renderer], dict[str, TrainingRecord]]:
    """Motion models by what they produce, renderers by kind, records of what was trained."""
    motion, record = train_motion(subject, recipe, limit, run)
    renderers: dict[str, Renderer] = {"memory": remember(subject, mouths, run.progress)}
    records = {"motion": record}
    motions: dict[str, MotionModel] = {LANDMARKS: motion}
    left = Budget(limit.seconds - record.seconds if limit.seconds else None, limit.steps)
    if plan.face is not None:
        ready = plan.ready if isinstance(plan.ready, NeuralFaceRenderer) else None
        face = neural_face.train_neural_face(subject, plan.face, motion, left, run, ready)
        motions |= {LANDMARKS: face.landmarks, face.motion.info.produces: face.motion}
        renderers[recipe.renderer] = face.renderer
        records |= face.records
    elif plan.crossmodal is not None:
        lips = crossmodal.spoken_lips(subject, plan.crossmodal.config, motion)
        window = crossmodal.speech_window(plan.crossmodal.config, lips)
        motions[window.info.produces] = window
        if plan.ready is not None:
            renderers["crossmodal"] = plan.ready
        else:
            renderers["crossmodal"], made = crossmodal.train_crossmodal(subject, plan.crossmodal, left, run, lips)
            records |= made
    elif plan.ready is not None:
        renderers[recipe.renderer] = plan.ready
    elif plan.translation is not None:
        data = translation_data(subject, plan.translation, run.progress)
        renderers["translation"], records["renderer"] = fit_translation(
            plan.translation, data, left, run, start=plan.start
        )
    own = renderers[recipe.renderer].accepts
    check_pairing(motions.get(own, motion).info, own, recipe.name)
    return motions, renderers, records


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
