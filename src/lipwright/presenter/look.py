"""How an identity looks beside its shape: tones and colours, seeded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

RGB = tuple[float, float, float]

_SKIN: tuple[RGB, ...] = (
    (0.86, 0.66, 0.56),
    (0.80, 0.60, 0.49),
    (0.70, 0.50, 0.39),
    (0.57, 0.41, 0.32),
    (0.42, 0.27, 0.20),
)
_HAIR: tuple[RGB, ...] = (
    (0.20, 0.13, 0.09),
    (0.11, 0.08, 0.065),
    (0.33, 0.22, 0.13),
    (0.06, 0.055, 0.05),
    (0.42, 0.40, 0.38),
)
_IRIS: tuple[RGB, ...] = ((0.30, 0.17, 0.08), (0.20, 0.30, 0.36), (0.22, 0.28, 0.16), (0.16, 0.09, 0.05))
_JACKET: tuple[RGB, ...] = ((0.21, 0.25, 0.36), (0.30, 0.30, 0.33), (0.29, 0.22, 0.19), (0.20, 0.25, 0.27))
_TIE: tuple[RGB, ...] = ((0.36, 0.08, 0.11), (0.10, 0.17, 0.36), (0.11, 0.27, 0.22), (0.35, 0.27, 0.12))


@dataclass(frozen=True)
class Look:
    """Colours are sRGB in [0, 1]."""

    skin: RGB = _SKIN[0]
    """Mean colour of the cheeks' surroundings."""
    hair: RGB = _HAIR[0]
    """Hair and brows."""
    iris: RGB = _IRIS[1]
    """Both eyes."""
    jacket: RGB = _JACKET[0]
    """Jacket."""
    shirt: RGB = (0.74, 0.79, 0.86)
    """Shirt and collar."""
    tie: RGB = _TIE[0]
    """Tie."""
    stubble: float = 0.35
    """Beard shadow, 0 none to 1 dark."""
    seed: int = 0
    """Seed of all noise."""


def look_of(seed: int) -> Look:
    """The look of an identity seed: seed 0 is the default, others draw."""
    if seed == 0:
        return Look()
    rng = np.random.default_rng([seed, 99])
    tone = int(rng.integers(len(_SKIN)))
    dark_hair = _HAIR[1] if tone >= 3 else _HAIR[int(rng.integers(len(_HAIR)))]
    return Look(
        skin=_SKIN[tone],
        hair=dark_hair,
        iris=_IRIS[0] if tone >= 3 else _IRIS[int(rng.integers(len(_IRIS)))],
        jacket=_JACKET[int(rng.integers(len(_JACKET)))],
        tie=_TIE[int(rng.integers(len(_TIE)))],
        stubble=float(rng.uniform(0, 0.6)),
        seed=seed,
    )


def linear(colour: RGB) -> np.ndarray:
    """(3,) float32 linear light of an sRGB colour, by the square that `shade` and the encoder also use."""
    return np.square(np.asarray(colour, np.float32))
