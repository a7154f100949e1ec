"""`memory`: a remembered mouth per frame, warped to the wanted lips and jaw, relit, blended softly.

Everything is sampled once from uncut footage pixels, so the result is as sharp as the footage. The
template's own picture is warped a little so that its jaw line meets the wanted one; outside the region
it stays bit for bit.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass, field, replace
from typing import Any

import cv2
import numpy as np

from lipwright.core.config import from_dict, to_dict
from lipwright.core.contracts import F32, U8, Patch, RenderWindow
from lipwright.core.ibug import JAW, JAW_LINE, MOUTH_JAW
from lipwright.face.align import apply, compose, invert
from lipwright.render.memory.bank import MouthBank
from lipwright.render.memory.search import PathSearch, SearchConfig
from lipwright.render.warp import ThinPlate, grid_nodes, sample, upsample

Area = tuple[slice, slice]
"""Rows and columns of a patch."""

_ANCHORS = [1, 2, 14, 15, 31, 33, 35]
"""Rigid points that hold cheeks and nose base in place while lips and jaw move."""
_STIFFNESS = 2e-3
_CALIBRATION_MOUTHS = 32
_CALIBRATION_TARGET = 1.05
"""A little more than real: cross-fades at switches, which the calibration does not see, take it back."""
_MAX_GAIN = 0.2
_LOOKAHEAD = 12
"""Frames of future the path looks at before it decides."""


@dataclass(frozen=True)
class MemoryConfig:
    """How remembered mouths are put in."""

    search: SearchConfig = field(default_factory=SearchConfig)
    softness: float = 0.05
    """Blur of the inner mask, in eye distances."""
    overhang: float = 0.03
    """How far the inner mask reaches beyond the wanted jaw line, in eye distances."""
    crossfade: float = 0.15
    """Share of the neighbouring frame's mouth where the path leaves the footage's own order."""
    sharpen: float = 0.0
    """Unsharp gain that makes up for what sampling loses; `calibrated` measures it on the memory."""


class MemoryRenderer:
    """The appearance memory as a `Renderer`."""

    accepts = "landmarks"
    lookahead = _LOOKAHEAD

    def __init__(self, bank: MouthBank, config: MemoryConfig | None = None) -> None:
        self.bank = bank
        self.config = config or MemoryConfig()
        self._search = PathSearch(bank, self.config.search)
        self._unit = bank.geometry.eye_distance

    def reset(self) -> None:
        """A new video begins."""
        self._search.reset()

    def __copy__(self) -> MemoryRenderer:
        """The same memory with a path of its own."""
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        other._search = copy(self._search)
        return other

    def state(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """(arrays, config) for a checkpoint."""
        arrays, config = self.bank.state()
        return arrays, {**config, "memory": to_dict(self.config)}

    @classmethod
    def from_state(cls, arrays: dict[str, Any], config: dict[str, Any]) -> MemoryRenderer:
        """Inverse of `state`."""
        return cls(MouthBank.from_state(arrays, config), from_dict(MemoryConfig, config["memory"]))

    @classmethod
    def calibrated(cls, bank: MouthBank, config: MemoryConfig | None = None) -> MemoryRenderer:
        """With the unsharp gain that gives remembered mouths back the sharpness of the footage.

        Measured on the memory itself: some of its mouths are rebuilt from the others (none within a
        second), and the smallest gain is taken whose mouth-box Laplacian energy reaches the real one's.
        """
        renderer = cls(bank, replace(config or MemoryConfig(), sharpen=0.0))
        sampled = np.linspace(0, len(bank) - 1, _CALIBRATION_MOUTHS).astype(int)
        pairs = [pair for i in sampled if (pair := renderer._rebuilt(int(i))) is not None]
        gain = 0.0
        while pairs and gain < _MAX_GAIN:
            ratio = sum(_detail(_unsharp(b, gain)) for _, b in pairs) / sum(_detail(a) for a, _ in pairs)
            if ratio >= _CALIBRATION_TARGET:
                break
            gain += 0.02
        renderer.config = replace(renderer.config, sharpen=round(gain, 2))
        return renderer

    def _rebuilt(self, index: int) -> tuple[F32, F32] | None:
        """Mouth boxes (real, rebuilt from other seconds) of bank mouth `index`."""
        bank = self.bank
        far = np.flatnonzero(np.abs(bank.source - bank.source[index]) > 25)
        if not len(far):
            return None
        shapes = bank.shapes()
        nearest = int(far[np.argmin(((shapes[far] - shapes[index]) ** 2).sum((1, 2)))])
        real, own = bank.image(index), bank.landmarks_px[index]
        height, width = real.shape[:2]
        here, target = bank.canonical_from_cut[index], own[MOUTH_JAW]
        mouth = self._remembered(nearest, here, own, target, (width, height), _everywhere(width, height))
        (x0, y0), (x1, y1) = own[48:68].min(0).astype(int) - 4, own[48:68].max(0).astype(int) + 5
        return real[y0:y1, x0:x1].astype(np.float32), mouth[y0:y1, x0:x1]

    def render(self, window: RenderWindow) -> Iterator[Patch]:
        """One patch per frame; see `Renderer.render`."""
        geometry = self.bank.geometry
        maps = geometry.aligner.maps(window.lookahead_track.landmarks_px)
        shapes = apply(maps, window.target_px)
        n = len(window.frames)
        before = self._search.last
        path = self._search.path(shapes, window.lookahead_track.pose_rad, n)
        # With the neighbours beyond both ends of the window, switches there fade like all others.
        path = np.concatenate([path[:1] if before is None else [before], path])
        boxes = geometry.frame_boxes(maps[:n])
        for t, frame in enumerate(window.frames):
            yield self._patch(frame, boxes[t], maps[t], window.track.landmarks_px[t], window.target_px[t], path, t + 1)

    def _patch(
        self,
        frame: U8,
        box: np.ndarray,
        to_canonical: F32,
        own_px: F32,
        target_px: F32,
        path: np.ndarray,
        t: int,
    ) -> Patch:
        x0, y0, x1, y1 = box
        width, height = int(x1 - x0), int(y1 - y0)
        corner = np.array([x0, y0], np.float32)
        base = _cut(frame, box)
        own, target = own_px - corner, target_px - corner
        scale = self._unit / float(np.sqrt(abs(np.linalg.det(to_canonical[:, :2]))))
        result = self._meet_jaw(base, own, target, width, height)
        here = to_canonical.copy()
        here[:, 2] += here[:, :2] @ corner
        inner, lit = self._masks(own, target, width, height, scale)
        area = _bounds(inner)
        mouth = self._mixed(path, t, here, own, target, (width, height), area)
        mouth = _relight(mouth, result[area], lit[area])
        result[area] += inner[area][..., None] * (mouth - result[area])
        shift = np.array([[1, 0, -x0], [0, 1, -y0]], np.float32)
        outer = self._outer(width, height, scale)
        return Patch(np.clip(result + 0.5, 0, 255).astype(np.uint8), outer, shift)

    def _meet_jaw(self, base: U8, own: F32, target: F32, width: int, height: int) -> F32:
        """The template bent so that its jaw line lies where the wanted one is."""
        wanted = own[JAW_LINE].copy()
        wanted[JAW] = target[20:]
        border = _border_points(width, height)
        at = np.concatenate([wanted, own[[31, 33, 35]], border])
        back = np.concatenate([own[JAW_LINE] - wanted, np.zeros((3 + len(border), 2), np.float32)])
        return _bend(base, at, back, (width, height), _everywhere(width, height)).astype(np.float32)

    def _mixed(
        self, path: np.ndarray, t: int, here: F32, own: F32, target: F32, size: tuple[int, int], area: Area
    ) -> F32:
        """The mouth of frame t, cross-faded with a neighbour's across a switch, sharpness made up."""
        mouth = own_mouth = self._remembered(int(path[t]), here, own, target, size, area)
        for other in (t - 1, t + 1):
            if 0 <= other < len(path):
                before, after = sorted((t, other))
                if not self._search.in_order(int(path[before]), int(path[after])):
                    theirs = self._remembered(int(path[other]), here, own, target, size, area)
                    mouth = mouth + self.config.crossfade * (theirs - own_mouth)
        return _unsharp(mouth, self.config.sharpen)

    def _remembered(self, index: int, here: F32, own: F32, target: F32, size: tuple[int, int], area: Area) -> F32:
        """Bank mouth `index` bent onto the wanted lips and jaw, in an area of the patch."""
        bank = self.bank
        cut_from_patch = compose(invert(bank.canonical_from_cut[index]), here)
        theirs = bank.landmarks_px[index]
        border = _border_points(*size)
        at = np.concatenate([target, own[_ANCHORS], border])
        there = np.concatenate([theirs[MOUTH_JAW], theirs[_ANCHORS], apply(cut_from_patch, border)])
        residual = there - apply(cut_from_patch, at)
        return _bend(bank.image(index), at, residual, size, area, cut_from_patch).astype(np.float32)

    def _masks(self, own: F32, target: F32, width: int, height: int, scale: float) -> tuple[F32, F32]:
        """(inner blend mask, where skin may be compared for relighting), both (height, width) in [0, 1]."""
        jaw = target[20:]
        centre = jaw.mean(0)
        out = jaw + (jaw - centre) / np.linalg.norm(jaw - centre, axis=1, keepdims=True) * (
            self.config.overhang * scale
        )
        top = own[[31, 33, 35]] + np.array([0, 0.05 * scale], np.float32)
        polygon = np.concatenate([out, top[::-1]])
        inner = np.zeros((height, width), np.uint8)
        cv2.fillPoly(inner, [np.round(polygon * 16).astype(np.int32)], (255,), cv2.LINE_AA, 4)
        half = cv2.resize(inner, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        half = cv2.GaussianBlur(half, (0, 0), self.config.softness * scale / 2)
        soft = cv2.resize(half, (width, height), interpolation=cv2.INTER_LINEAR)
        lips = np.zeros((height, width), np.uint8)
        cv2.fillConvexPoly(lips, cv2.convexHull(np.round(target[:20]).astype(np.int32)), (255,))
        reach = 2 * max(int(0.06 * scale), 1) + 1
        lit = (inner > 127) & (cv2.dilate(lips, np.ones((reach, reach), np.uint8)) == 0)
        return soft.astype(np.float32) / 255, lit.astype(np.float32)

    def _outer(self, width: int, height: int, scale: float) -> F32:
        edge = max(int(0.12 * scale), 2)
        inset = edge // 2 + 1  # the blur ends before the border: no step there
        mask = np.zeros((height, width), np.float32)
        mask[inset : height - inset, inset : width - inset] = 1
        size = edge | 1
        return cv2.blur(mask, (size, size), borderType=cv2.BORDER_CONSTANT).astype(np.float32, copy=False)


def _unsharp(image: F32, gain: float) -> F32:
    return image + gain * (image - cv2.GaussianBlur(image, (0, 0), 1.0)) if gain else image


def _detail(image: F32) -> float:
    """Laplacian energy of the luma."""
    return float(cv2.Laplacian(image.mean(2), cv2.CV_32F).var())


def _cut(frame: U8, box: np.ndarray) -> U8:
    """The box out of a frame, edges replicated where it leaves the picture."""
    x0, y0, x1, y1 = box
    height, width = frame.shape[:2]
    inside = frame[max(y0, 0) : min(y1, height), max(x0, 0) : min(x1, width)]
    pads = ((max(-y0, 0), max(y1 - height, 0)), (max(-x0, 0), max(x1 - width, 0)), (0, 0))
    return np.pad(inside, pads, mode="edge") if np.any(pads) else inside


def _border_points(width: int, height: int) -> F32:
    """Twelve points on the patch border that do not move."""
    x, y = width - 1.0, height - 1.0
    points = [
        (0, 0),
        (x / 2, 0),
        (x, 0),
        (0, y / 2),
        (x, y / 2),
        (0, y),
        (x / 4, y),
        (x / 2, y),
        (3 * x / 4, y),
    ]
    return np.array([*points, (x, y), (0, 3 * y / 4), (x, 3 * y / 4)], np.float32)


def _everywhere(width: int, height: int) -> Area:
    return slice(0, height), slice(0, width)


def _bounds(mask: F32) -> Area:
    """The rows and columns where a mask is not zero."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return _everywhere(mask.shape[1], mask.shape[0])
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def _bend(image: U8, at: F32, residual: F32, size: tuple[int, int], area: Area, affine: F32 | None = None) -> U8:
    """Sample `image` at affine(p) + spline(p) for every pixel p of an area; spline(`at`) = `residual`."""
    spline = ThinPlate(at, _STIFFNESS)
    nodes, grid = grid_nodes(*size)
    field = upsample(spline.evaluate(spline.solve(residual), nodes), grid, *size)[area]
    x = np.arange(size[0], dtype=np.float32)[area[1]]
    y = np.arange(size[1], dtype=np.float32)[area[0], None]
    a = np.array([[1, 0, 0], [0, 1, 0]], np.float32) if affine is None else affine
    field[..., 0] += a[0, 0] * x + a[0, 1] * y + a[0, 2]
    field[..., 1] += a[1, 0] * x + a[1, 1] * y + a[1, 2]
    return sample(image, field)


def _relight(mouth: F32, template: F32, where: F32) -> F32:
    """Add the plane (per channel) that best explains template - mouth on comparable skin.

    A plane follows light that changes across the face; more freedom would copy the template's chin.
    Weights fall with the difference, so a beard line or shadow edge that does not match cannot pull it.
    """
    step = max(mouth.shape[1] // 64, 1)
    weight = where[::step, ::step].ravel()
    if weight.sum() < 32:
        return mouth
    height, width = where.shape
    y, x = np.mgrid[0:height:step, 0:width:step].astype(np.float32)
    basis = np.stack([np.ones(x.size, np.float32), x.ravel() / width - 0.5, y.ravel() / height - 0.5], 1)
    difference = (template[::step, ::step] - mouth[::step, ::step]).reshape(-1, 3)
    for _ in range(2):
        weighted = basis * weight[:, None]
        plane = np.linalg.solve(weighted.T @ basis + 1e-3 * np.eye(3), weighted.T @ difference)
        residual = np.abs(difference - basis @ plane).mean(1)
        weight = where[::step, ::step].ravel() / (1 + (residual / 12.0) ** 2)
    full = (
        plane[0]
        + plane[1] * (np.arange(width, dtype=np.float32) / width - 0.5)[None, :, None]
        + plane[2] * (np.arange(height, dtype=np.float32) / height - 0.5)[:, None, None]
    )
    return mouth + full.astype(np.float32)
