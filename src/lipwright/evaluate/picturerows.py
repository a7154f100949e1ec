"""Picture curves to rows: each metric of each area, with its interval."""

from __future__ import annotations

import numpy as np

from lipwright.evaluate.landmarkrows import COLUMNS
from lipwright.evaluate.pictures import Comparison, Curves
from lipwright.evaluate.result import Row
from lipwright.metrics import image
from lipwright.metrics.blockiness import blockiness
from lipwright.metrics.bootstrap import Interval, block_frames, mean_interval, ratio_interval
from lipwright.metrics.detail import sharpness_ratio
from lipwright.metrics.frechet import frechet_distance, frechet_interval
from lipwright.metrics.steadiness import jitter_ratio

SHOWN = [
    ("psnr", "PSNR", "dB", "higher"),
    ("ssim_gaussian", "SSIM, Gaussian window", "", "higher"),
    ("ssim_uniform", "SSIM, uniform window", "", "higher"),
    ("ms_ssim", "MS-SSIM", "", "higher"),
    ("sharpness_ratio", "sharpness, ratio to real", "", "one"),
    ("jitter_ratio", "jitter, ratio to real", "", "one"),
    ("blockiness", "blocks, steps on the 8 px grid", "", "one"),
    ("frechet_pyramid", "Fréchet distance, pyramid features (not FID)", "", "lower"),
]


def picture_rows(comparison: Comparison, fps: float) -> tuple[list[Row], list[str]]:
    """Rows of mouth box, face box and full frame, the seam score, and what weights allow; and notes."""
    rows: list[Row] = []
    for area in ("mouth", "face", "full"):
        curves: dict[str, Curves] = getattr(comparison, area)
        for key, label, unit, better in SHOWN:
            if key == "ms_ssim" and not curves["real"].ms_ssim:
                continue
            cells = {name: value(key, c, curves["real"]) for name, c in curves.items()}
            sure = interval(key, curves["video"], curves["real"], fps, comparison.sample_hz)
            rows.append(Row(f"{area}.{key}", f"{area} {label}", unit, better, **cells, interval=sure))
    seams = comparison.edges.scores()
    shown = {name: seams[name] for name in COLUMNS if name in seams}
    rows.append(Row("face.seam", "face seam, added edges at one place", "", "one", **shown, interval=None))
    learned, notes = comparison.learned.rows(comparison.sample_hz)
    return [*rows, *learned], notes


def value(key: str, own: Curves, real: Curves) -> float:
    """One cell: means over frames, ratios to the real video, or a distance of two sets of frames."""
    match key:
        case "psnr":
            return image.mean_psnr(own.psnr)
        case "sharpness_ratio":
            return sharpness_ratio(own.detail, real.detail)
        case "jitter_ratio":
            return jitter_ratio(own.change, real.change)
        case "blockiness":
            return blockiness(np.array(own.blocks))
        case "frechet_pyramid":
            enough = len(own.texture) > 1
            return frechet_distance(np.array(real.texture), np.array(own.texture)) if enough else float("nan")
        case _:
            return float(np.mean(getattr(own, key)))


def interval(key: str, own: Curves, real: Curves, fps: float, sample_hz: float) -> Interval | None:
    """95 % interval of `value`, by blocks of time."""
    block, sampled = block_frames(fps), block_frames(sample_hz)
    match key:
        case "psnr":
            return mean_interval(np.minimum(own.psnr, image.PSNR_CAP), block)
        case "sharpness_ratio":
            return ratio_interval(np.array(own.detail), np.array(real.detail), block)
        case "jitter_ratio":
            return ratio_interval(np.array(own.change), np.array(real.change), block)
        case "blockiness":
            return ratio_interval(np.array(own.blocks)[:, 0], np.array(own.blocks)[:, 1], sampled)
        case "frechet_pyramid":
            return frechet_interval(np.array(real.texture), np.array(own.texture), sampled)
        case _:
            values = np.array(getattr(own, key))
            return mean_interval(values, block if len(values) == len(own.psnr) else sampled)
