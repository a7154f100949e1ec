"""Which phones are spoken, without a transcript and in any language: the best path through the posteriors."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lipwright.core.clock import SAMPLE_RATE
from lipwright.core.contracts import F32
from lipwright.speech.articulation import PHONES, STEP_S, Recogniser
from lipwright.speech.source import SampleSource
from lipwright.speech.tts import Phone

_CHANGE = -3.0
"""Log score of going from one phone to another: what lasts for less than its evidence is worth is not heard."""
_PART = 3000
"""Steps read at a time."""


def phones_heard(source: SampleSource, n_samples: int, recogniser: Recogniser | None = None) -> list[Phone]:
    """Phones in lower case that tile a recording of any length, 'pau' where nobody speaks.

    Args:
        source: reads the recording, 16 kHz.
        n_samples: its length.
        recogniser: the shipped one when None.
    """
    heard, steps = recogniser or Recogniser(), -(-n_samples * 100 // SAMPLE_RATE)
    score = np.zeros(len(PHONES))
    came: list[NDArray[np.uint8]] = []
    for first in range(0, steps, _PART):
        part, score = _follow(heard.posteriors(source, first, min(_PART, steps - first)), score)
        came.append(part)
    if not came:
        return []
    return _tiled(_back(np.concatenate(came), int(score.argmax())), n_samples)


def best_path(posteriors: F32) -> NDArray[np.int64]:
    """(T,) columns of `PHONES` of (T, 40) posteriors held in memory."""
    came, score = _follow(posteriors, np.zeros(len(PHONES)))
    return _back(came, int(score.argmax()))


def _follow(posteriors: F32, score: NDArray[np.float64]) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """((T, 40) where each phone came from, (40,) scores at the end); the best score is 0 at both ends."""
    log = np.log(posteriors + 1e-4)
    before = np.empty(posteriors.shape)
    for t, row in enumerate(log):  # little is done here, the rest for all at once: a stream waits for it
        before[t] = score
        score = np.maximum(score, _CHANGE)
        score += row
        score -= score.max()
    own, best = np.arange(len(PHONES)), before.argmax(axis=1)[:, None]
    return np.where(before >= _CHANGE, own, best).astype(np.uint8), score


def _back(came: NDArray[np.uint8], last: int) -> NDArray[np.int64]:
    path = np.empty(len(came), np.int64)
    for t in range(len(came) - 1, -1, -1):
        path[t] = last
        last = int(came[t, last])
    return path


def _tiled(path: NDArray[np.int64], n_samples: int) -> list[Phone]:
    cuts = np.flatnonzero(np.diff(path)) + 1
    edges = np.concatenate([[0.0], cuts * STEP_S, [n_samples / SAMPLE_RATE]])
    columns = path[np.concatenate([[0], cuts])]
    return [
        Phone("pau" if c == 0 else PHONES[c].lower(), float(a), float(b))
        for c, a, b in zip(columns, edges, edges[1:], strict=False)
    ]
