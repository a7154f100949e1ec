"""The 68 iBUG points out of the 478-point mesh.

Inner face: one mesh vertex per point. Jaw line: the mesh's face oval has 12 vertices from ear to chin
where iBUG has 9, so each point is a fixed blend of two neighbouring oval vertices, equally spaced along
the oval. Fixed weights keep the map linear: a smooth mesh gives smooth points.
"""

from __future__ import annotations

import numpy as np

from lipwright.core.contracts import F32

_OVAL_RIGHT = [127, 234, 93, 132, 58, 172, 136, 150, 149, 176, 148, 152]
_OVAL_LEFT = [356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152]

_INNER = {
    **dict(zip(range(17, 22), (70, 63, 105, 66, 107), strict=True)),
    **dict(zip(range(22, 27), (336, 296, 334, 293, 300), strict=True)),
    **dict(zip(range(27, 31), (168, 197, 5, 4), strict=True)),
    **dict(zip(range(31, 36), (98, 97, 2, 326, 327), strict=True)),
    **dict(zip(range(36, 42), (33, 160, 158, 133, 153, 144), strict=True)),
    **dict(zip(range(42, 48), (362, 385, 387, 263, 373, 380), strict=True)),
    **dict(zip(range(48, 55), (61, 39, 37, 0, 267, 269, 291), strict=True)),
    **dict(zip(range(55, 60), (405, 314, 17, 84, 181), strict=True)),
    **dict(zip(range(60, 65), (78, 82, 13, 312, 308), strict=True)),
    **dict(zip(range(65, 68), (317, 14, 87), strict=True)),
}


def _weights() -> F32:
    matrix = np.zeros((68, 478), np.float32)
    for side, points in ((_OVAL_RIGHT, range(9)), (_OVAL_LEFT, range(16, 8, -1))):
        for step, point in enumerate(points):
            position = step * (len(side) - 1) / 8
            low = min(int(position), len(side) - 2)
            matrix[point, :] = 0
            matrix[point, side[low]] += 1 - (position - low)
            matrix[point, side[low + 1]] += position - low
    for point, vertex in _INNER.items():
        matrix[point, vertex] = 1
    return matrix


MAP_68 = _weights()
"""(68, 478) each row sums to 1."""

_FIRST = np.argmax(MAP_68 > 0, axis=1)
_SECOND = 477 - np.argmax((MAP_68 > 0)[:, ::-1], axis=1)
_SHARE = MAP_68[np.arange(68), _FIRST][:, None]


def to_68(dense_px: F32) -> F32:
    """(…, 478, 2 or 3) mesh to (…, 68, 2) iBUG points in the same pixels."""
    xy = dense_px[..., :2]
    single = (_FIRST == _SECOND)[:, None]
    blend = xy[..., _FIRST, :] * _SHARE + xy[..., _SECOND, :] * (1 - _SHARE)
    return np.where(single, xy[..., _FIRST, :], blend).astype(np.float32)
