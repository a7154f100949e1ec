"""Cross-voice evaluation of speech-to-expression: which pairs and which teacher, against mouths that are known.

A mouth is compared in the head's own axes, turned to the front, in distances of the outer eye corners, so that truth of
any origin (a rendered face, another fit) can be used; both are centred, since no two faces rest alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lipwright.core.clock import n_frames
from lipwright.core.contracts import F32, Conditions
from lipwright.core.errors import ConfigError
from lipwright.core.ibug import MOUTH
from lipwright.face.morphable.model import FaceModel
from lipwright.metrics.silence import silence_mask
from lipwright.motion.expression_model import AUDIODVP, ExpressionConfig, ExpressionMotion
from lipwright.motion.expression_pairs import ExpressionPairs, joined
from lipwright.motion.lips import BOTTOM, TOP
from lipwright.speech.exact import PhoneTime
from lipwright.speech.features import features_of

_CHIN = 8
_EYES = (36, 45)
_BILABIALS = frozenset("PBM")
_NEAR = 1
"""Frames about the middle of a bilabial in which the lips must meet."""
_MET = 0.15
"""Of the usual opening (90th percentile over the least) below which lips count as closed."""


@dataclass(frozen=True)
class Variant:
    """One row of the ablation."""

    name: str
    own: bool
    """Whether own pairs are learnt from."""
    teacher: str | None
    """Whose pseudo pairs, see `teachers.make_teacher`; None: nobody's."""
    config: ExpressionConfig

    def pairs(self, own: ExpressionPairs, pseudo: Mapping[str, ExpressionPairs]) -> ExpressionPairs:
        """What it learns from. ConfigError when its teacher told nothing."""
        parts = [own] if self.own else []
        if self.teacher is not None:
            if self.teacher not in pseudo:
                raise ConfigError(f"there are no pseudo pairs of teacher '{self.teacher}' for row '{self.name}'")
            parts.append(pseudo[self.teacher])
        return joined(parts)


def variants(config: ExpressionConfig, teachers: Sequence[str]) -> list[Variant]:
    """AudioDVP, own pairs alone, and pseudo pairs of each teacher without and with own ones."""
    rows = [
        Variant("AudioDVP: own pairs, linear", True, None, replace(AUDIODVP)),
        Variant("own pairs", True, None, config),
    ]
    for name in teachers:
        rows += [
            Variant(f"pseudo pairs ({name})", False, name, config),
            Variant(f"own and pseudo pairs ({name})", True, name, config),
        ]
    return rows


@dataclass(frozen=True)
class Spoken:
    """Speech whose mouth is known."""

    name: str
    samples: F32
    """(S,) 16 kHz."""
    mouth: F32
    """(T, 21, 2) as `mouth_of_points`; no frames where only the phones are known."""
    seen: NDArray[np.bool_]
    """(T,) frames that count."""
    phones: Sequence[PhoneTime] = ()
    """Where they are known."""


def mouth_of_points(points: F32) -> F32:
    """(..., 21, 2) mouth and chin of (..., 68, 3) points in head axes (y up), in outer eye distances, y down.

    The eyes' middle is the origin.
    """
    eyes = points[..., _EYES, :2]
    middle = eyes.mean(-2, keepdims=True)
    unit = np.linalg.norm(eyes[..., 1, :] - eyes[..., 0, :], axis=-1)[..., None, None]
    return np.asarray((points[..., [*MOUTH, _CHIN], :2] - middle) / unit * [1, -1], np.float32)


def mouth_of_expression(model: FaceModel, geometry: F32, expression: F32) -> F32:
    """(T, 21, 2) of (T, E) coefficients of a fitted face; the eyes' distance is that of the face at rest."""
    still = model.landmark68(model.mean) + np.tensordot(geometry, model.landmark68(model.geometry), 1)
    moved = still + np.tensordot(expression, model.landmark68(model.expression), 1)
    moved[:, _EYES] = still[list(_EYES)]
    return mouth_of_points(np.asarray(moved, np.float32))


def said(model: ExpressionMotion, samples: F32) -> F32:
    """(T, E) what a model says of speech."""
    n = n_frames(len(samples))
    nothing = Conditions(np.zeros((n, 3), np.float32), np.zeros((n, 8, 2), np.float32))
    return model.predict(features_of(samples, model.info.features, n), nothing)


def scores(spoken: Sequence[Spoken], mouths: Sequence[F32]) -> dict[str, float]:
    """Scores of all clips of one kind together; `mouths` are (T, 21, 2), what a model made of each.

    `aperture` correlation of the inner lips' opening, `amplitude` its deviation over the true one, `chin` correlation
    of the chin's height, `centred` mean distance of the 20 mouth points, both centred, over that of a mouth that rests
    (below 1: better than the mean mouth).
    """
    made, true = list[F32](), list[F32]()
    for clip, mouth in zip(spoken, mouths, strict=True):
        n = min(len(mouth), len(clip.mouth))
        keep = clip.seen[:n]
        made.append(mouth[:n][keep])
        true.append(clip.mouth[:n][keep])
    a, b = (np.concatenate([m - m.mean(0) for m in parts]).astype(np.float64) for parts in (made, true))
    gaps, chins = ((opening(a), opening(b)), (a[:, 20, 1], b[:, 20, 1]))
    off = np.linalg.norm(a[:, :20] - b[:, :20], axis=-1).mean()
    rest = np.linalg.norm(b[:, :20], axis=-1).mean()
    return {
        "aperture": _correlation(*gaps),
        "amplitude": float(gaps[0].std() / max(gaps[1].std(), 1e-9)),
        "chin": _correlation(*chins),
        "centred": float(off / max(rest, 1e-9)),
    }


def phone_scores(spoken: Sequence[Spoken], mouths: Sequence[F32]) -> dict[str, float]:
    """What phones and silence demand, where no mouth is known.

    `closure`: share of /p b m/ within a frame of whose middle the lips meet: the opening falls below 15 % of the usual
    one (90th percentile over the least of the clip). `silence`: deviation of the opening in pauses over speech.
    """
    closed, total, quiet, loud = 0, 0, list[NDArray[np.float64]](), list[NDArray[np.float64]]()
    for clip, mouth in zip(spoken, mouths, strict=True):
        gap = opening(mouth)
        low, high = float(gap.min()), float(np.percentile(gap, 90))
        for phone in clip.phones:
            frame = int(25 * (phone.start_s + phone.end_s) / 2)
            if phone.symbol.upper().rstrip("012") in _BILABIALS and frame < len(gap):
                near = gap[max(frame - _NEAR, 0) : frame + _NEAR + 1]
                closed, total = closed + int(near.min() < low + _MET * (high - low)), total + 1
        silent = silence_mask(clip.samples, len(gap))
        quiet.append(gap[silent])
        loud.append(gap[~silent])
    still, speaking = np.concatenate(quiet), np.concatenate(loud)
    return {
        "closure": closed / total if total else float("nan"),
        "silence": float(still.std() / max(speaking.std(), 1e-9)) if len(still) > 1 else float("nan"),
    }


def opening(mouth: NDArray[np.floating]) -> NDArray[np.float64]:
    """(T,) mean distance of the inner lips of (T, 21, 2)."""
    return np.asarray((mouth[:, BOTTOM, 1] - mouth[:, TOP, 1]).mean(1), np.float64)


def _correlation(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    return float(np.corrcoef(a, b)[0, 1]) if a.std() > 1e-9 and b.std() > 1e-9 else 0.0
