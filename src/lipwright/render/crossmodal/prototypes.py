"""Real mouths that speech chooses among: pictures that the cross-modal network begins with (ours, not the paper's).

A short training of a small network cannot learn teeth. So what it adds to is not one mean mouth but a soft choice among
many that the footage shows: a mixture of the few whose speech is nearest to what is heard now. The network learns what
that misses. In training, mouths of the same second are hidden: they would show what is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from lipwright.core.contracts import F32, U8

PREFIX = "prototypes."
"""Of its tensors in the network's state."""
BRIGHTEST = 0.98
"""Of [-1, 1], in a base: beyond it tanh hardly moves."""
_MIXED = 6
"""Mouths in one picture at most."""
_SHARPNESS = 0.25
"""Squared width of the choice to begin with, of the median squared distance between a frame and its prototype: two or
three mouths count then."""
_FAR = 0.1
"""Of the squared distance of the nearest mouth, that the choice is wider by: of several that are far none is right."""
_FEATHER = 0.18
"""Of the shorter side of the region, over which it fades out."""
_ITERATIONS = 50


@dataclass(frozen=True)
class Shape:
    """How many mouths, and where they lie in a mouth picture, in pixels."""

    count: int
    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True)
class Choice:
    """The mouths of each picture and their shares."""

    index: Tensor
    """(B, n)."""
    share: Tensor
    """(B, n), 1 together."""


@dataclass(frozen=True)
class Chosen:
    """Frames that stand for all, by what is said in them."""

    frames: NDArray[np.int64]
    """(P,) rows."""
    codes: F32
    """(P, K) what is said in them."""
    weight: F32
    """(K,) of each number in the distance of two codes."""
    width: float
    """Squared width of the choice."""


class Prototypes(nn.Module):
    """P mouths in both pictures, and what is said in them.

    Args:
        shape: see `Shape`.
        codes: K numbers that say what is heard.
        size: S of both pictures.
        square: left, top and side of the mouth picture in the head's, in pixels.
    """

    mouths: Tensor
    heads: Tensor
    mouths_share: Tensor
    heads_share: Tensor
    weight: Tensor
    place: Tensor

    def __init__(self, shape: Shape, codes: int, size: int, square: tuple[int, int, int]) -> None:
        super().__init__()
        self.shape = shape
        self.mouth_box = (shape.left, shape.top, shape.width, shape.height)
        self.head_box = box_in_head(shape, size, square)
        self.centres = nn.Parameter(torch.zeros(shape.count, codes))
        self.log_width = nn.Parameter(torch.zeros(()))
        self.register_buffer("weight", torch.ones(codes))
        self.register_buffer("place", torch.tensor(self.mouth_box, dtype=torch.int64))
        for name, (_, _, width, height) in (("mouths", self.mouth_box), ("heads", self.head_box)):
            self.register_buffer(name, torch.zeros(shape.count, 3, height, width, dtype=torch.uint8))
            fade = torch.from_numpy(fading(height, width))
            self.register_buffer(f"{name}_share", fade, persistent=False)

    @staticmethod
    def shape_in(state: Mapping[str, Tensor]) -> Shape | None:
        """Of a network's state; None where it has none."""
        if f"{PREFIX}place" not in state or f"{PREFIX}centres" not in state:
            return None
        left, top, width, height = (int(v) for v in state[f"{PREFIX}place"])
        return Shape(len(state[f"{PREFIX}centres"]), left, top, width, height)

    def choose(self, said: Tensor, hidden: Tensor | None = None) -> Choice:
        """The nearest mouths of (B, K) codes; `hidden` (B, P) says which must not be used."""
        far = (((said[:, None] - self.centres) * self.weight).float() ** 2).sum(2)
        if hidden is not None:
            far = far.masked_fill(hidden, 1e6)
        near, index = torch.topk(-far, min(_MIXED, self.shape.count), dim=1)
        width = self.log_width.float().exp() - _FAR * near[:, :1]
        return Choice(index, torch.softmax(near / (2 * width), dim=1))

    def in_mouth(self, base: Tensor, choice: Choice) -> Tensor:
        """A base of mouth pictures (B or 1, 3, S, S), before tanh, with the chosen mouths in it."""
        return _laid(base, self.mouths, self.mouths_share, self.mouth_box, choice)

    def in_head(self, base: Tensor, choice: Choice) -> Tensor:
        """The same of head pictures."""
        return _laid(base, self.heads, self.heads_share, self.head_box, choice)

    def start_from(self, chosen: Chosen, mouths: U8, heads: U8) -> None:
        """Begin with (P, S, S, 3) mouth and head pictures and what is said in them."""
        with torch.no_grad():
            self.centres.copy_(torch.from_numpy(chosen.codes))
            self.weight.copy_(torch.from_numpy(chosen.weight))
            self.log_width.fill_(float(np.log(chosen.width)))
            for kept, pictures, box in ((self.mouths, mouths, self.mouth_box), (self.heads, heads, self.head_box)):
                left, top, width, height = box
                cut = pictures[:, top : top + height, left : left + width].transpose(0, 3, 1, 2)
                kept.copy_(torch.from_numpy(np.ascontiguousarray(cut)))


def _laid(base: Tensor, pictures: Tensor, share: Tensor, box: tuple[int, int, int, int], choice: Choice) -> Tensor:
    left, top, width, height = box
    some = pictures[choice.index].float() * (2 / 255) - 1
    mixed = (some * choice.share[:, :, None, None, None]).sum(1).clamp(-BRIGHTEST, BRIGHTEST)
    patch = base[..., top : top + height, left : left + width]
    wanted = 0.5 * (torch.log(1 + mixed) - torch.log(1 - mixed))  # atanh, which some runtimes have no fast layer for
    change = share.float() * (wanted - patch)
    rest = base.shape[-1] - left - width, base.shape[-2] - top - height
    return base + F.pad(change, (left, rest[0], top, rest[1]))


def box_in_head(shape: Shape, size: int, square: tuple[int, int, int]) -> tuple[int, int, int, int]:
    """Left, top, width and height in the head picture of what the shape covers in the mouth picture."""
    x, y, side = square
    scale = side / size
    left, top = int(np.floor(x + shape.left * scale)), int(np.floor(y + shape.top * scale))
    right = int(np.ceil(x + (shape.left + shape.width) * scale))
    bottom = int(np.ceil(y + (shape.top + shape.height) * scale))
    return left, top, min(right, size) - left, min(bottom, size) - top


def fading(height: int, width: int) -> F32:
    """(h, w) 1 inside, 0 at the border, a raised cosine between."""
    reach = max(_FEATHER * min(height, width), 1.0)
    ramps = []
    for count in (height, width):
        edge = np.minimum(np.arange(count), np.arange(count)[::-1]) / reach
        ramps.append(0.5 - 0.5 * np.cos(np.pi * np.clip(edge, 0, 1)))
    return np.outer(*ramps).astype(np.float32)


def choose_frames(said: F32, moves: F32, count: int) -> Chosen:
    """Frames in the middles of clusters of what is said.

    Args:
        said: (N, K) codes of the frames to choose from.
        moves: (K, ...) pictures that a unit of each moves: a number counts as much as it moves.
        count: P at most; of few frames there are half as many.
    """
    size = np.linalg.norm(moves.reshape(len(moves), -1), axis=1)
    weight = (size / max(float(size.max()), 1e-9)).astype(np.float32)
    seen = (said * weight).astype(np.float32)
    count = max(min(count, len(seen) // 2), 1)
    cv2.setRNGSeed(0)
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, _ITERATIONS, 1e-4)
    _, _, centres = cv2.kmeans(seen, count, np.zeros((0, 0), np.int32), stop, 1, cv2.KMEANS_PP_CENTERS)
    far = ((seen[:, None] - centres[None]) ** 2).sum(2)
    frames = np.unique(far.argmin(0))
    nearest = ((seen[:, None] - seen[frames][None]) ** 2).sum(2).min(1)
    width = max(_SHARPNESS * float(np.median(nearest[nearest > 0])) if (nearest > 0).any() else 0.0, 1e-4)
    return Chosen(frames.astype(np.int64), said[frames].astype(np.float32), weight, width)
