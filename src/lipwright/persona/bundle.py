"""The persona folder: everything that speaking needs, portable, without the subject, never unpickled.

persona.json          schema version, recipe, preset, training record, source, consent statement
motion.safetensors    the motion model
landmarks.safetensors the landmark motion of `--renderer memory`, where the recipe's own renderer hears the speech
memory.safetensors    the appearance memory (in every persona: preview and baseline)
renderer.safetensors  the recipe's own renderer, when it is another one
template.mp4, template.npz
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from lipwright.core.checkpoint import load_tensors, part_hash, save_tensors
from lipwright.core.contracts import LANDMARKS, MotionModel, Renderer, check_pairing
from lipwright.core.errors import CheckpointError, ConfigError, LipwrightError, OutputError, PersonaError
from lipwright.core.files import atomic_folder, file_hash, write_json
from lipwright.engines.running import checked
from lipwright.motion.registry import MOTION_MODELS
from lipwright.persona.template import Template
from lipwright.render.registry import RENDERERS

SCHEMA = 2
"""2: a persona may hold a second motion model."""

CONSENT = "The person shown has agreed to this persona and to its use; whoever uses it marks what it says as synthetic."


@dataclass
class Bundle:
    """A persona's parts.

    Attributes:
        info: persona.json without the schema.
        motions: what it produces -> motion model; a renderer gets the one that produces what it accepts.
        renderers: kind -> renderer; the recipe's own under `info["renderer"]`.
        template: the footage it speaks over.
    """

    info: dict[str, Any]
    motions: dict[str, MotionModel]
    renderers: dict[str, Renderer]
    template: Template
    path: Path | None = field(default=None)
    engine: str = "auto"
    """What runs the networks, unless `speak` says otherwise."""
    _kept: dict[Any, Any] = field(init=False, default_factory=dict, repr=False, compare=False)

    def renderer(self, kind: str | None = None) -> Renderer:
        """The recipe's renderer, or another one this persona holds; ConfigError lists them."""
        chosen = kind or str(self.info["renderer"])
        if chosen not in self.renderers:
            raise ConfigError(f"this persona has no renderer '{chosen}'; it has {', '.join(sorted(self.renderers))}")
        return self.renderers[chosen]

    def motion(self, renderer: Renderer | None = None) -> MotionModel:
        """The motion model of a renderer (the recipe's own when None); PairingError when there is none."""
        accepts = (renderer or self.renderer()).accepts
        model = self.motions.get(accepts) or next(iter(self.motions.values()))
        check_pairing(model.info, accepts, str(self.info.get("recipe")))
        return model

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the folder; it appears whole or not at all.

        OutputError when something that is no persona lies there, or the disk is full or not writable.
        """
        check_place(Path(path))
        with atomic_folder(path) as folder:
            parts: dict[str, dict[str, str]] = {}
            own = self.motion()
            for model in self.motions.values():
                save_part(folder, parts, "motion" if model is own else LANDMARKS, model)
            for kind, renderer in self.renderers.items():
                save_part(folder, parts, "memory" if kind == "memory" else "renderer", renderer, kind)
            self.template.save(folder)
            parts["template"] = {
                "sha256": file_hash(folder / "template.mp4"),
                "tracks": file_hash(folder / "template.npz"),
            }
            info = {**self.info, "parts": parts}
            write_json(folder / "persona.json", {"schema": SCHEMA, **info})
        self.info, self.path = info, Path(path)
        self.template = Template.load(path)

    @classmethod
    def load(cls, path: str | os.PathLike[str], device: str = "cpu", engine: str = "auto") -> Any:
        """Open a persona folder; `engine` runs its networks where `speak` names no other.

        ConfigError for an unknown engine, PersonaError when the folder is missing, damaged, foreign or newer,
        CheckpointError for weights that do not fit.
        """
        checked(engine)
        folder = Path(path)
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        info = read_info(folder)
        motions = dict(_motion(folder, info, name) for name in ("motion", LANDMARKS) if name in info["parts"])
        renderers: dict[str, Renderer] = {}
        for name in ("memory", "renderer"):
            if name in info["parts"]:
                kind = str(info["parts"][name].get("kind", ""))
                make = _known(RENDERERS, kind, folder)
                tensors, config = _part(folder, info, name)
                with _fits(folder / f"{name}.safetensors"):
                    renderers[kind] = make(tensors, config, device)
        own = str(info.get("renderer"))
        if own not in renderers:
            raise PersonaError(f"{folder} names the renderer '{own}' but does not hold it; retrain the persona")
        for file, key in (("template.mp4", "sha256"), ("template.npz", "tracks")):
            if (folder / file).is_file():  # a missing one is named by Template.load
                _same(folder / file, info["parts"].get("template", {}).get(key))
        made = cls(info, motions, renderers, Template.load(folder), folder, engine)
        for renderer in renderers.values():
            made.motion(renderer)
        return made


def check_place(path: Path) -> None:
    """OutputError when `path` holds something that saving a persona there would destroy."""
    if path.is_dir():
        if (path / "persona.json").is_file() or not any(path.iterdir()):
            return
        raise OutputError(f"cannot write {path}: it is a folder with other things in it; choose a new folder")
    if path.exists():
        raise OutputError(f"cannot write {path}: it is a file; choose a new folder")


def save_part(folder: Path, parts: dict[str, dict[str, str]], name: str, part: Any, kind: str = "") -> None:
    """One safetensors file and its entry with hash and kind."""
    tensors, config = part.state()
    ready = {k: v if isinstance(v, torch.Tensor) else torch.from_numpy(v) for k, v in tensors.items()}
    file = folder / f"{name}.safetensors"
    save_tensors(file, ready, config)
    parts[name] = {"sha256": part_hash(file), "kind": kind or str(config.get("kind", name))}


def read_info(folder: Path) -> dict[str, Any]:
    """persona.json; PersonaError when it is missing, foreign or newer than this version."""
    file = folder / "persona.json"
    if not file.is_file():
        raise PersonaError(f"{folder} is not a persona; run: lipwright train SUBJECT -o {folder}")
    try:
        info = json.loads(file.read_text(encoding="utf-8"))
        schema = int(info.pop("schema"))
        info["parts"]["motion"]["sha256"]
        info["renderer"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise PersonaError(f"{file} is not a persona description ({error}); copy it again or retrain") from error
    if schema > SCHEMA:
        raise PersonaError(
            f"{folder} was made by a newer lipwright (schema {schema}, this one knows {SCHEMA}); update lipwright"
        )
    return dict(info)


def _part(folder: Path, info: Mapping[str, Any], name: str) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    file = folder / f"{name}.safetensors"
    loaded = load_tensors(file)
    _same(file, info["parts"][name].get("sha256"), part_hash)
    return loaded


def _motion(folder: Path, info: Mapping[str, Any], name: str) -> tuple[str, MotionModel]:
    """What a stored motion model produces, and the model."""
    tensors, config = _part(folder, info, name)
    loader = _known(MOTION_MODELS, str(config.get("kind", "")), folder)
    file = folder / f"{name}.safetensors"
    with _fits(file):
        model: MotionModel = loader(tensors, config, str(file))
    return model.info.produces, model


def _same(file: Path, digest: str | None, hashed: Callable[[Path], str] = file_hash) -> None:
    """CheckpointError when a file is not the one the description names; None: the description names none."""
    if digest is not None and hashed(file) != digest:
        raise CheckpointError(
            f"{file} is not the file this persona was saved with; copy the whole persona folder again or retrain"
        )


@contextmanager
def _fits(file: Path) -> Iterator[None]:
    """Weights that do not match their description are one clear sentence, whichever way a part notices."""
    try:
        yield
    except LipwrightError:
        raise
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise CheckpointError(
            f"{file} does not hold what its part needs ({type(error).__name__}: {error}); copy the persona again or "
            "retrain"
        ) from error


def _known(registry: Any, kind: str, folder: Path) -> Any:
    if kind not in registry:
        raise PersonaError(f"{folder} needs the {registry.kind} '{kind}', which is not installed; install its package")
    return registry.get(kind)
