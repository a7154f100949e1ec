"""A fitted face as a picture: drawn, compared with the frame, laid over it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import F32, U8
from lipwright.face.morphable.model import Coefficients, FaceModel, Scene, landmarks_px, scene
from lipwright.face.raster import interpolate, rasterise


def draw(model: FaceModel, seen: Scene, size: tuple[int, int]) -> tuple[U8, NDArray[np.bool_]]:
    """(H, W, 3) RGB of a lit scene and the (H, W) mask of what it covers; black elsewhere.

    Only the box around the face is rasterised: the cost follows the face, not the picture.
    """
    width, height = size
    picture, mask = np.zeros((height, width, 3), np.uint8), np.zeros((height, width), bool)
    low = np.maximum(np.floor(seen.points_px[:, :2].min(0)), 0).astype(int)
    high = np.minimum(np.ceil(seen.points_px[:, :2].max(0)).astype(int) + 1, size)
    if (high <= low).any():
        return picture, mask
    points = seen.points_px - np.array([low[0], low[1], 0], np.float32)
    box = (int(high[0] - low[0]), int(high[1] - low[1]))
    fragments = rasterise(points, model.triangles, box, cull_back=True)
    colours: F32 = interpolate(fragments, model.triangles, np.clip(seen.colours, 0, 1) * 255)
    where = (slice(low[1], high[1]), slice(low[0], high[0]))
    picture[where] = np.rint(colours).astype(np.uint8)
    mask[where] = fragments.triangle >= 0
    return picture, mask


def photometric_error(model: FaceModel, c: Coefficients, t: int, frame: U8, size: tuple[int, int]) -> float:
    """Mean absolute difference over RGB in grey levels (0 to 255) between a drawn face and its frame, where drawn."""
    drawn, mask = draw(model, scene(model, c, size, t), size)
    if not mask.any():
        return float("nan")
    return float(np.abs(drawn[mask].astype(np.float32) - frame[mask]).mean())


def overlay(model: FaceModel, c: Coefficients, t: int, frame: U8, seen_px: F32 | None = None) -> U8:
    """(H, 4 W, 3): frame with points (model's green, tracker's `seen_px` red), face drawn, face over frame, difference.

    The last panel is the difference, four times as strong, around grey.
    """
    size = (frame.shape[1], frame.shape[0])
    drawn, mask = draw(model, scene(model, c, size, t), size)
    over = np.where(mask[..., None], drawn, frame)
    apart = np.full(frame.shape, 128, np.uint8)
    difference = 128 + 4 * (frame[mask].astype(np.int16) - drawn[mask])
    apart[mask] = np.clip(difference, 0, 255).astype(np.uint8)
    dotted = frame.copy()
    if seen_px is not None:
        _dots(dotted, seen_px, (230, 40, 40))
    _dots(dotted, landmarks_px(model, c.frame(t), size)[0], (60, 230, 60))
    return np.concatenate([dotted, drawn, over, apart], axis=1)


def _dots(picture: U8, points: F32, colour: tuple[int, int, int]) -> None:
    radius = max(picture.shape[0] // 300, 1)
    for x, y in points:
        cv2.circle(picture, (round(float(x) * 16), round(float(y) * 16)), radius * 16, colour, -1, cv2.LINE_AA, 4)
