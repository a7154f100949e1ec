"""How a remembered mouth is bent, lit and blended: pure functions on the pixels of one patch."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from lipwright.core.contracts import F32, U8
from lipwright.core.gain import needed
from lipwright.core.stages import staged
from lipwright.render.crisp import edges
from lipwright.render.patches import Area
from lipwright.render.warp import GRID_STEP, STIFFNESS, Nodes, ThinPlate

SMALL_BLUR = 0.7
"""Deviation in px of the blur whose loss `sharpened` gives back: what sampling takes is finest detail."""


def lip_box(lips: F32) -> Area:
    """Rows and columns around (K, 2) lip points: where detail is measured."""
    (x0, y0), (x1, y1) = lips.min(0).astype(int) - 4, lips.max(0).astype(int) + 5
    return slice(max(y0, 0), max(y1, 0)), slice(max(x0, 0), max(x1, 0))


def detail(image: U8 | F32) -> float:
    """Mean squared Laplacian of the mean of the channels, in squared grey levels; 0 for an empty picture."""
    if min(image.shape[:2]) < 3:
        return 0.0
    return float(np.square(edges(image.astype(np.float32, copy=False))[1:-1, 1:-1]).mean())


def sharpened(image: F32, where: Area, wanted: float, most: float) -> F32:
    """More of what a small blur takes away, so that the detail within `where` becomes `wanted`; never less.

    The energy of L(x + g h) is quadratic in g, so the gain is its root; at most `most`.
    """
    gone = image - cv2.GaussianBlur(image, (0, 0), SMALL_BLUR)
    a, b = (edges(x[where]) if x[where].size else np.zeros(1) for x in (image, gone))
    gain = needed(float((a * a).mean()), float((a * b).mean()), float((b * b).mean()), wanted)
    return image + np.float32(min(gain, most)) * gone if gain > 0 else image


def faded(own: F32, others: Sequence[F32], share: float, blur: float, where: F32 | None = None) -> F32:
    """`own` with a share of what is coarser than `blur` (px) from each of the others, as far as `where` (h, w) says.

    Mixing all of two mouths would lose the fine detail of both, which never agrees (multi-band blending, Burt and
    Adelson 1983).
    """
    if not others:
        return own
    apart = sum(others[1:], others[0]) - np.float32(len(others)) * own
    apart *= np.float32(share) if where is None else cv2.merge([np.float32(share) * where] * 3)
    return own + cv2.GaussianBlur(apart, (0, 0), blur)


def outside_mouth(inner_lips: F32, size: tuple[int, int], room: float, blur: float) -> F32:
    """(height, width) 0 inside a polygon (K, 2) and up to `room` px around it, 1 elsewhere, soft by `blur` px."""
    mouth = np.zeros((size[1], size[0]), np.uint8)
    cv2.fillPoly(mouth, [np.round(inner_lips * 16).astype(np.int32)], (255,), cv2.LINE_AA, 4)
    side = 2 * int(room) + 1
    grown = cv2.GaussianBlur(cv2.dilate(mouth, np.ones((side, side), np.uint8)), (0, 0), blur)
    return 1 - grown.astype(np.float32) / 255


class Flow:
    """Smooth source positions of all pixels of a picture, for several mouths with the same points to be met.

    Args:
        at: (K, 2) points that must come from given places.
        size: (width, height) of the picture.
        step: pixels between the places where it is worked out.
    """

    def __init__(self, at: F32, size: tuple[int, int], step: int = GRID_STEP) -> None:
        self._spline = ThinPlate(at, STIFFNESS)
        self._nodes = Nodes(*size, step)
        self._reach = self._spline.basis(self._nodes.xy)

    def __call__(self, residual: F32, affine: F32) -> F32:
        """(h, w, 2) affine(p) + spline(p) of all pixels p, where spline(`at`) is `residual` (K, 2)."""
        moved = self._reach @ self._spline.solve(residual).astype(np.float32)
        moved += self._nodes.xy @ affine[:, :2].T.astype(np.float32)
        moved += affine[:, 2].astype(np.float32)
        return self._nodes.dense(moved)


@staged("colour")
def relight(mouth: F32, template: F32, where: F32) -> F32:
    """Multiply by the plane of gains (per channel) that best turns the mouth's skin into the template's."""
    return lit(mouth, light(mouth, template, where))


def lit(picture: F32, gains: F32 | None) -> F32:
    """(h, w, 3) times 1 + a plane of `light`, at any resolution; None changes nothing."""
    if gains is None:
        return picture
    height, width = picture.shape[:2]
    x, y = np.arange(width, dtype=np.float32) / width - 0.5, np.arange(height, dtype=np.float32) / height - 0.5
    flat, across, down = gains
    plane = np.outer(y, np.tile(down, width))  # rows of all channels side by side: no inner loop of three
    plane += (1 + flat + x[:, None] * across).ravel()
    result: F32 = (picture.reshape(height, -1) * plane).reshape(picture.shape)
    return result


def light(mouth: F32, template: F32, where: F32) -> F32 | None:
    """(3, 3) flat, across and down by channel: the plane of gains; None where `where` (h, w) leaves too little.

    Light multiplies: an offset would turn the dark of an open mouth grey in dimmer light. A plane follows light that
    changes across the face; more freedom would copy the template's chin. Weights fall with the difference, so a beard
    line or shadow edge that does not match cannot pull it.
    """
    step = max(mouth.shape[1] // 64, 1)
    weight = where[::step, ::step].ravel()
    if weight.sum() < 32:
        return None
    height, width = where.shape
    x, y = np.arange(width, dtype=np.float32) / width - 0.5, np.arange(height, dtype=np.float32) / height - 0.5
    grid = np.meshgrid(x[::step], y[::step])
    basis = np.stack([np.ones_like(weight), grid[0].ravel(), grid[1].ravel()], 1)
    skin = np.ascontiguousarray(mouth[::step, ::step]).reshape(-1, 3)
    difference = template[::step, ::step].reshape(-1, 3) - skin
    shown = skin.T[:, :, None] * basis  # (channel, pixel, 3): what each gain adds
    for _ in range(2):
        heavy = shown * weight[:, None]
        system = heavy.transpose(0, 2, 1) @ shown
        system += 3e-5 * np.trace(system, axis1=1, axis2=2)[:, None, None] * np.eye(3)
        gains = np.linalg.solve(system, heavy.transpose(0, 2, 1) @ difference.T[:, :, None])
        residual = np.abs(difference.T - (shown @ gains)[..., 0]).mean(0)
        weight = where[::step, ::step].ravel() / (1 + (residual / 12.0) ** 2)
    return np.asarray(gains[:, :, 0].T, np.float32)
