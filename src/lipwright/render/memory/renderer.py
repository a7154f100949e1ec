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
from lipwright.render.memory.blend import border_points, faded, flow, lip_box, relight, sharpened
from lipwright.render.memory.inside import darkest_row, hollow, tension, unstretched
from lipwright.render.memory.place import Candidates, Place
from lipwright.render.memory.search import LAG, PathSearch, SearchConfig
from lipwright.render.patches import Area, bounds, cut
from lipwright.render.sewing import change_mask, meet_jaw, mouth_mask, skin_mask
from lipwright.render.warp import sample_fine

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
    crossfade: float = 0.33
    """Share of the neighbouring frame's mouth where the path leaves the footage's own order."""
    fade_blur: float = 0.01
    """What is finer than this, in eye distances, is not cross-faded: it would only be lost."""
    sharpen: float = 1.0
    """Largest unsharp gain with which a mouth gets back the detail it had in the footage."""


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
        for frame, place, path, t in self._planned(window, None):
            yield self._patch(frame, place, path, t)

    def candidates(self, window: RenderWindow, k: int, exclude: np.ndarray | None = None) -> Iterator[Candidates]:
        """For each frame the mouth that `render` would show and its k - 1 best rivals, bent and relit, not yet mixed.

        Args:
            window: as for `render`; the path goes on from window to window (`reset` before a new video).
            k: how many; fewer come when the memory holds fewer moments.
            exclude: (T + L, 2) for every frame of `window.target_px` the first source frame that may not be used and
                the one after the last, so that a memory can be asked for its own footage: [t - 25, t + 26).
        """
        for t, (frame, place, path, at) in enumerate(self._planned(window, exclude)):
            base, inner, lit = self._stage(frame, place)
            area = bounds(inner)
            wanted = apply(place.canonical_from_patch, place.target)
            pose = window.lookahead_track.pose_rad[t]
            span = None if exclude is None else exclude[t]
            mouths, costs = self._search.rivals(wanted, pose, int(path[at]), k, span)
            pictures = np.empty((len(mouths), *base[area].shape), np.float32)
            for picture, index in zip(pictures, mouths, strict=True):
                mouth = self._sharp(int(index), place, area)
                picture[:] = relight(mouth, base[area], lit[area])
            yield Candidates(place, base, inner, area, mouths, costs, pictures)

    def _planned(self, window: RenderWindow, exclude: np.ndarray | None) -> Iterator[tuple[U8, Place, np.ndarray, int]]:
        """(template frame, its place, path, its index in the path) of each frame of a window."""
        geometry = self.bank.geometry
        maps = geometry.aligner.maps(window.lookahead_track.landmarks_px)
        shapes = apply(maps, window.target_px)
        n = len(window.frames)
        before = self._search.last
        path = self._search.path(shapes, window.lookahead_track.pose_rad, n, exclude)
        # With the neighbours beyond both ends of the window, switches there fade like all others.
        path = np.concatenate([path[:1] if before is None else [before], path])
        boxes = geometry.frame_boxes(maps[:n])
        for t, frame in enumerate(window.frames):
            place = Place.of(boxes[t], maps[t], window.track.landmarks_px[t], window.target_px[t], self._unit)
            yield frame, place, path, t + 1

    def _stage(self, frame: U8, place: Place) -> tuple[F32, F32, F32]:
        """(the template's patch with the wanted jaw line, inner mask, where light may be compared)."""
        base = meet_jaw(cut(frame, place.box), place.own, place.target, place.scale)
        inner = mouth_mask(place.own, place.target, place.size, place.scale, self.config.overhang, self.config.softness)
        return base.astype(np.float32), inner, skin_mask(inner, place.target, place.scale)

    def _patch(self, frame: U8, place: Place, path: np.ndarray, t: int) -> Patch:
        result, inner, lit = self._stage(frame, place)
        area = bounds(inner)
        mouth = relight(self._mixed(path, t, place, area), result[area], lit[area])
        result[area] += inner[area][..., None] * (mouth - result[area])
        x0, y0 = place.box[:2]
        shift = np.array([[1, 0, -x0], [0, 1, -y0]], np.float32)
        made = np.clip(result + 0.5, 0, 255).astype(np.uint8)
        return Patch(made, change_mask(cut(frame, place.box), made, place.scale), shift)

    def _mixed(self, path: np.ndarray, t: int, place: Place, area: Area) -> F32:
        """The mouth of frame t, cross-faded with a neighbour's across a switch."""
        others = []
        for other in (t - 1, t + 1):
            if 0 <= other < len(path):
                before, after = sorted((t, other))
                if not self._search.in_order(int(path[before]), int(path[after])):
                    others.append(self._sharp(int(path[other]), place, area))
        own = self._sharp(int(path[t]), place, area)
        return faded(own, others, self.config.crossfade, self.config.fade_blur * place.scale)

    def _sharp(self, index: int, place: Place, area: Area) -> F32:
        """`remembered` with the detail that it had in the footage: sampling and JPEG took some."""
        to = place.canonical_from_patch
        mouth = self.remembered(index, to, place.own, place.target, place.size, area)
        theirs = self.bank.canonical_from_cut[index]
        enlarged = float(
            np.linalg.det(theirs[:, :2]) / np.linalg.det(to[:, :2])
        )  # square of how much larger it is shown
        wanted = self.bank.detail(index) / max(enlarged, 1.0) ** 2
        rows, columns = area
        lips = lip_box(place.target[:20] - np.array([columns.start, rows.start], np.float32))
        return sharpened(mouth, lips, wanted, self.config.sharpen)

    def remembered(self, index: int, here: F32, own: F32, target: F32, size: tuple[int, int], area: Area) -> F32:
        """Bank mouth `index` bent onto the wanted lips and jaw, in an area of the patch."""
        bank = self.bank
        cut_from_patch = compose(invert(bank.canonical_from_cut[index]), here)
        theirs = bank.landmarks_px[index]
        border = border_points(*size)
        at = np.concatenate([target, own[_ANCHORS], border])
        there = np.concatenate([theirs[MOUTH_JAW], theirs[_ANCHORS], apply(cut_from_patch, border)])
        residual = there - apply(cut_from_patch, at)
        field = flow(at, residual, size, area, cut_from_patch)
        filmed = apply(bank.canonical_from_cut[index], theirs[MOUTH_JAW])
        tight = tension(apply(here, target), filmed, self._unit)
        if tight == 1:
            return sample_fine(bank.image(index), field).astype(np.float32)
        dark = darkest_row(bank.image(index), theirs[MOUTH_JAW])
        field, stretched = unstretched(field, area, target, here, tight, dark)
        mouth = sample_fine(bank.image(index), field).astype(np.float32)
        return hollow(mouth, stretched, float(np.ptp(target[:20, 0])))
