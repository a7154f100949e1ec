"""A trained renderer on held-out frames: how it draws them, and how fast."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import F32, U8
from lipwright.engines.engine import Engine
from lipwright.face.align import apply
from lipwright.metrics import image
from lipwright.metrics.detail import laplacian_energy, sharpness_ratio
from lipwright.metrics.grid import grid_amplitude
from lipwright.metrics.teeth import teeth_sharpness
from lipwright.render.crossmodal.data import CrossModalData
from lipwright.render.crossmodal.renderer import CrossModalRenderer
from lipwright.render.crossmodal.strokes import strokes
from lipwright.render.oracle.drawing import mouth_areas
from lipwright.render.translation.quality import contact_sheet

FRAMES = 32
"""Held-out frames that are drawn."""
_SHEET = 5
_TIMED, _WARM_UP = 24, 4
_FACE_RIM = 0.06
"""Of the crop's side: what the hull of the landmarks is grown by before the rest counts as hair and background."""


@dataclass(frozen=True)
class Drawn:
    """Held-out frames as they are and as they were drawn."""

    places: NDArray[np.int64]
    real: list[U8]
    """Heads (S, S, 3)."""
    made: list[U8]
    real_mouths: list[U8]
    """Mouth squares at full size (S, S, 3)."""
    made_mouths: list[U8]
    square: tuple[slice, slice]
    """Rows and columns of the mouth square in the head."""


def drawn(renderer: CrossModalRenderer, data: CrossModalData, count: int = FRAMES) -> Drawn:
    """Spread held-out frames, drawn from their own strokes and what is said in them."""
    of = data.validation
    places = np.unique(of[np.linspace(0, len(of) - 1, min(count, len(of))).round().astype(int)])
    heads, mouths = [], []
    for i in places:
        head, mouth = renderer.draw(seen(data, int(i)), data.speech[i])
        assert mouth is not None
        heads.append(head)
        mouths.append(mouth)
    x, y, side = data.geometry.mouth_square
    real = [data.head[int(i)] for i in places]
    return Drawn(
        places, real, heads, [data.mouth[int(i)] for i in places], mouths, (slice(y, y + side), slice(x, x + side))
    )


def seen(data: CrossModalData, i: int) -> F32:
    """(3, S, S) what the network sees of frame `i`."""
    return strokes(data.landmarks[i], data.outline[i], data.geometry.size)


def picture_scores(found: Drawn, data: CrossModalData) -> dict[str, float]:
    """Mouth square (as the head shows it) and mouth picture against the real ones; grids outside the face.

    Keys: mouth_psnr_db, mouth_ssim, mouth_sharpness (ratio to real), teeth_sharpness (ratio, in the mouth picture at
    its full size), head_psnr_db, grid and grid_real (grey levels), drawn (frames).
    """
    squares = [(a[found.square], b[found.square]) for a, b in zip(found.real, found.made, strict=True)]
    outside = [~_face(data.landmarks[i], data.geometry.size) for i in found.places]
    energies = [[laplacian_energy(picture) for picture in part] for part in zip(*squares, strict=True)]
    return {
        "mouth_psnr_db": image.mean_psnr(image.psnr(a, b) for a, b in squares),
        "mouth_ssim": float(np.mean([image.ssim_gaussian(a, b) for a, b in squares])),
        "mouth_sharpness": sharpness_ratio(energies[1], energies[0]),
        "teeth_sharpness": teeth_sharpness(found.made_mouths, found.real_mouths, openings(found.places, data)),
        "head_psnr_db": image.mean_psnr(image.psnr(a, b) for a, b in zip(found.real, found.made, strict=True)),
        "grid": grid_amplitude(found.made, outside),
        "grid_real": grid_amplitude(found.real, outside),
        "drawn": float(len(found.places)),
    }


def openings(places: NDArray[np.int64], data: CrossModalData) -> list[U8]:
    """What lies between the lips in each mouth picture."""
    size = data.geometry.size
    points = apply(data.geometry.mouth_from_head(size), data.landmarks[places])
    return [mouth_areas(of, size)[1] for of in points]


def sheet(found: Drawn) -> U8:
    """Spread frames: real, drawn, difference; the head, then the mouth square enlarged."""
    rows, columns = found.square
    box = (columns.start, rows.start, columns.stop - columns.start, rows.stop - rows.start)
    some = np.unique(np.linspace(0, len(found.real) - 1, _SHEET).round().astype(int))
    return contact_sheet([(found.real[k], found.made[k], box) for k in some])


def speed(renderer: CrossModalRenderer, data: CrossModalData, exported: bool = False) -> dict[str, Any]:
    """draw_ms (processor time a head) and fps (median) as torch draws it, one head at a time, strokes not included.

    With `exported` also openvino_ms, processor time of the exported network on one core; None where the extra for it
    is not installed.
    """
    i = int(data.validation[0])
    inputs = seen(data, i), data.speech[i]

    def timed(draw: Callable[[], Any]) -> tuple[float, float]:
        for _ in range(_WARM_UP):
            draw()
        walls, busy = [], time.process_time()
        for _ in range(_TIMED):
            began = time.perf_counter()
            draw()
            walls.append(time.perf_counter() - began)
        return 1000 * (time.process_time() - busy) / _TIMED, 1 / float(np.median(walls))

    draw_ms, fps = timed(lambda: renderer.draw(*inputs, mouth=False))
    found: dict[str, Any] = {"draw_ms": round(draw_ms, 2), "fps": round(fps, 1)}
    if exported:
        found["openvino_ms"] = _openvino_ms(renderer, inputs, timed)
    return found


def _openvino_ms(
    renderer: CrossModalRenderer, inputs: tuple[F32, F32], timed: Callable[[Callable[[], Any]], tuple[float, float]]
) -> float | None:
    whole = next(network for network in renderer.networks() if network.name == "crossmodal-head")
    run = Engine("openvino", "fp32", threads=1).start(whole)
    return None if run is None else round(timed(lambda: run(inputs[0][None], inputs[1][None]))[0], 2)


def _face(points: F32, size: int) -> NDArray[np.bool_]:
    """(S, S) the face and a rim around it."""
    mask = np.zeros((size, size), np.uint8)
    cv2.fillConvexPoly(mask, cv2.convexHull(np.round(points).astype(np.int32)), (1,))
    side = 2 * round(_FACE_RIM * size) + 1
    return cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))) > 0
