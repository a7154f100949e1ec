"""Light as nine spherical harmonics per colour channel, by AudioDVP's constants.

Ramamoorthi and Hanrahan, "An efficient representation for irradiance environment maps" (2001): the shading of a matt
surface under distant light is nearly a polynomial of second order in its normal. AudioDVP's coefficients are (9, 3),
0.7 is added to their first row (Deep3DFaceRecon: (3, 9) and 0.8).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lipwright.core.contracts import F32

N_BANDS = 9
AMBIENT = 0.7
"""What AudioDVP adds to the first band of its predicted light."""
_A = (np.pi, 2 * np.pi / np.sqrt(3), 2 * np.pi / np.sqrt(8))
_C = (1 / np.sqrt(4 * np.pi), np.sqrt(3) / np.sqrt(4 * np.pi), 3 * np.sqrt(5) / np.sqrt(12 * np.pi))


def bands(x: Any, y: Any, z: Any) -> list[Any]:
    """The nine terms for the components of unit normals, arrays of NumPy or torch alike, each of their shape."""
    flat, one, two = float(_A[0] * _C[0]), float(_A[1] * _C[1]), float(_A[2] * _C[2])
    return [
        flat + 0 * x,
        -one * y,
        one * z,
        -one * x,
        two * x * y,
        -two * y * z,
        two * 0.5 / float(np.sqrt(3)) * (3 * z * z - 1),
        -two * x * z,
        two * 0.5 * (x * x - y * y),
    ]


def harmonics(normals: F32) -> F32:
    """(..., 3) unit normals to (..., 9)."""
    return np.stack(bands(normals[..., 0], normals[..., 1], normals[..., 2]), axis=-1)


def shade(albedo: F32, normals: F32, light: F32) -> F32:
    """(..., V, 3) lit colours of (..., V, 3) albedo under (..., 9, 3) light; not clipped."""
    return np.asarray(albedo * (harmonics(normals) @ light), albedo.dtype)
