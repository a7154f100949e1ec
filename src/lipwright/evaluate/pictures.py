"""Second pass: two videos frame by frame, in the mouth box and in full, beside the controls."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from lipwright.core.contracts import U8
from lipwright.evaluate.boxes import Boxes
from lipwright.evaluate.stills import FEATHER, Still
from lipwright.metrics import image
from lipwright.metrics.detail import laplacian_energy, sharpness_ratio
from lipwright.metrics.steadiness import frame_energy, jitter_ratio

FULL_SSIM_HZ = 5
"""Full-frame SSIM is taken this often per second: it costs more than everything else together."""


@dataclass
class Curves:
    """Per-frame values of one video (or control) against the reference."""

    psnr: list[float] = field(default_factory=list)
    ssim_gaussian: list[float] = field(default_factory=list)
    ssim_uniform: list[float] = field(default_factory=list)
    detail: list[float] = field(default_factory=list)
    change: list[float] = field(default_factory=list)

    def means(self, real: Curves) -> dict[str, float]:
        """The numbers that a table shows: means over frames, and ratios to the real video."""
        return {
            "psnr": image.mean_psnr(self.psnr),
            "ssim_gaussian": _mean(self.ssim_gaussian),
            "ssim_uniform": _mean(self.ssim_uniform),
            "sharpness_ratio": sharpness_ratio(self.detail, real.detail),
            "jitter_ratio": jitter_ratio(self.change, real.change),
        }


@dataclass
class Comparison:
    """What the second pass found: curves per area ('mouth', 'full') and video, and pictures to look at."""

    mouth: dict[str, Curves]
    """By 'video', 'real', 'frozen', 'mean'."""
    full: dict[str, Curves]
    """By 'video' and 'real' only: a control differs from the real frame in its mouth alone."""
    kept: dict[int, tuple[U8, U8]]
    """(real, generated) frames that were asked for."""


def compare(
    real_frames: Iterable[U8],
    video_frames: Iterable[U8],
    boxes: Boxes,
    stills: dict[str, Still],
    fps: float,
    keep: set[int],
) -> Comparison:
    """Walk both videos in step, holding two frames of each at a time.

    Args:
        real_frames, video_frames: frames of one size, in step.
        boxes: the mouth box of every frame.
        stills: mouths by the name of the control that wears them.
        fps: frames per second, which spaces the full-frame SSIM.
        keep: frames whose pictures are wanted for sheets.
    """
    result = Comparison(
        {name: Curves() for name in ("video", "real", *stills)}, {n: Curves() for n in ("video", "real")}, {}
    )
    every = max(1, round(fps / FULL_SSIM_HZ))
    before: dict[str, U8] = {}
    outer: Boxes | None = None
    for t, (real, video) in enumerate(zip(real_frames, video_frames, strict=False)):
        outer = outer or boxes.grown(FEATHER, (real.shape[1], real.shape[0]))
        shown = {"video": video, "real": real}
        for name, still in stills.items():
            shown[name] = _worn(real, still.paste(real, t, boxes, outer), outer, t)
        mouth_real = boxes.cut(real, t)
        for name, frame in shown.items():
            _add(result.mouth[name], mouth_real, boxes.cut(frame, t), name != "real", True)
            if name in before:
                result.mouth[name].change.append(frame_energy(boxes.cut(before[name], t), boxes.cut(frame, t)))
        for name in ("video", "real"):
            _add(result.full[name], real, shown[name], name != "real", t % every == 0)
            if name in before:
                result.full[name].change.append(frame_energy(before[name], shown[name]))
        if t in keep:
            result.kept[t] = (real.copy(), video.copy())
        before = shown
    return result


def _add(curves: Curves, real: U8, shown: U8, differs: bool, with_ssim: bool) -> None:
    curves.psnr.append(image.psnr(real, shown) if differs else float("inf"))
    if with_ssim:
        curves.ssim_gaussian.append(image.ssim_gaussian(real, shown) if differs else 1.0)
        curves.ssim_uniform.append(image.ssim_uniform(real, shown) if differs else 1.0)
    curves.detail.append(laplacian_energy(shown))


def _worn(real: U8, mouth: U8, outer: Boxes, t: int) -> U8:
    frame = real.copy()
    x, y = outer.corners[t]
    frame[y : y + outer.size[1], x : x + outer.size[0]] = mouth
    return frame


def _mean(values: list[float]) -> float:
    return float(np.mean(values)) if values else float("nan")
