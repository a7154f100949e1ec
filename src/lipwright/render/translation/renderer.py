"""The translation renderer behind the `Renderer` contract: frames and wanted landmarks to patches."""

from __future__ import annotations

import copy
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from lipwright.core.checkpoint import load_tensors, save_tensors
from lipwright.core.config import from_dict, to_dict
from lipwright.core.contracts import F32, U8, FaceTrack, Patch, RenderWindow
from lipwright.core.errors import CheckpointError, ConfigError, ShapeError
from lipwright.engines.engine import Engine
from lipwright.engines.network import Network, Port
from lipwright.face.align import apply, invert, zoom
from lipwright.render.exported import plain_layers
from lipwright.render.finish import Finish
from lipwright.render.generated import Generated, halved, load_generator, picture
from lipwright.render.layers import Layer
from lipwright.render.sewing import sew
from lipwright.render.translation.config import ARCHITECTURE, TranslationConfig
from lipwright.render.translation.crop import sample_crop
from lipwright.render.translation.facial_map import draw_lines, network_input, template_conditions, wanted_landmarks
from lipwright.render.translation.geometry import TranslationGeometry
from lipwright.render.translation.masks import kept_mask, patch_mask
from lipwright.render.translation.networks import build_generator
from lipwright.render.translation.temporal import Before, with_neighbours

_ROOM, _SEWN_ROOM = 0.02, 0.12
"""Of a crop's extent: what is read of the frame beyond it, for the sampling filter or for the neck below a jaw."""


class TranslationRenderer:
    """One generator pass per frame; any chunking gives the same patches.

    With `temporal_inputs` it looks one frame ahead, draws frame by frame and remembers the last one until `reset`.

    Args:
        config: as trained.
        generator: as trained (EMA weights if there are any).
        geometry: of the person, from the training data.
        device: where it runs.
        batch: frames per pass; on a CPU one is fastest.
        finish: what it does to drawings before they are shown.
    """

    accepts = "landmarks"

    def __init__(
        self,
        config: TranslationConfig,
        generator: nn.Module,
        geometry: TranslationGeometry,
        device: str = "cpu",
        batch: int = 1,
        finish: Finish = Finish(),  # noqa: B008 (frozen)
    ) -> None:
        if geometry.size != config.size:
            raise ConfigError(
                f"the geometry was fitted for {geometry.size} px crops, the renderer makes {config.size}; "
                "retrain the renderer"
            )
        self.config, self.geometry, self.batch, self.finish = config, geometry, batch, finish
        self.lookahead = int(config.temporal_inputs)
        self.independent = not config.temporal_inputs
        self._before: Before | None = None  # replaced, never changed: a shallow copy has a state of its own
        self._generated = Generated(generator, device, config.bf16)

    @property
    def threads(self) -> int:
        """Threads that drawing one frame keeps busy."""
        return self._generated.threads

    def networks(self) -> list[Network]:
        """See `engines.engine.Engined`: the generator, whole. Its output layer is 2 to 7 % of it, and sewing filters
        pixels beyond the mask, so there is no part of it to leave out."""
        c = self.config
        parts = {name: value for name, value in asdict(c).items() if name in ARCHITECTURE}
        return [
            Network(
                f"translation-{c.mode}",
                {"kind": "translation", "size": c.size, "channels": c.input_channels, **parts},
                self._generated.generator,
                partial(plain_layers, self._generated.generator),
                lambda x: (self._generated.by_torch(x),),
                (Port("inputs", (1, c.input_channels, c.size, c.size), -1),),
                ("picture",),
            )
        ]

    def on(self, engine: Engine) -> TranslationRenderer:
        """See `engines.engine.Engined`. Without `temporal_inputs` it may draw on several threads at once."""
        other = copy.copy(self)
        other._generated = self._generated.on(engine)
        return other

    def reset(self) -> None:
        """A new video begins: there is no frame before."""
        self._before = None

    def footprint(self, track: FaceTrack) -> np.ndarray:
        """(T, 4) boxes around the crops, with room for their sampling filter; see `Local.footprint`."""
        return self._boxes(self.geometry.crop_maps(track.landmarks_px))

    def _boxes(self, maps: F32) -> NDArray[np.int64]:
        """(T, 2, 3) crop_from_frame to (T, 4) frame boxes; a sewn patch reaches further than its crop: to the neck."""
        side = self.config.size
        corners = np.array([[0, 0], [side, 0], [side, side], [0, side]], np.float32) - np.float32(0.5)
        placed = apply(invert(maps), np.broadcast_to(corners, (len(maps), 4, 2)))
        low, high = placed.min(1), placed.max(1)
        room = 4 + (_SEWN_ROOM if self.config.mode == "sewn" else _ROOM) * (high - low)
        return np.concatenate([np.floor(low - room), np.ceil(high + room)], 1).astype(np.int64)

    def render(self, window: RenderWindow) -> Iterator[Patch]:
        """T patches for T frames; ShapeError when frames, track and targets disagree."""
        count = len(window.frames)
        if len(window.track) != count:
            raise ShapeError("track", (count, 68, 2), window.track.landmarks_px.shape)
        if len(window.target) < count or window.target.shape[1:] != (29, 2):
            raise ShapeError("target", (f">= {count}", 29, 2), window.target.shape)
        if self.config.temporal_inputs:
            yield from (self._next(window, i) for i in range(count))
            return
        for start in range(0, count, self.batch):
            chosen = np.arange(start, min(start + self.batch, count))
            frames = [window.frames[i] for i in chosen]
            inputs, masks, maps = self.prepare(
                frames,
                window.track.landmarks_px[chosen],
                window.track.pose_rad[chosen],
                window.target[chosen],
            )
            drawn = map(Layer, map(self._shown, self._generated(inputs, self.networks()[0])), masks, maps)
            for i, frame, patch in zip(chosen, frames, drawn, strict=True):
                yield self._sewn(frame, window, i, patch)

    def prepare(self, frames: Sequence[U8], landmarks_px: F32, pose_rad: F32, target_px: F32) -> tuple[F32, F32, F32]:
        """(B, C, S, S) network inputs, (B, S, S) masks of the patches, (B, 2, 3) crop_from_frame.

        Of the template only rigid points, upper face, pose and pixels outside the hull reach the inputs. Without
        what `temporal_inputs` adds to them.
        """
        maps = self.geometry.crop_maps(landmarks_px)
        hulls = self.geometry.hulls(pose_rad)
        views = [self._view(*of) for of in zip(frames, maps, landmarks_px, target_px, hulls, strict=True)]
        return np.stack([v.inputs for v in views]), np.stack([v.mask for v in views]), maps

    def _view(self, frame: U8, affine: F32, landmarks_px: F32, target_px: F32, polygon: F32) -> _View:
        """Inputs and masks of one frame."""
        own, wanted = apply(affine, landmarks_px), apply(affine, target_px)
        conditions = template_conditions(sample_crop(frame, affine, self.config.size), polygon, zoom(affine))
        drawn = wanted_landmarks(own, wanted)
        inputs = network_input(drawn, conditions, self.config.mode == "sewn", self.config.edges)
        mask = patch_mask(conditions.hull, drawn, own, self.config)
        return _View(inputs, mask, conditions.hull, drawn)

    def _next(self, window: RenderWindow, i: int) -> Patch:
        """Frame `i` of the window after the one that was drawn last."""
        track, size = window.lookahead_track, self.config.size
        until = min(i + 2, len(window.target))
        maps = self.geometry.crop_maps(track.landmarks_px[i:until])
        polygon = self.geometry.hulls(track.pose_rad[i : i + 1])[0]
        frame = window.frames[i]
        view = self._view(frame, maps[0], track.landmarks_px[i], window.target[i], polygon)
        after = view.inputs[0]
        if until == i + 2:
            points = (apply(maps[1], of[i + 1]) for of in (track.landmarks_px, window.target))
            after = draw_lines(wanted_landmarks(*points), size) * np.float32(1 / 255)
        raw = self._generated(with_neighbours(view.inputs, self._before, after)[None], self.networks()[0])[0]
        self._before = Before(view.inputs[0], raw * kept_mask(view.hull, view.drawn, self.config))
        return self._sewn(frame, window, i, Layer(self._shown(raw), view.mask, maps[0]))

    def _sewn(self, frame: U8, window: RenderWindow, i: int, drawn: Layer) -> Patch:
        """What was drawn over frame `i`, in sewn mode sewn into its own pixels."""
        if self.config.mode != "sewn":
            return drawn
        box = self._boxes(drawn.crop_from_frame[None])[0]
        eye = self.geometry.eye_distance / zoom(drawn.crop_from_frame)
        return sew(frame, box, window.track.landmarks_px[i], window.target[i], [drawn], eye)

    def _shown(self, raw: F32) -> U8:
        """(3, S, S) in [-1, 1] to (S, S, 3) uint8, without its error and with its detail."""
        return self.finish(picture(raw))

    def state(self) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
        """(tensors, config) for core.checkpoint.save_tensors."""
        return {**self._generated.state(), **self.geometry.state(), **self.finish.state()}, to_dict(self.config)

    @classmethod
    def from_state(
        cls,
        tensors: dict[str, torch.Tensor],
        config: dict[str, Any],
        device: str = "cpu",
        where: str = "the persona",
    ) -> TranslationRenderer:
        """Back from `state`; CheckpointError or ConfigError when the parts do not fit."""
        if "ngf" not in config:
            raise CheckpointError(f"{where} is not a translation renderer; train it again with pose-adaptive")
        settings = from_dict(TranslationConfig, config)
        generator = load_generator(build_generator(settings), tensors, where)
        geometry = TranslationGeometry.from_state(tensors)
        return cls(settings, generator, geometry, device, finish=Finish.from_state(tensors))

    def save(self, path: str | os.PathLike[str], half: bool = False) -> None:
        """Write one safetensors file, atomically; `half` as 16-bit floats, for a narrow way home."""
        tensors, config = self.state()
        save_tensors(path, halved(tensors) if half else tensors, config)

    @classmethod
    def load(cls, path: str | os.PathLike[str], device: str = "cpu") -> TranslationRenderer:
        """Read what `save` wrote; CheckpointError when it is missing, damaged or of another model."""
        tensors, config = load_tensors(path)
        return cls.from_state(tensors, config, device, str(path))


@dataclass(frozen=True)
class _View:
    """What one template frame and its wanted landmarks come to."""

    inputs: F32
    """(3 or 6, S, S) of the network."""
    mask: F32
    """(S, S) of the patch."""
    hull: U8
    """(S, S)."""
    drawn: F32
    """(68, 2) the landmarks of its lines, crop pixels."""
