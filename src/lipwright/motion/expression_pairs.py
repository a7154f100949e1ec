"""What speech-to-expression learns from: speech of any voices beside the expression of one person's fitted face.

Own pairs are the person's own speech and fit. Pseudo pairs come from a teacher's video of the person saying what others
said (Meta Talk, SPEC 5, steps 2 to 4).
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lipwright.core.clock import FPS, round_half_up
from lipwright.core.contracts import F32
from lipwright.core.errors import CheckpointError, ConfigError, ShapeError
from lipwright.core.files import atomic_file
from lipwright.core.ibug import MOUTH
from lipwright.core.resample import linear, positions
from lipwright.face.morphable.fit import Fit
from lipwright.face.morphable.model import FaceModel
from lipwright.speech.features import SPEECH_FEATURES, features_of
from lipwright.subject.store import Subject

OWN, PSEUDO = 0, 1
"""Values of `source`."""
FEATURES = ("logmel",)
"""What is computed unless asked otherwise: Meta Talk's 28 x 80 windows are cut from it."""
_SCHEMA = 1
_CLIP = 250
"""Frames of a stretch of one's own footage: stretches are what is held out, so they must not be the whole."""


@dataclass(frozen=True)
class ExpressionPairs:
    """N frames at 25 a second, of stretches that lie one after the other."""

    features: Mapping[str, F32]
    """name -> (rate·N, dim) rows of speech features, four a frame of (80,) for 'logmel'."""
    expression: F32
    """(N, E) in the basis of the subject's fitted face."""
    clip: NDArray[np.int64]
    """(N,) number of the stretch; frames of a stretch follow each other."""
    weight: F32
    """(N,) how much a frame counts; 0 where the face was not seen."""
    source: NDArray[np.int64]
    """(N,) 0 own, 1 pseudo."""
    lips: F32
    """(E, K, 3) cm by which one unit of each coefficient moves the lip points."""

    def __post_init__(self) -> None:
        n, count = self.expression.shape
        for name, rows in self.features.items():
            kind = SPEECH_FEATURES.get(name)
            if rows.shape != (kind.rate * n, kind.dim):
                raise ShapeError(f"features['{name}']", (kind.rate * n, kind.dim), rows.shape)
        for name in ("clip", "weight", "source"):
            if getattr(self, name).shape != (n,):
                raise ShapeError(name, (n,), getattr(self, name).shape)
        if self.lips.ndim != 3 or self.lips.shape[0] != count or self.lips.shape[2] != 3:
            raise ShapeError("lips", (count, "K", 3), self.lips.shape)

    def __len__(self) -> int:
        return len(self.expression)

    def frames(self, where: NDArray[np.integer]) -> ExpressionPairs:
        """Some frames, in the order given; take whole stretches, since windows reach from frame to frame."""
        index = np.asarray(where)
        cut = {}
        for name, rows in self.features.items():
            rate = SPEECH_FEATURES.get(name).rate
            cut[name] = rows[(index[:, None] * rate + np.arange(rate)).ravel()]
        arrays = (self.expression[index], self.clip[index], self.weight[index], self.source[index])
        return ExpressionPairs(cut, *arrays, self.lips)

    def stretches(self) -> list[tuple[int, int]]:
        """(start, stop) of every clip."""
        edges = np.flatnonzero(np.diff(self.clip, prepend=self.clip[:1] - 1, append=self.clip[-1:] + 1))
        return list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write one npz, atomically."""
        arrays = {f"features.{name}": rows for name, rows in self.features.items()}
        own = {name: getattr(self, name) for name in _ARRAYS}
        with atomic_file(path) as temporary, open(temporary, "wb") as stream:
            np.savez_compressed(stream, schema=np.array(_SCHEMA), **arrays, **own)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> ExpressionPairs:
        """Read what `save` wrote; CheckpointError when the file is missing, damaged or foreign."""
        source = Path(path)
        try:
            with open(source, "rb") as stream, np.load(stream, allow_pickle=False) as file:
                if int(file["schema"]) != _SCHEMA:
                    raise ValueError(f"schema {int(file['schema'])}")
                features = {k.removeprefix("features."): file[k] for k in file.files if k.startswith("features.")}
                return cls(features, **{name: file[name] for name in _ARRAYS})
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise CheckpointError(f"{source} holds no expression pairs ({error}); delete it and run again") from error


_ARRAYS = ("expression", "clip", "weight", "source", "lips")


def joined(parts: Sequence[ExpressionPairs]) -> ExpressionPairs:
    """All parts after each other, their clips numbered anew; ConfigError for different faces or features."""
    if not parts:
        raise ConfigError("no expression pairs were given; make some from a subject and its fit")
    first, clips, used = parts[0], [], 0
    for part in parts:
        if part.lips.shape != first.lips.shape or not np.allclose(part.lips, first.lips, atol=1e-5):
            raise ConfigError("expression pairs of different fitted faces cannot be joined; use one fit for all")
        if set(part.features) != set(first.features):
            raise ConfigError(
                f"expression pairs hold {', '.join(part.features)} here and {', '.join(first.features)} there; "
                "compute the same speech features for all"
            )
        number = np.unique(part.clip, return_inverse=True)[1]
        clips.append(number.astype(np.int64) + used)
        used += int(number.max(initial=-1)) + 1

    def all_of(name: str) -> np.ndarray:
        return np.concatenate([getattr(part, name) for part in parts])

    features = {name: np.concatenate([part.features[name] for part in parts]) for name in first.features}
    return ExpressionPairs(
        features, all_of("expression"), np.concatenate(clips), all_of("weight"), all_of("source"), first.lips
    )


def lips_of(model: FaceModel) -> F32:
    """(E, 20, 3) cm by which one unit of each coefficient moves the 20 mouth points."""
    return model.landmark68(model.expression)[:, np.asarray(MOUTH)]


def own_pairs(
    subject: Subject, fit: Fit, features: Sequence[str] = FEATURES, split: str | None = "train"
) -> ExpressionPairs:
    """The person's own speech and the expression fitted to their own frames, in stretches of 10 s.

    Args:
        subject: whose speech; `fit` of the same footage, all of its frames.
        features: speech features to compute.
        split: 'train', 'validation', or None for all frames.
    """
    if len(fit.coefficients) != len(subject):
        raise ConfigError(
            f"the fit has {len(fit.coefficients)} frames and the subject {len(subject)}; fit the whole subject"
        )
    frames = subject.split(split) if split else range(len(subject))
    ratio = FPS / subject.fps
    rows, share = positions(round_half_up(frames.start * ratio), round_half_up(frames.stop * ratio), FPS, subject.fps)
    good = subject.track.good & (fit.trusted > 0)
    seen = good[np.clip(rows, 0, len(good) - 1)]
    start, n = round_half_up(frames.start * ratio), len(rows)
    return of_stretch(
        features_of(subject.samples, features, n, start),
        linear(fit.coefficients.expression, rows, share), seen.astype(np.float32), OWN, lips_of(fit.model), _CLIP,
    )  # fmt: skip


def of_stretch(
    features: Mapping[str, F32], expression: F32, weight: F32, source: int, lips: F32, clip_frames: int = 0
) -> ExpressionPairs:
    """One stretch of speech; longer ones are cut into clips of about `clip_frames` (0: never)."""
    n = len(expression)
    count = max(round(n / clip_frames), 1) if clip_frames else 1
    clip = np.arange(n, dtype=np.int64) * count // max(n, 1)
    which = np.full(n, source, np.int64)
    return ExpressionPairs(features, expression.astype(np.float32), clip, weight.astype(np.float32), which, lips)
