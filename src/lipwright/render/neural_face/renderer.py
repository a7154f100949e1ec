"""The neural face renderer behind the `Renderer` contract: template frames and wanted expressions to patches."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from lipwright.core.checkpoint import load_tensors, save_tensors
from lipwright.core.config import from_dict, to_dict
from lipwright.core.contracts import EXPRESSION, F32, U8, FaceTrack, Patch, RenderWindow
from lipwright.core.errors import CheckpointError, ConfigError, ShapeError
from lipwright.engines.engine import Engine
from lipwright.engines.network import Network, Port
from lipwright.face.align import apply, invert
from lipwright.render.exported import plain_layers
from lipwright.render.finish import Finish
from lipwright.render.generated import Generated, halved, load_generator, picture
from lipwright.render.neural_face.build import build_generator
from lipwright.render.neural_face.config import ARCHITECTURE, NeuralFaceConfig
from lipwright.render.neural_face.geometry import FaceGeometry
from lipwright.render.neural_face.inputs import mask_of, network_input, region_of
from lipwright.render.translation.crop import sample_crop

if TYPE_CHECKING:
    from lipwright.render.neural_face.drawing import Drawing

_ROOM = 4
"""Frame pixels read beyond the square, for the sampling filter."""


@dataclass(frozen=True)
class View:
    """What one frame's network input is made of, but its template."""

    drawings: list[U8]
    """`window` pictures (S, S, 3), the frame's own in the middle."""
    inside: U8
    """(S, S) the mouth's interior."""
    plane: F32
    """(2, 3) see `drawing.plane_map`."""
    region: U8
    """(S, S) see `inputs.region_of`."""
    crop_from_frame: F32
    """(2, 3)."""


class NeuralFaceRenderer:
    """Draws the fitted face with each wanted expression, and turns seven drawings into a photoreal lower face.

    Of a template frame only rigid points, and pixels outside the region that is drawn, reach the network: nothing that
    the template's own mouth does. The past drawings are remembered until `reset`; frames can then be finished side by
    side (`core.contracts.Divided`), and any chunking gives the same patches.

    Args:
        config: as trained.
        generator: as trained (EMA weights if there are any).
        geometry: of the person.
        device: where it runs.
        finish: what it does to drawings before they are shown.
    """

    accepts = EXPRESSION

    def __init__(
        self,
        config: NeuralFaceConfig,
        generator: nn.Module,
        geometry: FaceGeometry,
        device: str = "cpu",
        finish: Finish = Finish(),  # noqa: B008 (frozen)
    ) -> None:
        if geometry.size != config.size:
            raise ConfigError(
                f"the geometry was measured for {geometry.size} px squares, the renderer makes {config.size}; "
                "retrain the renderer"
            )
        self.config, self.geometry, self.finish = config, geometry, finish
        self.lookahead = config.reach
        self._before: tuple[U8, ...] = ()  # replaced, never changed: a shallow copy has a state of its own
        self._generated = Generated(generator, device, config.bf16)

    @property
    def threads(self) -> int:
        """Threads that drawing one frame keeps busy."""
        return self._generated.threads

    def networks(self) -> list[Network]:
        """See `engines.engine.Engined`: the generator, whole."""
        c = self.config
        parts = {name: value for name, value in asdict(c).items() if name in ARCHITECTURE}
        return [
            Network(
                "neural-face",
                {"kind": "neural-face", "channels": c.input_channels, **parts},
                self._generated.generator,
                partial(plain_layers, self._generated.generator),
                lambda x: (self._generated.by_torch(x),),
                (Port("inputs", (1, c.input_channels, c.size, c.size)),),
                ("picture",),
            )
        ]

    def on(self, engine: Engine) -> NeuralFaceRenderer:
        """See `engines.engine.Engined`."""
        other = copy.copy(self)
        other._generated = self._generated.on(engine)
        return other

    def reset(self) -> None:
        """A new video begins: nothing was drawn before."""
        self._before = ()

    def footprint(self, track: FaceTrack) -> np.ndarray:
        """(T, 4) boxes around the squares, with room for their sampling filter; see `Local.footprint`."""
        maps, side = self.geometry.crop_maps(track.landmarks_px), self.config.size
        corners = np.array([[0, 0], [side, 0], [side, side], [0, side]], np.float32) - np.float32(0.5)
        placed = apply(invert(maps), np.broadcast_to(corners, (len(maps), 4, 2)))
        room = _ROOM * np.maximum(np.ptp(placed, axis=1) / side, 1)
        low, high = placed.min(1) - room, placed.max(1) + room
        return np.concatenate([np.floor(low), np.ceil(high)], 1).astype(np.int64)

    def render(self, window: RenderWindow) -> Iterator[Patch]:
        """T patches for T frames; ShapeError when frames, track and expressions disagree."""
        yield from (task() for task in self.tasks(window))

    def tasks(self, window: RenderWindow) -> Iterator[Callable[[], Patch]]:
        """T calls that each finish one frame, see `core.contracts.Divided`: what is drawn is drawn here, in order."""
        # Drawing compiles; a machine that only trains on packed drawings need not have what that takes.
        from lipwright.render.neural_face.drawing import covered, draw, heads, plane_map

        count, told = len(window.frames), len(window.target)
        if len(window.track) != count or len(window.lookahead_track) != told:
            raise ShapeError("track", (count, 68, 2), window.track.landmarks_px.shape)
        if told < count or window.target.shape[1:] != (self.geometry.expressions,):
            raise ShapeError("target", (f">= {count}", self.geometry.expressions), window.target.shape)
        track, reach = window.lookahead_track, self.config.reach
        until = min(count + reach, told)
        places = heads(self.geometry, track.landmarks_px[:until], track.pose_rad[:until], track.size)
        past = self._before
        made: list[Drawing] = []
        for i, head in enumerate(places[:count]):
            wanted = range(len(made), min(i + reach + 1, until))
            made += [draw(self.geometry, places[k], window.target[k], self.config.fade) for k in wanted]
            known = [*past, *(drawing.rgb8 for drawing in made)]
            here = len(past) + i
            seen = [known[k] for k in np.clip(np.arange(here - reach, here + reach + 1), 0, len(known) - 1)]
            region = region_of(covered(self.geometry, head))
            view = View(seen, made[i].inside, plane_map(self.geometry, head), region, head.crop_from_frame)
            self._before = tuple(known[max(here + 1 - reach, 0) : here + 1])
            yield partial(self._finish, window, i, view)

    def inputs(self, frame: U8, view: View) -> F32:
        """(C, S, S) what the network sees of a template frame (H, W, 3)."""
        around = sample_crop(frame, view.crop_from_frame, self.config.size)
        return network_input(self.config, view.drawings, view.inside, view.plane, around, view.region)

    def _finish(self, window: RenderWindow, i: int, view: View) -> Patch:
        """Frame `i` of a window, drawn through the network."""
        raw = self._generated(self.inputs(window.frames[i], view)[None], self.networks()[0])[0]
        return Patch(self.finish(picture(raw)), mask_of(view.region), view.crop_from_frame)

    def state(self) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
        """(tensors, config) for core.checkpoint.save_tensors."""
        return {**self._generated.state(), **self.geometry.state(), **self.finish.state()}, {
            "neural_face": to_dict(self.config)
        }

    @classmethod
    def from_state(
        cls, tensors: dict[str, torch.Tensor], config: dict[str, Any], device: str = "cpu", where: str = "the persona"
    ) -> NeuralFaceRenderer:
        """Back from `state`; CheckpointError or ConfigError when the parts do not fit."""
        if "neural_face" not in config:
            raise CheckpointError(f"{where} is not a neural face renderer; train it again with meta-talk")
        settings = from_dict(NeuralFaceConfig, config["neural_face"])
        generator = load_generator(build_generator(settings), tensors, where)
        return cls(settings, generator, FaceGeometry.from_state(tensors), device, Finish.from_state(tensors))

    def save(self, path: str | os.PathLike[str], half: bool = False) -> None:
        """Write one safetensors file, atomically; `half` as 16-bit floats, for a narrow way home."""
        tensors, config = self.state()
        save_tensors(path, halved(tensors) if half else tensors, config)

    @classmethod
    def load(cls, path: str | os.PathLike[str], device: str = "cpu") -> NeuralFaceRenderer:
        """Read what `save` wrote; CheckpointError when it is missing, damaged or of another model."""
        tensors, config = load_tensors(path)
        return cls.from_state(tensors, config, device, str(path))
