"""One frame out of the cross-modal network, by torch or by another engine."""

from __future__ import annotations

import copy
from dataclasses import astuple
from functools import partial

import numpy as np
import torch
from torch import Tensor

from lipwright.core.contracts import F32, U8
from lipwright.engines.engine import Engine, Variants
from lipwright.engines.network import Network, Port
from lipwright.render.crossmodal.export import FORM, Exported
from lipwright.render.crossmodal.networks import STROKE_CHANNELS, CrossModal, Region
from lipwright.render.patches import Area
from lipwright.render.translation.precision import has_bf16


class Drawing:
    """A network ready to draw frames, one after the other or several at once.

    Torch evaluates the output convolution on exactly the part that is asked for. Other engines need one fixed part
    for all frames, `reach`, and of that the asked one is taken; for the whole head they have another network.

    Args:
        network: as trained.
        reach: rows and columns of the head that patches of all frames keep to.
        device: where torch runs.
    """

    def __init__(self, network: CrossModal, reach: Area, device: torch.device) -> None:
        self.network, self.reach, self.device = network, reach, device
        self._dtype = torch.bfloat16 if network.config.bf16 and has_bf16(device) else torch.float32
        # A copy in the working precision: under autocast every frame would cast all weights again.
        self._working = copy.deepcopy(network).to(device, self._dtype).eval()
        self._elsewhere: Variants | None = None

    @property
    def threads(self) -> int:
        """Threads that one call keeps busy."""
        return torch.get_num_threads() if self._elsewhere is None else self._elsewhere.engine.threads

    def on(self, engine: Engine) -> Drawing:
        """The same on another engine."""
        other = copy.copy(self)
        other._elsewhere = Variants(engine) if engine.name != "torch" else None
        return other

    def networks(self) -> list[Network]:
        """What other engines run, the one of every frame first: the reach and the whole head, each with and without
        the mouth at full size (which frames finer than the crop need)."""
        mouths = (False, True) if self.network.mouth_decoder is not None else (False,)
        return [self._of(region, mouth) for mouth in mouths for region in (_region(self.reach), None)]

    def __call__(self, seen: F32, heard: F32, area: Area | None = None, mouth: bool = True) -> tuple[U8, U8 | None]:
        """`area` of one frame's head (h, w, 3), all of it when None, and its mouth square at full size (S, S, 3).

        Args: `seen` (3, S, S) strokes; `heard` (window, k); without `mouth` it is left out, which is faster.
        """
        size = self.network.config.size
        whole = slice(0, size), slice(0, size)
        area = area or whole
        if mouth and self.network.mouth_decoder is None:
            return self._enlarged(seen, heard, area)
        if self._elsewhere is not None:
            frame = self.reach if _inside(area, self.reach) else whole
            run = self._elsewhere.get(self._of(None if frame == whole else _region(frame), mouth))
            if run is not None:
                found = run(seen[None], heard[None])
                part = found[0][:, :, _within(area[0], frame[0]), _within(area[1], frame[1])]
                return _levels(part), _levels(found[1]) if mouth else None
        head, *close = self._tensors(None if area == whole else _region(area), mouth, seen[None], heard[None])
        return _rgb8(head), _rgb8(close[0]) if mouth else None

    def _tensors(self, region: Region | None, mouth: bool, *inputs: F32) -> tuple[Tensor, ...]:
        """(1, 3, h, w) of a region in [-1, 1] on the device, and the mouth."""
        with torch.inference_mode():
            lines, speech = (torch.from_numpy(np.ascontiguousarray(x)).to(self.device, self._dtype) for x in inputs)
            if mouth:
                return self._working.draw_both(lines, speech, region)
            return (self._working.draw(lines, speech, region),)

    def _plain(self, region: Region | None, mouth: bool, *inputs: F32) -> tuple[F32, ...]:
        return tuple(np.asarray(x.float().cpu().numpy(), np.float32) for x in self._tensors(region, mouth, *inputs))

    def _enlarged(self, seen: F32, heard: F32, area: Area) -> tuple[U8, U8]:
        """Of a network with one decoder, whose mouth is what the head's square shows."""
        with torch.inference_mode():
            lines, speech = (
                torch.from_numpy(np.ascontiguousarray(x))[None].to(self.device, self._dtype) for x in (seen, heard)
            )
            head, close = self._working(lines, speech)
        return _rgb8(head[:, :, area[0], area[1]]), _rgb8(close)

    def _of(self, region: Region | None, mouth: bool) -> Network:
        """One way of drawing, for other engines."""
        c = self.network.config
        sizes = {"kind": "crossmodal", "form": FORM, "size": c.size, "width": c.width, "residual": c.residual, "k": c.k}
        mouths = self.network.prototypes
        sizes["prototypes"] = None if mouths is None else astuple(mouths.shape)
        more = {"decoders": c.decoders, "backbone": c.backbone, "window": c.window, "square": self.network.mouth_square}
        return Network(
            f"crossmodal-{'head' if region is None else 'region'}{'-mouth' if mouth else ''}",
            {**sizes, **more, "region": region, "mouth": mouth},
            self.network,
            partial(Exported, self.network, region, mouth),
            partial(self._plain, region, mouth),
            (Port("strokes", (1, STROKE_CHANNELS, c.size, c.size)), Port("speech", (1, c.window, c.k))),
            ("head", "mouth") if mouth else ("head",),
        )


def _region(area: Area) -> Region:
    rows, columns = area
    return columns.start, rows.start, columns.stop, rows.stop


def _inside(part: Area, whole: Area) -> bool:
    return all(w.start <= p.start and p.stop <= w.stop for p, w in zip(part, whole, strict=True))


def _within(part: slice, whole: slice) -> slice:
    return slice(part.start - whole.start, part.stop - whole.start)


def _rgb8(raw: Tensor) -> U8:
    """(1, 3, h, w) in [-1, 1] to (h, w, 3) uint8, made on its device."""
    scaled = ((raw[0].float() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
    return np.ascontiguousarray(scaled.permute(1, 2, 0).cpu().numpy())


def _levels(raw: F32) -> U8:
    """The same of an array."""
    scaled = np.clip(np.rint((raw[0] + 1) * np.float32(127.5)), 0, 255).astype(np.uint8)
    return np.ascontiguousarray(scaled.transpose(1, 2, 0))
