"""A tiny picture of every frame, kept while frames pass: what cuts between shots are found in."""

from __future__ import annotations

import cv2
import numpy as np

from lipwright.core.contracts import U8

LUMA = (32, 18)
"""(width, height) of the brightness picture: any shape of frame is squeezed into it."""
CHROMA = (16, 9)
"""(width, height) of the two colour pictures."""
N_SCENE = LUMA[0] * LUMA[1] + 2 * CHROMA[0] * CHROMA[1]
"""Bytes per frame: Y row by row, then Cb, then Cr."""


def scene(rgb8: U8) -> U8:
    """(N_SCENE,) uint8 signature of one RGB frame of any size."""
    step = max(min(rgb8.shape[1] // (4 * LUMA[0]), rgb8.shape[0] // (4 * LUMA[1])), 1)
    # Every step-th pixel first: averaging all of a 4K frame would cost more than everything else here.
    small = cv2.resize(np.ascontiguousarray(rgb8[::step, ::step]), LUMA, interpolation=cv2.INTER_AREA)
    ycc = cv2.cvtColor(small, cv2.COLOR_RGB2YCrCb)
    chroma = cv2.resize(ycc[..., 1:], CHROMA, interpolation=cv2.INTER_AREA)
    return np.concatenate([ycc[..., 0].ravel(), chroma[..., 1].ravel(), chroma[..., 0].ravel()])


def luma(signature: U8) -> U8:
    """(T, 18, 32) brightness pictures of (T, N_SCENE) signatures."""
    return signature[:, : LUMA[0] * LUMA[1]].reshape(-1, LUMA[1], LUMA[0])


def chroma(signature: U8) -> U8:
    """(T, 2, 9, 16) Cb and Cr pictures of (T, N_SCENE) signatures, centred at 128."""
    return signature[:, LUMA[0] * LUMA[1] :].reshape(-1, 2, CHROMA[1], CHROMA[0])
