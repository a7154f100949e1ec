"""Face boxes and crops as SyncNet's pipeline makes them, from our tracker or from boxes the user brings."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.signal import medfilt

from lipwright.core.contracts import U8, FaceTrack
from lipwright.core.errors import FootageError
from lipwright.metrics.syncnet import SIDE

F64 = NDArray[np.float64]

LEAST_FRAMES = 100
"""A face must be found in more frames than this."""
LEAST_SIDE = 100
"""The longer side of its box, mean over the track, must be more than this, px."""
_GAP = 25
"""Frames without the face after which a track ends."""
_OVERLAP = 0.5
_MEDIAN = 13
_SCALE = 0.40
_GREY = 110


@dataclass(frozen=True)
class BoxTrack:
    """One face over consecutive frames."""

    first: int
    """Frame of the first box."""
    boxes: F64
    """(n, 4) x0, y0, x1, y1 px, gaps filled along straight lines."""

    def __len__(self) -> int:
        return len(self.boxes)


def boxes_of(track: FaceTrack) -> F64:
    """(T, 4) boxes around the tracked mesh, NaN where no face was seen.

    The mesh ends at hairline, chin and ears, which is what S3FD's training set calls a face, so its extent stands
    for S3FD's box; the two were never compared on the same pictures.
    """
    points = track.dense_px[..., :2].astype(np.float64)
    boxes = np.concatenate([points.min(axis=1), points.max(axis=1)], axis=-1)
    boxes[~track.present] = np.nan
    return boxes


def read_boxes(path: str | os.PathLike[str]) -> F64:
    """(T, 4) boxes of an npz file (`boxes`) or JSON (`{"boxes": [[x0, y0, x1, y1] or null, ...]}`), at 25 fps.

    FootageError when the file holds anything else.
    """
    path = Path(path)
    form = "give one x0, y0, x1, y1 in pixels per frame at 25 fps, as npz array or JSON list 'boxes'"
    try:
        if path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as arrays:
                boxes = np.asarray(arrays["boxes"], dtype=np.float64)
        else:
            held = json.loads(path.read_text(encoding="utf-8"))
            rows = held["boxes"] if isinstance(held, dict) else held
            boxes = np.array([[np.nan] * 4 if row is None else row for row in rows], dtype=np.float64)
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise FootageError(f"{path} holds no face boxes ({type(error).__name__}); {form}") from error
    if boxes.ndim != 2 or boxes.shape[1:] != (4,) or np.isfinite(boxes).all(1).sum() == 0:
        raise FootageError(f"{path} holds boxes of shape {boxes.shape}, expected (frames, 4); {form}")
    seen = np.isfinite(boxes).all(axis=1)
    empty = np.flatnonzero(seen & ((boxes[:, 2] <= boxes[:, 0]) | (boxes[:, 3] <= boxes[:, 1])))
    if len(empty):
        raise FootageError(f"{path}: the box of frame {empty[0]} is empty; {form}")
    boxes[~seen] = np.nan
    return boxes


def longest_track(boxes: F64, cuts: Sequence[int] = ()) -> BoxTrack | None:
    """The longest face track of (T, 4) boxes by the pipeline's rules, None when none is long and large enough.

    No track crosses the first frame of a shot (`cuts`, in order). Within a shot a box continues a track when it
    overlaps the track's last one by more than half (intersection over union) and comes at most 25 frames later;
    boxes that do not are left for further tracks.
    """
    shots = pairwise([0, *cuts, len(boxes)])
    found = [track for a, b in shots if b - a >= LEAST_FRAMES for track in _tracks(boxes, a, b)]
    return max(found, key=len, default=None)


def _tracks(boxes: F64, start: int, stop: int) -> list[BoxTrack]:
    """All tracks of frames [start, stop) that are long and large enough."""
    left = [int(t) + start for t in np.flatnonzero(np.isfinite(boxes[start:stop]).all(axis=1))]
    found: list[BoxTrack] = []
    while left:
        track = [left[0]]
        for t in left[1:]:
            if t - track[-1] > _GAP:
                break
            if _iou(boxes[t], boxes[track[-1]]) > _OVERLAP:
                track.append(t)
        taken = set(track)
        left = [t for t in left if t not in taken]
        if len(track) <= LEAST_FRAMES:
            continue
        frames = np.arange(track[0], track[-1] + 1)
        filled = np.stack([np.interp(frames, track, boxes[track, k]) for k in range(4)], axis=1)
        if max((filled[:, 2:] - filled[:, :2]).mean(axis=0)) > LEAST_SIDE:
            found.append(BoxTrack(track[0], filled))
    return found


def crops(frames: Iterable[U8], track: BoxTrack) -> Iterator[U8]:
    """(224, 224, 3) BGR crops of the track from RGB frames at 25 fps, the first of which is frame 0.

    Box centres and half sides pass a median of 13. The crop is 2.8 half sides wide and high: 1.4 to either side of
    the centre, 1 above it and 1.8 below; grey 110 stands beyond the picture's border.
    """
    half = medfilt((track.boxes[:, 2:] - track.boxes[:, :2]).max(axis=1) / 2, _MEDIAN)
    x, y = (medfilt((track.boxes[:, k] + track.boxes[:, k + 2]) / 2, _MEDIAN) for k in (0, 1))
    for t, frame in enumerate(frames):
        k = t - track.first
        if k >= len(track):
            return
        if k >= 0:
            yield _crop(frame[..., ::-1], float(x[k]), float(y[k]), float(half[k]), t)


def squashed(frames: Iterable[U8]) -> Iterator[U8]:
    """Whole BGR frames at 224x224, whatever their shape, from BGR ones."""
    for frame in frames:
        yield np.asarray(cv2.resize(frame, (SIDE, SIDE)), dtype=np.uint8)


def _crop(bgr8: U8, x: float, y: float, half: float, t: int) -> U8:
    margin = int(half * (1 + 2 * _SCALE))
    framed = np.pad(bgr8, ((margin, margin), (margin, margin), (0, 0)), constant_values=_GREY)
    x, y = x + margin, y + margin
    top, bottom = int(y - half), int(y + half * (1 + 2 * _SCALE))
    left, right = int(x - half * (1 + _SCALE)), int(x + half * (1 + _SCALE))
    face = framed[max(0, top) : bottom, max(0, left) : right]
    if not face.size:
        raise FootageError(f"the face box of frame {t} (at 25 fps) lies outside the picture; correct the boxes")
    return np.asarray(cv2.resize(face, (SIDE, SIDE)), dtype=np.uint8)


def _iou(a: NDArray[Any], b: NDArray[Any]) -> float:
    sides = np.maximum(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0)
    shared = float(sides.prod())
    return shared / (float((a[2:] - a[:2]).prod()) + float((b[2:] - b[:2]).prod()) - shared)
