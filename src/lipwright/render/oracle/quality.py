"""How an oracle does on frames it never learnt from: mouth PSNR beside sharpness, and pictures to look at."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import F32, U8
from lipwright.render.oracle.data import OracleData
from lipwright.render.oracle.oracle import Oracle
from lipwright.render.translation.quality import contact_sheet, mouth_quality

Draw = Callable[[F32, NDArray[np.int64]], tuple[U8, U8]]
"""Landmarks (B, 68, 2) on the heads of frames (B,) of the data, to heads (B, S, S, 3) and mouths (B, M, M, 3)."""


def drawing_of(oracle: Oracle, data: OracleData) -> Draw:
    """How a trained oracle draws on the heads of the data."""
    return lambda landmarks, frames: oracle.pictures(landmarks, data.outlines[frames])


def oracle_quality(draw: Draw, data: OracleData, indices: NDArray[np.int64] | None = None) -> dict[str, float]:
    """Scores on held-out frames at their own keypoints; `score` is lower for better.

    Keys: `mouth_score`, `mouth_psnr_db` and `mouth_sharpness` (energy over the real one's, 1 as sharp) of the mouth box
    at the footage's resolution; `head_psnr_db` and `head_sharpness` of the whole head crop.
    """
    chosen = data.validation if indices is None else indices
    boxes, reals, heads, real_heads = [], [], [], []
    for i in chosen:
        head, mouth = (picture[0] for picture in draw(data.landmarks[i : i + 1], np.array([i])))
        where = mouth_box(data, int(i))
        boxes.append(mouth[where])
        reals.append(data.mouth(int(i))[where])
        heads.append(head)
        real_heads.append(data.heads[int(i)])
    mouth_scores, head_scores = mouth_quality(boxes, reals), mouth_quality(heads, real_heads)
    return {
        "score": mouth_scores["score"] + head_scores["score"],
        "mouth_score": mouth_scores["score"],
        "mouth_psnr_db": mouth_scores["mouth_psnr_db"],
        "mouth_sharpness": mouth_scores["mouth_sharpness"],
        "head_psnr_db": head_scores["mouth_psnr_db"],
        "head_sharpness": head_scores["mouth_sharpness"],
    }


def mouth_box(data: OracleData, index: int) -> tuple[slice, slice]:
    """Rows and columns of a mouth picture around the mouth of frame `index`."""
    return data.geometry.mouth_box(data.landmarks[index], data.mouth_size)


def oracle_sheet(draw: Draw, data: OracleData, count: int = 4) -> U8:
    """Spread held-out frames: real, generated and difference of the head, then of the mouth at its own size."""
    chosen = data.validation[np.linspace(0, len(data.validation) - 1, count).round().astype(int)]
    rows = []
    for i in chosen:
        head, mouth = (picture[0] for picture in draw(data.landmarks[i : i + 1], np.array([i])))
        size = data.mouth_size
        real = data.mouth(int(i))
        box = (data.geometry.size, 0, size, size)
        rows.append((_beside(data.heads[int(i)], real), _beside(head, mouth), box))
    return contact_sheet(rows, max(1, round(data.geometry.size / data.mouth_size)))


def _beside(head: U8, mouth: U8) -> U8:
    height = max(len(head), len(mouth))
    padded = [cv2.copyMakeBorder(p, 0, height - len(p), 0, 0, cv2.BORDER_CONSTANT) for p in (head, mouth)]
    return np.concatenate(padded, axis=1)
