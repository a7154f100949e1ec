"""What the recogniser can tell on voices it has never heard, beside pocketsphinx' phone loop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import F32
from lipwright.hearing.dataset import Spoken
from lipwright.speech.align_phones import align_phones
from lipwright.speech.articulation import LOOKS, PHONES, Recogniser
from lipwright.speech.articulation_net import ArticulationNet
from lipwright.speech.exact import label_of
from lipwright.speech.phones import PhoneLoop
from lipwright.speech.phones_heard import best_path
from lipwright.speech.source import array_source

_UTTERANCE, _CONTEXT = 1000, 150
"""Steps that the phone loop decodes at a time, and before and after them, as `speech.phones.Phones` does."""
Columns = NDArray[np.integer[Any]]


def measure(model: ArticulationNet, clips: Sequence[Spoken], baseline: bool = True) -> dict[str, Any]:
    """Per voice and on average: accuracy per step, error of phones in order, error of boundaries; shares and ms."""
    recogniser = Recogniser(model)
    voices: dict[str, dict[str, float]] = {}
    for clip in clips:
        truth = clip.steps(len(clip.samples) // 160)
        posteriors = recogniser.posteriors(array_source(clip.samples), 0, len(truth))
        found = accuracy(posteriors, truth)
        found["boundary_ms"] = boundary_error_ms(clip, recogniser)
        if baseline:
            found |= {f"pocketsphinx_{k}": v for k, v in accuracy(loop_posteriors(clip.samples), truth).items()}
        voices[clip.speaker.name] = {k: round(v, 4) for k, v in found.items()}
    names = next(iter(voices.values()))
    return {"voices": voices, "mean": {k: round(float(np.mean([v[k] for v in voices.values()])), 4) for k in names}}


def accuracy(posteriors: F32, truth: Columns) -> dict[str, float]:
    """Of (T, 40) posteriors against (T,) columns of `PHONES`.

    `lips`: steps of speech whose class of look-alikes is right; `phone`: whose phone is; `silence`: steps of silence
    found; `phone_error`: edits per phone of the decoded sequence; `lips_error`: the same of look-alikes.
    """
    n = min(len(posteriors), len(truth))
    posteriors, truth = posteriors[:n], truth[:n]
    said, class_of = truth > 0, LOOKS.argmax(1)
    lips = (posteriors @ LOOKS).argmax(1) == class_of[truth]
    path = best_path(posteriors)
    return {
        "lips": float(lips[said].mean()),
        "phone": float((posteriors.argmax(1) == truth)[said].mean()),
        "silence": float((posteriors.argmax(1) == 0)[~said].mean()) if (~said).any() else 1.0,
        "phone_error": error_rate(order(path), order(truth)),
        "lips_error": error_rate(order(class_of[path]), order(class_of[truth])),
    }


def order(columns: Columns) -> list[int]:
    """What sounds one after the other, silence (0) left out."""
    changes = np.flatnonzero(np.diff(columns, prepend=-1))
    return [int(c) for c in columns[changes] if c]


def error_rate(found: Sequence[int], wanted: Sequence[int]) -> float:
    """Insertions, deletions and substitutions (Levenshtein) per wanted item."""
    target = np.asarray(wanted)
    row = np.arange(len(target) + 1, dtype=np.float64)
    steps = np.arange(len(target) + 1)
    for item in found:
        cost = np.append(row[0] + 1, np.minimum(row[1:] + 1, row[:-1] + (target != item)))
        row = np.minimum.accumulate(cost - steps) + steps
    return float(row[-1] / max(len(target), 1))


def loop_posteriors(samples: F32) -> F32:
    """(T, 40) one-hot rows of what pocketsphinx' phone loop hears."""
    loop, steps = PhoneLoop(), len(samples) // 160
    source, pieces = array_source(samples), [np.zeros(0, np.int64)]
    for first in range(0, steps, _UTTERANCE):
        labels = loop.labels(source((first - _CONTEXT) * 160, (first + _UTTERANCE + _CONTEXT) * 160))
        columns = [PHONES.index(name) if name in PHONES else 0 for name in labels]
        pieces.append(np.array(columns[_CONTEXT : _CONTEXT + min(_UTTERANCE, steps - first)]))
    return np.eye(len(PHONES), dtype=np.float32)[np.concatenate(pieces)]


def boundary_error_ms(clip: Spoken, recogniser: Recogniser) -> float:
    """Mean distance of aligned phone starts from the exact ones, pauses left out."""
    words: list[list[str]] = []
    starts: list[float] = []
    for label, start in zip(clip.labels.tolist(), clip.edges_s.tolist(), strict=False):
        if label:
            starts.append(start)
        if not label or not words:
            words.append([])
        if label:
            words[-1].append(PHONES[label])
    aligned = align_phones(array_source(clip.samples), len(clip.samples), [w for w in words if w], recogniser)
    found = [p.start_s for p in aligned if label_of(p.symbol) != "SIL"]
    return float(np.abs(np.array(found) - np.array(starts)).mean() * 1000)
