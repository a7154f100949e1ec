"""Pieces of speech drawn for training, changed at random where it is cheap: in their mel energies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import F32
from lipwright.speech.mel import CHANNELS, centred


@dataclass(frozen=True)
class Heard:
    """One clip through one room and line."""

    log_power: NDArray[np.float16]
    """(T, 40) natural logarithm of `mel.energies`."""
    labels: NDArray[np.uint8]
    """(T,) columns of `PHONES`."""


def save_heard(stem: Path, clips: Sequence[Heard]) -> None:
    """Into `stem`.power.npy, .labels.npy and .lengths.npy."""
    stem.parent.mkdir(parents=True, exist_ok=True)
    for name, array in (
        ("power", np.concatenate([np.zeros((0, CHANNELS), np.float16), *(c.log_power for c in clips)])),
        ("labels", np.concatenate([np.zeros(0, np.uint8), *(c.labels for c in clips)])),
        ("lengths", np.array([len(c.labels) for c in clips], np.int64)),
    ):
        np.save(Path(f"{stem}.{name}.npy"), array)


def load_heard(stem: Path) -> list[Heard]:
    """What `save_heard` wrote, read from the disk as it is needed."""
    power, labels = (np.load(f"{stem}.{name}.npy", mmap_mode="r") for name in ("power", "labels"))
    lengths = np.load(f"{stem}.lengths.npy")
    ends = np.cumsum(lengths)
    return [Heard(power[b - n : b], labels[b - n : b]) for b, n in zip(ends.tolist(), lengths.tolist(), strict=True)]


@dataclass
class Ear:
    """Draws pieces of `rows` rows."""

    rows: int
    rng: np.random.Generator

    def clean(self, clip: Heard) -> tuple[F32, NDArray[np.uint8]]:
        """((rows, 40) input, (rows,) labels) as the clip is."""
        power, labels = self._piece(clip, 1.0)
        return centred(power), labels

    def hear(self, clip: Heard, noise: Heard, babble: Heard) -> tuple[F32, NDArray[np.uint8]]:
        """The same warped, paced, coloured, noisy, band-limited, and quiet at its start now and then."""
        rng = self.rng
        power, labels = self._piece(clip, float(rng.uniform(0.8, 1.25)))
        power = self._coloured(self._warped(power))
        level = float(power.mean()) + 1e-12
        kind = rng.random()
        if kind < 0.05:
            power, labels = power * 1e-9, np.zeros_like(labels)  # nobody speaks
        if rng.random() < 0.2:
            first = int(rng.integers(self.rows // 2))
            power[:first], labels[:first] = 0, 0
        if kind < 0.7:
            power = power + self._scaled(self._coloured(self._piece(noise, 1.0)[0]), level, 0.0, 35.0)
        if rng.random() < 0.15:
            power = power + self._scaled(self._piece(babble, 1.0)[0], level, 8.0, 30.0)
        power = self._banded(power)
        gain = 10 ** rng.uniform(-3.0, 0.5) * 1e-2 / max(level, 1e-9)
        return self._masked(centred((power * gain).astype(np.float32))), labels

    def _piece(self, clip: Heard, pace: float) -> tuple[F32, NDArray[np.uint8]]:
        """`rows` rows of power at another pace: rows between are blended, labels the nearest."""
        wanted = min(round(self.rows * pace), len(clip.labels))
        first = int(self.rng.integers(0, len(clip.labels) - wanted + 1))
        at = np.linspace(0, wanted - 1, self.rows)
        low = np.floor(at).astype(int)
        high = np.minimum(low + 1, wanted - 1)
        log = clip.log_power[first : first + wanted].astype(np.float32)
        share = (at - low)[:, None].astype(np.float32)
        labels = np.asarray(clip.labels[first + np.round(at).astype(int)])
        return np.exp(log[low] * (1 - share) + log[high] * share), labels

    def _warped(self, power: F32) -> F32:
        """Formants higher or lower by up to a sixth, as with another tract length, the pitch as it is."""
        factor = float(self.rng.uniform(0.85, 1.18))
        mel = np.arange(1, CHANNELS + 1) * (2800 - 90) / (CHANNELS + 1) + 90
        hertz = 700 * (10 ** (mel / 2595) - 1) / factor
        at = np.clip((2595 * np.log10(1 + hertz / 700) - 90) * (CHANNELS + 1) / (2800 - 90) - 1, 0, CHANNELS - 1)
        low = np.minimum(at.astype(int), CHANNELS - 2)
        share = (at - low).astype(np.float32)
        return np.asarray(power[:, low] ** (1 - share) * power[:, low + 1] ** share, np.float32)

    def _coloured(self, power: F32) -> F32:
        """Another microphone: a smooth response of some dB."""
        knots = self.rng.normal(0, self.rng.uniform(0, 6), 7)
        response = np.interp(np.linspace(0, 6, CHANNELS), np.arange(7), knots)
        return np.asarray(power * 10 ** (response / 10), np.float32)

    def _scaled(self, other: F32, level: float, low_db: float, high_db: float) -> F32:
        """Another sound so many dB below the speech."""
        ratio = 10 ** (-self.rng.uniform(low_db, high_db) / 10)
        return np.asarray(other * (ratio * level / (float(other.mean()) + 1e-12)), np.float32)

    def _banded(self, power: F32) -> F32:
        """Highs or lows lost, as over a telephone or a small loudspeaker."""
        if self.rng.random() < 0.15:
            power[:, int(self.rng.integers(24, CHANNELS)) :] *= 1e-5
        if self.rng.random() < 0.15:
            power[:, : int(self.rng.integers(1, 8))] *= 1e-3
        return power

    def _masked(self, seen: F32) -> F32:
        """A few channels, and a few rows, not seen."""
        if self.rng.random() < 0.4:
            first = int(self.rng.integers(0, CHANNELS - 5))
            seen[:, first : first + int(self.rng.integers(1, 6))] = 0
        for _ in range(int(self.rng.integers(0, 3))):
            first = int(self.rng.integers(0, self.rows - 8))
            seen[first : first + int(self.rng.integers(1, 7))] = 0
        return seen
