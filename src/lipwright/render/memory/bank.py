"""The memory itself: every usable mouth of the footage, cut at the footage's own resolution.

Cuts are axis-aligned integer boxes, never resampled, kept as JPEG (quality 95, full chroma: about 10:1
smaller than raw, and decoded in half a millisecond), so an hour of footage stays on disk and only the
mouths that are spoken are decoded.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from lipwright.core.checkpoint import UNHASHED
from lipwright.core.contracts import F32, U8, FaceTrack
from lipwright.core.errors import CheckpointError, SubjectError
from lipwright.core.ibug import MOUTH, MOUTH_JAW
from lipwright.face.align import Aligner, apply
from lipwright.render.memory.blend import detail, lip_box
from lipwright.render.memory.pictures import Pictures, encoded
from lipwright.render.region import FaceGeometry

MUCH = 256_000_000
"""Bytes of pictures from which on loading a persona no longer reads them all to see whether they are whole."""


@dataclass
class MouthBank:
    """N remembered mouths.

    Attributes:
        geometry: the person's canonical frame and region.
        landmarks_px: (N, 68, 2) in the pixels of each cut.
        canonical_from_cut: (N, 2, 3).
        pose_rad: (N, 3).
        source: (N,) frame number in the footage; neighbours in time may follow each other for free.
        looks: (N, D) small descriptors of the lit mouth in grey levels, for smooth switches; float in older personas.
        details: (N,) `blend.detail` of the lips in the footage, before anything was compressed or sampled; None in
            personas from before it was kept.
    """

    geometry: FaceGeometry
    landmarks_px: F32
    canonical_from_cut: F32
    pose_rad: F32
    source: np.ndarray
    looks: U8 | F32
    details: F32 | None
    pictures: Pictures

    def __len__(self) -> int:
        return len(self.source)

    def image(self, index: int) -> U8:
        """RGB cut number `index`."""
        return self.pictures[index]

    def detail(self, index: int) -> float:
        """`blend.detail` of the lips of mouth `index`."""
        if self.details is not None:
            return float(self.details[index])
        return detail(self.image(index)[lip_box(self.landmarks_px[index, MOUTH])])

    def shapes(self) -> F32:
        """(N, 29, 2) canonical MOUTH_JAW points."""
        return apply(self.canonical_from_cut, self.landmarks_px[:, MOUTH_JAW])

    def state(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """(arrays, config) for a checkpoint."""
        arrays = {
            "rigid": self.geometry.aligner.rigid,
            "mean_shape": self.geometry.mean_shape,
            "landmarks_px": self.landmarks_px,
            "canonical_from_cut": self.canonical_from_cut,
            "pose_rad": self.pose_rad,
            "source": self.source.astype(np.int64),
            "looks": self.looks,
            "jpeg": self.pictures.data,
            "offsets": self.pictures.offsets.astype(np.int64),
        }
        config: dict[str, Any] = {"envelope": list(self.geometry.envelope)}
        if self.details is not None:
            arrays["details"] = self.details
        if self.pictures.checks is not None:
            arrays["checks"] = self.pictures.checks.astype(np.int64)
            if len(self.pictures.data) > MUCH:
                config[UNHASHED] = ["jpeg"]  # each picture has a check of its own
        return arrays, config

    @classmethod
    def from_state(cls, arrays: dict[str, Any], config: dict[str, Any]) -> MouthBank:
        """Inverse of `state`; CheckpointError when the arrays do not belong together."""
        _check(arrays)
        x0, y0, x1, y1 = config["envelope"]
        geometry = FaceGeometry(Aligner(arrays["rigid"]), arrays["mean_shape"], (x0, y0, x1, y1))
        return cls(
            geometry,
            arrays["landmarks_px"],
            arrays["canonical_from_cut"],
            arrays["pose_rad"],
            arrays["source"],
            arrays["looks"],
            arrays.get("details"),
            Pictures(arrays["jpeg"], arrays["offsets"], arrays.get("checks")),
        )


def _check(arrays: dict[str, Any]) -> None:
    n = len(arrays["source"])
    wanted: dict[str, tuple[int | None, ...]] = {
        "mean_shape": (68, 2), "landmarks_px": (n, 68, 2), "canonical_from_cut": (n, 2, 3), "pose_rad": (n, 3),
        "source": (n,), "looks": (n, None), "jpeg": (None,), "offsets": (n + 1,), "rigid": (None, 2),
    }  # fmt: skip
    wanted |= {name: (n,) for name in ("details", "checks") if name in arrays}
    for name, shape in wanted.items():
        got = arrays[name].shape
        if len(got) != len(shape) or any(w not in (None, g) for w, g in zip(shape, got, strict=True)):
            raise CheckpointError(f"the memory's {name} has shape {got}, expected {shape}; retrain the persona")
    if n == 0 or int(arrays["offsets"][-1]) != len(arrays["jpeg"]):
        raise CheckpointError("the memory's pictures are not whole; copy the persona again or retrain")


def build_bank(frames: Iterable[tuple[int, U8]], track: FaceTrack, geometry: FaceGeometry | None = None) -> MouthBank:
    """Remember the mouths of (frame number, RGB frame) pairs; `track` covers the whole footage.

    Frames whose region leaves the picture are skipped. SubjectError when none remains.
    """
    geometry = geometry or FaceGeometry.fit(track.landmarks_px[track.good])
    maps = geometry.aligner.maps(track.landmarks_px)
    boxes = geometry.frame_boxes(maps, geometry.mouth_region)
    kept: list[int] = []
    cuts: list[U8] = []
    looks: list[U8] = []
    details: list[float] = []
    for t, frame in frames:
        x0, y0, x1, y1 = boxes[t]
        height, width = frame.shape[:2]
        if not track.good[t] or x0 < 0 or y0 < 0 or x1 > width or y0 >= height:
            continue
        cut = frame[y0 : min(y1, height), x0:x1]
        if y1 > height:  # chest-up framing may end just below the chin; the neck below is never shown
            cut = np.pad(cut, ((0, y1 - height), (0, 0), (0, 0)), mode="edge")
        kept.append(t)
        cuts.append(encoded(cut, t))
        looks.append(_look(cut, boxes[t][:2], track.landmarks_px[t]))
        details.append(detail(cut[lip_box(track.landmarks_px[t, MOUTH] - boxes[t][:2])]))
    if not kept:
        raise SubjectError("no frame shows the whole lower face inside the picture; film with room around the head")
    index = np.asarray(kept)
    shift = boxes[index, :2].astype(np.float32)
    inner = maps[index].copy()
    inner[:, :, 2] += np.einsum("nij,nj->ni", inner[:, :, :2], shift)
    return MouthBank(
        geometry,
        track.landmarks_px[index] - shift[:, None],
        inner,
        track.pose_rad[index],
        index,
        np.stack(looks),
        np.array(details, np.float32),
        Pictures.of(cuts),
    )


def _look(cut: U8, corner: np.ndarray, landmarks_px: F32) -> U8:
    """(144,) what the mouth looks like: 16x9 luma of the lip box, in grey levels."""
    points = landmarks_px[48:68] - corner
    centre, half = points.mean(0), 0.62 * np.ptp(points[:, 0])
    affine = np.array(
        [[16 / (2 * half), 0, 8 - centre[0] * 16 / (2 * half)],
         [0, 9 / (1.3 * half), 4.5 - centre[1] * 9 / (1.3 * half)]], np.float32
    )  # fmt: skip
    grey = cv2.cvtColor(cut, cv2.COLOR_RGB2GRAY)
    grey = cv2.GaussianBlur(grey, (0, 0), max(half / 16, 0.5))
    look: U8 = cv2.warpAffine(grey, affine, (16, 9), flags=cv2.INTER_LINEAR).ravel().astype(np.uint8)
    return look
