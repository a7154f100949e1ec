"""Sounds that are no speech: hiss, hum, knocks, breath, and something like music."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve

from lipwright.core.clock import SAMPLE_RATE
from lipwright.core.contracts import F32

_F64 = NDArray[np.float64]


def coloured(n: int, rng: np.random.Generator) -> _F64:
    """White to brown noise with a resonance or two, as of air, traffic or a fan."""
    frequency = np.maximum(np.fft.rfftfreq(n, 1 / SAMPLE_RATE), 20.0)
    shape = frequency ** -rng.uniform(0, 1.3)
    for _ in range(int(rng.integers(0, 3))):
        centre = 2 ** rng.uniform(6.5, 12.5)
        shape *= 1 + rng.uniform(0, 6) / (1 + ((frequency - centre) / (0.15 * centre)) ** 2)
    return np.asarray(np.fft.irfft(np.fft.rfft(rng.normal(size=n)) * shape, n), np.float64)


def hum(n: int, rng: np.random.Generator) -> _F64:
    """Mains or a motor: a low tone, its harmonics, some hiss."""
    t, low = np.arange(n) / SAMPLE_RATE, rng.uniform(45, 130)
    tones = [rng.uniform(0.1, 1) / k * np.sin(2 * np.pi * (low * k * t + rng.random())) for k in range(1, 12)]
    return np.asarray(np.sum(tones, axis=0) + 0.05 * rng.normal(size=n), np.float64)


def breath(n: int, rng: np.random.Generator) -> _F64:
    """Bursts of soft noise of 0.2 to 0.8 s, as breaths are, over faint hiss."""
    out = 0.01 * rng.normal(size=n)
    for _ in range(max(n // (2 * SAMPLE_RATE), 1)):
        length = int(rng.uniform(0.2, 0.8) * SAMPLE_RATE)
        start = int(rng.integers(0, max(n - length, 1)))
        piece = coloured(length, rng) * np.hanning(length) ** rng.uniform(0.5, 2)
        out[start : start + length] += (piece / (piece.std() + 1e-9))[: n - start]
    return out


def knocks(n: int, rng: np.random.Generator) -> _F64:
    """Steps, keys, clicks: impulses that ring for 5 to 150 ms."""
    pulses = np.zeros(n)
    pulses[rng.integers(0, n, max(n * 3 // SAMPLE_RATE, 1))] = rng.normal(size=max(n * 3 // SAMPLE_RATE, 1))
    length = int(rng.uniform(0.005, 0.15) * SAMPLE_RATE)
    ringing = coloured(length, rng) * np.exp(-5 * np.arange(length) / length)
    return np.asarray(fftconvolve(pulses, ringing)[:n] + 1e-4 * rng.normal(size=n), np.float64)


def music(n: int, rng: np.random.Generator) -> _F64:
    """Chords of plucked or held tones with harmonics, and a beat."""
    out, beat = np.zeros(n), int(rng.uniform(0.2, 0.7) * SAMPLE_RATE)
    root, fade = rng.uniform(80, 330), rng.uniform(0.5, 6)
    for start in range(0, n, beat):
        length = min(beat * int(rng.integers(1, 4)), n - start)
        t = np.arange(length) / SAMPLE_RATE
        envelope = np.exp(-fade * t) * np.minimum(1, t / rng.uniform(0.005, 0.05))
        for step in rng.choice([0, 2, 4, 5, 7, 9, 12, 16, 19], 3):
            tone = root * 2 ** (step / 12)
            partials = [0.6**k * np.sin(2 * np.pi * tone * k * t) for k in range(1, int(rng.integers(2, 9)))]
            out[start : start + length] += envelope * np.sum(partials, axis=0)
        if rng.random() < 0.5:
            drum = rng.normal(size=length) * np.exp(-40 * t)
            out[start : start + length] += rng.uniform(0, 2) * drum
    return out


KINDS: tuple[Callable[[int, np.random.Generator], _F64], ...] = (coloured, hum, breath, knocks, music)


def noise_of(seconds: float, rng: np.random.Generator) -> F32:
    """(S,) one kind after another, 4 s of each, at a mean square of 1."""
    pieces, n = [], 4 * SAMPLE_RATE
    for k in range(max(round(seconds / 4), 1)):
        piece = KINDS[k % len(KINDS)](n, rng)
        pieces.append(piece / (np.sqrt(np.mean(piece**2)) + 1e-9))
    return np.concatenate(pieces).astype(np.float32)
