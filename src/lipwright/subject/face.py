"""A subject's morphable face: built, fitted, measured, written."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import numpy as np

from lipwright.core.contracts import U8
from lipwright.core.errors import ConfigError
from lipwright.core.png import write_png
from lipwright.core.progress import Progress
from lipwright.face.morphable import store
from lipwright.face.morphable.facekit import facekit
from lipwright.face.morphable.fit import Fit, FitConfig, follow, identity, reprojection_px
from lipwright.face.morphable.licensed import bfm2009, flame
from lipwright.face.morphable.model import FaceModel
from lipwright.face.morphable.person import build
from lipwright.face.morphable.picture import overlay as drawn_over
from lipwright.face.morphable.picture import photometric_error
from lipwright.subject.store import Subject

_MEASURED = 12
"""Frames that the photometric error is a mean over."""
_SHOWN = 3


def model_for(subject: Subject, name: str) -> FaceModel:
    """The model a name or file stands for: person, ict-facekit, a .mat file (BFM-2009) or an .npz file (FLAME)."""
    if name == "person":
        return build(subject.track)
    if name == "ict-facekit":
        return facekit()
    path = Path(name)
    if path.suffix == ".mat":
        return bfm2009(path)
    if path.suffix == ".npz":
        return flame(path)
    raise ConfigError(
        f"unknown face model '{name}'; available: person, ict-facekit, a BFM .mat file, a FLAME .npz file"
    )


def fit_subject(
    folder: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    model: str = "person",
    overlay: Path | None = None,
    frames: int | None = None,
    config: FitConfig | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Fit a subject's face, write it to `target` (and `overlay`), and return what was measured.

    Args:
        folder: a prepared subject.
        target: npz file (face.morphable.store).
        model: see `model_for`.
        overlay: PNG of three frames: with the least, median and greatest reprojection error.
        frames: only the first so many; identity is still found on all.
        config: of the fit.
        progress: told of every batch.
    """
    subject = Subject.open(folder)
    count = min(frames or len(subject), len(subject))
    person = model_for(subject, model)
    learnt, geometry, texture = identity(person, subject.track, lambda f: _frame(subject, f), config)
    began = time.process_time()
    fit = follow(learnt, geometry, texture, subject.track[:count], subject.frames.read(0, count), config, progress)
    seconds = time.process_time() - began
    store.save(target, fit)
    errors = reprojection_px(fit, subject.track)
    good = np.flatnonzero(subject.track.good[:count])
    order = good[np.argsort(errors[good], kind="stable")]
    shown = order[np.linspace(0, len(order) - 1, _SHOWN).round().astype(int)] if len(order) else order
    if overlay is not None and len(shown):
        _write(overlay, fit, subject, [int(f) for f in shown])
    measured = good[np.unique(np.linspace(0, len(good) - 1, _MEASURED).round().astype(int))] if len(good) else good
    photo = [
        photometric_error(fit.model, fit.coefficients, int(f), _frame(subject, int(f)), subject.size) for f in measured
    ]
    mean = float(errors[good].mean()) if len(good) else float("nan")
    return {
        "model": fit.model.name,
        "frames": count,
        "reprojection_px": mean,
        "reprojection_px_at_512": mean * 512 / max(subject.size),
        "photometric_grey_levels": float(np.nanmean(photo)) if photo else float("nan"),
        "trusted": float(fit.trusted[good].mean()) if len(good) else float("nan"),
        "cpu_ms_per_frame": 1000 * seconds / max(count, 1),
    }


def _frame(subject: Subject, f: int) -> U8:
    return subject.frames.frame(f)


def _write(path: Path, fit: Fit, subject: Subject, shown: list[int]) -> None:
    rows = [
        drawn_over(fit.model, fit.coefficients, f, _frame(subject, f), subject.track.landmarks_px[f]) for f in shown
    ]
    write_png(path, np.concatenate(rows))
