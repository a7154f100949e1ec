"""The unsharp gain that gives remembered mouths back the sharpness of the footage, measured on the memory itself."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from lipwright.core.contracts import F32
from lipwright.core.ibug import MOUTH_JAW
from lipwright.render.memory.bank import MouthBank
from lipwright.render.memory.blend import everywhere, unsharp
from lipwright.render.memory.renderer import MemoryConfig, MemoryRenderer

_MOUTHS = 32
"""Mouths that are rebuilt."""
_APART = 25
"""Frames between a mouth and those it may be rebuilt from: nothing within a second."""
_TARGET = 1.05
"""A little more than real: cross-fades at switches, which the calibration does not see, take it back."""
_STEP, _MOST = 0.02, 0.2


def calibrated(bank: MouthBank, config: MemoryConfig | None = None) -> MemoryRenderer:
    """A memory renderer with the smallest gain at which rebuilt mouths reach the Laplacian energy of real ones."""
    renderer = MemoryRenderer(bank, replace(config or MemoryConfig(), sharpen=0.0))
    sampled = np.linspace(0, len(bank) - 1, _MOUTHS).astype(int)
    pairs = [pair for i in sampled if (pair := _rebuilt(renderer, int(i))) is not None]
    gain = 0.0
    while pairs and gain < _MOST:
        if sum(_detail(unsharp(b, gain)) for _, b in pairs) >= _TARGET * sum(_detail(a) for a, _ in pairs):
            break
        gain += _STEP
    renderer.config = replace(renderer.config, sharpen=round(gain, 2))
    return renderer


def _rebuilt(renderer: MemoryRenderer, index: int) -> tuple[F32, F32] | None:
    """Mouth boxes (real, rebuilt from other seconds) of bank mouth `index`; None when there are no others."""
    bank = renderer.bank
    far = np.flatnonzero(np.abs(bank.source - bank.source[index]) > _APART)
    if not len(far):
        return None
    shapes = bank.shapes()
    nearest = int(far[np.argmin(((shapes[far] - shapes[index]) ** 2).sum((1, 2)))])
    real, own = bank.image(index), bank.landmarks_px[index]
    height, width = real.shape[:2]
    here, target = bank.canonical_from_cut[index], own[MOUTH_JAW]
    mouth = renderer.remembered(nearest, here, own, target, (width, height), everywhere(width, height))
    (x0, y0), (x1, y1) = own[48:68].min(0).astype(int) - 4, own[48:68].max(0).astype(int) + 5
    return real[y0:y1, x0:x1].astype(np.float32), mouth[y0:y1, x0:x1]


def _detail(image: F32) -> float:
    """Laplacian energy of the luma."""
    return float(cv2.Laplacian(image.mean(2), cv2.CV_32F).var())
