"""What an oracle draws worse the farther it has to turn a mouth, and whether the renderer learns that (Fig. 9).

There is no photograph of one frame's speech on another's head, so two frames are taken that happen to show the same
mouth: a held-out one gives the head and is the truth, a training frame gives mouth and speech. Mouths are compared
turned to the front by their mesh; the mashing, whose faults are in question, has no say in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import FaceTrack
from lipwright.core.ibug import MOUTH
from lipwright.face.align import Aligner, apply
from lipwright.metrics import image
from lipwright.metrics.binned import binned
from lipwright.metrics.frontal import frontal_landmarks
from lipwright.metrics.landmarks import inter_ocular
from lipwright.recipes.crossmodal_bench.network import seen
from lipwright.render.crossmodal.data import CrossModalData
from lipwright.render.crossmodal.renderer import CrossModalRenderer
from lipwright.render.oracle.data import OracleData
from lipwright.render.oracle.pairs import mashed
from lipwright.render.oracle.quality import Draw

EDGES_DEG = (0, 3, 6, 10, 15, 20, 30)
"""Larger of the differences in pitch and yaw between the two frames."""
ALIKE = 0.02
"""Mean distance of mouth points in eye distances up to which two mouths are the same: about the tracker's noise."""
HEADS = 48
"""Held-out heads that are looked at."""


def alike_pairs(
    track: FaceTrack, heads: NDArray[np.int64], mouths: NDArray[np.int64], edges_deg: Sequence[float] = EDGES_DEG
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """For each head and each bin of pose distance the frame with the most similar mouth, where there is one.

    Args: `heads` and `mouths` are places in the track.
    Returns: (P,) places of mouths i and of heads j, distances of pose in degrees and of mouths in eye distances.
    """
    points = frontal_landmarks(track)
    points = apply(Aligner.fit(points).maps(points), points)
    shape = points[:, MOUTH].astype(np.float64) / inter_ocular(points)
    i, j, turned, apart = [], [], [], []
    for head in heads:
        pose = np.rad2deg(np.abs(track.pose_rad[mouths, :2] - track.pose_rad[head, :2])).max(1)
        far = np.linalg.norm(shape[mouths] - shape[head], axis=-1).mean(-1)
        for low, high in pairwise(edges_deg):
            inside = np.flatnonzero((pose >= low) & (pose < high) & (far <= ALIKE))
            if len(inside):
                best = inside[far[inside].argmin()]
                i.append(int(mouths[best]))
                j.append(int(head))
                turned.append(float(pose[best]))
                apart.append(float(far[best]))
    return np.array(i, np.int64), np.array(j, np.int64), np.array(turned), np.array(apart)


def artefacts(
    renderer: CrossModalRenderer, draw: Draw, data: CrossModalData, pictures: OracleData
) -> list[dict[str, Any]]:
    """A line per bin: pairs, PSNR of the mouth square and of the head, of the oracle's and the renderer's pictures."""
    of = pictures.validation
    heads = np.unique(of[np.linspace(0, len(of) - 1, min(HEADS, len(of))).round().astype(int)])
    i, j, turned, apart = alike_pairs(pictures.track, heads, pictures.train)
    if not len(i):
        return []
    points = mashed(pictures, i, j)
    x, y, side = pictures.geometry.mouth_square
    square = np.s_[y : y + side, x : x + side]
    scores: dict[str, list[float]] = {
        f"{who}_{what}": [] for who in ("oracle", "renderer") for what in ("mouth", "head")
    }
    for k, (speech, head) in enumerate(zip(i, j, strict=True)):
        real = pictures.heads[int(head)]
        by = {
            "oracle": draw(points[k : k + 1], np.array([head]))[0][0],
            "renderer": renderer.draw(seen(data, int(head)), data.speech[speech], mouth=False)[0],
        }
        for who, picture in by.items():
            scores[f"{who}_mouth"].append(image.psnr(real[square], picture[square]))
            scores[f"{who}_head"].append(image.psnr(real, picture))
    means = {key: binned(np.array(values), turned, EDGES_DEG) for key, values in scores.items()}
    mouths = binned(apart, turned, EDGES_DEG)
    return [
        {"from_deg": b.low, "to_deg": b.high, "pairs": b.count, "mouths_apart": b.mean}
        | {f"{key}_psnr_db": of_bin[n].mean for key, of_bin in means.items()}
        for n, b in enumerate(mouths)
        if b.count
    ]
