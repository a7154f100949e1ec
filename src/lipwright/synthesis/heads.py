"""Whole generated heads as patches: cut out by their own matte, over a template or over any background."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace
from typing import Protocol, runtime_checkable

import cv2
import numpy as np

from lipwright.core.contracts import F32, U8, Patch, Renderer, RenderWindow
from lipwright.core.errors import ConfigError
from lipwright.face.matte import MatteFinder
from lipwright.render.head import HeadGeometry
from lipwright.render.translation.crop import sample_crop
from lipwright.render.translation.masks import FEATHER, head_mask
from lipwright.synthesis.running import threads_of

_BEYOND = 0.025
"""Of the crop's side: how far beyond the template's own person the drawn picture reaches."""


@runtime_checkable
class DrawsHeads(Protocol):
    """A renderer that draws whole heads and needs no footage under them."""

    geometry: HeadGeometry

    def heads(self, window: RenderWindow) -> Iterator[Patch]:
        """T whole head crops, as fine as the person's footage; the masks are 1 everywhere."""


class CutOutHeads:
    """A renderer of whole heads that shows the person alone.

    Over a template (`covers`) the template's own person must not look out from behind: the picture is shown wherever
    one of the two is, so that background was drawn covers what the template shows of its head, and fades towards
    the border of the crop.

    Args:
        renderer: draws the heads; ConfigError when it cannot.
        covers: whether frames are shown around the head.
    """

    def __init__(self, renderer: Renderer, covers: bool) -> None:
        if not isinstance(renderer, DrawsHeads):
            raise ConfigError(
                "this persona's renderer puts mouths into footage and draws no whole head; --drive and --background "
                "need a persona of the recipe virtual-human and its own renderer"
            )
        self.accepts, self.lookahead = renderer.accepts, renderer.lookahead
        self.geometry = renderer.geometry
        self._heads, self._covers = renderer, covers
        self._mattes: tuple[MatteFinder, MatteFinder] | None = None

    @property
    def threads(self) -> int:
        """Threads that drawing one frame keeps busy."""
        return threads_of(self._heads)

    def __copy__(self) -> CutOutHeads:
        other = CutOutHeads.__new__(CutOutHeads)
        other.__dict__.update(self.__dict__)
        other._heads, other._mattes = copy.copy(self._heads), None  # mattes follow one video
        return other

    def reset(self) -> None:
        """A new video begins."""
        for finder in self._mattes or ():
            finder.reset()

    def render(self, window: RenderWindow) -> Iterator[Patch]:
        """T patches, masked by the mattes; see `Renderer.render`."""
        if self._mattes is None:
            self._mattes = MatteFinder(), MatteFinder()
        drawn_matte, own_matte = self._mattes
        size = self.geometry.size
        maps = self.geometry.head_maps(window.track.landmarks_px)
        rim = head_mask(size, 2 * FEATHER * size)
        for i, patch in enumerate(self._heads.heads(window)):
            small = cv2.resize(patch.rgb8, (size, size), interpolation=cv2.INTER_AREA)
            mask = drawn_matte(np.asarray(small, np.uint8))
            if self._covers:
                own = own_matte(sample_crop(window.frames[i], maps[i], size))
                mask = rim * np.maximum(mask, _grown(own, _BEYOND * size))
            yield replace(patch, mask=_at_size(mask, patch.rgb8))


def _grown(mask: F32, by: float) -> F32:
    """A mask that reaches `by` pixels further: the rim of hair that a matte leaves out would stay as a line."""
    side = 2 * max(round(by), 1) + 1
    wide = cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))
    return np.asarray(cv2.GaussianBlur(wide, (0, 0), by / 3), np.float32)


def _at_size(mask: F32, picture: U8) -> F32:
    """A mask at the size of a picture."""
    size = (picture.shape[1], picture.shape[0])
    return np.clip(np.asarray(cv2.resize(mask, size, interpolation=cv2.INTER_LINEAR), np.float32), 0, 1)
