"""High dynamic range (PQ, HLG) to standard: what each code value means in light, and how it is shown on SDR.

Convention: display light is linear, in cd/m^2 (nits); signals are 0..1 and non-linear. The order is
signal -> BT.2020 light -> BT.709 light -> soft gamut clip -> tone curve -> SDR signal. HDR reference white,
203 nits (ITU-R BT.2408, table 1), is the peak of the SDR picture: below the knee the light of faces and grey
cards is kept as it is, which puts an 18 % grey card at the 42 % that BT.2408 gives for SDR.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lipwright.core.errors import ConfigError

F64 = NDArray[np.float64]

REFERENCE_WHITE = 203.0
"""Nits of diffuse white in HDR (BT.2408); the brightest an SDR picture shows."""
PEAK = 1000.0
"""Nits of the brightest highlight that keeps some detail: HLG's nominal peak and the usual mastering display."""
HDR_TRANSFERS = ("smpte2084", "arib-std-b67")
"""PQ and HLG by their H.273 names."""

_M1, _M2 = 2610 / 16384, 2523 / 4096 * 128
_C1, _C2, _C3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
_A = 0.17883277
_B, _C = 1 - 4 * _A, 0.5 - _A * np.log(4 * _A)
_HLG_GAMMA = 1.2
_LUMA_2020 = np.array([0.2627, 0.6780, 0.0593])
_SDR_GAMMA = 2.4
_709_FROM_2020 = np.array([[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]])
"""Linear light, BT.2087-0 eq. (inverse of M2)."""
_GAMUT_KNEE, _GAMUT_LIMIT = 0.85, 1.6
"""Distance from grey (1 = edge of BT.709) where the soft clip begins, and that of BT.2020's farthest colour."""


def pq_light(signal: F64) -> F64:
    """Nits of a PQ signal 0..1 (SMPTE ST 2084, eq. 4.1)."""
    power = np.clip(signal, 0, 1) ** (1 / _M2)
    return 10_000 * (np.maximum(power - _C1, 0) / (_C2 - _C3 * power)) ** (1 / _M1)


def pq_signal(nits: F64) -> F64:
    """PQ signal of light of 0..10000 nits (ST 2084, eq. 5.2)."""
    power = (np.clip(nits, 0, 10_000) / 10_000) ** _M1
    return ((_C1 + _C2 * power) / (1 + _C3 * power)) ** _M2


def hlg_scene(signal: F64) -> F64:
    """Scene light 0..1 of an HLG signal 0..1 (BT.2100 table 5, inverse OETF)."""
    e = np.clip(signal, 0, 1)
    return np.where(e <= 0.5, e**2 / 3, (np.exp((e - _C) / _A) + _B) / 12)


def hlg_light(signal: F64) -> F64:
    """(..., 3) nits on a 1000-nit display of (..., 3) HLG R'G'B' (BT.2100: inverse OETF, then the OOTF)."""
    scene = hlg_scene(signal)
    luma = scene @ _LUMA_2020
    return PEAK * scene * np.maximum(luma, 1e-9)[..., None] ** (_HLG_GAMMA - 1)


def tone_curve(nits: F64) -> F64:
    """Light of the HDR display to light of an SDR display whose peak is `REFERENCE_WHITE`.

    ITU-R BT.2390-11 section 5.4.1 (EETF): in PQ space, unchanged below the knee (88 nits here) and a Hermite
    spline from there to the peak. Monotone; 203 nits come out as 159, 1000 and more as 203.
    """
    top = pq_signal(np.array(PEAK))
    most = pq_signal(np.array(REFERENCE_WHITE)) / top
    knee = 1.5 * most - 0.5
    e = np.minimum(pq_signal(nits) / top, 1.0)
    t = np.clip((e - knee) / (1 - knee), 0, 1)
    spline = (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (3 * t**2 - 2 * t**3) * most
    return np.where(e < knee, np.minimum(nits, PEAK), pq_light(spline * top))


def clip_gamut(light: F64) -> F64:
    """(..., 3) BT.709 light with parts outside the gamut (negative) brought in along the line to grey.

    Brightest channel and hue stay; colours nearer to grey than `_GAMUT_KNEE` are untouched; the farthest colour
    of BT.2020 lands on the edge of BT.709 (the shape is that of the ACES reference gamut compression, power 1).
    """
    peak = np.maximum(light.max(-1, keepdims=True), 1e-9)
    distance = (peak - light.min(-1, keepdims=True)) / peak
    over = np.maximum(distance - _GAMUT_KNEE, 0)
    room, reach = 1 - _GAMUT_KNEE, _GAMUT_LIMIT - _GAMUT_KNEE
    scale = room * reach / (reach - room)
    inside = np.where(distance > _GAMUT_KNEE, _GAMUT_KNEE + over / (1 + over / scale), distance)
    return np.maximum(peak - (peak - light) * (inside / np.maximum(distance, 1e-9)), 0)


def sdr_of_hdr(signal: F64, transfer: str) -> F64:
    """(..., 3) SDR BT.709 R'G'B' 0..1 of (..., 3) BT.2020 R'G'B' 0..1 in PQ or HLG.

    The tone curve takes the brightest channel and scales all three alike, so that hue and saturation stay.
    The result is for a BT.1886 display (gamma 2.4), as SDR pictures are graded.

    Args:
        transfer: one of `HDR_TRANSFERS`. ConfigError for another.
    """
    if transfer not in HDR_TRANSFERS:
        raise ConfigError(f"transfer {transfer!r} is not HDR; expected one of {', '.join(HDR_TRANSFERS)}")
    light = pq_light(signal) if transfer == "smpte2084" else hlg_light(signal)
    inside = clip_gamut(light @ _709_FROM_2020.T)
    peak = np.maximum(inside.max(-1, keepdims=True), 1e-9)
    shown = inside * (tone_curve(peak) / peak) / REFERENCE_WHITE
    return np.clip(shown, 0, 1) ** (1 / _SDR_GAMMA)
