"""`memory`: a remembered mouth per frame, warped to the wanted lips and jaw, relit, blended softly.

Everything is sampled once from uncut footage pixels, so the result is as sharp as the footage. The
template's own picture is warped a little so that its jaw line meets the wanted one; outside the region
it stays bit for bit.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lipwright.core.config import from_dict, to_dict
from lipwright.core.contracts import F32, U8, FaceTrack, Patch, RenderWindow
from lipwright.core.ibug import MOUTH_JAW
from lipwright.face.align import apply, compose, invert
from lipwright.render.memory.bank import MouthBank
from lipwright.render.memory.blend import Area, bend, border_points, bounds, cut, relight, unsharp
from lipwright.render.memory.search import LAG, PathSearch, SearchConfig
from lipwright.render.sewing import meet_jaw, mouth_mask, rim_mask, skin_mask

_ANCHORS = [1, 2, 14, 15, 31, 33, 35]
"""Rigid points that hold cheeks and nose base in place while lips and jaw move."""


@dataclass(frozen=True)
class MemoryConfig:
    """How remembered mouths are put in."""

    search: SearchConfig = field(default_factory=SearchConfig)
    softness: float = 0.05
    """Blur of the inner mask, in eye distances."""
    overhang: float = 0.0
    """How far the inner mask reaches beyond the wanted jaw line, in eye distances; the chin line is the template's."""
    crossfade: float = 0.15
    """Share of the neighbouring frame's mouth where the path leaves the footage's own order."""
    sharpen: float = 0.0
    """Unsharp gain that makes up for what sampling loses; `calibrated` measures it on the memory."""


class MemoryRenderer:
    """The appearance memory as a `Renderer`."""

    accepts = "landmarks"
    lookahead = LAG + 1
    """So that the frame after a window is decided too: the last one fades towards it where the path switches."""

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

    def footprint(self, track: FaceTrack) -> np.ndarray:
        """(T, 4) the boxes that patches cover; see `Local.footprint`."""
        geometry = self.bank.geometry
        return geometry.frame_boxes(geometry.aligner.maps(track.landmarks_px))

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
        base = cut(frame, box)
        own, target = own_px - corner, target_px - corner
        scale = self._unit / float(np.sqrt(abs(np.linalg.det(to_canonical[:, :2]))))
        result = meet_jaw(base, own, target, scale).astype(np.float32)
        here = to_canonical.copy()
        here[:, 2] += here[:, :2] @ corner
        inner = mouth_mask(own, target, (width, height), scale, self.config.overhang, self.config.softness)
        lit = skin_mask(inner, target, scale)
        area = bounds(inner)
        mouth = self._mixed(path, t, here, own, target, (width, height), area)
        mouth = relight(mouth, result[area], lit[area])
        result[area] += inner[area][..., None] * (mouth - result[area])
        shift = np.array([[1, 0, -x0], [0, 1, -y0]], np.float32)
        return Patch(np.clip(result + 0.5, 0, 255).astype(np.uint8), rim_mask((width, height), scale), shift)

    def _mixed(
        self, path: np.ndarray, t: int, here: F32, own: F32, target: F32, size: tuple[int, int], area: Area
    ) -> F32:
        """The mouth of frame t, cross-faded with a neighbour's across a switch, sharpness made up."""
        mouth = own_mouth = self.remembered(int(path[t]), here, own, target, size, area)
        for other in (t - 1, t + 1):
            if 0 <= other < len(path):
                before, after = sorted((t, other))
                if not self._search.in_order(int(path[before]), int(path[after])):
                    theirs = self.remembered(int(path[other]), here, own, target, size, area)
                    mouth = mouth + self.config.crossfade * (theirs - own_mouth)
        return unsharp(mouth, self.config.sharpen)

    def remembered(self, index: int, here: F32, own: F32, target: F32, size: tuple[int, int], area: Area) -> F32:
        """Bank mouth `index` bent onto the wanted lips and jaw, in an area of the patch."""
        bank = self.bank
        cut_from_patch = compose(invert(bank.canonical_from_cut[index]), here)
        theirs = bank.landmarks_px[index]
        border = border_points(*size)
        at = np.concatenate([target, own[_ANCHORS], border])
        there = np.concatenate([theirs[MOUTH_JAW], theirs[_ANCHORS], apply(cut_from_patch, border)])
        residual = there - apply(cut_from_patch, at)
        return bend(bank.image(index), at, residual, size, area, cut_from_patch).astype(np.float32)
