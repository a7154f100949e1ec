"""What the oracle's networks see of a face: lines and areas drawn from keypoints alone, never a pixel of a frame."""

from __future__ import annotations

import cv2
import numpy as np

from lipwright.core.contracts import F32, U8
from lipwright.core.ibug import CHAINS, INNER_LIPS, JAW_LINE, OUTER_LIPS
from lipwright.render.translation.facial_map import SUBPIXEL, draw_lines, line_width

DRAWING_CHANNELS = 3
_LIPS = ((OUTER_LIPS, True), (INNER_LIPS, True))
_AROUND_MOUTH = [*_LIPS, (list(range(31, 36)), False), (JAW_LINE, False)]
"""Lips, nose base, and the jaw where it is inside."""


def mouth_drawing(landmarks: F32, size: int, soft: float = 0.0) -> F32:
    """(68, 2) landmarks in mouth-picture pixels to (3, size, size) in [0, 1]: lines, lips, what is between them.

    Args: `soft`, see `OracleConfig.soft`.
    """
    lips, opening = mouth_areas(landmarks, size)
    lines = draw_lines(landmarks, size, _AROUND_MOUTH)
    return _planes(soft, [lines], [np.asarray(cv2.subtract(lips, opening), np.uint8), opening])


def head_drawing(landmarks: F32, outline: F32, size: int, soft: float = 0.0) -> F32:
    """(68, 2) landmarks and an (R, 2) outline in head-crop pixels to (3, size, size) in [0, 1].

    All strokes, mouth and jaw with them; the outline; lips (half) and what is between them (one). `soft` as above.
    """
    contour = np.zeros((size, size), np.uint8)
    fixed = np.round(outline * 2**SUBPIXEL).astype(np.int32)
    cv2.polylines(contour, [fixed[:, None]], False, (255,), line_width(size), cv2.LINE_AA, SUBPIXEL)
    lips, opening = mouth_areas(landmarks, size)
    areas = np.asarray(cv2.addWeighted(lips, 0.5, opening, 0.5, 0), np.uint8)
    return _planes(soft, [draw_lines(landmarks, size, CHAINS), contour], [areas])


def mouth_areas(landmarks: F32, size: int) -> tuple[U8, U8]:
    """(size, size) masks of 0 to 255: inside the outer lips, and inside the inner ones."""

    def filled(indices: list[int]) -> U8:
        canvas = np.zeros((size, size), np.uint8)
        fixed = np.round(landmarks[indices] * 2**SUBPIXEL).astype(np.int32)
        cv2.fillPoly(canvas, [fixed[:, None]], (255,), cv2.LINE_AA, SUBPIXEL)
        return canvas

    return filled(OUTER_LIPS), filled(INNER_LIPS)


def _planes(soft: float, lines: list[U8], areas: list[U8]) -> F32:
    planes = np.stack([*lines, *areas]).astype(np.float32) * np.float32(1 / 255)
    if soft <= 0:
        return planes
    sigma = soft * planes.shape[-1]
    # A blurred line stays as bright in its middle as a sharp one.
    blurred = np.stack([cv2.GaussianBlur(plane, (0, 0), sigma, borderType=cv2.BORDER_CONSTANT) for plane in planes])
    blurred[: len(lines)] *= max(np.sqrt(2 * np.pi) * sigma / line_width(planes.shape[-1]), 1)
    return np.asarray(blurred.clip(0, 1), np.float32)
