"""Weights and data sets that users bring themselves, in one local folder; nothing is ever downloaded."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lipwright.core import syncnet_weights, vgg19_weights, wav2lip_weights, wav2vec2_weights
from lipwright.core.errors import CheckpointError, ConfigError, OutputError
from lipwright.core.files import atomic_file, file_hash

_ICT_KEYS = {
    *("neutral", "identity_delta", "expression_delta", "expression_names"),
    *("polygons", "polygon_uvs", "uv", "landmark68_vertices"),
}


@dataclass(frozen=True)
class BroughtModel:
    """One kind of file that some part of the toolkit can load."""

    name: str
    file_name: str
    """Name inside the models folder."""
    purpose: str
    licence: str
    check: Callable[[Path], None]
    """Raises CheckpointError when the file is of another kind."""
    convert: Callable[[Path, Path], None] | None = None
    """Writes what is kept from the user's file to another path; None keeps a copy of the file itself."""
    brings: str = "file"
    """What the user gives: a 'file' or a 'folder', which must be converted."""


def folder() -> Path:
    """$LIPWRIGHT_MODELS, else ~/.cache/lipwright/models (following XDG_CACHE_HOME)."""
    if named := os.environ.get("LIPWRIGHT_MODELS"):
        return Path(named)
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "lipwright" / "models"


def find(name: str) -> Path | None:
    """The local file of a known model, None when the user has not brought it."""
    path = folder() / known(name).file_name
    return path if path.is_file() else None


def known(name: str) -> BroughtModel:
    """The description of a model; ConfigError lists the known names."""
    if name not in MODELS:
        raise ConfigError(f"unknown model {name!r}; lipwright can use {', '.join(sorted(MODELS))}")
    return MODELS[name]


def add(name: str, source: str | os.PathLike[str]) -> tuple[Path, str]:
    """Check a file (or folder) and copy or convert it into the models folder, atomically, its SHA-256 beside it.

    Returns the path of the copy and the hash. CheckpointError when the file is not what `name` says,
    OutputError when the folder cannot be written.
    """
    model, path = known(name), Path(source)
    if not (path.is_dir() if model.brings == "folder" else path.is_file()):
        raise CheckpointError(f"{path} is not a {model.brings}; give the path of the {model.name} {model.brings}")
    model.check(path)
    target = folder() / model.file_name
    with atomic_file(target) as temporary:
        if model.convert is None:
            shutil.copyfile(path, temporary)
        else:
            model.convert(path, temporary)
        digest = file_hash(temporary)
        if model.convert is None and digest != file_hash(path):
            raise OutputError(f"cannot write {target}: the copy differs from {path}; run again")
    with atomic_file(target.with_suffix(target.suffix + ".sha256")) as temporary:
        temporary.write_text(f"{digest}  {target.name}\n", encoding="utf-8")
    return target, digest


def _check_ict(path: Path) -> None:
    import zipfile

    import numpy as np

    try:
        with open(path, "rb") as stream, np.load(stream, allow_pickle=False) as arrays:
            missing = sorted(_ICT_KEYS - set(arrays))
            shape: tuple[int, ...] = () if missing else arrays["neutral"].shape
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, AttributeError, TypeError) as error:
        raise CheckpointError(f"{path} is not an npz archive of plain arrays ({error}); convert it again") from error
    if missing:
        raise CheckpointError(f"{path} has no {', '.join(missing)}; give the ICT-FaceKit arrays as one npz")
    if len(shape) != 2 or shape[1] != 3:
        raise CheckpointError(f"{path}: expected neutral of shape (V, 3), got {shape}; convert it again")


def _needs(layout: dict[str, tuple[int, ...]]) -> Callable[[Path], None]:
    """A check that a file holds tensors of these names and shapes."""

    def check(path: Path) -> None:
        from lipwright.core.checkpoint import read_state

        state = read_state(path)
        for key, shape in layout.items():
            got = tuple(state[key].shape) if key in state else "nothing"
            if got != shape:
                raise CheckpointError(f"{path}: expected {key} of shape {shape}, got {got}; this is another file")

    return check


MODELS = {
    "ict-facekit": BroughtModel(
        "ict-facekit",
        "ict_facekit_light.npz",
        "morphable face: renders presenters, fits expressions",
        "MIT (USC ICT)",
        _check_ict,
    ),
    "fid-inception": BroughtModel(
        "fid-inception",
        "pt_inception-2015-12-05-6726825d.pth",
        "FID: TensorFlow's Inception of 2015, ported",
        "Apache-2.0",
        _needs({"Conv2d_1a_3x3.conv.weight": (32, 3, 3, 3), "Mixed_7c.branch_pool.conv.weight": (192, 2048, 1, 1)}),
    ),
    "alexnet": BroughtModel(
        "alexnet",
        "alexnet-owt-7be5be79.pth",
        "LPIPS: torchvision's AlexNet under it",
        "BSD-3-Clause",
        _needs({"features.0.weight": (64, 3, 11, 11), "features.10.weight": (256, 256, 3, 3)}),
    ),
    "lpips-alex": BroughtModel(
        "lpips-alex",
        "lpips_alex_v0.1.pth",
        "LPIPS: its five linear layers for AlexNet, version 0.1",
        "BSD-2-Clause",
        _needs({"lin0.model.1.weight": (1, 64, 1, 1), "lin4.model.1.weight": (1, 256, 1, 1)}),
    ),
    "vgg19": BroughtModel(
        "vgg19",
        "vgg19_features.safetensors",
        "training renderers: pix2pixHD's perceptual loss (torchvision's vgg19)",
        "BSD-3-Clause",
        vgg19_weights.check,
        vgg19_weights.convert,
    ),
    "syncnet": BroughtModel(
        "syncnet",
        "syncnet_v2.safetensors",
        "LSE-D, LSE-C and offset as SyncNet's and Wav2Lip's scripts give them",
        "see syncnet_python (VGG, Oxford)",
        syncnet_weights.check,
        syncnet_weights.convert,
    ),
    "wav2lip": BroughtModel(
        "wav2lip",
        "wav2lip.safetensors",
        "Wav2Lip beside our own pictures in bench virtual-human; a state dict or a TorchScript archive",
        "see Wav2Lip (research and personal use)",
        wav2lip_weights.check_generator,
        wav2lip_weights.convert_generator,
    ),
    "wav2lip-expert": BroughtModel(
        "wav2lip-expert",
        "wav2lip_expert.safetensors",
        "the sync expert of Wav2Lip, for programs of your own (lipwright.render.teacher)",
        "see Wav2Lip (research and personal use)",
        wav2lip_weights.check_expert,
        wav2lip_weights.convert_expert,
    ),
    "wav2vec2": BroughtModel(
        "wav2vec2",
        "wav2vec2.safetensors",
        "speech feature wav2vec2: a Hugging Face folder, base or large",
        "see the model's card (facebook/wav2vec2-base: Apache-2.0)",
        wav2vec2_weights.check,
        wav2vec2_weights.convert,
        "folder",
    ),
}
"""Only models that some part of this version loads."""
