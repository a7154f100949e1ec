"""What every morphable face is: a mean and three linear bases over one mesh, and points to fit it by.

Axes x right in the picture, y up, z to the viewer; centimetres. Coefficients count standard deviations, so that their
squared length is the prior. Which model is behind it (a person's own, ICT-FaceKit, BFM-2009, FLAME) makes no difference
to fitting and drawing.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import F32
from lipwright.core.errors import ShapeError
from lipwright.face.morphable.light import N_BANDS, shade
from lipwright.face.pose import FOCAL_PER_WIDTH, rotation
from lipwright.face.raster import I32, Camera, project, vertex_normals


@dataclass(frozen=True)
class Landmarks:
    """K points on a mesh, each a fixed mix of three of its vertices."""

    vertices: I32
    """(K, 3)."""
    shares: F32
    """(K, 3), each row sums to 1."""

    def __call__(self, values: F32) -> F32:
        """(..., V, C) per vertex to (..., K, C) per point."""
        return np.asarray(np.einsum("...kjc,kj->...kc", values[..., self.vertices, :], self.shares), np.float32)

    @classmethod
    def at(cls, vertices: NDArray[np.integer]) -> Landmarks:
        """Points that are vertices."""
        shares = np.tile(np.array([1, 0, 0], np.float32), (len(vertices), 1))
        return cls(np.repeat(np.asarray(vertices, np.int32)[:, None], 3, 1), shares)

    @classmethod
    def mixed(cls, matrix: F32) -> Landmarks:
        """Rows of a (K, V) matrix with at most three entries that are not 0."""
        order = np.argsort(-np.abs(matrix), axis=1, kind="stable")[:, :3]
        return cls(order.astype(np.int32), np.take_along_axis(matrix, order, 1).astype(np.float32))


@dataclass(frozen=True)
class FaceModel:
    """The arrays of a morphable face."""

    name: str
    """'person', 'ict-facekit', 'bfm-2009' or 'flame'."""
    mean: F32
    """(V, 3) cm."""
    geometry: F32
    """(G, V, 3) cm per standard deviation: who it is."""
    expression: F32
    """(E, V, 3) cm per standard deviation: what the face does."""
    mean_texture: F32
    """(V, 3) albedo, RGB in [0, 1]."""
    texture: F32
    """(X, V, 3) per standard deviation."""
    triangles: I32
    """(F, 3), counter-clockwise from outside."""
    landmark68: Landmarks
    """The iBUG points."""
    dense: Landmarks | None = None
    """The tracker's mesh on this model, None where it has no counterpart."""
    dense_points: I32 | None = None
    """(D,) which of the tracker's 478 points `dense` are."""
    inside: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, bool))
    """(V,) vertices of the mouth's interior; empty means none."""

    def __post_init__(self) -> None:
        n = len(self.mean)
        for name, array, shape in (
            ("mean", self.mean, (n, 3)),
            ("mean_texture", self.mean_texture, (n, 3)),
            *((g, getattr(self, g), (len(getattr(self, g)), n, 3)) for g in ("geometry", "expression", "texture")),
        ):
            if array.shape != shape:
                raise ShapeError(name, shape, array.shape)
        if len(self.inside) == 0:
            object.__setattr__(self, "inside", np.zeros(n, bool))

    def shape(self, geometry: F32, expression: F32) -> F32:
        """(V, 3) or (T, V, 3) cm in head axes, of (G,) and (E,) or (T, E) coefficients."""
        still = self.mean + np.tensordot(np.asarray(geometry, np.float32), self.geometry, 1)
        return np.asarray(still + np.tensordot(np.asarray(expression, np.float32), self.expression, 1), np.float32)

    def albedo(self, texture: F32) -> F32:
        """(V, 3) RGB of (X,) coefficients."""
        return np.asarray(self.mean_texture + np.tensordot(np.asarray(texture, np.float32), self.texture, 1))

    def with_mean(self, mean: F32, mean_texture: F32) -> FaceModel:
        """The same face with another middle."""
        return replace(self, mean=mean.astype(np.float32), mean_texture=mean_texture.astype(np.float32))


@dataclass(frozen=True)
class Coefficients:
    """Everything that makes T pictures of one person: five groups, none of which moves what another stands for."""

    geometry: F32
    """(G,) shared by all frames."""
    texture: F32
    """(X,) shared by all frames."""
    expression: F32
    """(T, E)."""
    pose_rad: F32
    """(T, 3) pitch, yaw, roll of the head."""
    shift_cm: F32
    """(T, 3) where the head's origin is, seen from the camera: x right, y up, z to the viewer (hence negative)."""
    light: F32
    """(T, 9, 3) spherical harmonics by RGB (face.morphable.light)."""

    def __len__(self) -> int:
        return len(self.expression)

    def frame(self, t: int) -> Coefficients:
        """One frame of it."""
        return self.frames(slice(t, t + 1))

    def frames(self, where: slice | NDArray[np.integer]) -> Coefficients:
        """Some frames of it."""
        parts = (self.expression[where], self.pose_rad[where], self.shift_cm[where], self.light[where])
        return Coefficients(self.geometry, self.texture, *parts)


def neutral(model: FaceModel, n_frames: int = 1, distance_cm: float = 60.0) -> Coefficients:
    """A frontal, expressionless mean face in white light, `distance_cm` from the camera."""
    light = np.zeros((n_frames, N_BANDS, 3), np.float32)
    light[:, 0] = 1.0 / shade(np.ones((1, 3), np.float32), np.array([[0, 0, 1]], np.float32), _unit_light())[0]
    shift = np.tile(np.array([0, 0, -distance_cm], np.float32), (n_frames, 1))
    zero = np.zeros((n_frames, 3), np.float32)
    expression = np.zeros((n_frames, len(model.expression)), np.float32)
    return Coefficients(
        np.zeros(len(model.geometry), np.float32), np.zeros(len(model.texture), np.float32),
        expression, zero, shift, light,
    )  # fmt: skip


def _unit_light() -> F32:
    light = np.zeros((N_BANDS, 3), np.float32)
    light[0] = 1
    return light


def camera_of(size: tuple[int, int]) -> Camera:
    """The camera of pictures of `size` (width, height), at the origin: the focal length is face.pose's, unknown."""
    width, height = size
    return Camera(FOCAL_PER_WIDTH * max(size), ((width - 1) / 2, (height - 1) / 2), 0.0)


def posed(vertices: F32, pose_rad: F32, shift_cm: F32) -> F32:
    """(..., V, 3) head axes to camera axes: R (..., V, 3) + shift."""
    turned = vertices @ np.swapaxes(rotation(pose_rad), -1, -2).astype(np.float32)
    return np.asarray(turned + shift_cm[..., None, :], np.float32)


def landmarks_px(model: FaceModel, c: Coefficients, size: tuple[int, int]) -> F32:
    """(T, 68, 2) pixels of the iBUG points."""
    middle = model.landmark68(model.mean) + np.tensordot(c.geometry, model.landmark68(model.geometry), 1)
    points = middle + np.tensordot(c.expression, model.landmark68(model.expression), 1)
    return project(posed(np.asarray(points, np.float32), c.pose_rad, c.shift_cm), camera_of(size))[..., :2]


@dataclass(frozen=True)
class Scene:
    """One frame of a face, ready to be drawn."""

    points_px: F32
    """(V, 3) pixel x, pixel y, depth."""
    normals: F32
    """(V, 3) unit, in camera axes."""
    colours: F32
    """(V, 3) lit RGB."""


def scene(model: FaceModel, c: Coefficients, size: tuple[int, int], t: int = 0) -> Scene:
    """Frame t of the coefficients, seen by the camera of pictures of `size`."""
    return lit(model, c, model.shape(c.geometry, c.expression[t]), size, t)


def lit(model: FaceModel, c: Coefficients, shape: F32, size: tuple[int, int], t: int) -> Scene:
    """The scene of a (V, 3) shape in frame t's pose and light."""
    points = posed(shape, c.pose_rad[t], c.shift_cm[t])
    normals = vertex_normals(points, model.triangles)
    colours = shade(model.albedo(c.texture), normals, c.light[t])
    return Scene(project(points, camera_of(size)), normals, colours)
