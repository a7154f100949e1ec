"""Sharpness and exposure of a face in one frame."""

from __future__ import annotations

import cv2

from lipwright.core.contracts import F32, U8


def face_quality(rgb8: U8, landmarks_px: F32) -> tuple[float, float, float] | None:
    """(sharpness, brightness, clipped share) of the face box; None when it is not in the picture.

    Sharpness is the variance of the Laplacian at one scale for all footage, a face 256 px wide, so that the
    number means the same for 4K and 480p. Brightness and clipped share lie in [0, 1].
    """
    height, width = rgb8.shape[:2]
    (x0, y0), (x1, y1) = landmarks_px.min(0).astype(int), landmarks_px.max(0).astype(int)
    face = rgb8[max(y0, 0) : min(y1, height), max(x0, 0) : min(x1, width)]
    if min(face.shape[:2]) < 8:
        return None
    grey = cv2.cvtColor(face, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (256, max(256 * grey.shape[0] // grey.shape[1], 8)), interpolation=cv2.INTER_AREA)
    sharpness = float(cv2.Laplacian(small, cv2.CV_32F).var())
    clipped = float(((face >= 253).all(-1) | (face <= 2).all(-1)).mean())
    return sharpness, float(grey.mean()) / 255, clipped
