"""An oracle on held-out frames, at the footage's resolution and as the head picture shows it (paper D, Fig. 3)."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import U8
from lipwright.metrics import image
from lipwright.metrics.detail import laplacian_energy, sharpness_ratio
from lipwright.metrics.teeth import teeth_sharpness
from lipwright.render.oracle.data import OracleData
from lipwright.render.oracle.drawing import mouth_areas
from lipwright.render.oracle.oracle import enlarged
from lipwright.render.oracle.quality import Draw, oracle_quality, oracle_sheet

FRAMES = 32


def oracle_scores(draw: Draw, data: OracleData) -> tuple[dict[str, Any], U8]:
    """Scores and a sheet to look at.

    Keys of `oracle_quality` (mouth at the footage's resolution, head), teeth_sharpness there, and of the mouth square
    in the head: `square_*` as the head picture shows it, `reduced_*` the mouth picture made as small as that. With
    one network both are the same; the question of Fig. 3 is `reduced` of the chain against `square` of the single.
    """
    of = data.validation
    places = np.unique(of[np.linspace(0, len(of) - 1, min(FRAMES, len(of))).round().astype(int)])
    pictures = [draw(data.landmarks[i : i + 1], np.array([i])) for i in places]
    heads, mouths = [head[0] for head, _ in pictures], [mouth[0] for _, mouth in pictures]
    real_mouths = [data.mouth(int(i)) for i in places]
    points = data.mouth_landmarks(data.landmarks[places])
    openings = [mouth_areas(p, data.mouth_size)[1] for p in points]
    scores = {key: value for key, value in oracle_quality(draw, data, places).items() if not key.endswith("score")}
    scores["teeth_sharpness"] = teeth_sharpness(mouths, real_mouths, openings)
    x, y, side = data.geometry.mouth_square
    where = np.s_[y : y + side, x : x + side]
    truth = [data.heads[int(i)][where] for i in places]
    small = [_reduced(opening, side) for opening in openings]
    for name, squares in (("square", [h[where] for h in heads]), ("reduced", [enlarged(m, side) for m in mouths])):
        scores |= {f"{name}_{key}": value for key, value in _square(squares, truth, small).items()}
    about = {"mouth_px": data.mouth_size, "footage_px": round(data.geometry.native_px, 1), "square_px": side}
    return {**scores, **about}, oracle_sheet(draw, data, min(4, len(of)))


def _square(made: list[U8], real: list[U8], openings: list[NDArray[Any]]) -> dict[str, float]:
    energies = [[laplacian_energy(picture) for picture in part] for part in (made, real)]
    return {
        "psnr_db": image.mean_psnr(image.psnr(a, b) for a, b in zip(real, made, strict=True)),
        "ssim": float(np.mean([image.ssim_gaussian(a, b) for a, b in zip(real, made, strict=True)])),
        "sharpness": sharpness_ratio(*energies),
        "teeth_sharpness": teeth_sharpness(made, real, openings),
    }


def _reduced(mask: U8, side: int) -> NDArray[Any]:
    return np.asarray(cv2.resize(mask, (side, side), interpolation=cv2.INTER_AREA)) > 127
