"""The skin's texture, painted where the model's own UV layout puts each point of the face.

Every texel knows its place on the neutral head (the rasteriser draws the mesh in UV space), so tones follow
anatomy: redder cheeks, nose and ears, lips, brows drawn hair by hair, beard shadow, pores, scalp.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import splev, splprep
from scipy.ndimage import distance_transform_edt, gaussian_filter

from lipwright.core.contracts import F32, U8
from lipwright.face.ict import I32, VERTEX_RANGES, IctModel
from lipwright.face.raster import interpolate, rasterise
from lipwright.presenter.hairline import hair_density
from lipwright.presenter.look import Look
from lipwright.presenter.noise import fractal_noise, value_noise

_CANVAS_PX_PER_CM = 96


@dataclass(frozen=True)
class SkinTexture:
    """A texture of two tiles side by side (face, head) and the triangles that use it."""

    albedo: U8
    """(N, 2N, 4) sRGB and gloss."""
    bump: F32
    """(N, 2N, 3) head-space offsets of the normal."""
    triangles: I32
    """(F, 3) skin triangles of the mesh."""
    uv: F32
    """(F, 3, 2) their texel coordinates."""


def paint_skin(model: IctModel, neutral: F32, look: Look, size: int) -> SkinTexture:
    """Texture of one identity at `size` texels per tile (512 to 2048)."""
    triangles, triangles_uv = model.triangles(0, VERTEX_RANGES["head"][1])
    bare = ~_covered(model.neutral[triangles])
    triangles, triangles_uv = triangles[bare], triangles_uv[bare]
    uv = model.uv[triangles_uv]
    tile = (uv[..., 0] > 1).all(axis=1)
    uv = np.where(tile[:, None, None], uv - np.array([1, 0], np.float32), uv)
    texel = np.stack([uv[..., 0], 1 - uv[..., 1]], axis=-1) * np.float32(size - 1)
    albedo = np.empty((size, 2 * size, 4), np.float32)
    bump = np.empty((size, 2 * size, 3), np.float32)
    for k in range(2):
        where = tile == bool(k)
        points = _texel_points(neutral, triangles[where], texel[where], size)
        part = slice(k * size, (k + 1) * size)
        albedo[:, part], bump[:, part] = _paint(points, neutral[model.landmark68], look)
    texel[tile, :, 0] += size
    return SkinTexture((np.clip(albedo, 0, 1) * 255 + 0.5).astype(np.uint8), bump, triangles, texel.astype(np.float32))


def _covered(corners: F32) -> NDArray[np.bool_]:
    """Triangles of the bust that clothes hide, so that no identity's shoulders stick out of the jacket."""
    x, y = np.abs(corners[..., 0]), corners[..., 1]
    return np.asarray(((y < -13.2) | ((x > 5.9) & (y < -10.2))).all(axis=1))


def _texel_points(neutral: F32, triangles: I32, texel: F32, size: int) -> F32:
    """(size, size, 3) neutral position of every texel; texels outside the layout take their nearest one."""
    flat = np.concatenate([texel.reshape(-1, 2), np.ones((texel.size // 2, 1))], axis=1).astype(np.float32)
    own = np.arange(len(flat), dtype=np.int32).reshape(-1, 3)
    seen = rasterise(flat, own, (size, size), perspective=False)
    points = interpolate(seen, own, neutral[triangles.ravel()])
    nearest = distance_transform_edt(seen.triangle < 0, return_distances=False, return_indices=True)
    return np.asarray(points[tuple(nearest)], np.float32)


def _paint(points: F32, landmarks: F32, look: Look) -> tuple[F32, F32]:
    """(…, 4) sRGB and gloss, (…, 3) bump of texels at `points`."""
    p, seed = points, look.seed * 101 + 7
    rgb = np.broadcast_to(np.asarray(look.skin, np.float32), p.shape).copy()
    coarse, middle = fractal_noise(p, 0.35, seed), fractal_noise(p, 1.6, seed + 10)
    fine = fractal_noise(p, 7.0, seed + 20, 2)
    rgb *= (1 + 0.030 * coarse + 0.030 * middle + 0.022 * fine)[..., None]
    red = _redness(p, landmarks) + 0.10 * np.clip(middle, 0, 1) + 0.05 * coarse
    rgb *= 1 + red[..., None] * np.array([0.0, -0.15, -0.13], np.float32)
    rgb *= 1 - _eye_shade(p, landmarks)[..., None] * np.array([0.17, 0.22, 0.17], np.float32)
    freckles = np.clip(value_noise(p, 4.5, seed + 40) - 0.62, 0, 1) * (value_noise(p, 0.5, seed + 41) > -0.2)
    rgb *= 1 - 0.22 * freckles[..., None] * np.array([0.7, 1.0, 1.1], np.float32)
    lips = lip_mask(p, landmarks)
    lip_colour = rgb * np.array([0.87, 0.67, 0.69], np.float32) * (1 + 0.08 * _lip_creases(p, seed))[..., None]
    rgb += (lip_colour - rgb) * lips[..., None]
    beard = look.stubble * _beard(p, landmarks) * (1 - lips)
    grain = 0.72 + 0.5 * np.clip(value_noise(p, 13.0, seed + 50) + 0.3 * fine, -0.6, 1)
    rgb *= 1 - (0.50 * beard * grain)[..., None] * np.array([1.0, 0.90, 0.78], np.float32)
    scalp = hair_density(p, landmarks, look.seed)
    hair = np.asarray(look.hair, np.float32)
    rgb += (hair * 1.05 - rgb) * (0.93 * scalp)[..., None]
    brow = _brows(p, landmarks, look)
    rgb += (hair * 0.95 - rgb) * brow[..., None]
    gloss = 0.42 + 0.20 * _shiny(p, landmarks) + 0.10 * fine + 0.20 * lips - 0.3 * scalp - 0.42 * brow
    bump = _bumps(p, seed) * (1 + 0.3 * lips)[..., None]
    return np.concatenate([rgb, gloss[..., None]], axis=-1), bump.astype(np.float32)


def _bumps(p: F32, seed: int) -> F32:
    """Pores and fine wrinkles as offsets of the normal."""
    pores = np.stack([value_noise(p, 9.0, seed + 60 + k) for k in range(3)], axis=-1)
    coarse = np.stack([value_noise(p, 2.2, seed + 70 + k) for k in range(3)], axis=-1)
    return 0.075 * pores + 0.035 * coarse


def _near(p: F32, centre: F32 | list[float], radius: float) -> F32:
    """1 at a place, fading over `radius` centimetres."""
    d2 = ((p - np.asarray(centre, np.float32)) ** 2).sum(axis=-1)
    return np.exp(-d2 / np.float32(radius**2)).astype(np.float32)


def _redness(p: F32, lm: F32) -> F32:
    cheek = [lm[a] * 0.42 + lm[b] * 0.58 for a, b in ((2, 31), (14, 35))]
    total = 0.75 * (_near(p, cheek[0], 2.6) + _near(p, cheek[1], 2.6))
    total += 0.75 * _near(p, lm[30], 1.3) + 0.3 * (_near(p, lm[31], 0.9) + _near(p, lm[35], 0.9))
    total += 0.35 * _near(p, lm[8], 1.8) + 0.5 * np.clip((np.abs(p[..., 0]) - 7.4) / 1.2, 0, 1)
    return np.asarray(total, np.float32)


def _eye_shade(p: F32, lm: F32) -> F32:
    """Darker, bluer skin below and around the eyes."""
    total = np.zeros(p.shape[:-1], np.float32)
    for corners in ((36, 39), (42, 45)):
        centre = (lm[corners[0]] + lm[corners[1]]) / 2
        total += 0.75 * _near(p, centre + np.array([0, -0.9, 0], np.float32), 1.5)
        total += 0.40 * _near(p, centre + np.array([0, 0.8, 0], np.float32), 1.2)
    return np.clip(total, 0, 1)


def _shiny(p: F32, lm: F32) -> F32:
    brow = (lm[21] + lm[22]) / 2 + np.array([0, 2.2, 0], np.float32)
    return 0.9 * _near(p, lm[29], 1.5) + 0.7 * _near(p, brow, 3.2) + 0.4 * _near(p, lm[8], 1.5)


def lip_mask(p: F32, lm: F32) -> F32:
    """(…,) 1 on the red of the lips: inside a smooth frontal loop through the outer lip landmarks."""
    loop = np.concatenate([lm[48:60, :2], lm[48:49, :2]]).T
    spline, _ = splprep(loop.astype(np.float64), s=0.0, per=True)
    curve = np.stack(splev(np.linspace(0, 1, 240), spline), axis=1)
    inside = _polygon(curve, 0.055)
    return inside(p) * (p[..., 2] > 6.0)


def _lip_creases(p: F32, seed: int) -> F32:
    stretched = p * np.array([1.0, 0.16, 0.16], np.float32)
    return value_noise(stretched, 9.0, seed + 80)


def _polygon(curve: NDArray[np.float64], soft_cm: float) -> _Canvas:
    """A filled, softly edged polygon of the frontal plane."""
    canvas = _Canvas(curve.min(axis=0) - 1, curve.max(axis=0) + 1)
    cv2.fillPoly(canvas.image, [canvas.pixels(curve)], (1.0,), cv2.LINE_8, 4)
    canvas.image = gaussian_filter(canvas.image, soft_cm * _CANVAS_PX_PER_CM)
    return canvas


class _Canvas:
    """A picture of a part of the frontal (x, y) plane, sampled by texels."""

    def __init__(self, low: NDArray[np.float64], high: NDArray[np.float64]) -> None:
        self.low = low
        width, height = np.ceil((high - low) * _CANVAS_PX_PER_CM).astype(int)
        self.image: F32 = np.zeros((height, width), np.float32)

    def pixels(self, xy: NDArray[np.floating]) -> NDArray[np.int32]:
        """Fixed-point pixel coordinates (4 fractional bits) for drawing."""
        return np.round((xy - self.low) * _CANVAS_PX_PER_CM * 16).astype(np.int32)

    def __call__(self, p: F32) -> F32:
        xy = ((p[..., :2] - self.low) * _CANVAS_PX_PER_CM).astype(np.float32)
        return np.asarray(cv2.remap(self.image, xy[..., 0], xy[..., 1], cv2.INTER_LINEAR), np.float32)


def _beard(p: F32, lm: F32) -> F32:
    """(…,) 1 where a beard would grow: upper lip, chin, jaw, upper neck, with a ragged edge."""
    x, y = np.abs(p[..., 0]), p[..., 1]
    ragged = 0.35 * fractal_noise(p, 0.9, 300)
    top = lm[33, 1] - 0.25 - 0.16 * x + 0.075 * np.clip(x - 3.2, 0, None) ** 2
    below = np.clip((top + ragged - y) / 2.0, 0, 1)
    above = np.clip((y - (lm[8, 1] - 2.2) + ragged) / 1.2, 0, 1)
    front = np.clip((p[..., 2] - 1.2) / 1.5, 0, 1)
    return np.asarray(below * above * front, np.float32)


def _brows(p: F32, lm: F32, look: Look) -> F32:
    """(…,) cover of the brows, drawn hair by hair along landmarks 17-21 and 22-26."""
    cover = np.zeros(p.shape[:-1], np.float32)
    for points, side in ((lm[17:22], -1.0), (lm[22:27][::-1], 1.0)):
        rng = np.random.default_rng([look.seed, 5])  # the same for both sides: mirror-like, as brows are
        line = points[:, :2].astype(np.float64)
        canvas = _Canvas(line.min(axis=0) - 1.2, line.max(axis=0) + 1.2)
        for _ in range(560):
            _brow_hair(canvas, line, side, rng)
        canvas.image = 0.62 * gaussian_filter(canvas.image, 1.4) + 0.5 * gaussian_filter(canvas.image, 8.0)
        cover += np.clip(1.25 * canvas(p), 0, 1) * (p[..., 2] > 4.0)
    return np.clip(cover, 0, 0.86)


def _brow_hair(canvas: _Canvas, line: NDArray[np.float64], side: float, rng: np.random.Generator) -> None:
    """One stroke: along the brow and up, fanning from the nose to the temple; s is 0 at the temple end."""
    s = rng.beta(1.25, 1.0)
    at = np.array([np.interp(s * 4, range(5), line[:, k]) for k in range(2)])
    thick = 0.11 + 0.24 * np.sin(np.pi * min(1.0, 0.12 + 0.80 * s)) ** 0.8
    at[1] += rng.normal() * thick * 0.62 - 0.22
    angle = np.radians(12 + 58 * s**2.2 + 12 * rng.normal())
    length = rng.uniform(0.35, 0.62) * (0.75 + 0.35 * np.sin(np.pi * s))
    tip = at + length * np.array([side * np.cos(angle), np.sin(angle) * (0.75 if s > 0.3 else 0.05)])
    ends = canvas.pixels(np.stack([at, tip]))
    layer = np.zeros_like(canvas.image)
    cv2.line(layer, ends[0].tolist(), ends[1].tolist(), (float(rng.uniform(0.20, 0.46)),), 2, cv2.LINE_AA, 4)
    canvas.image = canvas.image + layer * (1 - canvas.image)
