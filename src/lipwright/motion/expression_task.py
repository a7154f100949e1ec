"""Training of speech-to-expression, one step at a time: what the shared training loop drives."""

from __future__ import annotations

import copy
import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from lipwright.core.contracts import F32, Conditions
from lipwright.core.errors import SubjectError
from lipwright.motion.augment import augment
from lipwright.motion.expression_model import ExpressionConfig, ExpressionMotion, build, halo_of, windows
from lipwright.motion.expression_pairs import OWN, ExpressionPairs
from lipwright.motion.quick import quick_gain
from lipwright.motion.speech_expression import CepstraExpression, expression_loss

_HELD_OUT = 8
"""Of so many stretches of each source one is held out."""
_RATE = 4
_MEASURED = 4000
"""Frames that principal components are found on."""
MIN_FRAMES = 64


def divided(pairs: ExpressionPairs) -> tuple[ExpressionPairs, ExpressionPairs]:
    """Pairs to learn from and held-out ones: whole stretches of each source, about every eighth.

    SubjectError when fewer than 64 frames are left to learn from.
    """
    stretches = [(a, b) for a, b in pairs.stretches() if pairs.weight[a:b].any()]
    held: list[tuple[int, int]] = []
    for source in np.unique(pairs.source):
        own = [s for s in stretches if pairs.source[s[0]] == source]
        held += own[_HELD_OUT // 2 :: _HELD_OUT] or (own[-1:] if len(own) > 1 else [])
    learnt = [s for s in stretches if s not in set(held)]
    if sum(b - a for a, b in learnt) < MIN_FRAMES:
        raise SubjectError(
            f"{sum(b - a for a, b in learnt)} frames of speech with a fitted face are left to learn expression from, "
            f"{MIN_FRAMES} are needed; give more footage or speech"
        )

    def of(parts: list[tuple[int, int]]) -> ExpressionPairs:
        return pairs.frames(np.concatenate([np.arange(a, b) for a, b in parts] or [np.arange(0)]))

    return of(learnt), of(held or learnt)


class ExpressionTask:
    """A network of `expression_model.EXPRESSION_NETWORKS` being trained; steps depend on (seed, step index) alone."""

    def __init__(self, config: ExpressionConfig, pairs: ExpressionPairs, seed: int = 0, device: str = "cpu") -> None:
        self.config, self._seed, self._device = config, seed, torch.device(device)
        self.train, self.held_out = divided(pairs)
        seen = self.train.weight > 0
        rows = self.train.features[config.feature]
        self._rows = _spread(rows[np.repeat(seen, _RATE)])
        self._expression = _spread(self.train.expression[seen])
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.network = build(config, self.train.expression.shape[1])
        self._standard = (rows - self._rows[0]) / self._rows[1]
        inner = getattr(self.network, "network", None)
        if isinstance(inner, CepstraExpression):
            heard = windows(torch.from_numpy(self._standard))
            inner.measure(heard[:: max(len(heard) // _MEASURED, 1)])
        self.network = self.network.to(self._device)
        # The loss is in standardised coefficients, so the lips move by σ of each.
        moved = self.train.lips * self._expression[1][:, None, None]
        self._lips = torch.from_numpy(moved / config.lip_unit_cm if config.lip_unit_cm else 0 * moved).to(self._device)
        self._halo = halo_of(self.network)
        self._starts = self._by_source()
        self._optimiser = torch.optim.AdamW(
            self.network.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
        )

    def _by_source(self) -> list[tuple[float, NDArray[np.int64]]]:
        """(share of a batch, (n, 3) first frame, start and stop of its stretch) of own and of other pairs."""
        long = self.config.clip_frames
        found: dict[bool, list[tuple[int, int, int]]] = {True: [], False: []}
        for a, b in self.train.stretches():
            counted = np.concatenate([[0], np.cumsum(self.train.weight[a:b] > 0)])
            for s in range(a, max(b - long, a) + 1):
                # A sample of frames that count nothing would be a step that learns nothing.
                if counted[min(s + long, b) - a] - counted[s - a] >= min(long, b - a) / 2:
                    found[bool(self.train.source[a] == OWN)].append((s, a, b))
        share = self.config.own_share if found[False] else 1.0
        shares = {True: share if found[True] else 0.0, False: 1 - share if found[True] else 1.0}
        return [(shares[own], np.array(rows)) for own, rows in found.items() if rows and shares[own] > 0]

    def modules(self) -> dict[str, nn.Module]:
        """What a checkpoint must hold."""
        return {"network": self.network}

    def optimisers(self) -> dict[str, torch.optim.Optimizer]:
        """Whose state a checkpoint must hold."""
        return {"network": self._optimiser}

    def budget_fraction(self, fraction: float) -> None:
        """The learning rate falls along a cosine to a hundredth."""
        share = 0.5 * (1 + math.cos(math.pi * min(max(fraction, 0.0), 1.0)))
        for group in self._optimiser.param_groups:
            group["lr"] = self.config.learning_rate * (0.01 + 0.99 * share)

    def _draw(self, step_index: int) -> tuple[F32, F32, F32]:
        """(B, 4·(T + 2·halo), C) rows, (B, T, E) coefficients and (B, T) weights of a step."""
        rng = np.random.default_rng([self._seed, 5, step_index])
        long, shares = self.config.clip_frames, [share for share, _ in self._starts]
        rows, wanted, weight = [], [], []
        for which in rng.choice(len(shares), self.config.batch, p=np.array(shares) / sum(shares)):
            start, a, b = self._starts[which][1][rng.integers(len(self._starts[which][1]))]
            heard = np.arange(_RATE * (start - self._halo), _RATE * (start + long + self._halo))
            rows.append(self._standard[np.clip(heard, _RATE * a, _RATE * b - 1)])
            frames = np.clip(np.arange(start, start + long), a, b - 1)
            wanted.append(self.train.expression[frames])
            weight.append(self.train.weight[frames] * (np.arange(start, start + long) < b))
        changed = augment(np.stack(rows), self.config.network != "linear", _RATE, self.config.augment, rng)
        standard = (np.stack(wanted) - self._expression[0]) / self._expression[1]
        return changed, standard.astype(np.float32), np.stack(weight).astype(np.float32)

    def step(self, step_index: int) -> dict[str, float]:
        """One optimisation step."""
        rows, wanted, weight = (torch.from_numpy(a).to(self._device) for a in self._draw(step_index))
        self.network.train()
        found = self.network(rows)
        loss = self._loss(found, wanted, weight)
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self._optimiser.step()
        return {"loss": float(loss.detach())}

    def _loss(self, found: Tensor, wanted: Tensor, weight: Tensor) -> Tensor:
        """`expression_loss` in standardised units; what was not seen is taken as found, and counts nothing."""
        blend = weight[..., None].clamp(0, 1)
        return expression_loss(
            found, blend * wanted + (1 - blend) * found, torch.ones_like(found[0, 0]), self._lips,
            self.config.steps_weight,
        )  # fmt: skip

    def model(self) -> ExpressionMotion:
        """The model as it stands, on the CPU, independent of further training."""
        model = ExpressionMotion(self.config, copy.deepcopy(self.network).cpu(), self._rows, self._expression)
        return model.with_quick(self._quick(model)) if self.config.quick > 0 else model

    def _quick(self, model: ExpressionMotion) -> float:
        """How much quick movement held-out lips are given; the person's own alone tell where there are some."""
        pairs = self.held_out
        of = [s for s in pairs.stretches() if pairs.source[s[0]] == OWN] or pairs.stretches()
        frames = np.concatenate([np.arange(a, b) for a, b in of])
        told = np.concatenate([said(model, pairs, a, b) for a, b in of])
        guess, real = (_moved(coefficients, pairs.lips) for coefficients in (told, pairs.expression[frames]))
        seen = pairs.weight[frames] > 0
        return quick_gain(guess, real, (np.diff(pairs.clip[frames]) == 0) & seen[1:] & seen[:-1], self.config.quick)

    def validate(self) -> dict[str, float]:
        """On held-out stretches: lips off in millimetres, over the mean mouth's (1: no better), correlation, amplitude.

        `score` (lower is better) is the mean of that ratio and of 1 - correlation: by the ratio alone a mouth that
        hardly moves beats one that speaks a little wrongly. The lips are the 20 mouth points of the face model, moved
        by the coefficients alone.
        """
        model, pairs = self.model(), self.held_out
        found = np.concatenate([said(model, pairs, a, b) for a, b in pairs.stretches()])
        return lip_scores(found, pairs.expression, pairs.lips, self._expression[0], pairs.weight > 0)


def said(model: ExpressionMotion, pairs: ExpressionPairs, a: int, b: int) -> F32:
    """(b - a, E) what a model without lips that close says of frames [a, b) of one clip."""
    rows = pairs.features[model.config.feature][_RATE * a : _RATE * b]
    n = b - a
    return model.predict(
        {model.config.feature: rows}, Conditions(np.zeros((n, 3), np.float32), np.zeros((n, 8, 2), np.float32))
    )


def lip_scores(found: F32, wanted: F32, lips: F32, mean: F32, seen: NDArray[np.bool_]) -> dict[str, float]:
    """How near predicted coefficients move the lips to where they should be.

    Args:
        found, wanted: (T, E) coefficients.
        lips: (E, 20, 3) cm of the mouth points per unit.
        mean: (E,) of the mean mouth.
        seen: (T,) frames that count.
    """
    moved, true = (_moved(c[seen] - mean, lips) for c in (found, wanted))
    off = float(np.linalg.norm(moved - true, axis=-1).mean())
    still = float(np.linalg.norm(true, axis=-1).mean())
    gap, real = (_aperture(a) for a in (moved, true))
    sure = gap.std() > 1e-9 and real.std() > 1e-9
    ratio = off / max(still, 1e-9)
    follows = float(np.corrcoef(gap, real)[0, 1]) if sure else 0.0
    return {
        "score": (ratio + 1 - follows) / 2,
        "lips_ratio": ratio,
        "lips_mm": 10 * off,
        "aperture_correlation": follows,
        "aperture_amplitude": float(gap.std() / max(real.std(), 1e-9)),
    }


def _moved(coefficients: F32, lips: F32) -> F32:
    """(T, K, 3) cm by which (T, E) coefficients move the lip points."""
    return np.asarray(np.einsum("te,ekc->tkc", coefficients, lips))


def _aperture(moved: NDArray[np.floating]) -> NDArray[np.floating]:
    """(T,) cm by which the inner lips part: points 61 to 63 over 67 to 65, counted from 48."""
    return np.asarray((moved[:, [13, 14, 15], 1] - moved[:, [19, 18, 17], 1]).mean(1))


def _spread(values: F32) -> F32:
    """(2, D) mean and deviation, the latter at least a thousandth of the largest."""
    deviation = values.std(0)
    least = max(1e-3 * float(deviation.max()), 1e-6)
    return np.stack([values.mean(0), np.maximum(deviation, least)]).astype(np.float32)
