"""Does the mouth show the sounds that are said? Lip shapes during phones, sorted into classes and counted.

Only phones that lips show are used; what the tongue does behind open lips (T D N L TH DH K G NG HH) and schwa
(AH, AX) are left out. Shapes are four lengths of the mouth over the distance of the outer eye corners. Every phone
gets the class whose centre is nearest in units of the spread within classes: centres learnt on the real video of
the person, or, without one, textbook directions for four classes on the video's own scale.

Limits: lips glide, so even a real video reaches perhaps two thirds; compare with its value, never with 1. Without a
reference the classes are crude and relative: they tell whether shapes come at the right time, not whether they are
as large as a person's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lipwright.core.errors import ShapeError
from lipwright.metrics.lips import Phone

F64 = NDArray[np.float64]

VISEMES: dict[str, str] = {
    "closed": "P B M",
    "lip on teeth": "F V",
    "rounded": "UW UH OW OY AO W R ER SH ZH CH JH",
    "spread": "IY IH EY Y S Z",
    "open": "AA AE AY AW EH",
}
"""ARPAbet phones by what the lips do."""
TEXTBOOK: dict[str, tuple[float, float]] = {
    "closed": (-1.0, 0.0),
    "rounded": (0.0, -1.0),
    "spread": (0.0, 1.0),
    "open": (1.0, 0.0),
}
"""Opening and width of a class against the person's mean, in deviations."""
LEAST_PHONES = 3
"""A class with fewer phones is left out."""

_CLASS = {phone: name for name, phones in VISEMES.items() for phone in phones.split()}
_OPENING, _WIDTH = 0, 2


@dataclass(frozen=True)
class Confusion:
    """How often phones of each class (row: said) looked like each class (column: seen)."""

    classes: tuple[str, ...]
    counts: NDArray[np.int64]
    """(C, C)."""

    @property
    def balanced_accuracy(self) -> float:
        """Mean over classes of the share seen as said; 1 / C is chance and about what a frozen mouth gets."""
        rows = self.counts.sum(axis=1)
        return float(np.mean(np.diag(self.counts) / rows)) if len(rows) and rows.all() else float("nan")


@dataclass(frozen=True)
class Said:
    """Mouth shapes of the phones that lips show."""

    shapes: F64
    """(N, 4): inner opening, outer height, outer width, inner width, in outer eye distances."""
    classes: NDArray[np.str_]
    """(N,) keys of `VISEMES`."""


def mouth_shapes(landmarks: NDArray[Any]) -> F64:
    """(T, 4) shapes of (T, 68, 2) points, see `Said`."""
    points = np.asarray(landmarks, dtype=np.float64)

    def distance(a: int, b: int) -> F64:
        return np.asarray(np.linalg.norm(points[:, a] - points[:, b], axis=-1))

    sides = [distance(62, 66), distance(51, 57), distance(48, 54), distance(60, 64)]
    return np.stack(sides, axis=1) / distance(36, 45)[:, None]


def said(landmarks: NDArray[Any], phones: Sequence[Phone], fps: Fraction | float) -> Said:
    """Mean shape in the middle half of each phone that lips show (at least its middle frame); frame f is centred
    on (f + 1/2) / fps. Phones outside the video are left out."""
    shapes = mouth_shapes(landmarks)
    centres = (np.arange(len(shapes)) + 0.5) / float(fps)
    rows, classes = [], []
    for label, start_s, end_s in phones:
        name, middle = _CLASS.get(label.upper().rstrip("012")), (start_s + end_s) / 2
        frame = int(middle * float(fps))
        if name is None or not 0 <= frame < len(shapes):
            continue
        inside = np.abs(centres - middle) <= (end_s - start_s) / 4
        inside[frame] = True
        rows.append(shapes[inside].mean(axis=0))
        classes.append(name)
    return Said(np.array(rows, dtype=np.float64).reshape(-1, 4), np.array(classes, dtype=np.str_))


def confusion_by_reference(video: Said, real: Said) -> Confusion:
    """Phones of a video by centres learnt on the real one of the same moments, phone by phone in step.

    Each phone is judged by centres learnt from all others, so the real video's own value (`video` is `real`) does
    not flatter, and a perfect copy gets the same. ShapeError when the two do not hold the same phones.
    """
    if video.classes.tolist() != real.classes.tolist():
        raise ShapeError("video", real.shapes.shape, video.shapes.shape)
    classes = tuple(c for c in VISEMES if (real.classes == c).sum() >= LEAST_PHONES)
    counts = np.zeros((len(classes), len(classes)), dtype=np.int64)
    for k in np.flatnonzero(np.isin(real.classes, classes)):
        others = np.arange(len(real.classes)) != k
        centres, spread = _centres(real.shapes[others], real.classes[others], classes)
        counts += _count(video.classes[[k]], video.shapes[[k]] / spread, centres / spread, classes).counts
    return Confusion(classes, counts)


def confusion_by_textbook(video: Said) -> Confusion:
    """Phones of a video by opening and width against its own mean, four classes, nothing learnt."""
    classes = tuple(c for c in TEXTBOOK if (video.classes == c).sum() >= LEAST_PHONES)
    kept = np.isin(video.classes, classes)
    shapes = video.shapes[:, [_OPENING, _WIDTH]]
    if not kept.any():
        return Confusion(classes, np.zeros((len(classes), len(classes)), dtype=np.int64))
    deviation = shapes[kept].std(axis=0)
    scaled = (shapes[kept] - shapes[kept].mean(axis=0)) / np.where(deviation > 1e-9, deviation, np.inf)
    return _count(video.classes[kept], scaled, np.array([TEXTBOOK[c] for c in classes]), classes)


def _centres(shapes: F64, said_as: NDArray[np.str_], classes: Sequence[str]) -> tuple[F64, F64]:
    """((C, 4) means, (4,) deviation within classes)."""
    groups = [shapes[said_as == c] for c in classes]
    centres = np.array([g.mean(axis=0) for g in groups]).reshape(-1, shapes.shape[1])
    rest = np.concatenate([g - g.mean(axis=0) for g in groups]) if groups else np.ones((1, shapes.shape[1]))
    return centres, np.maximum(rest.std(axis=0), 1e-9)


def _count(said_as: NDArray[np.str_], shapes: F64, centres: F64, classes: Sequence[str]) -> Confusion:
    counts = np.zeros((len(classes), len(classes)), dtype=np.int64)
    for name, shape in zip(said_as, shapes, strict=True):
        seen = int(np.argmin(((centres - shape) ** 2).sum(axis=1)))
        counts[classes.index(str(name)), seen] += 1
    return Confusion(tuple(classes), counts)
