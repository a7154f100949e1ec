"""Whole systems on footage that no training has seen: the paper's comparison table (paper D, Table 1)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lipwright import __version__
from lipwright.core.contracts import MotionModel, Renderer
from lipwright.evaluate.protocols import Speak, run_cross, run_self
from lipwright.evaluate.result import Evaluation
from lipwright.evaluate.video import evaluate
from lipwright.persona.template import Template
from lipwright.recipes.row import Reported
from lipwright.subject.store import Subject
from lipwright.synthesis.speaker import Persona

SELF = {
    "fps": "speed.fps",
    "fps_no_io": "speed.fps_no_io",
    "ssim": "full.ssim_gaussian",
    "psnr_db": "full.psnr",
    "mouth_ssim": "mouth.ssim_gaussian",
    "mouth_psnr_db": "mouth.psnr",
    "mouth_sharpness": "mouth.sharpness_ratio",
    "lse_c": "sync.lse_c",
    "lipmatch": "lipmatch.confidence",
    "dlip_px": "landmarks.d_lip_px",
    "dlip_centred": "landmarks.d_lip_centred",
    "dlip_frobenius": "landmarks.d_lip_frobenius",
    "lip_correlation": "lips.correlation",
}
"""What is kept of protocol `self`, and of `cross` where real frames of it exist."""
CROSS = {
    "shape_px": "shape.raw",
    "shape_centred_px": "shape.centred",
    "lip_correlation": "lips.correlation",
    "template_leak": "lips.template_leak",
    "lse_c": "sync.lse_c",
    "lipmatch": "lipmatch.confidence",
}
"""The same where the truth is the face that spoke, seen from elsewhere."""


_RECIPES = {"crossmodal": "virtual-human", "neural-face": "meta-talk", "memory": "instant"}
"""Whose renderer a kind is."""


def persona_of(subject: Subject, motions: dict[str, MotionModel], kind: str, renderer: Renderer, mode: str) -> Persona:
    """A persona in memory of one renderer and the motion it needs."""
    info = {
        "recipe": _RECIPES.get(kind, "pose-adaptive"),
        "preset": "",
        "mode": mode,
        "renderer": kind,
        "lipwright": __version__,
        "source": subject.info["source"],
    }
    return Persona(info, motions, {kind: renderer}, Template.of_subject(subject))


def compared(speak: Speak, reported: Reported, folder: Path, name: str) -> dict[str, Any]:
    """What a speaker does with the reported footage, by protocol; its videos are left in `folder`."""
    own, other = (folder / f"{name}-{protocol}.mp4" for protocol in ("self", "cross"))
    found = {
        "self": kept_values(run_self(speak, reported.footage, *reported.audio, own), SELF),
        "cross": kept_values(run_cross(speak, reported.footage, reported.audio, reported.picture, other), CROSS),
    }
    if reported.exact is not None:
        found["cross, exact"] = kept_values(evaluate(other, reference=reported.exact), SELF)
    return found


def kept_values(evaluation: Evaluation, keys: Mapping[str, str]) -> dict[str, Any]:
    """Values by name, None where there is none; of the real video under `real`."""
    rows = {name: evaluation[key] for name, key in keys.items() if key in evaluation}
    values = {name: _number(rows[name].video) if name in rows else None for name in keys}
    return values | {"real": {name: _number(row.real) for name, row in rows.items() if row.real is not None}}


def _number(value: float | None) -> float | None:
    return None if value is None or value != value else round(float(value), 4)
