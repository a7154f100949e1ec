"""Sewing: where a rendered mouth is used, and the template bent so that its jaw line lies where the wanted one is.

Every renderer that puts a mouth into a template's own face uses these. All coordinates are pixels of one patch, x
right and y down; `eye` is the distance of the outer eye corners there, the yardstick of every margin, so that
a mask follows the size of the face and never that of the picture.

The template's jaw landmarks are read here: they decide which pixels are shown and are no input of a network.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import F32, U8, Patch
from lipwright.core.ease import smoothstep
from lipwright.core.ibug import JAW, JAW_LINE, MOUTH
from lipwright.core.stages import staged
from lipwright.face.align import compose, invert
from lipwright.render.layers import Layer, flattened
from lipwright.render.patches import bounds, cut, mixed, softened
from lipwright.render.warp import STIFFNESS, ThinPlate, grid_nodes, sample_fine, upsample

_NOSE = [31, 33, 35]
_NODES = 0.03
"""Eye distances between the places where the bend is worked out."""
_RIM = 0.05
"""Eye distances beyond the jaw line that still move with it: the line is tracked no better than this."""
_FADE_BELOW, _FADE_BESIDE = 0.12, 0.03
"""Eye distances over which the least movement ends: neck and shade go with a chin, background beside it does not."""
_COVER, _UNCOVER = 1.0, 2.5
"""How much further it reaches for every pixel of neck that the jaw covers or sets free."""
_RISE = 0.15
"""Of the way from nose base to chin: how far above and below the nose base a face begins to move."""
_INSET = -0.04
"""Eye distances that the mask of a drawn face ends inside the jaw line: what is drawn beyond it hardly shows."""
_INSET_BESIDE = 0.05
"""The same of any mask where the face ends beside it, not below."""
_FINEST, _NEAR_LIPS = 0.03, 0.08
"""Eye distances: blur below which detail is a skin's own, and how far around lips detail belongs to them."""
_STILL = 1 / 64
"""Pixels: less movement than this is none."""


def wanted_jaw(own: F32, target: F32) -> F32:
    """(17, 2) the jaw line to be shown: the wanted one between the template's own cheeks.

    Args: `own` (68, 2) template landmarks, `target` (29, 2) wanted MOUTH_JAW points.
    """
    line = own[JAW_LINE].copy()
    line[JAW] = target[20:]
    return line


@staged("sew")
def meet_jaw(template: U8, own: F32, target: F32, eye: float) -> U8:
    """(h, w, 3) the template bent so that its own jaw line lies where the wanted one is.

    The face moves as a whole. Beside and below it the movement ends soon: where the jaw comes lower it covers neck
    and background as in life; where it goes higher, what is next to it is stretched into the gap, over a few
    times the gap's width. Everything further away stays bit for bit.
    """
    height, width = template.shape[:2]
    nodes, grid = jaw_field(own, wanted_jaw(own, target), (width, height), eye)
    area = _moving(nodes, grid, (width, height))
    if area is None:
        return template
    part = upsample(nodes, grid, width, height, area)
    part[..., 0] += np.arange(width, dtype=np.float32)[area[1]]
    part[..., 1] += np.arange(height, dtype=np.float32)[area[0], None]
    result = template.copy()
    result[area] = sample_fine(template, part)
    return result


def _moving(nodes: NDArray[np.floating], grid: tuple[int, int], size: tuple[int, int]) -> tuple[slice, slice] | None:
    """Rows and columns of a picture (width, height) outside which a field at its nodes moves nothing."""
    moved = (np.abs(nodes).max(-1) > _STILL).reshape(grid[1], grid[0])
    if not moved.any():
        return None
    found = []
    for axis in (1, 0):  # rows, then columns; `size` and `grid` count columns first
        at, scale = np.flatnonzero(moved.any(axis)), size[axis] / grid[axis]
        # Bilinear between nodes: the field reaches to the middle of the next but one.
        found.append(slice(max(int((at[0] - 1) * scale), 0), min(int(np.ceil((at[-1] + 2) * scale)), size[axis])))
    return found[0], found[1]


def jaw_field(own: F32, line: F32, size: tuple[int, int], eye: float) -> tuple[NDArray[np.floating], tuple[int, int]]:
    """Where in the template each pixel comes from, less its own place: (P, 2) at nodes, and their (columns, rows).

    Args: `own` (68, 2), `line` (17, 2) jaw line to be shown, `size` (width, height) of the patch.
    Inside the line a thin-plate spline; outside the value at the nearest point of the line, falling to 0.
    """
    width, height = size
    corners = np.array([(x, y) for y in (0, height / 2) for x in (0, width)], np.float32)
    at = np.concatenate([line, own[_NOSE], corners])
    back = np.zeros_like(at)
    back[: len(line)] = own[JAW_LINE] - line
    places, grid = grid_nodes(*size, step=max(_NODES * eye, 2))
    nodes: F32 = places.astype(np.float32)
    down = own[JAW_LINE[8]] - own[_NOSE[1]]
    length = max(float(np.hypot(*down)), 1e-6)
    lower = smoothstep((nodes - own[_NOSE[1]]) @ down / length**2 / (2 * _RISE) + 0.5)
    field, below = np.zeros_like(nodes), np.flatnonzero(lower)  # above nothing moves and nothing need be worked out
    if len(below):
        spline = ThinPlate(at, STIFFNESS)
        moves = _about_line(spline, spline.solve(back), line, nodes[below], down / length, eye)
        field[below] = moves * lower[below, None]
    return field, grid


def _about_line(
    spline: ThinPlate, bend: NDArray[np.float64], line: F32, nodes: F32, down: F32, eye: float
) -> NDArray[np.floating]:
    """The spline of `bend` at nodes inside the line, beyond it less and less of it."""
    foot, beyond, normal = _nearest(line, nodes)
    field = spline.evaluate(bend, np.where(beyond[:, None] > 0, foot, nodes))
    gap = (field * normal).sum(-1)
    below = (normal @ down).clip(0, 1) ** 2
    least = _FADE_BESIDE + (_FADE_BELOW - _FADE_BESIDE) * below
    reach = least * eye + _UNCOVER * gap.clip(min=0) + _COVER * (-gap).clip(min=0)
    across = gap[:, None] * normal
    along = (field - across) * (1 - smoothstep(beyond / (_RIM * eye)))[:, None]
    return np.asarray(along + across * (1 - smoothstep((beyond - _RIM * eye) / reach))[:, None])


def _nearest(line: F32, points: F32) -> tuple[F32, ...]:
    """Of points (P, 2): the nearest point (P, 2) of a polyline (K, 2), how far outside it they lie (P,), its normal.

    Outside is to the right of the line as it runs: below a jaw line that runs from left to right.
    """
    middle = line.mean(0)  # squares of large coordinates would cost single precision its last pixels
    line, points = line - middle, points - middle
    start, along = line[:-1], np.diff(line, axis=0)
    length_sq = np.maximum((along**2).sum(-1), 1e-12)
    forth = points @ along.T - (start * along).sum(-1)
    share = (forth / length_sq).clip(0, 1)
    away_sq = (points**2).sum(-1)[:, None] - 2 * points @ start.T + (start**2).sum(-1)
    best = (away_sq + share * (share * length_sq - 2 * forth)).argmin(1)
    here = share[np.arange(len(points)), best, None]
    foot = start[best] + here * along[best]
    across = np.stack([-along[:, 1], along[:, 0]], -1) / np.sqrt(length_sq)[:, None]
    outside = np.sign(((points - foot) * across[best]).sum(-1)) * np.hypot(*(points - foot).T)
    # At the corners the mean of both sides, and between them every direction: a corner would fold what moves across.
    corners = np.concatenate([across[:1], across[:-1] + across[1:], across[-1:]])
    normal = (1 - here) * corners[best] + here * corners[best + 1]
    return foot + middle, outside, normal / np.maximum(np.hypot(*normal.T), 1e-6)[:, None]


def mouth_mask(
    own: F32, target: F32, size: tuple[int, int], eye: float, overhang: float = 0.0, softness: float = 0.05
) -> F32:
    """(h, w) in [0, 1]: where a mouth picture replaces the bent template: from the nose base to the wanted jaw.

    Args: `own` (68, 2); `target` (29, 2); `size` (width, height); `overhang` how far beyond the jaw line the mask
    reaches (negative: ends inside) and `softness`, the blur of its edge, both in eye distances.
    """
    width, height = size
    jaw = target[20:]
    centre = jaw.mean(0)
    away = (jaw - centre) / np.linalg.norm(jaw - centre, axis=1, keepdims=True)
    down = (jaw[4] - own[_NOSE[1]]) / max(float(np.linalg.norm(jaw[4] - own[_NOSE[1]])), 1e-6)
    beside = 1 - (away @ down) ** 2  # another moment's collar and background would show there
    out = jaw + away * ((overhang - _INSET_BESIDE * beside) * eye)[:, None]
    top = own[_NOSE] + np.array([0, 0.05 * eye], np.float32)
    inner = np.zeros((height, width), np.uint8)
    cv2.fillPoly(inner, [np.round(np.concatenate([out, top[::-1]]) * 16).astype(np.int32)], (255,), cv2.LINE_AA, 4)
    return softened(inner, softness * eye) * np.float32(1 / 255)


def skin_mask(mask: F32, target: F32, eye: float) -> F32:
    """(h, w) 0 or 1: where the two pictures may be compared for light: inside the mask and off the lips."""
    lips = np.zeros(mask.shape, np.uint8)
    cv2.fillConvexPoly(lips, cv2.convexHull(np.round(target[:20]).astype(np.int32)), (255,))
    side = 2 * max(int(0.06 * eye), 1) + 1
    return ((mask > 0.5) & (cv2.dilate(lips, np.ones((side, side), np.uint8)) == 0)).astype(np.float32)


@staged("sew")
def change_mask(before: U8, after: U8, eye: float) -> F32:
    """(h, w) in [0, 1] for a patch `after` (h, w, 3) of the picture `before`: 1 where they differ, 0 near the border.

    It falls to 0 where both are the same, so that no step can show and most of the picture stays as it was.
    """
    height, width = before.shape[:2]
    edge = max(int(0.06 * eye), 2) | 1
    red, green, blue = cv2.split(cv2.absdiff(before, after))
    mask = cv2.min(cv2.max(cv2.max(red, green), blue), 1)  # type: ignore[call-overload]
    inset = 2 * edge  # blurred and grown it still ends before the border: no step there
    mask[:inset] = mask[height - inset :] = mask[:, :inset] = mask[:, width - inset :] = 0
    mask = cv2.dilate(mask, np.ones((edge, edge), np.uint8))
    soft = cv2.boxFilter(mask, cv2.CV_32F, (edge, edge), borderType=cv2.BORDER_CONSTANT)
    return np.asarray(soft, np.float32)


@staged("sew")
def sew(
    frame: U8,
    box: NDArray[np.int64],
    own_px: F32,
    target_px: F32,
    drawn: Sequence[Layer],
    eye: float,
    skin: bool = False,
) -> Patch:
    """A drawn face, in any crop, sewn into the template's own pixels: its mouth inside the wanted jaw line.

    Args:
        frame: (H, W, 3) template.
        box: x0, y0, x1, y1 of the result in frame pixels; may reach beyond the frame.
        own_px: (68, 2) the template's landmarks, frame pixels.
        target_px: (29, 2) wanted MOUTH_JAW points, frame pixels.
        drawn: the face and where it may be used at most; finer pictures of parts of it (`render.layers`) behind it.
        eye: distance of the outer eye corners in frame pixels.
        skin: whether finest detail beside the lips (pores, stubble, noise) is the template's, bent with its jaw, for
            drawings that have none.
    Returns:
        a patch on the frame's own pixel grid. Jaw edge, neck and background in it are the template's.
    """
    before = cut(frame, box)
    size = (before.shape[1], before.shape[0])
    shift = np.array([[1, 0, -box[0]], [0, 1, -box[1]]], np.float32)
    own, target = own_px + shift[:, 2], target_px + shift[:, 2]
    weight = mouth_mask(own, target, size, eye, _INSET)
    area = bounds(weight)
    here = compose(np.array([[1, 0, -area[1].start], [0, 1, -area[0].start]], np.float32), shift)
    mouth = flattened(drawn, here, (area[1].stop - area[1].start, area[0].stop - area[0].start))
    weight[area] *= _used(drawn[0], here, mouth.shape[:2])
    result = meet_jaw(before, own, target, eye)
    if result is before:
        result = result.copy()
    if skin:
        mouth = _with_skin(mouth, result[area], _off_lips(own, target, size, eye)[area], eye)
    result[area] = mixed(result[area], mouth, weight[area])
    return Patch(result, change_mask(before, result, eye), shift)


def _used(drawn: Layer, grid_from_frame: F32, shape: tuple[int, ...]) -> F32:
    """(h, w) in [0, 1]: where a drawing may be used, on another pixel grid."""
    there = compose(drawn.crop_from_frame, invert(grid_from_frame))
    flags = cv2.WARP_INVERSE_MAP | cv2.INTER_LINEAR
    return np.asarray(cv2.warpAffine(drawn.mask, there, shape[::-1], flags=flags), np.float32)


def _with_skin(drawn: U8, template: U8, share: F32, eye: float) -> U8:
    """(h, w, 3) a drawing with the template's finest detail instead of its own, as far as `share` (h, w) says."""
    change = np.asarray(cv2.subtract(template, drawn, dtype=cv2.CV_32F), np.float32)
    change -= softened(change, _FINEST * eye)
    change *= share[..., None]
    return np.asarray(cv2.add(drawn, change, dtype=cv2.CV_8U), np.uint8)


def _off_lips(own: F32, target: F32, size: tuple[int, int], eye: float) -> F32:
    """(h, w) in [0, 1]: 0 on the template's lips and on the wanted ones and near them, 1 away from both."""
    lips = np.zeros(size[::-1], np.uint8)
    for points in (own[MOUTH], target[:20]):
        cv2.fillConvexPoly(lips, cv2.convexHull(np.round(points).astype(np.int32)), (255,))
    near = cv2.dilate(lips, np.ones((2 * int(_NEAR_LIPS * eye) + 1,) * 2, np.uint8))
    return 1 - softened(np.asarray(near, np.uint8), 0.5 * _NEAR_LIPS * eye) * np.float32(1 / 255)
