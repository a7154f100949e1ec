"""Gestures to the values of the 34 channels at given times; loudness and pauses come later.

Where lips meet, everything else gives way; where a sibilant or W insists, vowels do; vowels that overlap share the
mouth. Jaw and Lip are means of the phones' targets, weighted by how strongly each pulls.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lipwright.speech.channels import CHANNELS, INDEX, JAW, LIP, SEALING, VOWELS
from lipwright.speech.gestures import Gesture

F64 = NDArray[np.float64]

_INSISTING = [INDEX[name] for name in ("SZ", "ShChZh", "W", "Wa", "Ja")]
_VOWELS = [INDEX[name] for name in VOWELS]
_BEHIND = [INDEX[name] for name in ("LNTD", "GK", "LNTDa", "GKa")]
"""Of the tongue: neither diluted by the lips nor diluting them."""
_GIVING = [c for c in range(len(CHANNELS)) if c not in (*SEALING, *_BEHIND, JAW, LIP)]
_INSISTENCE = 0.5
"""What a sibilant or W takes from vowels that overlap it."""


def sample(gestures: Sequence[Gesture], times: F64) -> tuple[F64, F64]:
    """(T, 34) values and (T,) how fully the lips meet, at (T,) ascending times in seconds.

    Gestures may be in any order; those out of reach are skipped. Jaw and Lip are as if all were said at one loudness.
    """
    values = np.zeros((len(times), len(CHANNELS)))
    seal, insist = np.zeros(len(times)), np.zeros(len(times))
    jaw, jaw_pull, lip, lip_pull = (np.zeros(len(times)) for _ in range(4))
    for g in gestures:
        a, b = np.searchsorted(times, [g.rise_s, g.rest_s])
        if a == b:
            continue
        window = _window(g, times[a:b])
        for channel, weight in g.weights:
            np.maximum(values[a:b, channel], weight * window, out=values[a:b, channel])
        np.maximum(seal[a:b], g.seal * window, out=seal[a:b])
        np.maximum(insist[a:b], g.insist * window, out=insist[a:b])
        for total, pulls, pull, target in ((jaw, jaw_pull, g.jaw_pull, g.jaw), (lip, lip_pull, g.lip_pull, g.lip)):
            total[a:b] += pull * target * window
            pulls[a:b] += pull * window
    values[:, JAW] = jaw / np.maximum(jaw_pull, 1)
    values[:, LIP] = np.maximum(lip / np.maximum(lip_pull, 1), seal)
    values[:, _GIVING] *= (1 - seal)[:, None]
    values[:, _VOWELS] *= (1 - _INSISTENCE * insist)[:, None]
    values[:, _VOWELS] /= np.maximum(values[:, _VOWELS].sum(axis=1, keepdims=True), 1)
    return values, seal


def _window(gesture: Gesture, times: F64) -> F64:
    up = np.clip((times - gesture.rise_s) / max(gesture.full_s - gesture.rise_s, 1e-6), 0, 1)
    down = np.clip((gesture.rest_s - times) / max(gesture.rest_s - gesture.fall_s, 1e-6), 0, 1)
    return np.asarray(0.25 * (1 - np.cos(np.pi * up)) * (1 - np.cos(np.pi * down)))
