"""A drawn face that the tests can track exactly: coloured markers, a dark mouth, and a voice that drives it.

A real tracker does not find a drawing, so a small one is injected: it measures the markers in the decoded
picture, so coding errors, shifts and planted faults reach the landmarks as they would with a real face.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter1d

from lipwright.core.contracts import F32, U8
from lipwright.core.ibug import INNER_BOTTOM
from lipwright.evaluate.source import Clip
from lipwright.face.landmarks68 import MAP_68
from lipwright.media.settings import EncoderSettings
from lipwright.media.writer import VideoWriter

SIZE = (192, 144)
FPS = Fraction(25)
N_FRAMES = 100
PAUSE = slice(46, 66)
MOUTH_Y = 40
"""Pixels from the nose marker down to the upper lip."""


def neutral() -> F32:
    """(478, 3) mesh of a flat face, nose at the origin, mouth closed, whose 68 points make sense."""
    rng = np.random.default_rng(0)
    mesh = rng.normal(0, 30, (478, 3)) * [1, 1, 0]
    points = np.zeros((68, 2))
    points[:17] = np.stack([np.linspace(-45, 45, 17), 60 - np.linspace(-1, 1, 17) ** 2 * 60], -1)
    points[17:27] = np.stack([np.linspace(-35, 35, 10), np.full(10, -30.0)], -1)
    points[27:36] = [*[(0, y) for y in (-15, -10, -5, 0)], *[(x, 5) for x in (-8, -4, 0, 4, 8)]]
    points[36:48] = [(x, -20) for x in (-28, -24, -20, -14, -20, -24, 14, 20, 24, 28, 24, 20)]
    points[48:60] = [
        *[(x, MOUTH_Y - 4) for x in np.linspace(-18, 18, 7)],
        *[(x, MOUTH_Y + 4) for x in np.linspace(12, -12, 5)],
    ]
    points[60:65] = [(x, MOUTH_Y) for x in (-12, -6, 0, 6, 12)]
    points[65:68] = [(x, MOUTH_Y) for x in (6, 0, -6)]
    for k in range(68):
        for vertex in np.flatnonzero(MAP_68[k]):
            mesh[vertex, :2] = points[k]
    return mesh.astype(np.float32)


NEUTRAL = neutral()
LOWER = [int(np.flatnonzero(MAP_68[k])[0]) for k in (*INNER_BOTTOM, 55, 56, 57, 58, 59)]


class MarkerTracker:
    """Finds the green nose marker and measures the dark mouth below it."""

    name = "marker"

    def detect(self, rgb8: U8) -> list[tuple[F32, float]]:
        image = rgb8.astype(np.float64)
        green = np.clip(image[..., 1] - np.maximum(image[..., 0], image[..., 2]) - 60, 0, None)
        if green.sum() < 500:
            return []
        y, x = np.mgrid[: image.shape[0], : image.shape[1]]
        nose = np.array([(green * x).sum(), (green * y).sum()]) / green.sum()
        column = image[:, round(nose[0]) - 4 : round(nose[0]) + 5].mean(axis=(1, 2))
        below = column[round(nose[1]) + MOUTH_Y - 6 : round(nose[1]) + MOUTH_Y + 24]
        height = float(np.clip((130 - below) / 110, 0, 1).sum())
        mesh = NEUTRAL.copy()
        mesh[LOWER, 1] += height
        mesh[:, :2] += nose
        return [(mesh, 1.0)]

    def close(self) -> None:
        pass


def openings(n: int, seed: int = 0) -> np.ndarray:
    """(n,) mouth heights in px: phones of 2 to 6 frames."""
    rng = np.random.default_rng(seed)
    steps = np.repeat(rng.uniform(0, 16, n), rng.integers(2, 7, n))[:n]
    return gaussian_filter1d(steps, 0.8)


def head(n: int, seed: int = 5) -> np.ndarray:
    """(n, 2) smooth nose positions."""
    rng = np.random.default_rng(seed)
    return np.array([SIZE[0] / 2, 60]) + gaussian_filter1d(rng.normal(0, 25, (n, 2)), 12, axis=0, mode="wrap")


def voice(height: np.ndarray, seed: int = 1) -> np.ndarray:
    """A buzz through a formant near 900 Hz, louder the wider the mouth, over faint noise."""
    t = np.arange(len(height) * 640) / 16_000
    gain = np.interp(t * 25 - 0.5, np.arange(len(height)), np.exp(3 * (height / 16 - 1)))
    buzz = sum(np.sin(2 * np.pi * f * t) for f in (720, 840, 960, 1080)) / 4
    return (0.3 * gain * buzz + 0.001 * np.random.default_rng(seed).normal(size=len(t))).astype(np.float32)


def draw(nose: np.ndarray, height: float, shift_lips: float = 0.0, soft: float = 0.0) -> U8:
    """One frame: a gradient, a head with fine texture, a green nose, a dark mouth of `height` px."""
    import cv2

    width, tall = SIZE
    y, x = np.mgrid[:tall, :width].astype(np.float32)
    u, v = x - np.float32(nose[0]), y - np.float32(nose[1])
    frame = np.stack([60 + x / 4, 70 + y / 4, 110 + 0 * x], -1)
    skin = np.clip(1.5 * (1 - np.hypot(u / 55, (v - 15) / 58)) * 10, 0, 1)[..., None]
    texture = 8 * np.sin(u * 2.1) * np.sin(v * 1.9)
    frame = frame * (1 - skin) + skin * (np.array([205, 160, 140]) + texture[..., None])
    edge = lambda d, half: np.clip(half - np.abs(d) + 0.5, 0, 1)  # noqa: E731
    nose_mask = (edge(u, 4) * edge(v, 4))[..., None]
    frame = frame * (1 - nose_mask) + nose_mask * np.array([20, 220, 30])
    middle = MOUTH_Y + height / 2 + shift_lips
    mouth = (edge(u, 14) * edge(v - middle, height / 2))[..., None] if height > 0.05 else 0
    frame = frame * (1 - mouth) + mouth * np.array([18, 10, 14])
    frame = np.clip(frame, 0, 255).astype(np.uint8)
    if soft:
        near = np.hypot(u, v - MOUTH_Y - 6)[..., None] < 34
        frame = np.where(near, cv2.GaussianBlur(frame, (0, 0), soft), frame)
    return frame


def write(path: Path, heights: np.ndarray, noses: np.ndarray, sound: np.ndarray | None, **options: float) -> Path:
    """Encode a drawn talk, nearly without loss."""
    settings = EncoderSettings(crf=4)
    with VideoWriter(path, SIZE, FPS, settings, audio=sound) as writer:
        for t, (height, nose) in enumerate(zip(heights, noses, strict=True)):
            per_frame = {k: float(np.asarray(v)[t]) if np.ndim(v) else v for k, v in options.items()}
            writer.write(draw(nose, height, **per_frame))
    return path


@dataclass(frozen=True)
class Talk:
    """A written video and what it was drawn from."""

    path: Path
    heights: np.ndarray
    noses: np.ndarray
    sound: np.ndarray

    @property
    def clip(self) -> Clip:
        return Clip(self.path)


def make_talk(path: Path) -> Talk:
    """Four seconds of the drawn face speaking, with one pause in `PAUSE`."""
    heights = openings(N_FRAMES)
    heights[PAUSE] = 0.4
    sound = voice(heights)
    sound[PAUSE.start * 640 : PAUSE.stop * 640] *= 0.02
    noses = head(N_FRAMES)
    return Talk(write(path, heights, noses, sound), heights, noses, sound)
