"""A mouth at rest while nobody speaks: how silent a frame is, and how this person's mouth rests."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import F32
from lipwright.core.ease import smoothstep
from lipwright.motion.scores import aperture
from lipwright.speech.pauses import SHORTEST, stretches
from lipwright.speech.phones import CLASSES

FEATURE = "phones"
PAUSES = "pauses"
_COLUMN = list(CLASSES).index("silence")
_EASE = 3
"""Frames from speech to rest and back."""
REACH = 12
"""Frames on either side that `silence_of` can read: the shortest pause, the easing on both sides."""
_ENOUGH = 25
"""Silent frames that can tell how this person rests."""


def silence_of(phones: F32, pauses: F32 | None = None) -> F32:
    """(T,) in [0, 1]: 0 speech, 1 rest, eased over three frames inside the pause.

    A pause is where the recogniser hears nobody for a fifth of a second, or where the sound's energy says so:
    each misses pauses that the other knows (noise here, breath there).

    Args:
        phones: (T, 20) rows of the feature 'phones'; pauses: (T, 2) rows of the feature 'pauses'.
    """
    quiet = phones[:, _COLUMN] > 0.5
    for start, stop in stretches(quiet):
        inside = start > 0 and stop < len(quiet)
        if inside and stop - start < SHORTEST:
            quiet[start:stop] = False
    if pauses is not None:
        quiet |= pauses[:, 0] > 0.5
    depth = np.zeros(len(quiet))
    core = quiet
    for _ in range(_EASE):
        depth += core
        core = core & np.append(core[1:], True) & np.insert(core[:-1], 0, True)
    return smoothstep(depth / _EASE).astype(np.float32)


def rest_shape(shapes: F32, mean_face: F32, silence: F32) -> F32:
    """(58,) the shape of a resting mouth.

    The more closed half of the silent frames (breath is taken with open lips); with fewer than a second of
    silence the most closed 8 % of all frames.

    Args:
        shapes: (N, 58) shapes of the training frames; mean_face: (58,) to add for real apertures.
        silence: (N,) of the same frames.
    """
    return shapes[rest_frames(aperture((shapes + mean_face).reshape(-1, 29, 2)), silence)].mean(axis=0)


def rest_frames(opening: NDArray[np.floating], silence: F32) -> NDArray[np.int64]:
    """Places of frames that show the resting mouth, of (N,) openings and (N,) silence; see `rest_shape`."""
    silent = np.flatnonzero(silence > 0.9)
    pool, share = (silent, 0.5) if len(silent) >= _ENOUGH else (np.arange(len(opening)), 0.08)
    count = max(int(share * len(pool)), 1)
    return pool[np.argsort(opening[pool], kind="stable")[:count]]
