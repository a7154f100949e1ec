"""Pictures read at points: colours, brightness and its slopes, and the light that explains them."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from lipwright.core.contracts import F32, U8
from lipwright.face.morphable.light import N_BANDS, harmonics
from lipwright.face.morphable.solve import State, trust

LUMA = np.array([0.299, 0.587, 0.114], np.float32)
_BLUR = 1.2
"""Standard deviation in px at 512: slopes of single pixels are mostly noise."""
_ROW = 1024


def colours_at(rgb8: U8, points_px: F32) -> F32:
    """(P, 3) RGB in [0, 1] at (P, 2) pixels, bilinear; outside the picture its border."""
    rows = -(-len(points_px) // _ROW)  # OpenCV reads no more than 32767 in a row
    at = np.zeros((rows * _ROW, 2), np.float32)
    at[: len(points_px)] = points_px
    x, y = (np.ascontiguousarray(at[:, k].reshape(rows, _ROW)) for k in range(2))
    found = cv2.remap(rgb8, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return found.reshape(-1, 3)[: len(points_px)].astype(np.float32) / 255


def soft_grey(rgb8: U8) -> U8:
    """(H, W) blurred brightness, 0 to 255."""
    sigma = _BLUR * max(rgb8.shape[:2]) / 512
    return np.asarray(cv2.GaussianBlur(cv2.cvtColor(rgb8, cv2.COLOR_RGB2GRAY), (0, 0), sigma), np.uint8)


def slopes_at(grey8: U8, points_px: F32) -> tuple[F32, F32]:
    """(P,) brightness in [0, 1] and its (P, 2) change per pixel at (P, 2) pixels."""
    around = np.array([[0, 0], [-1, 0], [1, 0], [0, -1], [0, 1]], np.float32)
    at = (points_px[None] + around[:, None]).astype(np.float32)
    grey = cv2.remap(
        grey8, np.ascontiguousarray(at[..., 0]), np.ascontiguousarray(at[..., 1]), cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    ).astype(np.float32) / 255  # fmt: skip
    return grey[0], np.stack([grey[2] - grey[1], grey[4] - grey[3]], -1) / 2


def light_of(colours: F32, albedo: F32, normals: F32, weights: F32, ridge: float = 0.02) -> F32:
    """(9, 3) light under which (P, 3) albedo with (P, 3) normals shows these (P, 3) colours; robust.

    `ridge` holds the eight bands of direction back, in shares of the evidence for the first.
    """
    terms = harmonics(normals).astype(np.float64)
    light = np.zeros((N_BANDS, 3))
    for channel in range(3):
        rows, wanted = terms * albedo[:, channel : channel + 1], colours[:, channel].astype(np.float64)
        kept = weights.astype(np.float64)
        for _ in range(3):
            normal = (rows * kept[:, None]).T @ rows
            held = np.full(N_BANDS, ridge * normal[0, 0] + 1e-9)
            held[0] = 1e-9
            light[:, channel] = np.linalg.solve(normal + np.diag(held), (rows * kept[:, None]).T @ wanted)
            errors = np.abs(rows @ light[:, channel] - wanted)
            kept = weights * trust(errors / max(1.48 * float(np.median(errors)), 0.01))
    return light.astype(np.float32)


class Compare:
    """Brightness of a batch of frames against a lit albedo at P vertices: what `solve.step` asks for.

    Args:
        greys: blurred brightness of the T frames.
        albedo: (P, 3).
        normals: (P, 3) in head axes.
        light: (T, 9, 3).
    """

    def __init__(self, greys: Sequence[U8], albedo: F32, normals: F32, light: F32) -> None:
        self._greys, self._albedo, self._normals, self._light = greys, albedo, normals, light
        self.trusted = np.zeros(len(greys), np.float32)

    def __call__(self, state: State, px: F32) -> tuple[F32, F32]:
        """(T, P) errors (seen less drawn) and (T, P, 2) slopes; 0 where a vertex turns away from the camera."""
        errors, slopes = np.empty(px.shape[:2], np.float32), np.empty(px.shape, np.float32)
        for t, grey in enumerate(self._greys):
            turned = self._normals @ state.turn[t].T.astype(np.float32)
            drawn = (self._albedo * (harmonics(turned) @ self._light[t])) @ LUMA
            seen, slopes[t] = slopes_at(grey, px[t])
            facing = turned[:, 2] > 0.25
            errors[t] = (seen - drawn) * facing
            slopes[t] *= facing[:, None]
        return errors, slopes
