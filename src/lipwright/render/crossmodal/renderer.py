"""The cross-modal renderer behind the `Renderer` contract: the template's head and what is heard, to patches."""

from __future__ import annotations

import copy
import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from lipwright.core.checkpoint import load_into, load_tensors, save_tensors
from lipwright.core.config import from_dict, to_dict
from lipwright.core.contracts import F32, U8, FaceTrack, Patch, RenderWindow
from lipwright.core.errors import CheckpointError, ConfigError, ShapeError
from lipwright.engines.engine import Engine
from lipwright.engines.network import Network
from lipwright.face.align import apply, invert, zoom
from lipwright.face.contour import outline_px
from lipwright.render.crisp import Crisp
from lipwright.render.crossmodal.config import CrossModalConfig
from lipwright.render.crossmodal.drawing import Drawing
from lipwright.render.crossmodal.networks import CrossModal
from lipwright.render.crossmodal.patch import covering, finer, hull_mask, in_light_of, layers, merged
from lipwright.render.crossmodal.prototypes import Prototypes
from lipwright.render.crossmodal.strokes import strokes
from lipwright.render.head import HeadGeometry
from lipwright.render.layers import Layer
from lipwright.render.patches import Area, bounds
from lipwright.render.sewing import sew
from lipwright.render.translation.masks import FEATHER, head_mask

PREFIX = "network."
"""Of the network's tensors in a file that also holds the geometry."""
MODES = ("sewn", "full-face")
_ROOM = 4
"""Frame pixels read beyond a patch, for the sampling filters."""


class CrossModalRenderer:
    """Upper face, outline and speech to a head: no pixel of the template reaches the network, frame by frame.

    Args:
        network: as trained (EMA weights if there are any).
        geometry: of the person, from the training data.
        mode: 'sewn' puts mouth and jaw into the template's head, whose own jaw edge, neck and background are bent to
            where the jaw is to be expected; 'full-face' shows the whole head crop.
        device: where it runs.
        crisp: what it does to mouth pictures.
    """

    lookahead = 0
    independent = True

    def __init__(
        self,
        network: CrossModal,
        geometry: HeadGeometry,
        mode: str = "sewn",
        device: str = "cpu",
        crisp: Crisp = Crisp(),  # noqa: B008 (frozen)
    ) -> None:
        config = network.config
        if geometry.size != config.size:
            raise ConfigError(
                f"the geometry was fitted for {geometry.size} px crops, the renderer makes {config.size}; "
                "retrain the renderer"
            )
        if mode not in MODES:
            raise ConfigError(f"unknown mode '{mode}' of the cross-modal renderer; choose {' or '.join(MODES)}")
        self.config, self.geometry, self.mode = config, geometry, mode
        self.accepts = config.speech
        self.device = torch.device(device)
        self.network, self.crisp = network, crisp
        self._square = head_mask(config.size, 2 * FEATHER * config.size)
        reach = bounds(self._square) if mode == "full-face" else covering(geometry)
        self._drawing = Drawing(network, reach, self.device)

    @property
    def threads(self) -> int:
        """Threads that drawing one frame keeps busy."""
        return self._drawing.threads

    def networks(self) -> list[Network]:
        """See `engines.engine.Engined`."""
        return self._drawing.networks()

    def on(self, engine: Engine) -> CrossModalRenderer:
        """See `engines.engine.Engined`; one renderer may draw on several threads at once."""
        other = copy.copy(self)
        other._drawing = self._drawing.on(engine)
        return other

    def reset(self) -> None:
        """Nothing is remembered between frames."""

    def footprint(self, track: FaceTrack) -> np.ndarray:
        """(T, 4) boxes around the patches; see `Local.footprint`."""
        maps = self.geometry.head_maps(track.landmarks_px)
        boxes = [_box(affine, bounds(m)) for affine, m in zip(maps, self._masks(track.pose_rad), strict=True)]
        return np.array(boxes, np.int64).reshape(len(maps), 4)

    def render(self, window: RenderWindow) -> Iterator[Patch]:
        """T patches for T frames; ShapeError when frames, track and speech disagree."""
        count, c = len(window.frames), self.config
        if len(window.track) != count:
            raise ShapeError("track", (count, 68, 2), window.track.landmarks_px.shape)
        if len(window.target) < count or window.target.shape[1:] != (c.window, c.k):
            raise ShapeError("target", (f">= {count}", c.window, c.k), window.target.shape)
        maps = self.geometry.head_maps(window.track.landmarks_px)
        lines, wanted = self.strokes(window.track, maps), self._wanted(window, maps)
        for i, mask in enumerate(self._masks(window.track.pose_rad)):
            frame = window.frames[i]  # once: it is made when asked for
            area, scale = bounds(mask), finer(maps[i], self.geometry)
            drawn = self._layers(next(lines), window.target[i], maps[i], mask[area], area, scale)
            drawn = in_light_of(frame, drawn)
            if wanted is None:
                yield merged(drawn, scale)
                continue
            eye, box = self.geometry.crop.eye_distance / zoom(maps[i]), _box(maps[i], area)
            yield sew(frame, box, window.track.landmarks_px[i], wanted[i], drawn, eye, skin=True)

    def heads(self, window: RenderWindow) -> Iterator[Patch]:
        """The whole crop of every frame, as fine as frames show it; no frame is looked at."""
        size = self.config.size
        whole = slice(0, size), slice(0, size)
        maps = self.geometry.head_maps(window.track.landmarks_px)
        mask = np.ones((size, size), np.float32)
        for seen, heard, affine in zip(self.strokes(window.track, maps), window.target, maps, strict=False):
            scale = finer(affine, self.geometry)
            yield merged(self._layers(seen, heard, affine, mask, whole, scale), scale)

    def pictures(self, window: RenderWindow) -> Iterator[tuple[U8, F32]]:
        """The whole head (S, S, 3) of every frame as the network drew it, and its crop_from_frame (2, 3)."""
        maps = self.geometry.head_maps(window.track.landmarks_px)
        for seen, heard, affine in zip(self.strokes(window.track, maps), window.target, maps, strict=False):
            yield self.draw(seen, heard, mouth=False)[0], affine

    def strokes(self, track: FaceTrack, maps: F32 | None = None) -> Iterator[F32]:
        """(3, S, S) what the network sees of every frame: upper face and outline, no mouth and no chin.

        Args: `maps` (T, 2, 3) the track's `head_maps`, where they are known already.
        """
        maps = self.geometry.head_maps(track.landmarks_px) if maps is None else maps
        points = apply(maps, track.landmarks_px)
        outlines: list[F32 | None] = [None] * len(track)
        if track.contour_px is not None:
            outlines = list(apply(maps, outline_px(track.contour_px, track.landmarks_px)))
        for of, outline in zip(points, outlines, strict=True):
            yield strokes(of, outline, self.config.size)

    def draw(self, seen: F32, heard: F32, area: Area | None = None, mouth: bool = True) -> tuple[U8, U8 | None]:
        """One frame's head, or `area` of it, (h, w, 3), and its mouth square at full size, (S, S, 3).

        Args: `seen` (3, S, S) strokes; `heard` (window, k); without `mouth` it is left out, which is faster.
        """
        return self._drawing(seen, heard, area, mouth)

    def _layers(self, seen: F32, heard: F32, affine: F32, mask: F32, area: Area, scale: float) -> list[Layer]:
        """What the network draws of `area`, with the mouth at full size where the frame is finer than the crop."""
        head, mouth = self.draw(seen, heard, area, mouth=scale > 1)
        return layers(head, None if mouth is None else self.crisp(mouth), mask, affine, self.geometry, area)

    def _wanted(self, window: RenderWindow, maps: F32) -> F32 | None:
        """(T, 29, 2) mouth and jaw as speech lets them be expected, to sew by; None: patches are shown as drawn."""
        said = self.network.heard(window.target[: len(window.frames)]) if self.mode == "sewn" else None
        if said is None or self.geometry.told is None:
            return None
        return self.geometry.wanted(maps, window.track.pose_rad, said)

    def _masks(self, pose_rad: F32) -> Iterator[F32]:
        """(S, S) where each frame's patch is used: from the head's pose alone."""
        if self.mode == "full-face":
            yield from (self._square for _ in pose_rad)
            return
        yield from (hull_mask(hull, self.config.size) for hull in self.geometry.crop.hulls(pose_rad))

    def state(self) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
        """(tensors, config) for core.checkpoint.save_tensors."""
        weights = {f"{PREFIX}{k}": v for k, v in self.network.state_dict().items()}
        return {**weights, **self.geometry.state(), **self.crisp.state()}, {
            "mode": self.mode,
            "crossmodal": to_dict(self.config),
        }

    @classmethod
    def from_state(
        cls, tensors: dict[str, torch.Tensor], config: dict[str, Any], device: str = "cpu", where: str = "the persona"
    ) -> CrossModalRenderer:
        """Back from `state`; CheckpointError or ConfigError when the parts do not fit."""
        if "crossmodal" not in config:
            raise CheckpointError(f"{where} is not a cross-modal renderer; train it again with virtual-human")
        geometry = HeadGeometry.from_state(tensors)
        weights = {k.removeprefix(PREFIX): v for k, v in tensors.items() if k.startswith(PREFIX)}
        mouths = Prototypes.shape_in(weights)
        network = CrossModal(from_dict(CrossModalConfig, config["crossmodal"]), geometry.mouth_square, mouths)
        load_into(network, weights, where)
        return cls(network, geometry, str(config.get("mode", "sewn")), device, Crisp.from_state(tensors))

    def save(self, path: str | os.PathLike[str], half: bool = False) -> None:
        """Write one safetensors file, atomically; `half` as 16-bit floats, for a narrow way home."""
        tensors, config = self.state()
        if half:
            large = {k for k, v in tensors.items() if k.startswith(PREFIX) and v.is_floating_point()}
            tensors = {k: v.half() if k in large else v for k, v in tensors.items()}
        save_tensors(path, tensors, config)

    @classmethod
    def load(cls, path: str | os.PathLike[str], device: str = "cpu") -> CrossModalRenderer:
        """Read what `save` wrote; CheckpointError when it is missing, damaged or of another model."""
        tensors, config = load_tensors(path)
        return cls.from_state(tensors, config, device, str(path))


def _box(affine: F32, area: Area) -> NDArray[np.int64]:
    """(4,) x0, y0, x1, y1 in frame pixels around an area of the head crop."""
    x, y = (np.array([side.start, side.stop]) - 0.5 for side in (area[1], area[0]))
    corners = np.array([[x[i], y[j]] for i in (0, 1) for j in (0, 1)], np.float32)
    there = apply(invert(affine), corners)
    return np.array([*np.floor(there.min(0)) - _ROOM, *np.ceil(there.max(0)) + _ROOM], np.int64)
