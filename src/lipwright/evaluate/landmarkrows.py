"""Landmark tracks to rows: distances with the tracker's noise and an interval beside each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lipwright.evaluate.floor import Noise
from lipwright.evaluate.result import Row
from lipwright.metrics import landmarks as lm
from lipwright.metrics import steadiness
from lipwright.metrics.bootstrap import block_frames, mean_interval

Tracks = Mapping[str, NDArray[Any]]
"""Landmarks (T, 68, 2) by 'video', 'real', 'frozen', 'mean'."""
COLUMNS = ("video", "real", "frozen", "mean")
PerFrame = Callable[[NDArray[Any], NDArray[Any]], NDArray[np.float64]]
"""(real, generated) to one value per frame."""


@dataclass(frozen=True)
class Floors:
    """What noise of both trackers alone reads, in px of the footage."""

    mouth: float
    """Mean distance of two mouth points."""
    face: float
    """Mean distance of two points of all 68."""
    frobenius: float
    """Norm over the 20 mouth points."""
    step: float
    """Mean distance of two frame-to-frame steps of a mouth point."""
    step_squared: float
    """Squared, summed over the mouth points, px^2."""

    @classmethod
    def of(cls, mouth: tuple[Noise, Noise], face: tuple[float, float]) -> Floors:
        """From the noise of both tracks' mouths, and the mean distance noise gives each over all points."""
        points = 20
        power = 2 * sum(n.sigma_px**2 for n in mouth)
        steps = 2 * sum(n.step_px**2 for n in mouth)
        return cls(
            steadiness.noise_distance(*(n.sigma_px for n in mouth)),
            float(np.hypot(*face)),
            float(np.sqrt(points * power)),
            steadiness.noise_distance(*(n.step_px for n in mouth)),
            points * steps,
        )


def landmark_rows(tracks: Tracks, size: tuple[int, int], floors: Floors, fps: float) -> list[Row]:
    """LMD, F-LMD, the three D_lip and both velocity errors, of tracks in step; `size` is that of the frames."""
    eyes, to_512 = lm.inter_ocular(tracks["real"]), 512 / size[0]

    def mouth(real: NDArray[Any], made: NDArray[Any]) -> NDArray[np.float64]:
        return lm.landmark_distances(real, made)

    def centred(real: NDArray[Any], made: NDArray[Any]) -> NDArray[np.float64]:
        return lm.landmark_distances(real, made, centred=True)

    def face(real: NDArray[Any], made: NDArray[Any]) -> NDArray[np.float64]:
        return lm.landmark_distances(real, made, lm.ALL)

    def face_centred(real: NDArray[Any], made: NDArray[Any]) -> NDArray[np.float64]:
        return lm.landmark_distances(real, made, lm.ALL, centred=True)

    f = floors
    shown: list[tuple[str, str, str, PerFrame, float, float]] = [
        ("lmd", "LMD, raw", "px", mouth, 1, f.mouth),
        ("lmd_centred", "LMD, centred", "px", centred, 1, f.mouth),
        ("lmd_eyes", "LMD, raw", "eye distances", mouth, 1 / eyes, f.mouth),
        ("lmd_centred_eyes", "LMD, centred", "eye distances", centred, 1 / eyes, f.mouth),
        ("f_lmd", "F-LMD, all 68 points", "px", face, 1, f.face),
        ("f_lmd_centred", "F-LMD, centred", "px", face_centred, 1, f.face),
        ("f_lmd_eyes", "F-LMD, all 68 points", "eye distances", face, 1 / eyes, f.face),
        ("d_lip_px", "D_lip, raw", "px of 512", mouth, to_512, f.mouth),
        ("d_lip_centred", "D_lip, centred", "px of 512", centred, to_512, f.mouth),
        ("d_lip_frobenius", "D_lip, Frobenius", "px of 512", lm.frobenius_distances, to_512, f.frobenius),
        ("velocity_difference", "landmark velocity difference", "px per frame", lm.velocity_distances, 1, f.step),
        ("velocity", "inter-frame MSE", "px^2", lm.velocity_errors, 1, f.step_squared),
    ]
    block = block_frames(fps)
    return [
        distance_row(f"landmarks.{key}", label, unit, tracks, scaled(measure, scale), low * scale, block)
        for key, label, unit, measure, scale, low in shown
    ]


def scaled(measure: PerFrame, scale: float) -> PerFrame:
    """`measure` times `scale`."""
    return lambda real, made: scale * measure(real, made)


def distance_row(key: str, label: str, unit: str, tracks: Tracks, measure: PerFrame, floor: float, block: int) -> Row:
    """Mean over frames of `measure` for every column there is, with the video's interval."""
    values = {name: measure(tracks["real"], tracks[name]) for name in COLUMNS if name in tracks}
    cells = {name: float(v.mean()) if len(v) else float("nan") for name, v in values.items()}
    return Row(key, label, unit, "lower", **cells, floor=floor, interval=mean_interval(values["video"], block))
