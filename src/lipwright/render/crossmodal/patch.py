"""What the network drew as a patch of a template frame: as sharp as it was drawn, in the template's light.

The mask of a patch in mode 'sewn' is the person's open-jaw hull, shaped by pose alone, and a soft rim around it: where
a drawing may be used at most. Where the renderer knows how the jaw moves with speech (`HeadGeometry.told`),
render.sewing takes from it what lies inside that jaw line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from lipwright.core.contracts import F32, U8, Patch
from lipwright.core.ease import smoothstep
from lipwright.core.stages import staged
from lipwright.face.align import compose, invert, zoom
from lipwright.render.head import HeadGeometry
from lipwright.render.layers import Layer, flattened
from lipwright.render.memory.blend import light, lit
from lipwright.render.patches import Area
from lipwright.render.translation.crop import sample_crop
from lipwright.render.translation.masks import FEATHER, head_mask

_MOUTH_RIM = 0.08
"""Of the mouth square's side: the soft rim with which the mouth picture lies on the head picture."""
_STEP = 4
"""A patch has the crop's pixels times a multiple of 1 / 4, so that small changes of distance do not change it."""
_RIM = (0.02, 0.9)
"""Mask values between which template and drawing are compared for light: the soft rim, which shows both."""


def hull_mask(hull: F32, size: int) -> F32:
    """(S, S) in [0, 1]: 1 inside a convex hull (H, 2) in crop pixels, falling to 0 over `FEATHER` outside it."""
    inside = np.zeros((size, size), np.uint8)
    cv2.fillConvexPoly(inside, np.round(hull * 16).astype(np.int32), (255,), cv2.LINE_8, 4)
    distance = cv2.distanceTransform(255 - inside, cv2.DIST_L2, 3)
    # The crop's border cuts off a hull that leaves it: no step may show there.
    soft = smoothstep(1 - distance / (FEATHER * size)) * head_mask(size, FEATHER * size)
    return np.asarray(soft, np.float32)


def covering(geometry: HeadGeometry) -> Area:
    """Rows and columns of the head crop outside which `hull_mask` is 0 for every pose."""
    left, top, right, bottom = geometry.crop.hull_reach()
    # cv2's 3 x 3 distance reads at least 0.95 of the true one; a pixel more for rounding to sixteenths.
    rim, size = FEATHER * geometry.size / 0.95 + 1, geometry.size

    def between(low: float, high: float) -> slice:
        return slice(max(int(np.floor(low - rim)), 0), min(int(np.ceil(high + rim)) + 1, size))

    return between(top, bottom), between(left, right)


def finer(affine: F32, geometry: HeadGeometry) -> float:
    """How many times the head crop's pixels a patch has: as many as the frame shows, or as the mouth was drawn with.

    Args: `affine` (2, 3) frame pixels to head-crop pixels.
    """
    most = geometry.size / geometry.mouth_square[2]
    return float(np.clip(np.ceil(_STEP / zoom(affine) - 0.01) / _STEP, 1, most))


def layers(head: U8, mouth: U8 | None, mask: F32, affine: F32, geometry: HeadGeometry, area: Area) -> list[Layer]:
    """The drawn head and on it the drawn mouth, each with its own pixels.

    Args:
        head: (h, w, 3) `area` of the head crop.
        mouth: (S, S, 3) the mouth square at full size; None leaves it out.
        mask: (h, w) where the drawing may be used.
        affine: (2, 3) frame pixels to head-crop pixels.
    """
    drawn = [Layer(head, mask, compose(scale_map(1, -area[1].start, -area[0].start), affine))]
    if mouth is not None:
        side = len(mouth)
        there = compose(geometry.mouth_from_head(side), affine)
        # A mouth picture may have more pixels than the footage showed of it.
        drawn.append(Layer(mouth, head_mask(side, _MOUTH_RIM * side), there, min(geometry.native_px / side, 1.0)))
    return drawn


def merged(drawn: Sequence[Layer], scale: float) -> Patch:
    """The layers as one patch of `scale` times the head's pixels."""
    head = drawn[0]
    height, width = head.mask.shape
    size = round(width * scale), round(height * scale)
    grid = scale_map((size[0] / width, size[1] / height), 0, 0)
    mask = np.asarray(cv2.resize(head.mask, size, interpolation=cv2.INTER_LINEAR), np.float32)
    there = compose(grid, head.crop_from_frame)
    return Patch(flattened(drawn, there, size), mask, there)


def scale_map(scale: float | tuple[float, float], x: float, y: float) -> F32:
    """(2, 3) map to a grid `scale` times as fine whose pixel edges meet, shifted by x and y pixels of it."""
    sx, sy = scale if isinstance(scale, tuple) else (scale, scale)
    return np.array([[sx, 0, (sx - 1) / 2 + x], [0, sy, (sy - 1) / 2 + y]], np.float32)


@staged("colour")
def in_light_of(frame: U8, drawn: Sequence[Layer]) -> list[Layer]:
    """Layers of a drawing in the template's light.

    The plane of gains that turns what was drawn into what the template `frame` (H, W, 3) shows is found in the soft
    rim of the head's mask alone: all that is inside stays blind to the template's mouth.
    """
    head = drawn[0]
    height, width = head.mask.shape
    own = sample_crop(frame, head.crop_from_frame, (width, height)).astype(np.float32)
    rim = ((head.mask > _RIM[0]) & (head.mask < _RIM[1])).astype(np.float32)
    gains = light(head.rgb8.astype(np.float32), own, rim)
    if gains is None:
        return list(drawn)
    frame_from_head = invert(head.crop_from_frame)
    return [replace(layer, rgb8=_lit(layer, gains, frame_from_head, (width, height))) for layer in drawn]


def _lit(layer: Layer, gains: F32, frame_from_head: F32, size: tuple[int, int]) -> U8:
    """A layer under the plane of gains of a head picture of `size`, to whose axes its own are parallel."""
    height, width = layer.rgb8.shape[:2]
    to_head = invert(compose(layer.crop_from_frame, frame_from_head))
    # The plane counts shares of each side from the middle.
    flat, across, down = gains
    x, y = (to_head[:, :2] @ (width / 2, height / 2) + to_head[:, 2]) / size
    moved = np.stack(
        [flat + (x - 0.5) * across + (y - 0.5) * down,
         across * (to_head[0, 0] * width / size[0]), down * (to_head[1, 1] * height / size[1])]
    )  # fmt: skip
    shown = lit(layer.rgb8.astype(np.float32), moved.astype(np.float32))
    return np.clip(shown + 0.5, 0, 255).astype(np.uint8)
