"""`memory`: a remembered mouth per frame, warped to the wanted lips and jaw, relit, blended softly.

What is coarse is the mean of several remembered mouths, whose trackers' errors partly cancel; what is fine is one
mouth's alone, sampled once from the footage, so the result is as sharp as the footage. The template's own picture is
warped a little so that its jaw line meets the wanted one; outside the region it stays bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import cv2
import numpy as np

from lipwright.core.config import from_dict, to_dict
from lipwright.core.contracts import F32, U8, FaceTrack, Patch, RenderWindow
from lipwright.core.errors import ConfigError
from lipwright.core.ibug import MOUTH_JAW
from lipwright.face.align import apply, compose, invert, zoom
from lipwright.render.memory.bank import MouthBank
from lipwright.render.memory.blend import faded, lip_box, outside_mouth, relight, sharpened
from lipwright.render.memory.inside import darkest_row, hollow, tension, unstretched
from lipwright.render.memory.place import ANCHORS, Place
from lipwright.render.memory.search import LAG, PathSearch, SearchConfig
from lipwright.render.patches import bounds, cut, mixed
from lipwright.render.sewing import change_mask, meet_jaw, mouth_mask, skin_mask
from lipwright.render.warp import sample_coarse, sample_fine

_INNER = slice(12, 20)
"""Of the mouth's 20 points: the inner lips."""
_LIP_EDGE = 0.02
"""Eye distances around the inner lips that belong to what is between them."""
_SHARPEST = 1.25
"""Pixels of blur that a picture needs to be drawn on its grid: with more blur a coarser grid shows the same."""


@dataclass(frozen=True)
class MemoryConfig:
    """How remembered mouths are put in."""

    search: SearchConfig = field(default_factory=SearchConfig)
    softness: float = 0.05
    """Blur of the inner mask, in eye distances."""
    overhang: float = 0.0
    """How far the inner mask reaches beyond the wanted jaw line, in eye distances; the chin line is the template's."""
    coarse_mouths: int = 3
    """Mouths whose mean gives lips and skin coarser than `fade_blur`; the path's own alone gives the rest: teeth mixed
    with dark are grey, and a mouth that shows them looks less open."""
    crossfade: float = 0.33
    """Share of the neighbouring frame's mouth where the path leaves the footage's own order."""
    fade_blur: float = 0.01
    """What is finer than this, in eye distances, comes from one mouth: mixed it would only be lost."""
    sharpen: float = 1.0
    """Largest unsharp gain with which a mouth gets back the detail it had in the footage."""

    def __post_init__(self) -> None:
        if self.coarse_mouths < 1:
            raise ConfigError(f"coarse_mouths is {self.coarse_mouths}; a mouth is made of at least 1")


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

    def forget_plans(self) -> None:
        """See `Planning`."""
        self._search.forget_plans()

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
        return (task() for task in self.tasks(window))

    def tasks(self, window: RenderWindow) -> Iterator[Callable[[], Patch]]:
        """The path is chosen here, in order; mouths may be warped side by side. See `Divided.tasks`."""
        geometry = self.bank.geometry
        maps = geometry.aligner.maps(window.lookahead_track.landmarks_px)
        pose_rad = window.lookahead_track.pose_rad
        shapes = apply(maps, window.target)
        before = self._search.last
        path = self._search.path(shapes, pose_rad, len(window.frames))
        # With the neighbours beyond both ends of the window, switches there fade like all others.
        path = np.concatenate([path[:1] if before is None else [before], path])
        boxes = geometry.frame_boxes(maps[: len(window.frames)])
        for t in range(len(window.frames)):
            yield partial(self._drawn, window, t, boxes[t], maps[t], shapes[t], path)

    def _drawn(
        self, window: RenderWindow, t: int, box: np.ndarray, canonical_from_frame: F32, shape: F32, path: np.ndarray
    ) -> Patch:
        track, mouth = window.track, int(path[t + 1])
        place = Place.of(box, canonical_from_frame, track.landmarks_px[t], window.target[t], self._unit)
        coarse = self._search.others(shape, track.pose_rad[t], mouth, self.config.coarse_mouths - 1)
        return self._patch(window.frames[t], place, path, t + 1, coarse)

    def _patch(self, frame: U8, place: Place, path: np.ndarray, t: int, coarse: list[int]) -> Patch:
        before, c = cut(frame, place.box), self.config
        inner = mouth_mask(place.own, place.target, place.size, place.scale, c.overhang, c.softness)
        area = bounds(inner)
        made = meet_jaw(before, place.own, place.target, place.scale)
        made = made.copy() if made is before else made
        here, weight = place.of_area(area), inner[area]
        lit = skin_mask(weight, here.target, place.scale)
        mouth = relight(self._mixed(path, t, here, coarse), made[area].astype(np.float32), lit)
        made[area] = mixed(made[area], mouth, weight)
        x0, y0 = place.box[:2]
        shift = np.array([[1, 0, -x0], [0, 1, -y0]], np.float32)
        return Patch(made, change_mask(before, made, place.scale), shift)

    def _mixed(self, path: np.ndarray, t: int, place: Place, coarse: list[int]) -> F32:
        """The mouth of frame t: fine detail and what is between the lips its own, the rest the mean with the mouths
        `coarse` and, across a switch of the path, mixed with the neighbouring frame's."""
        chosen = int(path[t])
        own = self.remembered(chosen, place)
        across = []
        if not self._search.in_order(before := int(path[t - 1]), chosen):
            across.append(before)
        if t + 1 < len(path) and not self._search.in_order(chosen, after := int(path[t + 1])):
            across.append(after)
        if coarse or across:
            own = own + self._agreed(own, place, coarse, across)
        return self._sharpened(own, chosen, place)

    def _agreed(self, own: F32, place: Place, coarse: list[int], across: list[int]) -> F32:
        """What the mouths `coarse` and `across` change of `own`: worked out with no more pixels than it can show."""
        c, (width, height) = self.config, place.size
        blur = c.fade_blur * place.scale
        step = max(int(blur / _SHARPEST), 1)
        size = (-(-width // step), -(-height // step))
        less, there = own, place
        if step > 1:
            less = np.asarray(cv2.resize(own, size, interpolation=cv2.INTER_AREA), np.float32)
            there = place.of_area((slice(0, height), slice(0, width)), size)
        skin = outside_mouth(there.lips[_INNER], size, _LIP_EDGE * there.scale, max(blur / step, 0.5))
        mean = faded(less, [self.remembered(i, there, False) for i in coarse], 1 / (1 + len(coarse)), blur / step, skin)
        made = faded(mean, [self.remembered(i, there, False) for i in across], c.crossfade, blur / step)
        change = made - less
        if step > 1:
            change = np.asarray(cv2.resize(change, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
        return change

    def _sharpened(self, mouth: F32, index: int, place: Place) -> F32:
        """With the detail that bank mouth `index` had in the footage: sampling, JPEG and mixing took some."""
        enlarged = zoom(self.bank.canonical_from_cut[index]) / zoom(place.canonical_from_patch)
        wanted = self.bank.detail(index) / max(enlarged, 1.0) ** 4  # squares of second derivatives
        return sharpened(mouth, lip_box(place.lips), wanted, self.config.sharpen)

    def remembered(self, index: int, place: Place, fine: bool = True) -> F32:
        """Bank mouth `index` bent onto the wanted lips and jaw; without its finest detail it is made in a fraction of
        the time."""
        bank, here, target, size = self.bank, place.canonical_from_patch, place.target, place.size
        sampled = sample_fine if fine else sample_coarse
        cut_from_patch = compose(invert(bank.canonical_from_cut[index]), here)
        theirs = bank.landmarks_px[index]
        at = np.concatenate([target, place.own[ANCHORS], place.border])
        there = np.concatenate([theirs[MOUTH_JAW], theirs[ANCHORS], apply(cut_from_patch, place.border)])
        field = place.flow(there - apply(cut_from_patch, at), cut_from_patch)
        filmed = apply(bank.canonical_from_cut[index], theirs[MOUTH_JAW])
        tight = tension(apply(here, target), filmed, self._unit)
        if tight == 1:
            return sampled(bank.image(index), field).astype(np.float32)
        area = slice(0, size[1]), slice(0, size[0])
        dark = darkest_row(bank.image(index), theirs[MOUTH_JAW])
        field, stretched = unstretched(field, area, target, here, tight, dark)
        mouth = sampled(bank.image(index), field).astype(np.float32)
        return hollow(mouth, stretched, float(np.ptp(target[:20, 0])))
