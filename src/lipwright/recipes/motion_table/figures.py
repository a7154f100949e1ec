"""Paper B's figures on material of ours: what a model without pose or cheeks draws, and one mouth with three jaws.

Faces are drawn as lines at the places the models say; grey is the truth.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from lipwright.core.contracts import F32, U8, Conditions
from lipwright.core.ibug import CHEEK, INNER_LIPS, JAW, MOUTH, OUTER_LIPS
from lipwright.motion.model import CascadeMotion
from lipwright.motion.scores import N_MOUTH
from lipwright.recipes.motion_table.corpus import Test

_SIDE, _ZOOM = 320, 680.0
_TRUTH, _OURS, _OTHER = (150, 150, 150), (42, 111, 187), (192, 57, 43)
_OUTER, _INNER = [MOUTH.index(i) for i in OUTER_LIPS], [MOUTH.index(i) for i in INNER_LIPS]
_LINE = [*CHEEK[:4], *JAW, *CHEEK[4:]]
"""The jaw line: given cheeks around predicted points."""


def compared(ours: CascadeMotion, other: CascadeMotion, test: Test, turned_deg: float = 0.0, count: int = 4) -> U8:
    """Frames where `other` is farther from the truth than `ours`: (H, W, 3), ours above, the other below.

    Of those turned by at least `turned_deg` (Fig. 4a: no pose at large yaw); all for 0 (Fig. 4b: no cheek). Frames are
    the `count` nearest to the 90th percentile of the other's error, half a second apart: typical of its bad moments,
    not its worst.
    """
    held, truth = test.clip.conditions, test.clip.landmarks
    said = [m.predict(test.clip.features, held) for m in (ours, other)]
    worse = np.linalg.norm(said[1] - truth, axis=-1).mean(axis=1)
    able = (np.abs(np.degrees(held.pose_rad[:, 1])) >= turned_deg) & (test.clip.weight > 0)
    frames = _spread(worse, np.flatnonzero(able), count)
    rows = [
        np.concatenate([_face(held, t, truth[t], points[t], colour) for t in frames], axis=1)
        for points, colour in zip(said, (_OURS, _OTHER), strict=True)
    ]
    return np.concatenate(rows)


def three_jaws(model: CascadeMotion, test: Test) -> U8:
    """One mouth with three jawlines (Fig. 3c): the same speech over cheeks and pose of three other frames."""
    held, n = test.clip.conditions, len(test.clip)
    frame = n // 2
    yaw = held.pose_rad[:, 1]
    places = [int(np.argsort(yaw)[round(share * (n - 1))]) for share in (0.1, 0.5, 0.9)]
    pictures = []
    for place in places:
        still = Conditions(np.repeat(held.pose_rad[place][None], n, 0), np.repeat(held.cheeks[place][None], n, 0))
        said = model.predict(test.clip.features, still)
        pictures.append(_face(still, frame, None, said[frame], _OURS))
    return np.concatenate(pictures, axis=1)


def _spread(error: np.ndarray, able: np.ndarray, count: int, apart: int = 13) -> Sequence[int]:
    if not len(able):
        return []
    wanted = np.percentile(error[able], 90)
    chosen: list[int] = []
    for t in able[np.argsort(np.abs(error[able] - wanted), kind="stable")]:
        if all(abs(int(t) - c) >= apart for c in chosen):
            chosen.append(int(t))
        if len(chosen) == count:
            break
    return sorted(chosen)


def _face(held: Conditions, frame: int, truth: F32 | None, said: F32, colour: tuple[int, int, int]) -> U8:
    picture = np.full((_SIDE, _SIDE, 3), 255, np.uint8)
    for points, shade in ((truth, _TRUTH), (said, colour)):
        if points is None:
            continue
        mouth, jaw = points[:N_MOUTH], points[N_MOUTH:]
        cheek = held.cheeks[frame]
        line = np.concatenate([cheek[:4], jaw, cheek[4:]])
        for chain, closed in ((mouth[_OUTER], True), (mouth[_INNER], True), (line, False)):
            at = np.round((chain * _ZOOM + [_SIDE / 2, _SIDE * 0.3]) * 16).astype(np.int32)
            cv2.polylines(picture, [at], closed, shade, 2, cv2.LINE_AA, 4)
    yaw = float(np.degrees(held.pose_rad[frame, 1]))
    cv2.putText(picture, f"yaw {yaw:.0f}", (8, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (90, 90, 90), 1, cv2.LINE_AA)
    return picture
