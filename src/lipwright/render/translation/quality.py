"""How well a renderer in training does: mouth PSNR beside sharpness, and pictures to look at.

The toolkit's reported metrics live in `metrics`; these steer training and run on its own held-out frames.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from lipwright.core.contracts import U8

_BLUR3 = np.array([0.25, 0.5, 0.25])
"""A blur that leaves nothing of what alternates from pixel to pixel."""


def mouth_quality(fakes: Sequence[U8], reals: Sequence[U8]) -> dict[str, float]:
    """Mean PSNR (dB, per frame from 8 bit) and sharpness of `fakes` over that of `reals`; `score` of both.

    `score` is lower for better: sharpness 0.5 or 2 costs 1.4 dB, because PSNR alone prefers blur.
    """
    errors = [float(np.mean((f.astype(np.float64) - r) ** 2)) for f, r in zip(fakes, reals, strict=True)]
    psnr = float(np.mean([10 * np.log10(255**2 / max(e, 1e-9)) for e in errors]))
    real = float(np.mean([sharpness(r) for r in reals]))
    ratio = float(np.mean([sharpness(f) for f in fakes])) / max(real, 1e-9)
    score = 2.0 * abs(float(np.log(max(ratio, 1e-3)))) - psnr
    return {"score": score, "mouth_psnr_db": psnr, "mouth_sharpness": ratio}


def sharpness(rgb8: U8) -> float:
    """Mean squared Laplacian of the grey picture, borders left out: an energy, so half the detail is 0.25.

    What alternates from pixel to pixel does not count: transposed convolutions leave such stripes, which are no detail.
    """
    grey = cv2.cvtColor(rgb8, cv2.COLOR_RGB2GRAY).astype(np.float64)
    return float(np.mean(cv2.Laplacian(cv2.sepFilter2D(grey, -1, _BLUR3, _BLUR3), cv2.CV_64F)[2:-2, 2:-2] ** 2))


def contact_sheet(rows: Sequence[tuple[U8, U8, tuple[int, int, int, int]]], zoom: int = 2) -> U8:
    """Rows of real, generated and four times the difference, then the same of the mouth box enlarged.

    Args: rows of (real, generated, (left, top, width, height) of the mouth).
    """
    lines = []
    for real, fake, (left, top, width, height) in rows:
        where = np.s_[top : top + height, left : left + width]
        whole = np.concatenate([real, fake, _difference(real, fake)], axis=1)
        mouths = [_enlarge(x[where], zoom) for x in (real, fake)]
        mouths.append(_difference(*mouths))
        strip = np.concatenate(mouths, axis=1)
        lines.append(_pad(whole, max(whole.shape[1], strip.shape[1])))
        lines.append(_pad(strip, max(whole.shape[1], strip.shape[1])))
    return np.concatenate(lines, axis=0)


def strip(fakes: Sequence[U8], reals: Sequence[U8], zoom: int = 2) -> U8:
    """Pictures of one size side by side and enlarged: real above, generated below."""
    lines = [np.concatenate([_enlarge(x, zoom) for x in row], axis=1) for row in (reals, fakes)]
    return np.concatenate(lines, axis=0)


def _difference(a: U8, b: U8) -> U8:
    return np.clip(4 * np.abs(a.astype(np.int16) - b), 0, 255).astype(np.uint8)


def _enlarge(rgb8: U8, zoom: int) -> U8:
    return rgb8.repeat(zoom, axis=0).repeat(zoom, axis=1)


def _pad(rgb8: U8, width: int) -> U8:
    return np.pad(rgb8, ((0, 0), (0, width - rgb8.shape[1]), (0, 0)))
