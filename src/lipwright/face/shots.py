"""Where one shot ends and the next begins, from tiny pictures and the face's own jumps.

A cut is a change that (1) stands out from the changes around it, (2) stays (a flash goes back) and (3) is not
the picture moving: every cell may look for its like among its neighbours, so pans and fast heads cost little.
A jump cut between two framings of the same person changes few cells: there the face itself jumps, with
hardly any motion before and after, at the very frame where the picture changes most. Dissolves are found as
what they are: pictures that are blends of the picture before and the picture after.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import F32, U8
from lipwright.face.scene import LUMA, chroma, luma
from lipwright.face.smooth import runs

_CUT_LEVEL = 9.0
"""Mean change (of 255, best match within a cell) of a cut that needs no face to prove it."""
_STANDS_OUT = 3.0
"""How many times the largest change nearby a cut's change must be."""
_JUMP_CUTS = ((1.2, 1.5, 0.045, 4.0), (1.5, 5.0, 0.015, 3.0))
"""What proves a jump cut: change of the picture and how far it stands out, jump of the face in its widths and
how far that stands out. A large jump needs a smaller change of the picture, and the other way round."""
_NEAR_S = 0.32
"""How far around a frame its neighbours are looked at."""
_DISSOLVE_S = (0.2, 1.6)
"""Shortest and longest dissolve looked for."""
_BLEND_LEVEL = 6.0
"""Mean difference of the two pictures of a dissolve."""
_BLEND_OFF = 0.12
"""How far, of that, a picture in between may be from a blend: what moves meanwhile."""
_SAME_PICTURE = 0.97
"""Correlation of two pictures that differ by light only."""
_BLACK = 20.0
"""Mean brightness (of 255, video black is 0 here) under which a picture shows nothing."""


@dataclass(frozen=True)
class Scenes:
    """What was found; frames count from 0."""

    shots: list[tuple[int, int]]
    """[start, stop) stretches without a cut, in order, together all frames."""
    transitions: list[tuple[int, int]]
    """[start, stop) frames that belong to a dissolve, a fade or black: unusable."""


def shots(scene: U8, boxes: F32, fps: float) -> Scenes:
    """Shots and transitions of T frames.

    Args:
        scene: (T, N_SCENE) signatures (face.scene).
        boxes: (T, F, 4) x0, y0, x1, y1 px of all faces in any order, NaN where there is none; of points that
            speech does not move (face.skin.UPPER), or a word would look like a jump.
        fps: frames per second.
    """
    n = len(scene)
    if n == 0:
        return Scenes([], [])
    near = max(round(_NEAR_S * fps), 3)
    change = moved_change(scene)
    cut = _stands_out(change, near, _STANDS_OUT) & (change > _CUT_LEVEL) & _stays(scene, change)
    jump = face_jump(boxes)
    for level, rise, widths, jump_rise in _JUMP_CUTS:
        cut |= (change > level) & _stands_out(change, near, rise) & (jump > widths) & _stands_out(jump, near, jump_rise)
    blends = _dissolves(scene, cut, fps)
    for start, stop in blends:
        cut[start + 1 : stop] = False
        cut[(start + stop) // 2] = True
    starts = [0, *np.flatnonzero(cut).tolist(), n]
    return Scenes(list(pairwise(starts)), sorted(blends + _dark(scene)))


def moved_change(scene: U8) -> F32:
    """(T,) change from the frame before, 0 for the first: luma and chroma, each cell to its best match nearby."""
    result = np.zeros(len(scene), np.float32)
    for start in range(1, len(scene), 2000):  # in pieces: an hour of pictures as floats would not be small
        piece = scene[start - 1 : start + 2000]
        y = luma(piece).astype(np.int16)
        c = chroma(piece).astype(np.float32)
        change = _best_match(y[:-1], y[1:]) + np.abs(np.diff(c, axis=0)).mean((1, 2, 3))
        result[start : start + len(change)] = change
    return result


def _best_match(before: NDArray[np.int16], after: NDArray[np.int16]) -> F32:
    """(T,) mean over cells of the smallest difference to any cell within one step, both ways round.

    The overall brightness step is taken out first (half of it counts): exposure is not a cut.
    """
    shift = (after.mean((1, 2)) - before.mean((1, 2))).astype(np.int16)
    levelled = after - shift[:, None, None]

    def one_way(a: NDArray[np.int16], b: NDArray[np.int16]) -> NDArray[np.float64]:
        height, width = b.shape[1:]
        wide = np.pad(b, ((0, 0), (1, 1), (1, 1)), mode="edge")
        best = np.full(a.shape, 255, np.int16)
        for dy in range(3):
            for dx in range(3):
                np.minimum(best, np.abs(a - wide[:, dy : dy + height, dx : dx + width]), out=best)
        return best.mean((1, 2), dtype=np.float64)

    both = np.maximum(one_way(before, levelled), one_way(levelled, before))
    return (both + 0.25 * np.abs(shift)).astype(np.float32)


def _stands_out(values: F32, near: int, times: float) -> NDArray[np.bool_]:
    """(T,) whether a value is `times` the largest of its neighbours (duplicated frames leave zeros around)."""
    wide = np.pad(values, near, mode="constant")
    around = np.max([wide[near + k : near + k + len(values)] for k in range(-near, near + 1) if k != 0], axis=0)
    return np.asarray(values > times * np.maximum(around, 0.25 * values.mean()))


def _stays(scene: U8, change: F32) -> NDArray[np.bool_]:
    """(T,) whether the picture some frames later still differs from the picture before: no flash, no glitch."""
    stays = np.zeros(len(scene), bool)
    for t in np.flatnonzero(change > _CUT_LEVEL):
        before, after = max(t - 1, 0), min(t + 4, len(scene) - 1)
        pair = scene[[before, after]]
        stays[t] = moved_change(pair)[1] > 0.6 * min(float(change[t]), 2 * _CUT_LEVEL)
    return stays


def face_jump(boxes: F32) -> F32:
    """(T,) how far the steadiest face moved or grew since the frame before, in face widths; 0 without faces.

    `boxes` (T, F, 4) x0, y0, x1, y1 px in any order, NaN where there is none. Of several faces the one that
    changed least counts: when one goes on where it was, the shot does.
    """
    jump = np.zeros(len(boxes), np.float32)
    middle, width = (boxes[..., :2] + boxes[..., 2:]) / 2, np.maximum(boxes[..., 2] - boxes[..., 0], 1e-3)
    before, after = width[:-1, :, None], width[1:, None, :]
    larger = np.maximum(before, after)
    move = np.linalg.norm(middle[1:, None] - middle[:-1, :, None], axis=-1) / larger
    change = np.maximum(move, np.abs(after - before) / larger).reshape(max(len(boxes) - 1, 0), -1)
    least = np.where(np.isnan(change), np.inf, change).min(1, initial=np.inf)
    jump[1:] = np.where(np.isfinite(least), least, 0)
    return jump


def _dissolves(scene: U8, cut: NDArray[np.bool_], fps: float) -> list[tuple[int, int]]:
    """Stretches in which every picture is a blend of the two at the ends, going steadily from one to the other."""
    found: list[tuple[int, int]] = []
    low, high = max(round(_DISSOLVE_S[0] * fps), 4), round(_DISSOLVE_S[1] * fps)
    lengths = sorted({round(v) for v in np.geomspace(low, high, 6)})
    at = 0
    while at + low < len(scene):
        length = next((k for k in lengths if at + k < len(scene) and _is_blend(scene[at : at + k + 1])), None)
        if length is None or cut[at + 1 : at + length + 1].any():
            at += 1
            continue
        found.append((at, at + length + 1))
        at += max(length // 2, 1)
    return [_trimmed(scene, start, stop) for start, stop in joined_stretches(found)]


def _is_blend(pictures: U8) -> bool:
    ends = pictures[[0, -1]].astype(np.float32)
    way = ends[1] - ends[0]
    size = float(np.abs(way).mean())
    if size < _BLEND_LEVEL:
        return False
    light = ends[:, : LUMA[0] * LUMA[1]]
    if light.mean(1).min() > _BLACK and light.std(1).min() > 0 and np.corrcoef(light)[0, 1] > _SAME_PICTURE:
        return False  # the same picture in another light
    share = _shares(pictures)
    off = np.abs(pictures[1:-1] - ends[0] - share[1:-1, None] * way).mean(1)
    steps = np.diff(share)
    even = float(steps.max()) < 3.5 / len(steps) and float(steps.min()) > -0.02
    return even and float(off.max()) < _BLEND_OFF * size


def _shares(pictures: U8) -> F32:
    """(T,) how far each picture has come from the first to the last, 0 to 1."""
    first = pictures[0].astype(np.float32)
    way = pictures[-1] - first
    return np.asarray((pictures - first) @ way / max(float(way @ way), 1e-6), np.float32)


def _trimmed(scene: U8, start: int, stop: int) -> tuple[int, int]:
    """Without the frames at the ends that are still (already) the pure picture: there the blend does not move."""
    steps = np.diff(_shares(scene[start:stop]))
    moving = np.flatnonzero(steps > 0.3 * steps.max(initial=0))
    return (start + int(moving[0]) + 1, start + int(moving[-1]) + 1) if len(moving) > 1 else (start, stop)


def _dark(scene: U8) -> list[tuple[int, int]]:
    pictures = luma(scene)
    return runs((pictures.mean((1, 2)) < _BLACK) & (pictures.max((1, 2)) < 2 * _BLACK))


def joined_stretches(stretches: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """[start, stop) stretches in order, those that touch or overlap as one."""
    joined: list[tuple[int, int]] = []
    for start, stop in sorted(stretches):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(stop, joined[-1][1]))
        else:
            joined.append((start, stop))
    return joined
