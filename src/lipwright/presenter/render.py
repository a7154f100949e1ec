"""Frames of the presenter: posed meshes, shadow map, coverage, shading, lens."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lipwright.core.contracts import F32, U8
from lipwright.face.ict import I32, VERTEX_RANGES, IctModel
from lipwright.face.raster import (
    Camera,
    orthographic,
    project,
    rasterise,
    resolve,
    supersampled,
    vertex_normals,
)
from lipwright.presenter import shade
from lipwright.presenter.clothes import dress
from lipwright.presenter.hair import grow_hair
from lipwright.presenter.lashes import cut_lashes
from lipwright.presenter.look import Look, linear
from lipwright.presenter.motion import rotation
from lipwright.presenter.occlusion import ambient_occlusion, light_axes
from lipwright.presenter.rig import PIVOT_CM, Rig, studio_camera, tongue_vertices
from lipwright.presenter.skin import paint_skin
from lipwright.presenter.studio import studio

_SHADOW_PX, _SHADOW_SCALE, _SHADOW_CENTRE = 448, 9.0, (224.0, 236.0)
_OUTER_EYES = ((21451, 22221), (23021, 23791))
_INSIDE = (
    ("socket", shade.MOUTH),
    ("gums_tongue", shade.MOUTH),
    ("teeth", shade.TEETH),
    ("eye_sockets", shade.MOUTH),
)


@dataclass(frozen=True)
class RenderConfig:
    """Picture settings."""

    size: int = 512
    """Pixels of the square picture."""
    supersample: int = 2
    """Samples per pixel and axis."""
    noise: float = 0.9
    """Deviation of the camera's noise in 8-bit steps."""
    seed: int = 0
    """Seed of noise and studio."""
    texels: int = 0
    """Texels of each of the skin's two tiles; 0 fits the picture, close-ups want 2048."""
    skin_only: bool = False
    """Leave out hair, lashes and clothes: close-ups of the mouth do not show them and cost a third."""


class PresenterRenderer:
    """Draws frames of one identity; building it paints the skin and bakes occlusion (some seconds)."""

    def __init__(self, model: IctModel, rig: Rig, look: Look, config: RenderConfig | None = None) -> None:
        self.config = config or RenderConfig()
        self.rig = rig
        self.look = look
        size = self.config.size
        fitting = 512 if size <= 320 else 1024 if size <= 1024 else 2048  # finer would shimmer
        self.skin = paint_skin(model, rig.neutral, look, self.config.texels or fitting)
        self.hair = grow_hair(model, rig.neutral, look)
        self.clothes = dress(look)
        self.lashes = cut_lashes(model)
        self.background = studio(self.config.size, self.config.seed)
        self._assemble(model)
        self._bake(model)

    def _assemble(self, model: IctModel) -> None:
        """Join all parts into one triangle list with one material each, skin first."""
        parts: list[tuple[I32, int]] = [(self.skin.triangles, shade.SKIN)]
        for name, material in _INSIDE:
            parts.append((_touching(model, *VERTEX_RANGES[name]), material))
        for first, end in _OUTER_EYES:
            parts.append((model.triangles(first, end)[0], shade.EYE))
        self.body_triangles = np.concatenate([t for t, _ in parts]).astype(np.int32)
        lashes_at = len(self.rig.neutral)
        hair_at = lashes_at + len(self.lashes.mix)
        clothes_at = hair_at + len(self.hair.points)
        parts.append((self.lashes.triangles + lashes_at, shade.LASH))
        parts.append((self.hair.triangles + hair_at, shade.HAIR))
        parts.append((self.clothes.triangles + clothes_at, shade.CLOTH))
        self.triangles = np.concatenate([t for t, _ in parts]).astype(np.int32)
        self.material = np.concatenate([np.full(len(t), m, np.uint8) for t, m in parts])
        if self.config.skin_only:
            shown = ~np.isin(self.material, (shade.HAIR, shade.LASH, shade.CLOTH))
            self.triangles, self.material = self.triangles[shown], self.material[shown]
        casts = self.material != shade.LASH
        hair = np.flatnonzero(self.material == shade.HAIR)
        strand = np.arange(len(hair)) // (len(self.hair.triangles) // self.hair.strands)
        casts[hair[strand % 3 != 0]] = False  # a third of the strands casts as good a shadow as all
        self.shadow_triangles = np.ascontiguousarray(self.triangles[casts])

    def _bake(self, model: IctModel) -> None:
        """Vertex colours and occlusion, with the mouth shut and with it open."""
        rig = self.rig
        colour = np.zeros((len(rig.neutral), 3), np.float32)
        colour[slice(*VERTEX_RANGES["socket"])] = linear((0.52, 0.22, 0.20))
        colour[slice(*VERTEX_RANGES["gums_tongue"])] = linear((0.70, 0.38, 0.36))
        colour[tongue_vertices(model)] = linear((0.74, 0.42, 0.40))
        colour[slice(*VERTEX_RANGES["teeth"])] = linear((0.90, 0.86, 0.78))
        inside = slice(VERTEX_RANGES["socket"][0], VERTEX_RANGES["teeth"][1])
        deep = np.clip((rig.neutral[inside, 2] - 5.5) / 4.6, 0.03, 1) ** 1.5
        colour[inside] *= deep[:, None]  # light fades towards the throat
        colour[slice(*VERTEX_RANGES["eye_sockets"])] = linear((0.60, 0.34, 0.30))
        for (first, end), (_, _, centre) in zip(_OUTER_EYES, rig.eyes, strict=True):
            local = rig.neutral[first:end] - centre
            colour[first:end] = local / np.linalg.norm(local, axis=1).max() * np.float32(1.12)
        lash = np.broadcast_to(linear((0.10, 0.07, 0.06)), (len(self.lashes.mix), 3))
        self.colour = np.concatenate([colour, lash, self.hair.colour, self.clothes.colour]).astype(np.float32)
        jaw = np.zeros(len(rig.names), np.float32)
        jaw[rig.names.index("jawOpen")] = 0.35
        self.ao = []
        for weights in (0 * jaw, jaw):
            shape = rig.shape(weights, np.zeros(2, np.float32))
            normals = vertex_normals(shape, self.body_triangles)
            everything = np.concatenate([shape, self.clothes.points])
            cloth = self.clothes.triangles + len(shape)
            triangles = np.concatenate([self.body_triangles, cloth]).astype(np.int32)
            baked = ambient_occlusion(everything, np.concatenate([normals, self.clothes.normals]), triangles)
            body, dressed = baked[: len(shape)], baked[len(shape) :]
            lash_ao = np.full(len(self.lashes.mix), 0.8, np.float32)
            self.ao.append(np.concatenate([body, lash_ao, self.hair.shade, dressed]).astype(np.float32))

    def frame(
        self,
        weights: F32,
        gaze_rad: F32,
        pose_rad: F32,
        shift_cm: F32,
        index: int = 0,
        camera: Camera | None = None,
        size: int | None = None,
    ) -> U8:
        """(size, size, 3) uint8 RGB of one frame; `index` seeds its noise.

        With a `camera` of its own (a close-up) the picture is `size` square over a plain middle tone of the
        studio, which such a crop hardly shows.
        """
        if camera is None:
            view, pixels, background = studio_camera(self.config.size), self.config.size, self.background
        else:
            view, pixels = camera, size or self.config.size
            background = np.empty((pixels, pixels, 3), np.float32)
            background[:] = self.background.mean(axis=(0, 1))
        return self._develop(self.linear(weights, gaze_rad, pose_rad, shift_cm, view, pixels, background), index)

    def linear(
        self,
        weights: F32,
        gaze_rad: F32,
        pose_rad: F32,
        shift_cm: F32,
        camera: Camera,
        size: int,
        background: F32,
    ) -> F32:
        """(size, size, 3) linear light through any camera."""
        factor = self.config.supersample
        world, normal = self._posed(weights, gaze_rad, pose_rad, shift_cm)
        seen = rasterise(supersampled(project(world, camera), factor), self.triangles, (size * factor,) * 2)
        axes = light_axes(shade.KEY_DIRECTION)
        light_px = orthographic(world @ axes.T, _SHADOW_SCALE, _SHADOW_CENTRE)
        depth = rasterise(light_px, self.shadow_triangles, (_SHADOW_PX, _SHADOW_PX), perspective=False).depth
        opened = float(np.clip(weights[self.rig.names.index("jawOpen")] / 0.35, 0, 1))
        ao = self.ao[0] + np.float32(opened) * (self.ao[1] - self.ao[0])
        out = np.repeat(np.repeat(background, factor, axis=0), factor, axis=1)
        shade.shade(
            seen.triangle, seen.barycentric, self.triangles, self.material, world, normal, self.colour, ao,
            self.skin.uv, self.skin.albedo, self.skin.bump, rotation(pose_rad), depth, light_px, shade.LIGHTS,
            shade.SKY, shade.FLOOR, linear(self.look.iris), 1.0, self._mouth_light(weights), out,
        )  # fmt: skip
        return resolve(np.minimum(out, 1.6), factor)

    def _mouth_light(self, weights: F32) -> float:
        """How far light gets into the mouth: grows with the lip gap."""
        gap = self.rig.lip_gap().of(weights[None])[0]
        return float(np.clip(gap / 1.2, 0, 1) ** 0.6)

    def _posed(self, weights: F32, gaze_rad: F32, pose_rad: F32, shift_cm: F32) -> tuple[F32, F32]:
        """World positions and normals (tangents for strands) of every vertex."""
        body = self.rig.pose(self.rig.shape(weights, gaze_rad), pose_rad, shift_cm)
        turn = rotation(pose_rad)
        hair = (self.hair.points - PIVOT_CM) @ turn.T + PIVOT_CM + shift_cm
        lashes = self.lashes.points(body)
        lash_normal = np.zeros_like(lashes)
        lash_normal[:, 1] = 1
        world = np.concatenate([body, lashes, hair, self.clothes.points])
        normal = np.concatenate(
            [
                vertex_normals(body, self.body_triangles),
                lash_normal,
                self.hair.tangents @ turn.T,
                self.clothes.normals,
            ]
        )
        return world.astype(np.float32), normal.astype(np.float32)

    def _develop(self, linear_rgb: F32, index: int) -> U8:
        """Tone curve with a soft shoulder, square-root encoding, camera noise."""
        x = np.maximum(linear_rgb, 0)
        toned = np.where(x < 0.55, x, 0.55 + 0.45 * (1 - np.exp(-(x - 0.55) / 0.45)))
        encoded = np.sqrt(toned) * 255
        if self.config.noise > 0:
            rng = np.random.default_rng([self.config.seed, index, 3])
            encoded = encoded + rng.normal(size=encoded.shape[:2])[..., None] * self.config.noise
        return np.clip(encoded + 0.5, 0, 255).astype(np.uint8)


def _touching(model: IctModel, first: int, end: int) -> I32:
    """Triangles with a corner in a part, other corners allowed: they close the seams to the skin."""
    triangles, _ = model.triangles(0, VERTEX_RANGES["lacrimal"][0])
    inside = ((triangles >= first) & (triangles < end)).any(axis=1)
    skin = (triangles < VERTEX_RANGES["head"][1]).all(axis=1)
    return triangles[inside & ~skin]
