"""A mouth at rest while nobody speaks: how silent a frame is, and how this person's mouth rests."""

from __future__ import annotations

import numpy as np

from lipwright.core.contracts import F32
from lipwright.motion.filters import low_pass
from lipwright.motion.scores import aperture
from lipwright.speech.phones import CLASSES

FEATURE = "phones"
_COLUMN = list(CLASSES).index("silence")
_SMOOTHING = 2.0
_BEGINS, _FULL = 0.6, 0.95
"""Share of silence around a frame at which the mouth begins to rest and at which it rests: gaps between words
stay speech, a pause of a third of a second is rest."""
_ENOUGH = 25
"""Silent frames that can tell how this person rests."""


def silence_of(phones: F32) -> F32:
    """(T, 20) rows of the feature 'phones' to (T,) in [0, 1]: 0 speech, 1 rest, smooth in between."""
    share = low_pass(phones[:, _COLUMN : _COLUMN + 1], _SMOOTHING)[:, 0]
    x = np.clip((share - _BEGINS) / (_FULL - _BEGINS), 0, 1)
    return (x * x * (3 - 2 * x)).astype(np.float32)


def rest_shape(shapes: F32, mean_face: F32, silence: F32) -> F32:
    """(58,) the shape of a resting mouth.

    The more closed half of the silent frames (breath is taken with open lips); with fewer than a second of
    silence the most closed 8 % of all frames.

    Args:
        shapes: (N, 58) shapes of the training frames; mean_face: (58,) to add for real apertures.
        silence: (N,) of the same frames.
    """
    opening = aperture((shapes + mean_face).reshape(-1, 29, 2))
    silent = np.flatnonzero(silence > 0.9)
    pool, share = (silent, 0.5) if len(silent) >= _ENOUGH else (np.arange(len(shapes)), 0.08)
    count = max(int(share * len(pool)), 1)
    chosen = pool[np.argsort(opening[pool], kind="stable")[:count]]
    return shapes[chosen].mean(axis=0)
