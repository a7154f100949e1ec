"""Training of the recogniser: short pieces of many speakers, changed at random in the mel energies.

Each clip is kept as mel energies of a few copies, each with another tract length, in another room, over another line.
Every time a piece is drawn its frequencies are warped further, its pace and level change, noise, music or other
people's speech are added, and bands are lost.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from lipwright.core import parallel
from lipwright.core.contracts import F32
from lipwright.core.progress import Progress, Silent, track
from lipwright.hearing.dataset import Spoken, labels_at
from lipwright.hearing.pieces import Ear, Heard, load_heard, save_heard
from lipwright.hearing.sounds import noise_of
from lipwright.speech.articulation import LOOKS, PHONES
from lipwright.speech.articulation_net import BACK, ArticulationNet
from lipwright.speech.mel import HOP, PAD, energies
from lipwright.speech.rooms import Line, Rooms, played


@dataclass(frozen=True)
class TrainingConfig:
    """Numbers of a run."""

    pieces: int = 10
    """In a batch of one process."""
    rows: int = 320
    """Of 10 ms in a piece; the first `BACK` are context only."""
    copies: int = 2
    """Of each clip, beside the clean one."""
    recorded: float = 0.5
    """Share of pieces from voices made of recordings."""
    piece_s: float = 12.0
    """Seconds that share a tract length, a room and a line."""
    noise_s: float = 300.0
    """Of sounds that are no speech."""
    learning_rate: float = 2e-3
    """At its highest; it rises over the first twentieth and falls as a cosine."""
    seed: int = 0
    """Of everything drawn."""


def heard(clip: Spoken, tract: float, samples: F32) -> Heard:
    """A clip as `samples`, played `tract` times as fast, sound."""
    rows = len(samples) // HOP
    power = energies(np.pad(samples, PAD), rows)
    return Heard(np.log(power + 1e-12).astype(np.float16), labels_at(clip.labels, clip.edges_s / tract, rows))


def copies_of(clip: Spoken, copies: int, everyone: F32, rng: np.random.Generator) -> list[Heard]:
    """A clip as it is, and in `copies` rooms with other tract lengths and lines."""
    found = [heard(clip, 1.0, clip.samples)]
    for _ in range(copies):
        tract, samples = played(clip.samples, float(rng.uniform(0.8, 1.25)))
        found.append(heard(clip, tract, Line().of(Rooms(noise_db=(15.0, 50.0)).of(samples, everyone, rng), rng)))
    return found


@dataclass
class Fold:
    """Clips ready to be drawn from."""

    recorded: list[Heard]
    formant: list[Heard]
    noise: Heard

    @classmethod
    def of(cls, clips: Sequence[Spoken], config: TrainingConfig, copies: int, progress: Progress | None = None) -> Fold:
        """All clips with their copies, and noises."""
        rng = np.random.default_rng([config.seed, 3])
        everyone = np.concatenate([clip.samples for clip in clips[:: max(len(clips) // 100, 1)]])
        groups: dict[bool, list[Heard]] = {True: [], False: []}
        for clip in track(clips, progress or Silent(), "rooms", len(clips)):
            groups[clip.speaker.engine == "espeak-ng"] += copies_of(clip, copies, everyone, rng)
        noise = noise_of(config.noise_s, rng)
        rows = len(noise) // HOP
        sound = Heard(np.log(energies(np.pad(noise, PAD), rows) + 1e-12).astype(np.float16), np.zeros(rows, np.uint8))
        return cls(groups[False], groups[True], sound)

    def save(self, folder: Path) -> None:
        """Into a folder."""
        save_heard(folder / "recorded", self.recorded)
        save_heard(folder / "formant", self.formant)
        save_heard(folder / "noise", [self.noise])

    @classmethod
    def load(cls, folder: Path) -> Fold:
        """What `save` wrote, read as it is needed: several processes share the memory."""
        recorded, formant, noise = (load_heard(folder / name) for name in ("recorded", "formant", "noise"))
        return cls(recorded, formant, noise[0])

    def draw(self, config: TrainingConfig, rng: np.random.Generator, clean: bool = False) -> tuple[Tensor, Tensor]:
        """(P, 40, T) inputs and (P, T) labels of random pieces."""
        ear = Ear(config.rows, rng)
        inputs, labels = [], []
        for _ in range(config.pieces):
            group = self.recorded if self.recorded and rng.random() < config.recorded else self.formant
            group = group or self.recorded
            clip, other = group[int(rng.integers(len(group)))], self.formant or self.recorded
            babble = other[int(rng.integers(len(other)))]
            x, y = ear.clean(clip) if clean else ear.hear(clip, self.noise, babble)
            inputs.append(x.T)
            labels.append(y)
        return torch.from_numpy(np.stack(inputs)), torch.from_numpy(np.stack(labels).astype(np.int64))


@dataclass
class HearingTask:
    """A `train.loop.Task`."""

    training: Fold
    validation: Fold
    config: TrainingConfig = field(default_factory=TrainingConfig)

    def __post_init__(self) -> None:
        torch.manual_seed(self.config.seed)
        self.model = ArticulationNet(len(PHONES)).train()
        self.optimiser = torch.optim.AdamW(self.model.parameters(), lr=self.config.learning_rate, weight_decay=0.01)
        self._alike = torch.from_numpy(LOOKS)
        self._class_of = self._alike.argmax(1)

    def modules(self) -> Mapping[str, nn.Module]:
        """One network."""
        return {"model": self.model}

    def optimisers(self) -> Mapping[str, torch.optim.Optimizer]:
        """One."""
        return {"optimiser": self.optimiser}

    def budget_fraction(self, fraction: float) -> None:
        """Warm up, then a cosine."""
        rate = min(1.0, 0.02 + fraction / 0.05) * 0.5 * (1 + math.cos(math.pi * fraction))
        self.optimiser.param_groups[0]["lr"] = self.config.learning_rate * max(rate, 0.005)

    def step(self, step_index: int) -> dict[str, float]:
        """One batch of pieces."""
        self.model.train()
        rng = np.random.default_rng([self.config.seed, step_index, parallel.rank()])
        loss, right = self._loss(*self.training.draw(self.config, rng))
        self.optimiser.zero_grad()
        loss.backward()
        parallel.average_gradients(self.model.parameters())
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()
        return {"loss": float(loss.detach()), "wrong": 1 - right}

    def validate(self) -> dict[str, float]:
        """Loss and share of steps whose lip class is right, on clips that are not learnt from, changed alike."""
        self.model.eval()
        rng = np.random.default_rng([self.config.seed, 10**9])
        with torch.no_grad():
            found = [self._loss(*self.validation.draw(self.config, rng)) for _ in range(8)]
        return {"score": float(np.mean([float(x) for x, _ in found])), "right": float(np.mean([r for _, r in found]))}

    def _loss(self, inputs: Tensor, labels: Tensor) -> tuple[Tensor, float]:
        """Cross-entropy of phones and of lip classes, and the share of right classes."""
        with torch.autocast("cpu", torch.bfloat16, enabled=self.model.training):
            found = self.model(inputs)
        logits = found[:, :, BACK:].float().permute(0, 2, 1).reshape(-1, len(PHONES))
        wanted = labels[:, BACK:].reshape(-1)
        phones = functional.cross_entropy(logits, wanted, label_smoothing=0.05)
        chances = torch.softmax(logits, 1) @ self._alike
        classes = functional.nll_loss(torch.log(chances + 1e-6), self._class_of[wanted])
        right = (chances.detach().argmax(1) == self._class_of[wanted]).float().mean()
        return phones + classes, float(right)
