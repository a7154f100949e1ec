"""Second pass: two videos frame by frame, in mouth, face and full frame, beside the controls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from numpy.typing import NDArray

from lipwright.core.contracts import U8, FaceTrack
from lipwright.evaluate.boxes import Boxes
from lipwright.evaluate.edges import EdgeMaps
from lipwright.evaluate.learned import Learned
from lipwright.evaluate.stills import FEATHER, Still
from lipwright.metrics import image, msssim
from lipwright.metrics.blockiness import block_steps
from lipwright.metrics.detail import laplacian_energy, luma
from lipwright.metrics.steadiness import frame_energy
from lipwright.metrics.texture import pyramid_features

SAMPLE_HZ = 5
"""Costly metrics are taken this often per second everywhere but in the mouth box: neighbours hardly differ."""


@dataclass
class Curves:
    """Values of one video (or control) against the reference, per frame or `SAMPLE_HZ` times a second."""

    psnr: list[float] = field(default_factory=list)
    detail: list[float] = field(default_factory=list)
    change: list[float] = field(default_factory=list)
    """One fewer than frames."""
    ssim_gaussian: list[float] = field(default_factory=list)
    """Of every frame in the mouth box, sampled elsewhere; so `ssim_uniform`."""
    ssim_uniform: list[float] = field(default_factory=list)
    ms_ssim: list[float] = field(default_factory=list)
    """Sampled; empty when the area is too small for five scales."""
    blocks: list[tuple[float, float]] = field(default_factory=list)
    """Sampled (step across the grid, step beside it)."""
    texture: list[NDArray] = field(default_factory=list)
    """Sampled `pyramid_features`."""


@dataclass
class Comparison:
    """What the second pass found: curves by area and video, edges, learned features, pictures to look at."""

    mouth: dict[str, Curves]
    """By 'video', 'real', 'frozen', 'mean'."""
    face: dict[str, Curves]
    """By 'video' and 'real' only: a control differs from the real frame in its mouth alone."""
    full: dict[str, Curves]
    """As `face`."""
    kept: dict[int, tuple[U8, U8]]
    """(real, generated) frames that were asked for."""
    sample_hz: float
    edges: EdgeMaps
    learned: Learned


@dataclass(frozen=True)
class Areas:
    """Where to look: boxes of mouth and face of every frame, and the real track that places the edge maps."""

    mouth: Boxes
    face: Boxes
    track: FaceTrack


def compare(
    real_frames: Iterable[U8],
    video_frames: Iterable[U8],
    areas: Areas,
    stills: dict[str, Still],
    fps: float,
    keep: set[int],
) -> Comparison:
    """Walk both videos in step, holding two frames of each at a time.

    Args:
        real_frames, video_frames: frames of one size, in step.
        areas: the boxes of every frame.
        stills: mouths by the name of the control that wears them.
        fps: frames per second, which spaces the sampled metrics.
        keep: frames whose pictures are wanted for sheets.
    """
    every = max(1, round(fps / SAMPLE_HZ))
    mouth = {name: Curves() for name in ("video", "real", *stills)}
    face, full = ({name: Curves() for name in ("video", "real")} for _ in range(2))
    result = Comparison(mouth, face, full, {}, fps / every, EdgeMaps(areas.track), Learned.brought())
    before: dict[str, U8] = {}
    outer = areas.mouth.grown(FEATHER, areas.track.size)
    # The areas share nothing but pictures that are only read, and OpenCV and numpy let go of the interpreter.
    with ThreadPoolExecutor(2) as pool:
        for t, (real, video) in enumerate(zip(real_frames, video_frames, strict=False)):
            shown = {"video": video, "real": real}
            for name, still in stills.items():
                shown[name] = _worn(real, still.paste(real, t, areas.mouth, outer), outer, t)
            sampled = t % every == 0
            beside = [
                pool.submit(_walk, result.mouth, shown, before, areas.mouth, t, sampled, True),
                pool.submit(_walk, result.face, shown, before, areas.face, t, sampled, sampled),
            ]
            _walk(result.full, shown, before, None, t, sampled, sampled)
            result.edges.add(t, shown)
            if sampled:
                result.learned.add(*(_cuts(frame, areas, t) for frame in (real, video)))
            if t in keep:
                result.kept[t] = (real.copy(), video.copy())
            for job in beside:
                job.result()
            before = shown
    return result


def _cuts(frame: U8, areas: Areas, t: int) -> dict[str, U8]:
    return {"mouth": areas.mouth.cut(frame, t), "face": areas.face.cut(frame, t), "full": frame}


def _walk(
    curves: Mapping[str, Curves],
    shown: Mapping[str, U8],
    before: Mapping[str, U8],
    boxes: Boxes | None,
    t: int,
    sampled: bool,
    with_ssim: bool,
) -> None:
    """Measure one area of one moment in each of its videos."""

    def cut(frame: U8) -> U8:
        return frame if boxes is None else boxes.cut(frame, t)

    left, top = (0, 0) if boxes is None else (int(v) for v in boxes.corners[t])
    real = cut(shown["real"])
    for name, own in curves.items():
        picture, differs = cut(shown[name]), name != "real"
        grey = luma(picture)
        own.psnr.append(image.psnr(real, picture) if differs else float("inf"))
        own.detail.append(laplacian_energy(grey))
        if name in before:
            own.change.append(frame_energy(cut(before[name]), grey))
        large = sampled and min(picture.shape[:2]) >= msssim.SMALLEST
        if large:
            single, multi = msssim.ssim_and_ms_ssim(real, picture) if differs else (1.0, 1.0)
            own.ms_ssim.append(multi)
        if with_ssim:
            if not large:
                single = image.ssim_gaussian(real, picture) if differs else 1.0
            own.ssim_gaussian.append(single)
            own.ssim_uniform.append(image.ssim_uniform(real, picture) if differs else 1.0)
        if sampled:
            own.blocks.append(block_steps(grey, left, top))
            own.texture.append(pyramid_features(picture))


def _worn(real: U8, mouth: U8, outer: Boxes, t: int) -> U8:
    frame = real.copy()
    x, y = outer.corners[t]
    frame[y : y + outer.size[1], x : x + outer.size[0]] = mouth
    return frame
