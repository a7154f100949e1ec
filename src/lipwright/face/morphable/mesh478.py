"""The tracker's mesh as a surface: triangles, a mouth interior, finer triangles, smooth ways to deform it.

Everything is a linear map of the 468 tracked points (irises left out), so that whatever is linear in the tracked points
is linear in the surface.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import lipwright
from lipwright.core.contracts import F32
from lipwright.face.raster import I32

N_POINTS = 468
INNER_LIPS = [78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95]
"""The ring around the mouth's opening."""
EYES = (
    [33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7],
    [362, 398, 384, 385, 386, 387, 388, 466, 263, 249, 390, 373, 374, 380, 381, 382],
)
"""The rings around the eyes' openings."""
_BAGS = ((0.12, -0.5), (0.35, -1.6), (0.6, -2.6))
"""Rings of the mouth's wall: how far towards its middle, and how far behind the lips in cm."""


@cache
def tracked_triangles() -> I32:
    """(852, 3) triangles of the tracked mesh, counter-clockwise from outside; eyes and mouth are holes."""
    path = Path(lipwright.__file__).parent / "assets" / "face_mesh_triangles.npy"
    return np.load(path, allow_pickle=False).astype(np.int32)


@dataclass(frozen=True)
class Surface:
    """A mesh of V vertices made from the tracked points: vertices = matrix @ points + offset."""

    matrix: F32
    """(V, 468); rows sum to 1, the first 468 are the points themselves."""
    offset: F32
    """(V, 3) cm, not zero inside the mouth only."""
    triangles: I32
    """(F, 3) counter-clockwise from outside."""
    inside: NDArray[np.bool_]
    """(V,) the mouth's interior."""

    def __call__(self, points: F32) -> F32:
        """(..., 468, 3) offsets of points to (..., V, 3) of vertices; add `offset` to shapes, not to differences."""
        return np.asarray(self.matrix @ points, np.float32)


@cache
def surface(level: int = 2) -> Surface:
    """Lids closed by flat patches, a bag behind the lips, every triangle cut into 4 ** level."""
    matrix, offset = np.eye(N_POINTS, dtype=np.float32), np.zeros((N_POINTS, 3), np.float32)
    triangles = [tracked_triangles(), *(_patch(ring) for ring in EYES)]
    ring, middle = list(INNER_LIPS), matrix[INNER_LIPS].mean(0)
    for share, back in _BAGS:
        rows = (1 - share) * matrix[INNER_LIPS] + share * middle
        following = list(range(len(matrix), len(matrix) + len(ring)))
        matrix = np.concatenate([matrix, rows.astype(np.float32)])
        offset = np.concatenate([offset, np.tile(np.array([[0, 0, back]], np.float32), (len(ring), 1))])
        triangles.append(_band(ring, following))
        ring = following
    matrix = np.concatenate([matrix, middle[None]])
    offset = np.concatenate([offset, np.array([[0, 0, _BAGS[-1][1] - 0.2]], np.float32)])
    last = len(matrix) - 1
    triangles.append(np.array([[b, a, last] for a, b in _around(ring)], np.int32))
    joined = np.concatenate(triangles).astype(np.int32)
    inside = np.arange(len(matrix)) >= N_POINTS
    for _ in range(level):
        matrix, offset, inside, joined = _finer(matrix, offset, inside, joined)
    return Surface(matrix, offset, joined, inside)


def _around(ring: list[int]) -> list[tuple[int, int]]:
    return [(ring[k], ring[(k + 1) % len(ring)]) for k in range(len(ring))]


def _band(outer: list[int], inner: list[int]) -> I32:
    """Triangles between two rings that run clockwise as the viewer sees them."""
    rows = []
    for (a, b), (c, d) in zip(_around(outer), _around(inner), strict=True):
        rows += [[b, a, c], [b, c, d]]
    return np.array(rows, np.int32)


def _patch(ring: list[int]) -> I32:
    """A strip across an opening: a ring that runs clockwise from one corner, filled between its two sides."""
    upper, lower = ring[: len(ring) // 2 + 1], [ring[0], *ring[: len(ring) // 2 - 1 : -1]]
    rows = []
    for k in range(len(upper) - 1):
        rows += [[upper[k], lower[k], lower[k + 1]], [upper[k], lower[k + 1], upper[k + 1]]]
    return np.array([r for r in rows if len(set(r)) == 3], np.int32)


def _finer(
    matrix: F32, offset: F32, inside: NDArray[np.bool_], triangles: I32
) -> tuple[F32, F32, NDArray[np.bool_], I32]:
    """Every triangle in four: edges get a vertex in their middle."""
    edges = np.sort(np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]), axis=1)
    unique, where = np.unique(edges, axis=0, return_inverse=True)
    ab, bc, ca = (where.reshape(3, -1) + len(matrix)).astype(np.int32)
    a, b, c = triangles.T
    parts = [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
    finer = np.concatenate([np.stack(p, 1) for p in parts]).astype(np.int32)
    middle = [(array[unique[:, 0]] + array[unique[:, 1]]) / 2 for array in (matrix, offset)]
    either = inside[unique[:, 0]] | inside[unique[:, 1]]
    return (
        np.concatenate([matrix, middle[0]]).astype(np.float32),
        np.concatenate([offset, middle[1]]).astype(np.float32),
        np.concatenate([inside, either]),
        finer,
    )


@cache
def smooth_modes(count: int) -> F32:
    """(count, 468) the smoothest ways to vary over the mesh (lowest eigenvectors of its Laplacian), of mean square 1.

    The first is constant.
    """
    links = np.zeros((N_POINTS, N_POINTS))
    for a, b in ((0, 1), (1, 2), (2, 0)):
        links[tracked_triangles()[:, a], tracked_triangles()[:, b]] = 1
    links = np.maximum(links, links.T)
    _, vectors = np.linalg.eigh(np.diag(links.sum(1)) - links)
    modes = vectors[:, :count].T * np.sqrt(N_POINTS)
    return np.asarray(modes * np.sign(modes[:, :1]), np.float32)
