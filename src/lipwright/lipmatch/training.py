"""Training of LipMatch: which of the moments of one stretch fits which sound.

Every batch holds short pieces of several people. Within a piece every window of lips must find its own sound among
all others of the same piece, and every sound its lips (InfoNCE, van den Oord et al. 2018, in both directions), so
that neither face nor voice can help. Neighbouring windows share four of five frames; they get a little of the
target.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from lipwright.core.contracts import F32
from lipwright.lipmatch.clips import KEPT, MARGIN, TalkingMouth
from lipwright.metrics.lipmatch import SIDE, LipMatch
from lipwright.metrics.syncnet import ROWS_PER_FRAME, WINDOW_FRAMES, WINDOW_ROWS
from lipwright.speech.mfcc import int16_amplitudes, mfcc
from lipwright.speech.rooms import Rooms

NEIGHBOUR = 0.1
"""Share of the target that each neighbour gets."""


@dataclass(frozen=True)
class TrainingConfig:
    """Numbers of a run."""

    pieces: int = 8
    """People in a batch."""
    windows: int = 28
    """Consecutive windows of each: a little over a second."""
    rooms: int = 4
    """Copies of each sound, each in another room; the clean one too."""
    learning_rate: float = 2e-3
    """At its highest; it rises over the first twentieth and falls as a cosine."""
    temperature: float = 0.07
    """Of the first step; it is learnt."""
    seed: int = 0
    """Of everything drawn."""


@dataclass
class Fold:
    """Clips ready to be drawn from."""

    mouths: list[Tensor]
    """(T, 60, 60) uint8."""
    cepstra: list[list[Tensor]]
    """Per clip and room (13, rows), less their mean."""

    @classmethod
    def of(cls, clips: Sequence[TalkingMouth], rooms: int, seed: int) -> Fold:
        """Cepstra of every clip in `rooms` rooms and as it is."""
        rng = np.random.default_rng([seed, 5])
        everyone = np.concatenate([clip.samples for clip in clips])
        heard = [[clip.samples, *(Rooms().of(clip.samples, everyone, rng) for _ in range(rooms))] for clip in clips]
        return cls(
            [torch.from_numpy(clip.mouths) for clip in clips], [[_cepstra(x) for x in copies] for copies in heard]
        )

    def draw(self, config: TrainingConfig, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """(P, W + 4, 60, 60) uint8 mouths and (P, W, 1, 13, 20) cepstra of random pieces."""
        frames = config.windows + WINDOW_FRAMES - 1
        mouths, sounds = [], []
        for k in rng.choice(len(self.mouths), config.pieces, replace=len(self.mouths) < config.pieces):
            copies = self.cepstra[k]
            sound = copies[int(rng.integers(len(copies)))]
            n = min(len(self.mouths[k]), sound.shape[1] // ROWS_PER_FRAME)
            first = int(rng.integers(0, n - frames + 1))
            mouths.append(self.mouths[k][first : first + frames])
            rows = sound[:, ROWS_PER_FRAME * first : ROWS_PER_FRAME * (first + frames)]
            sounds.append(rows.unfold(1, WINDOW_ROWS, ROWS_PER_FRAME)[:, : config.windows].permute(1, 0, 2)[:, None])
        return torch.stack(mouths), torch.stack(sounds)


def _cepstra(samples: F32) -> Tensor:
    found = mfcc(int16_amplitudes(samples))
    return torch.from_numpy(np.asarray(found - found.mean(axis=0), np.float32).T.copy())


@dataclass
class MatchTask:
    """A `train.loop.Task`."""

    training: Fold
    validation: Fold
    config: TrainingConfig = field(default_factory=TrainingConfig)

    def __post_init__(self) -> None:
        torch.manual_seed(self.config.seed)
        self.model = LipMatch().train()
        stacked = torch.cat([copy for copies in self.training.cepstra for copy in copies], dim=1)
        self.model.get_buffer("cepstra_scale").copy_(stacked.std(dim=1))
        self.heat = _Heat(self.config.temperature)
        parameters = [*self.model.parameters(), *self.heat.parameters()]
        self.optimiser = torch.optim.AdamW(parameters, lr=self.config.learning_rate, weight_decay=0.01)

    def modules(self) -> Mapping[str, nn.Module]:
        """Network and temperature."""
        return {"model": self.model, "heat": self.heat}

    def optimisers(self) -> Mapping[str, torch.optim.Optimizer]:
        """One."""
        return {"optimiser": self.optimiser}

    def budget_fraction(self, fraction: float) -> None:
        """Warm up, then a cosine."""
        rate = min(1.0, 0.02 + fraction / 0.05) * 0.5 * (1 + math.cos(math.pi * fraction))
        self.optimiser.param_groups[0]["lr"] = self.config.learning_rate * max(rate, 0.01)

    def step(self, step_index: int) -> dict[str, float]:
        """One batch of pieces."""
        self.model.train()
        rng = np.random.default_rng([self.config.seed, step_index])
        mouths, sound = self.training.draw(self.config, rng)
        loss, right = self._loss(augmented(mouths, rng), sound)
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()
        return {"loss": float(loss.detach()), "right": right}

    def validate(self) -> dict[str, float]:
        """Loss and share of windows that find their own sound among those of a second, on held-out people."""
        self.model.eval()
        rng = np.random.default_rng([self.config.seed, 10**9])
        found = []
        with torch.no_grad():
            for _ in range(6):
                mouths, sound = self.validation.draw(self.config, rng)
                loss, right = self._loss(central(mouths), sound)
                found.append((float(loss), right))
        loss_mean, right_mean = np.mean(found, axis=0)
        return {"score": float(loss_mean), "right": float(right_mean)}

    def _loss(self, mouths: Tensor, sound: Tensor) -> tuple[Tensor, float]:
        """Loss of (P, W + 4, 48, 48) mouths and (P, W, 1, 13, 20) cepstra, and the share of best fits in place."""
        pieces, windows = sound.shape[:2]
        stacks = mouths.unfold(1, WINDOW_FRAMES, 1).permute(0, 1, 4, 2, 3).flatten(0, 1)
        lips = self.model.lips(stacks).view(pieces, windows, -1)
        heard = self.model.sound(sound.flatten(0, 1)).view(pieces, windows, -1)
        fits = torch.einsum("pid,pjd->pij", lips, heard)
        near = torch.eye(windows) * (1 - 2 * NEIGHBOUR)
        near += NEIGHBOUR * (torch.diag(torch.ones(windows - 1), 1) + torch.diag(torch.ones(windows - 1), -1))
        near = (near / near.sum(1, keepdim=True)).expand(pieces, -1, -1)
        logits = fits * self.heat.scale()
        loss = sum(
            functional.cross_entropy(m.reshape(-1, windows), near.reshape(-1, windows))
            for m in (logits, logits.transpose(1, 2))
        )
        best = fits.detach().argmax(2) == torch.arange(windows)
        return torch.as_tensor(loss / 2), float(best.float().mean())


class _Heat(nn.Module):
    """A learnt temperature."""

    def __init__(self, first: float) -> None:
        super().__init__()
        self.log_scale = nn.Parameter(torch.tensor(float(np.log(1 / first))))

    def scale(self) -> Tensor:
        return self.log_scale.exp().clamp(max=50.0)


def central(mouths: Tensor) -> Tensor:
    """(P, F, 48, 48) floats: the middle of (P, F, 60, 60), as `evaluate` cuts them."""
    edge = (KEPT - SIDE) // 2
    return mouths[..., edge : edge + SIDE, edge : edge + SIDE].float()


def augmented(mouths: Tensor, rng: np.random.Generator) -> Tensor:
    """(P, F, 48, 48) floats: moved, turned, mirrored, lit and blurred at random, one way for each piece."""
    pieces, frames = mouths.shape[:2]

    def drawn(low: float, high: float, *shape: int) -> Tensor:
        return torch.from_numpy(rng.uniform(low, high, (pieces, *shape)).astype(np.float32))

    mirror = torch.from_numpy(rng.choice([-1.0, 1.0], pieces).astype(np.float32))
    size, tilt, angle = drawn(0.85, 1.2) / MARGIN, drawn(0.92, 1.08), drawn(-0.12, 0.12)
    cos, sin = torch.cos(angle), torch.sin(angle)
    shift = drawn(-0.09, 0.09, 1, 2) + 0.006 * torch.from_numpy(rng.normal(size=(pieces, frames, 2)).astype("f4"))
    turn = torch.stack([mirror * size * cos, -size * sin, mirror * size * sin * tilt, size * cos * tilt], -1)
    maps = torch.cat([turn.view(pieces, 1, 2, 2).expand(-1, frames, -1, -1), shift[..., None]], -1)
    grid = functional.affine_grid(maps.flatten(0, 1), [pieces * frames, 1, SIDE, SIDE], align_corners=False)
    source = mouths.flatten(0, 1)[:, None].float()
    seen = functional.grid_sample(source, grid, padding_mode="border", align_corners=False)
    seen = seen.view(pieces, frames, SIDE, SIDE)
    return _lit(seen, drawn(-1, 1, 3), rng)


def _lit(seen: Tensor, drawn: Tensor, rng: np.random.Generator) -> Tensor:
    """Slanting light, another tone curve, softness and grain."""
    slope = torch.linspace(-0.5, 0.5, SIDE)
    light = 1 + 0.5 * drawn[:, 0, None, None] * slope + 0.5 * drawn[:, 1, None, None] * slope[:, None]
    bright = (seen / 255 * light[:, None]).clamp(1e-3, 1) ** torch.exp(0.5 * drawn[:, 2, None, None, None])
    soft = functional.avg_pool2d(bright, 3, 1, 1, count_include_pad=False)
    weight = torch.from_numpy(np.maximum(rng.uniform(-0.7, 1, len(seen)), 0).astype("f4"))[:, None, None, None]
    grain = torch.from_numpy(rng.normal(0, 1, tuple(seen.shape)).astype("f4")) * float(rng.uniform(0, 0.03))
    return bright + weight * (soft - bright) + grain
