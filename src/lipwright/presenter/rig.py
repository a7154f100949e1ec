"""An ICT identity ready to be posed: vertices, expressions, eyes, tongue, a neck that follows the head."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lipwright.core.contracts import F32
from lipwright.core.ibug import INNER_BOTTOM, INNER_TOP
from lipwright.face.ict import I32, VERTEX_RANGES, IctModel
from lipwright.face.raster import Camera, project
from lipwright.presenter.lips import LipGap
from lipwright.presenter.motion import HeadMotion, rotation
from lipwright.presenter.visemes import TONGUE

PIVOT_CM = np.array([0.0, -5.0, -0.5], np.float32)
"""The head turns about the top of the neck."""

_N_IDENTITY = 40
_EYE_HALVES = ((21451, 23021), (23021, 24591))


def identity_coefficients(seed: int, spread: float = 0.75) -> F32:
    """(40,) seeded identity: nobody's face, about `spread` standard deviations from the mean one."""
    return (np.random.default_rng([seed, 77]).normal(size=_N_IDENTITY) * spread).astype(np.float32)


def studio_camera(size: int) -> Camera:
    """Head and shoulders in a square picture: 40 cm at the face, seen from 1.4 m."""
    distance, shown = 140.0, 39.0
    return Camera(size * distance / shown, ((size - 1) / 2, (size - 1) / 2), distance, -1.2)


@dataclass(frozen=True)
class Rig:
    """Neutral vertices of one identity and everything that moves them."""

    neutral: F32
    """(V, 3) centimetres."""
    delta: F32
    """(E, V, 3) per full expression, the tongue's last."""
    names: tuple[str, ...]
    """(E,) expression names."""
    landmark68: I32
    """(68,) vertices."""
    follow: F32
    """(V,) how much a vertex turns with the head: 1 on the skull, 0 on the shoulders."""
    eyes: tuple[tuple[int, int, F32], ...]
    """(first vertex, end, centre) of each eyeball."""

    def weights(self, lips: F32, motion: HeadMotion) -> F32:
        """(T, E) lips joined with lids and brows."""
        out = lips.copy()
        for name, track in motion.face.items():
            if name in self.names:
                out[:, self.names.index(name)] += track
        return out

    def lip_gap(self) -> LipGap:
        """The inner-lip gap (mean of three vertical pairs of landmarks) as a function of the weights."""
        top, bottom = self.landmark68[INNER_TOP], self.landmark68[INNER_BOTTOM]
        rest = float((self.neutral[top, 1] - self.neutral[bottom, 1]).mean())
        change = (self.delta[:, top, 1] - self.delta[:, bottom, 1]).mean(axis=1)
        return LipGap(rest, change.astype(np.float32), self.names.index("mouthClose"))

    def shape(self, weights: F32, gaze_rad: F32) -> F32:
        """(V, 3) head-space vertices for one frame's (E,) weights and (2,) gaze."""
        used = np.flatnonzero(np.abs(weights) > 1e-4)
        out = self.neutral.copy()
        for i in used:
            out += weights[i] * self.delta[i]
        turn = rotation(np.array([gaze_rad[0], gaze_rad[1], 0], np.float32))
        for first, end, centre in self.eyes:
            out[first:end] = (out[first:end] - centre) @ turn.T + centre
        return out

    def pose(self, shape: F32, pose_rad: F32, shift_cm: F32) -> F32:
        """(V, 3) studio-space vertices: linear blend between head and shoulders by `follow`."""
        turned = (shape - PIVOT_CM) @ rotation(pose_rad).T + PIVOT_CM + shift_cm
        return shape + self.follow[:, None] * (turned - shape)

    def landmarks(self, weights: F32, motion: HeadMotion) -> F32:
        """(T, 68, 3) landmarks in studio space without touching the rest of the mesh."""
        delta = self.delta[:, self.landmark68].reshape(len(self.names), -1)
        shape = self.neutral[self.landmark68] + (weights @ delta).reshape(-1, 68, 3)
        turn = rotation(motion.pose_rad)
        turned = np.einsum("tij,tkj->tki", turn, shape - PIVOT_CM) + PIVOT_CM + motion.shift_cm[:, None]
        follow = self.follow[self.landmark68][:, None]
        return (shape + follow * (turned - shape)).astype(np.float32)

    def landmarks_px(self, weights: F32, motion: HeadMotion, camera: Camera) -> F32:
        """(T, 68, 2) pixels."""
        return project(self.landmarks(weights, motion), camera)[..., :2]


def build_rig(model: IctModel, coefficients: F32) -> Rig:
    """Rig of an identity."""
    neutral = model.identity(coefficients)
    delta = np.concatenate([model.expressions(), _tongue(model, neutral)[None]])
    eyes = []
    for first, end in _EYE_HALVES:
        points = neutral[first:end]
        eyes.append((first, end, ((points.max(axis=0) + points.min(axis=0)) / 2).astype(np.float32)))
    return Rig(
        neutral=neutral,
        delta=delta.astype(np.float32),
        names=(*model.expression_names, TONGUE),
        landmark68=model.landmark68,
        follow=_follow(model.neutral),
        eyes=tuple(eyes),
    )


def _follow(neutral: F32) -> F32:
    y = neutral[:, 1]
    first, end = VERTEX_RANGES["face"][0], VERTEX_RANGES["head"][1]
    t = np.clip((y + 12.6) / (12.6 - 8.2), 0, 1)  # from the collar to the jaw
    follow = np.ones(len(neutral), np.float32)
    follow[first:end] = (t * t * (3 - 2 * t))[first:end]
    return follow


def tongue_vertices(model: IctModel) -> I32:
    """Vertices of the tongue: by their place in the gum texture, where it is an island of its own."""
    first, end = VERTEX_RANGES["gums_tongue"]
    faces, faces_uv = model.triangles(first, end)
    uv = np.zeros((end - first, 2), np.float32)
    uv[faces.ravel() - first] = model.uv[faces_uv.ravel()]
    u, v = uv[:, 0] - 2, uv[:, 1]
    island = ((u > 0.48) & (v < 0.56) & (u < 0.96)) | ((u < 0.22) & (v < 0.43))
    moves = np.linalg.norm(_jaw(model)[first:end], axis=1) > 0.4
    inside = np.abs(model.neutral[first:end, 0]) < 2.2
    return (np.flatnonzero(island & moves & inside) + first).astype(np.int32)


def _jaw(model: IctModel) -> F32:
    return model.expression_delta[model.expression_names.index("jawOpen")].astype(np.float32)


def _tongue(model: IctModel, neutral: F32) -> F32:
    """(V, 3) offsets that lift the front of the tongue behind the upper teeth."""
    out = np.zeros_like(neutral)
    vertices = tongue_vertices(model)
    z = neutral[vertices, 2]
    front = np.clip((z - z.min()) / max(float(z.max() - z.min()), 1e-6), 0, 1) ** 2
    out[vertices, 1] = 0.75 * front
    out[vertices, 2] = 0.45 * front
    return out
