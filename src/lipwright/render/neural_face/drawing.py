"""A frame's drawing of the lower face, and the region it may be used in: from rigid points and an expression alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import F32, U8
from lipwright.core.ease import smoothstep
from lipwright.core.ibug import RIGID
from lipwright.face.align import apply
from lipwright.face.morphable.light import shade
from lipwright.face.morphable.model import camera_of, posed
from lipwright.face.morphable.solve import Noise, Points, first_state, step
from lipwright.face.raster import interpolate, project, rasterise, resolve, supersampled, vertex_normals
from lipwright.render.neural_face.geometry import FaceGeometry

_STEPS = 4
"""Gauss-Newton steps from the tracker's pose to the person's own."""
_FINER = 2
"""Drawn at so many times the size and averaged: lips meet in lines thinner than a pixel."""
_FACING = 0.3
"""Cosine to the camera from which the light of a vertex was measured."""
_MOSTLY = 0.5
"""Share of a pixel from which it is all face, or all interior."""


@dataclass(frozen=True)
class Head:
    """Where a head is, seen by the camera of its frames."""

    pose_rad: F32
    """(3,) pitch, yaw, roll."""
    shift_cm: F32
    """(3,)."""
    size: tuple[int, int]
    """(width, height) of the frames."""
    crop_from_frame: F32
    """(2, 3) into the square."""


class Drawing(NamedTuple):
    """A lower face in its square."""

    rgb8: U8
    """(S, S, 3), black where there is no face."""
    inside: U8
    """(S, S) 255 in the mouth's interior, else 0."""


def heads(geometry: FaceGeometry, landmarks_px: F32, pose_rad: F32, size: tuple[int, int]) -> list[Head]:
    """Places of the heads of T frames, each by its own 19 rigid points: a mouth cannot move them.

    Args:
        landmarks_px: (T, 68, 2).
        pose_rad: (T, 3) the tracker's, where the search begins.
        size: (width, height) of the frames.
    """
    camera, noise = camera_of(size), Noise()
    points = Points(geometry.rigid_cm, np.zeros((0, len(RIGID), 3), np.float32))
    weights = np.ones(len(RIGID), np.float32)
    found = []
    for seen, pose, affine in zip(landmarks_px[:, RIGID], pose_rad, geometry.crop_maps(landmarks_px), strict=True):
        state = first_state(points, seen[None], pose[None], camera)
        for _ in range(_STEPS):
            state = step(state, points, seen[None], weights, camera, noise, robust=False)
        found.append(Head(state.pose_rad[0], state.shift[0].astype(np.float32), size, affine))
    return found


def draw(geometry: FaceGeometry, head: Head, expression: F32, fade: float = 0.0) -> Drawing:
    """The face with an (E,) expression on a head, in the footage's median light.

    Args: `fade`, of the side: over which it becomes black at its rim, but for the cut along the nose.
    """
    points, normals = _placed(geometry, head, expression)
    colours = _lit(geometry, normals).clip(0, 1) * 255
    size = geometry.size * _FINER
    fragments = rasterise(supersampled(points, _FINER), geometry.triangles, (size, size), cull_back=True)
    inside = geometry.inside[:, None]
    attributes = np.concatenate([colours, inside, np.ones_like(inside)], 1, dtype=np.float32)
    seen = resolve(interpolate(fragments, geometry.triangles, attributes), _FINER)
    face = seen[..., 4] >= _MOSTLY  # its edge keeps its colour: the black beside it is no part of it
    shown = face.astype(np.float32)
    if fade > 0:
        shown *= smoothstep(_from_rim(face) / (fade * geometry.size))
    picture = np.rint(seen[..., :3] * shown[..., None] / np.maximum(seen[..., 4:], _MOSTLY))
    return Drawing(picture.astype(np.uint8), np.where(seen[..., 3] >= _MOSTLY, 255, 0).astype(np.uint8))


def _from_rim(face: NDArray[np.bool_]) -> F32:
    """(S, S) pixels to where the face ends, beside and below: above, where its drawing is cut, the face goes on."""
    goes_on = np.maximum.accumulate(face[::-1], axis=0)[::-1]
    return np.asarray(cv2.distanceTransform(goes_on.astype(np.uint8), cv2.DIST_L2, 5), np.float32)


def _lit(geometry: FaceGeometry, normals: F32) -> F32:
    """(V, 3) colours, no brighter or darker than where the face looks at the camera.

    The light was found there; of the rims of lips, which look up and down, its harmonics know nothing.
    """
    light = shade(np.ones_like(geometry.albedo), normals, geometry.light)
    facing = light[(normals[:, 2] > _FACING) & (geometry.inside == 0)]
    if len(facing):
        light = light.clip(facing.min(0), facing.max(0))
    return np.asarray(geometry.albedo * light, np.float32)


def covered(geometry: FaceGeometry, head: Head) -> NDArray[np.bool_]:
    """(S, S) what the face covers with its mouth wide open or shut (AudioDVP), in the head's own pose."""
    size, found = geometry.size, np.zeros((geometry.size, geometry.size), bool)
    for expression in (geometry.opened, geometry.closed):
        points, _ = _placed(geometry, head, expression)
        found |= rasterise(points, geometry.triangles, (size, size), cull_back=True).triangle >= 0
    return found


def _placed(geometry: FaceGeometry, head: Head, expression: F32) -> tuple[F32, F32]:
    """(V, 3) pixels of the square and depth, and (V, 3) normals in camera axes."""
    shape = geometry.still + np.tensordot(expression.astype(np.float32), geometry.moves, 1)
    points = posed(shape, head.pose_rad, head.shift_cm)
    seen = project(points, camera_of(head.size))
    placed = np.concatenate([apply(head.crop_from_frame, seen[:, :2]), seen[:, 2:]], 1, dtype=np.float32)
    return placed, vertex_normals(points, geometry.triangles)


def plane_map(geometry: FaceGeometry, head: Head) -> F32:
    """(2, 3) pixels of the square to (across, up) in cm of the head's own plane at the lips, first order.

    It says where on the head a pixel lies whatever the mouth does: that is where the teeth are.
    """
    depth = float(np.median(geometry.still[geometry.inside > 0, 2])) if geometry.inside.any() else 0.0
    corners = np.array([[0, 0, depth], [1, 0, depth], [0, 1, depth]], np.float32) + _base(geometry)
    seen = project(posed(corners, head.pose_rad, head.shift_cm), camera_of(head.size))[:, :2]
    at = apply(head.crop_from_frame, seen).astype(np.float64)
    matrix = np.stack([at[1] - at[0], at[2] - at[0]], 1)
    back = np.linalg.inv(matrix)
    return np.concatenate([back, -(back @ at[0])[:, None]], 1).astype(np.float32)


def _base(geometry: FaceGeometry) -> F32:
    """(3,) the plane's origin: the middle of the mouth at rest, on the front of the face."""
    middle = geometry.still[geometry.inside > 0].mean(0) if geometry.inside.any() else geometry.still.mean(0)
    return np.array([middle[0], middle[1], 0], np.float32)
