"""What the network drew as a patch of a template frame: as sharp as it was drawn, in the template's light.

The mask of a patch in mode 'sewn' is the person's open-jaw hull, shaped by pose alone, and a soft rim around it: where
a drawing may be used at most. Where the renderer knows how the jaw moves with speech (`HeadGeometry.told`),
render.sewing takes from it what lies inside that jaw line.
"""

from __future__ import annotations

import cv2
import numpy as np

from lipwright.core.contracts import F32, U8, Patch
from lipwright.core.ease import smoothstep
from lipwright.core.stages import staged
from lipwright.face.align import compose, zoom
from lipwright.render.head import HeadGeometry
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


def placed(head: U8, mouth: U8 | None, geometry: HeadGeometry, area: Area, scale: float) -> U8:
    """The drawn head, `area` of its crop at `scale` times the crop's pixels, with the mouth picture on it.

    Args: `head` (h, w, 3) of the area; `mouth` (S, S, 3), the mouth square at full size; None leaves it out.
    Returns: (round(h·scale), round(w·scale), 3).
    """
    size = round(head.shape[1] * scale), round(head.shape[0] * scale)
    large = head if scale == 1 else np.asarray(cv2.resize(head, size, interpolation=cv2.INTER_CUBIC), np.uint8)
    if mouth is None:
        return large
    # The mouth's pixels to those of the patch: pixel edges meet, as in cv2.resize.
    to_crop = scale_map(geometry.mouth_square[2] / geometry.size, geometry.mouth_square[0], geometry.mouth_square[1])
    grown = (size[0] / head.shape[1], size[1] / head.shape[0])
    to_patch = scale_map(grown, -area[1].start * grown[0], -area[0].start * grown[1])
    step = grown[0] * geometry.mouth_square[2] / geometry.size
    # warpAffine does not antialias. A mouth learnt from fewer pixels than it is drawn with holds no finer detail than
    # they did, and blur would take some of that.
    known = min(geometry.native_px / geometry.size, 1.0)
    if step < 0.8 * known:
        mouth = np.asarray(cv2.GaussianBlur(mouth, (0, 0), 0.4 / step), np.uint8)
    affine = compose(to_patch, to_crop).astype(np.float64)
    picture = cv2.warpAffine(mouth, affine, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    soft = head_mask(geometry.size, _MOUTH_RIM * geometry.size)
    weight = cv2.warpAffine(soft, affine, size, flags=cv2.INTER_LINEAR)[..., None]
    mixed = large + weight * (picture.astype(np.float32) - large)
    return np.asarray(np.clip(mixed + 0.5, 0, 255), np.uint8)


def scale_map(scale: float | tuple[float, float], x: float, y: float) -> F32:
    """(2, 3) map to a grid `scale` times as fine whose pixel edges meet, shifted by x and y pixels of it."""
    sx, sy = scale if isinstance(scale, tuple) else (scale, scale)
    return np.array([[sx, 0, (sx - 1) / 2 + x], [0, sy, (sy - 1) / 2 + y]], np.float32)


@staged("colour")
def in_light_of(frame: U8, affine: F32, drawn: U8, mask: F32, area: Area, scale: float) -> Patch:
    """A drawing as a patch in the template's light.

    The plane of gains that turns what was drawn into what the template shows is found in the mask's soft rim alone:
    all that is inside stays blind to the template's mouth.

    Args:
        frame: (H, W, 3) template.
        affine: (2, 3) frame pixels to head-crop pixels.
        drawn: (h, w, 3) `area` of the crop at `scale` times its pixels.
        mask: (S, S) where it is used.
    """
    part = mask[area]
    own = sample_crop(frame, affine, len(mask))[area].astype(np.float32)
    size = (part.shape[1], part.shape[0])
    small = np.asarray(cv2.resize(drawn, size, interpolation=cv2.INTER_AREA), np.float32)
    rim = ((part > _RIM[0]) & (part < _RIM[1])).astype(np.float32)
    shown = lit(drawn.astype(np.float32), light(small, own, rim))
    there_size = (drawn.shape[1], drawn.shape[0])
    large = np.asarray(cv2.resize(part, there_size, interpolation=cv2.INTER_LINEAR), np.float32)
    grown = (drawn.shape[1] / size[0], drawn.shape[0] / size[1])
    there = scale_map(grown, -area[1].start * grown[0], -area[0].start * grown[1])
    return Patch(np.clip(shown + 0.5, 0, 255).astype(np.uint8), large, compose(there, affine))
