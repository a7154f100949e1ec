"""The cross-modal network: two encoders, fusion, two decoders (paper D, Table 2).

Layers, at 512 px and width 8: keypoint encoder 3-8-16-32-64 by strides of two; speech encoder window -> 1,
k -> 1024 -> 32 x 32; fusion 65 -> 64; each decoder 64-32-16-8-8 by transposed strides of two, 3 x 3 8 -> 8, and
the 7 x 7 output. The mouth decoder draws the mouth square alone at full size; its features, made smaller,
overwrite the square in the head's before the head's output convolution, which blends their edges.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lipwright.core.contracts import F32
from lipwright.core.errors import ConfigError
from lipwright.render.crossmodal.backbones import Added, Backbone, Conv2d, ConvTranspose2d, backbone
from lipwright.render.crossmodal.config import CrossModalConfig
from lipwright.render.crossmodal.prototypes import Prototypes, Shape
from lipwright.render.crossmodal.start import Start
from lipwright.render.translation.layers import initialise

STROKE_CHANNELS = 3
"""Keypoint strokes, outline, validity."""
HALVINGS = 4
REACH = 3
"""Pixels around a place that the 7 x 7 output convolution reads."""
_HIDDEN = 1024
_SPEECH_START = 0.1
"""Of the fusion's usual weights, for speech. Random planes at full weight are noise, which training silences for good:
within some hundred steps it turns the six weights of `mix` to nothing. From little they grow where they help."""
_OUTPUT_START = 0.1
"""Of an output convolution's usual weights where there is a base: its random pictures would first have to go."""
_NEXT_TO_NOTHING = 1e-30
"""Pads what runtimes see instead of 0, which OpenVINO would make part of the convolution: with padding, steps of two
and an even kernel its bfloat16 on AMX units is wrong by tens of levels (2026.4.1)."""
Square = tuple[int, int, int]
"""Left, top and side in pixels."""
Region = tuple[int, int, int, int]
"""Left, top, right and bottom in pixels, the last two excluded."""


class SpeechEncoder(nn.Module):
    """A window of speech to planes at the size of the bottleneck.

    Args:
        window, k: rows and numbers in a row.
        side: of the bottleneck in pixels. One plane of side x side, but never fewer than 1024 numbers: at 16 x 16
            (256 px) there are four planes, so that the table's 1024 -> 1024 layer stays.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, window: int, k: int, side: int) -> None:
        super().__init__()
        self.planes, self._side = max(1, _HIDDEN // side**2), side
        self.register_buffer("mean", torch.zeros(k))
        self.register_buffer("scale", torch.ones(k))
        self.mix = nn.Conv1d(window, 1, 1)
        self.widen = nn.Linear(k, _HIDDEN)
        self.spread = nn.Linear(_HIDDEN, self.planes * side**2)
        for layer in (self.widen, self.spread):  # unit variance
            nn.init.kaiming_normal_(layer.weight, 0.2, nonlinearity="leaky_relu")
            nn.init.constant_(layer.bias, 0.0)
        nn.init.constant_(self.mix.weight, 1 / window)

    def standardise(self, rows: F32) -> None:
        """Remember the mean and deviation of every number of (T, k) rows; rare ones are not blown up."""
        deviation = rows.std(0)
        floor = max(float((deviation**2).mean()) ** 0.5 / 4, 1e-4)
        self.mean.copy_(torch.from_numpy(rows.mean(0)))
        self.scale.copy_(1 / torch.from_numpy(deviation).clamp_min(floor))

    def standard(self, speech: Tensor) -> Tensor:
        """The same with mean 0 and deviation 1 of every number."""
        return (speech - self.mean) * self.scale

    def forward(self, speech: Tensor) -> Tensor:
        """(B, window, k) to (B, planes, side, side)."""
        x = self.mix(self.standard(speech))[:, 0]
        x = F.leaky_relu(self.spread(F.leaky_relu(self.widen(x), 0.2)), 0.2)
        return x.view(-1, self.planes, self._side, self._side)


class Decoder(nn.Module):
    """Bottleneck to full-size features, and these to a picture: a base, and what the features change of it.

    Args:
        size: S of the picture.
        bases: K pictures of half the size that speech adds to the base.
    """

    base: Tensor
    moves: Tensor

    def __init__(self, layers: Backbone, width: int, size: int, bases: int) -> None:
        super().__init__()
        self.register_buffer("base", torch.zeros(3, size, size))
        self.register_buffer("moves", torch.zeros(bases, 3, size // 2, size // 2))
        steps = [width * 2**level for level in (3, 2, 1, 0, 0)]
        self.trunk = nn.Sequential(*(layers.up(a, b) for a, b in pairwise(steps)), layers.conv(width, width))
        self.output = Conv2d(width, 3, 2 * REACH + 1, padding=REACH)
        self.blocked: nn.Module | None = None
        """Works out the output convolution of padded features, for runtimes: see `crossmodal.export`."""

    def picture(
        self,
        features: Tensor,
        said: Tensor | None = None,
        region: Region | None = None,
        lay: Callable[[Tensor], Tensor] | None = None,
    ) -> Tensor:
        """(B, width, S, S) to (B, 3, S, S) in [-1, 1], or to what of it lies in `region`: the same numbers.

        Args: `said` (B, K), how much of each of the pictures that speech adds; `lay` puts more into the base.
        """
        base = self.base
        if said is not None:
            small = (said @ self.moves.flatten(1).to(said.dtype)).view(-1, *self.moves.shape[1:])
            base = base + F.interpolate(small.float(), scale_factor=2, mode="bilinear", align_corners=False)
        if lay is not None:
            base = lay(base)
        if region is None and self.blocked is None:
            return torch.tanh(self.output(features).float() + base)
        left, top, right, bottom = region or (0, 0, features.shape[3], features.shape[2])
        padded = F.pad(features, (REACH,) * 4, value=0.0 if self.blocked is None else _NEXT_TO_NOTHING)
        part = padded[:, :, top : bottom + 2 * REACH, left : right + 2 * REACH]
        if self.blocked is None:
            changed = F.conv2d(part, self.output.weight, self.output.bias)
        else:
            changed = self.blocked(part)
        return torch.tanh(changed.float() + base[..., top:bottom, left:right])

    def start_from(self, base: F32, moves: F32) -> None:
        """Begin with `base` (3, S, S) and `moves` (K, 3, S / 2, S / 2), before tanh: none of it has to be learnt."""
        self.base.copy_(torch.from_numpy(base))
        self.moves.copy_(torch.from_numpy(moves))
        with torch.no_grad():
            self.output.weight *= _OUTPUT_START


class Reduction(nn.Module):
    """(B, C, S, S) to (B, C, side, side), by an antialiased bilinear filter."""

    def __init__(self, side: int) -> None:
        super().__init__()
        self._side = side

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        small = F.interpolate(x.float(), size=(self._side, self._side), mode="bilinear", antialias=True)
        return small.to(x.dtype)


class CrossModal(nn.Module):
    """Strokes of a head and a window of speech to that head speaking.

    Args:
        config: sizes and variants.
        mouth_square: where the mouth picture is in the head's, fixed for a person (render.head.HeadGeometry).
        prototypes: how many mouths speech chooses among, and where they lie; None: none.
    Source: paper D, Table 2 and the text around it; SPEC of the layers in the module's docstring.
    """

    def __init__(self, config: CrossModalConfig, mouth_square: Square, prototypes: Shape | None = None) -> None:
        super().__init__()
        x, y, side = mouth_square
        if side < 1 or min(x, y) < 0 or max(x, y) + side > config.size:
            raise ConfigError(
                f"mouth square {mouth_square} does not lie in a picture of {config.size} px; fit it again"
            )
        self.config, self.mouth_square = config, mouth_square
        layers, width = backbone(config.backbone), config.width
        steps = [STROKE_CHANNELS, *(width * 2**level for level in range(HALVINGS))]
        self.keypoint_encoder = nn.Sequential()
        for a, b in pairwise(steps):
            self.keypoint_encoder.append(layers.conv(a, b, 2))
            if config.residual and b != steps[-1]:
                self.keypoint_encoder.append(Added(nn.Sequential(layers.conv(b, b), layers.last(b))))
        self.speech_encoder = SpeechEncoder(config.window, config.k, config.size // 2**HALVINGS)
        widest = steps[-1]
        self.fusion = layers.conv(widest + self.speech_encoder.planes, widest)
        bases = config.bases
        self.head_decoder = Decoder(layers, width, config.size, bases)
        self.mouth_decoder = Decoder(layers, width, config.size, bases) if config.decoders == 2 else None
        self.said = nn.Linear(config.window * config.k, bases) if bases else None
        self.prototypes = Prototypes(prototypes, bases, config.size, mouth_square) if prototypes and bases else None
        self.reduction: nn.Module = Reduction(side)
        initialise(self)
        for layer in self.modules():
            if isinstance(layer, ConvTranspose2d):
                layer.start_smooth()
        first = next(layer for layer in self.fusion.modules() if isinstance(layer, Conv2d))
        with torch.no_grad():
            first.weight[:, widest:] *= _SPEECH_START

    def forward(self, strokes: Tensor, speech: Tensor, hidden: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """The head and the mouth square of it at full size.

        Args: strokes (B, 3, S, S) in [0, 1]; speech (B, window, k); hidden (B, P) prototypes that must not be used.
        Returns: head (B, 3, S, S) and mouth (B, 3, S, S), both in [-1, 1]. With one decoder the mouth is what the
        head's square shows, enlarged.
        """
        head, mouth = self._features(strokes, speech)
        said = self._said(speech)
        lay_head, lay_mouth = self._layers(said, hidden)
        picture = self.head_decoder.picture(head, said, lay=lay_head)
        if mouth is None or self.mouth_decoder is None:
            x, y, side = self.mouth_square
            square = picture[:, :, y : y + side, x : x + side].float()
            return picture, F.interpolate(square, size=picture.shape[2:], mode="bicubic", antialias=True).clamp(-1, 1)
        return picture, self.mouth_decoder.picture(mouth, said, lay=lay_mouth)

    def draw(self, strokes: Tensor, speech: Tensor, region: Region | None = None) -> Tensor:
        """The head alone, or what of it lies in `region`: the mouth's own output convolution is not needed."""
        said = self._said(speech)
        return self.head_decoder.picture(self._features(strokes, speech)[0], said, region, self._layers(said)[0])

    def draw_both(self, strokes: Tensor, speech: Tensor, region: Region | None = None) -> tuple[Tensor, Tensor]:
        """As `draw`, and the mouth square at full size; ConfigError for a network of one decoder."""
        head, mouth = self._features(strokes, speech)
        if mouth is None or self.mouth_decoder is None:
            raise ConfigError("a network of one decoder draws no mouth of its own; draw its head")
        said = self._said(speech)
        lay_head, lay_mouth = self._layers(said)
        picture = self.head_decoder.picture(head, said, region, lay_head)
        return picture, self.mouth_decoder.picture(mouth, said, lay=lay_mouth)

    def _layers(
        self, said: Tensor | None, hidden: Tensor | None = None
    ) -> tuple[Callable[[Tensor], Tensor] | None, Callable[[Tensor], Tensor] | None]:
        """What puts the chosen mouths into the bases of head and mouth."""
        if self.prototypes is None or said is None:
            return None, None
        choice = self.prototypes.choose(said, hidden)
        return partial(self.prototypes.in_head, choice=choice), partial(self.prototypes.in_mouth, choice=choice)

    def start_from(self, start: Start) -> None:
        """Begin with pictures that move with what is heard."""
        self.head_decoder.start_from(start.head, start.head_moves)
        if self.mouth_decoder is not None:
            self.mouth_decoder.start_from(start.mouth, start.mouth_moves)
        if self.said is not None:
            with torch.no_grad():
                self.said.weight.copy_(torch.from_numpy(start.weight))
                self.said.bias.copy_(torch.from_numpy(start.bias))
        if self.prototypes is not None and start.chosen is not None:
            assert start.chosen_mouths is not None
            assert start.chosen_heads is not None
            self.prototypes.start_from(start.chosen, start.chosen_mouths, start.chosen_heads)

    def heard(self, speech: F32) -> F32 | None:
        """(N, K) how much of each moving base windows of speech (N, window, k) add; None without such bases."""
        with torch.inference_mode():
            said = self._said(torch.from_numpy(np.ascontiguousarray(speech, np.float32)).to(self.speech_encoder.mean))
        return None if said is None else np.asarray(said.float().cpu().numpy(), np.float32)

    def _said(self, speech: Tensor) -> Tensor | None:
        """(B, K) how much of each moving base a window of speech (B, window, k) adds."""
        return self.said(self.speech_encoder.standard(speech).flatten(1)) if self.said is not None else None

    def _features(self, strokes: Tensor, speech: Tensor) -> tuple[Tensor, Tensor | None]:
        """The penultimate features of the head, the mouth's pasted into them, and the mouth's own."""
        seen, heard = self.keypoint_encoder(strokes), self.speech_encoder(speech)
        fused = self.fusion(torch.cat([seen, heard.to(seen.dtype)], 1))
        head = self.head_decoder.trunk(fused)
        if self.mouth_decoder is None:
            return head, None
        mouth = self.mouth_decoder.trunk(fused)
        return pasted(head, self.reduction(mouth), self.mouth_square), mouth


def pasted(head: Tensor, mouth: Tensor, square: Square) -> Tensor:
    """`head` (B, C, S, S) with `mouth` (B, C, side, side) in its square."""
    x, y, side = square
    rows = head[:, :, y : y + side]
    middle = torch.cat([rows[..., :x], mouth, rows[..., x + side :]], 3)
    return torch.cat([head[:, :, :y], middle, head[:, :, y + side :]], 2)
