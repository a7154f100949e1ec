"""Per-pixel light: skin, wet mouth, teeth, eyes, hair and cloth under a key, a fill and a rim light.

Colours are linear light. Skin: wrapped diffuse whose red wraps furthest (a cheap stand-in for light that
scatters below the surface, d'Eon & Luebke 2007) plus two specular lobes; hair: Kajiya & Kay 1989; the
rest: Lambert plus Blinn-Phong. The ambient term is a sky-to-floor blend times baked occlusion.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from lipwright.core.contracts import F32, U8
from lipwright.face.raster import I32

SKIN, MOUTH, TEETH, EYE, HAIR, CLOTH, LASH = range(7)
"""Materials, one per triangle."""

KEY_DIRECTION = np.array([-0.50, 0.48, 0.72], np.float32) / np.float32(np.sqrt(0.5**2 + 0.48**2 + 0.72**2))
"""Where the key light is; it casts the shadows."""

# rows: direction x y z, colour r g b
LIGHTS = np.array(
    [
        [*KEY_DIRECTION, 1.12, 1.03, 0.92],
        [0.80, 0.10, 0.59, 0.24, 0.26, 0.30],
        [0.62, 0.35, -0.70, 0.75, 0.80, 0.95],
        [-0.75, 0.30, -0.59, 0.40, 0.40, 0.42],
    ],
    np.float32,
)
LIGHTS[:, :3] /= np.linalg.norm(LIGHTS[:, :3], axis=1, keepdims=True)
SKY = np.array([0.29, 0.305, 0.33], np.float32)
FLOOR = np.array([0.15, 0.125, 0.11], np.float32)


@numba.njit(cache=True, fastmath=True)
def shade(
    ids: I32, bary: F32, triangles: I32, material: U8, world: F32, normal: F32, colour: F32, ao: F32,
    uv: F32, albedo: U8, bump: F32, turn: F32, shadow: F32, shadow_px: F32, lights: F32, sky: F32, floor: F32,
    iris: F32, bump_strength: float, mouth_light: float, out: F32,
) -> None:  # fmt: skip # pragma: no cover - compiled
    """Write linear colour (H, W, 3) into `out` wherever `ids` names a triangle.

    Args:
        ids, bary: (H, W), (H, W, 3) from the rasteriser.
        triangles, material: (F, 3) and (F,); the first len(uv) triangles are textured skin.
        world, normal, colour: (V, 3); for hair `normal` is the strand's tangent, for eyes `colour` is the
            direction from the eye's centre in the eye's own frame, in units of its radius.
        ao: (V,) share of the sky that is seen.
        uv: (Fs, 3, 2) texels of `albedo` (N, M, 4: sRGB, gloss) and `bump` (N, M, 3: head space).
        turn: (3, 3) head rotation, applied to the bumps.
        shadow, shadow_px: depth map of the key light and (V, 3) its projection of the vertices.
        iris: (3,) linear colour. bump_strength: 0 to about 1. mouth_light: [0, 1] how far the mouth is open.
    """
    room = np.zeros((5, 3), np.float32)
    c, n, rgb, at, half = room[0], room[1], room[2], room[3], room[4]
    texel = np.zeros(7, np.float32)
    for y in range(ids.shape[0]):
        for x in range(ids.shape[1]):
            t = ids[y, x]
            if t < 0:
                continue
            corners, w = triangles[t], bary[y, x]
            _blend(normal, corners, w, n)
            _blend(colour, corners, w, c)
            _blend(shadow_px, corners, w, at)
            sees = w[0] * ao[corners[0]] + w[1] * ao[corners[1]] + w[2] * ao[corners[2]]
            lit = _lit(shadow, at[0], at[1], at[2])
            kind = material[t]
            gloss = np.float32(0.35)
            if kind == SKIN:
                gloss = _skin(uv[t], w, albedo, bump, turn, bump_strength, texel, c, n)
            elif kind == EYE:
                _eye(c, iris)
            _unit(n)
            if kind in (MOUTH, TEETH):
                _inside(n, c, sees, mouth_light, kind, rgb)
            elif kind in (HAIR, LASH):
                _hair(n, c, sees, lit, lights, sky, kind, rgb)
            else:
                _surface(n, c, sees, lit, lights, sky, floor, kind, gloss, half, rgb)
            for k in range(3):
                out[y, x, k] = rgb[k]


@numba.njit(cache=True, fastmath=True)
def _blend(values: F32, corners: I32, w: F32, out: F32) -> None:  # pragma: no cover - compiled
    """Interpolate three channels over a triangle."""
    for k in range(3):
        out[k] = w[0] * values[corners[0], k] + w[1] * values[corners[1], k] + w[2] * values[corners[2], k]


@numba.njit(cache=True, fastmath=True)
def _unit(n: F32) -> None:  # pragma: no cover - compiled
    """Normalise in place."""
    length = np.sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]) + np.float32(1e-9)
    for k in range(3):
        n[k] /= length


@numba.njit(cache=True, fastmath=True)
def _skin(
    uv: F32, w: F32, albedo: U8, bump: F32, turn: F32, strength: float, texel: F32, c: F32, n: F32
) -> Any:  # pragma: no cover - compiled
    """Take colour from the texture, bend the normal by its bumps, return the gloss."""
    u = w[0] * uv[0, 0] + w[1] * uv[1, 0] + w[2] * uv[2, 0]
    v = w[0] * uv[0, 1] + w[1] * uv[1, 1] + w[2] * uv[2, 1]
    _sample(albedo, bump, u, v, texel)
    for k in range(3):
        c[k] = texel[k]
        n[k] += strength * (turn[k, 0] * texel[4] + turn[k, 1] * texel[5] + turn[k, 2] * texel[6])
    return texel[3]


@numba.njit(cache=True, fastmath=True)
def _lit(shadow: F32, px: Any, py: Any, depth: Any) -> Any:  # pragma: no cover - compiled
    """Share of the light's neighbourhood that is not nearer to it: a tent filter over 4x4 spread texels.

    The tent makes it continuous in the position, so that close-ups show no squares.
    """
    hx, hy = px * np.float32(0.5), py * np.float32(0.5)
    x, y = int(np.floor(hx)), int(np.floor(hy))
    seen = np.float32(0.0)
    weight = np.float32(0.0)
    for dy in range(-1, 3):
        for dx in range(-1, 3):
            sx, sy = 2 * (x + dx), 2 * (y + dy)
            if 0 <= sx < shadow.shape[1] and 0 <= sy < shadow.shape[0]:
                w = (2 - abs(hx - (x + dx))) * (2 - abs(hy - (y + dy)))
                weight += w
                # full light to 0.45 cm behind the nearest surface, none from 1.05 cm
                behind = depth - shadow[sy, sx]
                seen += w * min(1.0, max(0.0, (1.05 - behind) / 0.6))
    return seen / weight if weight > 0 else 1.0


@numba.njit(cache=True, fastmath=True)
def _sample(albedo: U8, bump: F32, u: float, v: float, out: F32) -> None:  # pragma: no cover - compiled
    """Bilinear texel: linear rgb, gloss, bump."""
    u = min(max(u, 0.0), albedo.shape[1] - 1.001)
    v = min(max(v, 0.0), albedo.shape[0] - 1.001)
    x, y = int(u), int(v)
    fx, fy = u - x, v - y
    for k in range(7):
        if k < 4:
            a = np.float32(albedo[y, x, k]) * (1 - fx) + np.float32(albedo[y, x + 1, k]) * fx
            b = np.float32(albedo[y + 1, x, k]) * (1 - fx) + np.float32(albedo[y + 1, x + 1, k]) * fx
            value = (a * (1 - fy) + b * fy) / np.float32(255.0)
            out[k] = value * value if k < 3 else value
        else:
            j = k - 4
            out[k] = (bump[y, x, j] * (1 - fx) + bump[y, x + 1, j] * fx) * (1 - fy) + (
                bump[y + 1, x, j] * (1 - fx) + bump[y + 1, x + 1, j] * fx
            ) * fy


@numba.njit(cache=True, fastmath=True)
def _eye(c: F32, iris: F32) -> None:  # pragma: no cover - compiled
    """Replace a direction on the eyeball by its colour: pupil, iris with fibres and dark rim, white."""
    r = np.sqrt(c[0] * c[0] + c[1] * c[1])
    angle = np.arctan2(c[1], c[0])
    if c[2] < 0 or r > 0.75:
        r = 0.75
    white = np.float32(0.62) - np.float32(0.30) * max(0.0, r - 0.5)
    edge = min(1.0, max(0.0, (r - 0.455) / 0.05))
    pupil = min(1.0, max(0.0, (r - 0.155) / 0.03))
    fibre = 0.8 + 0.22 * np.sin(angle * 37 + 6 * np.sin(angle * 5)) * np.sin(angle * 61 + r * 20)
    depth = r / 0.46
    rim = 1 - 0.75 * min(1.0, max(0.0, (r - 0.38) / 0.08))
    for k in range(3):
        warm = np.float32(1.0) if k == 0 else np.float32(0.93 if k == 1 else 0.90)
        inner = iris[k] * fibre * rim * (1.25 - 0.45 * depth) * pupil + 0.003
        c[k] = inner * (1 - edge) + white * warm * edge


@numba.njit(cache=True, fastmath=True)
def _inside(n: F32, c: F32, sees: Any, mouth_light: float, kind: int, rgb: F32) -> None:  # pragma: no cover - compiled
    """Teeth, gums and tongue: soft light from the front that enters as far as the lips let it."""
    facing = max(0.0, 0.25 * n[1] + 0.97 * n[2])
    open_sky = (0.34 + 0.66 * sees if kind == TEETH else 0.06 + 0.94 * sees) * (0.42 + 0.58 * mouth_light)
    shine = (0.16 if kind == TEETH else 0.10) * facing**24 * sees
    for k in range(3):
        warm = np.float32(1.06 if k == 0 else (0.99 if k == 1 else 0.93))
        rgb[k] = c[k] * open_sky * (0.22 + 0.78 * facing) * warm * np.float32(0.92) + shine * mouth_light


@numba.njit(cache=True, fastmath=True)
def _surface(
    n: F32, c: F32, sees: Any, lit: Any, lights: F32, sky: F32, floor: F32, kind: int, gloss: Any,
    half: F32, rgb: F32,
) -> None:  # fmt: skip # pragma: no cover - compiled
    """Light that leaves an opaque surface towards the viewer at +z."""
    up = 0.5 + 0.5 * n[1]
    facing = max(0.0, n[2])
    fresnel = 0.028 + 0.6 * (1 - facing) ** 5
    for k in range(3):
        rgb[k] = c[k] * sees * (sky[k] * up + floor[k] * (1 - up))
    for j in range(lights.shape[0]):
        d = n[0] * lights[j, 0] + n[1] * lights[j, 1] + n[2] * lights[j, 2]
        seen = lit if j == 0 else sees
        half[0], half[1], half[2] = lights[j, 0], lights[j, 1], lights[j, 2] + 1
        h = (n[0] * half[0] + n[1] * half[1] + n[2] * half[2]) / np.sqrt(
            half[0] * half[0] + half[1] * half[1] + half[2] * half[2]
        )
        h = max(0.0, h)
        for k in range(3):
            wrap = np.float32(0.0)
            if kind == SKIN:
                wrap = np.float32(0.34 if k == 0 else (0.17 if k == 1 else 0.12))
            elif kind == EYE:
                wrap = np.float32(0.25)
            diffuse = max(0.0, (d + wrap) / (1 + wrap))
            shadowed = seen
            if kind == SKIN and j == 0:  # blood tints the edge of shadows
                shadowed = seen ** (0.75 if k == 0 else 1.0)
            rgb[k] += c[k] * diffuse * shadowed * lights[j, 3 + k]
        if d > 0:
            shine = np.float32(0.0)
            if kind == SKIN:
                shine = gloss * (0.26 * h**14 + 0.36 * h**52) * (0.45 + 8 * fresnel)
            elif kind == EYE:
                shine = 6.0 * h**420 + 0.05 * h**20
            elif kind == CLOTH:
                shine = 0.015 * h**8
            for k in range(3):
                rgb[k] += shine * d * seen * lights[j, 3 + k]


@numba.njit(cache=True, fastmath=True)
def _hair(
    tangent: F32, c: F32, sees: Any, lit: Any, lights: F32, sky: F32, kind: int, rgb: F32
) -> None:  # pragma: no cover - compiled
    """Kajiya-Kay strand: diffuse by the sine between tangent and light, two shifted highlights."""
    for k in range(3):
        rgb[k] = c[k] * sees * sky[k] * 0.9
    for j in range(lights.shape[0]):
        tl = tangent[0] * lights[j, 0] + tangent[1] * lights[j, 1] + tangent[2] * lights[j, 2]
        tv = tangent[2]
        sin_tl = np.sqrt(max(0.0, 1 - tl * tl))
        sin_tv = np.sqrt(max(0.0, 1 - tv * tv))
        seen = lit * (0.35 + 0.65 * sees) if j == 0 else sees * sees
        along = max(0.0, sin_tl * sin_tv - tl * tv)
        shine = 0.10 * along**28
        tint = 0.42 * max(0.0, sin_tl * sin_tv - (tl + 0.12) * tv) ** 10
        if kind == LASH:
            shine = np.float32(0.0)
        for k in range(3):
            rgb[k] += seen * lights[j, 3 + k] * (c[k] * (0.62 * sin_tl + tint) + shine * 0.35)
