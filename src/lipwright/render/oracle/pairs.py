"""The synthetic set: pairs of training frames, mashed, drawn by the oracle and kept on disk.

Pair k depends on (seed, k) alone, and pictures are appended as they are drawn: an interrupted run goes on where it was,
memory does not grow with the number of pairs, and a set is drawn again when its oracle is another.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lipwright.core.contracts import F32, U8
from lipwright.core.errors import ConfigError, OutputError
from lipwright.core.files import make_folder, write_json
from lipwright.core.progress import Progress, Silent
from lipwright.face.align import apply
from lipwright.face.mashing import Camera, canonical, mash, near, poses
from lipwright.render.crossmodal.pairs import PicturePairs
from lipwright.render.oracle.data import OracleData
from lipwright.render.oracle.oracle import enlarged
from lipwright.render.oracle.quality import Draw
from lipwright.render.translation.crops import Crops

QUALITY = 95
"""Of the JPEGs, with full chroma."""
_AT_ONCE = 8
_SHARD = 64
"""Pairs drawn between two notes of how far it is."""
_PARTS = ("head", "mouth")


@dataclass(frozen=True)
class Mashed:
    """P pairs and their keypoints."""

    i: NDArray[np.int64]
    """(P,) places in the data of the mouth (and of what is heard)."""
    j: NDArray[np.int64]
    """(P,) places of the head."""
    landmarks: F32
    """(P, 68, 2) in the head-crop pixels of j."""


def mashed_pairs(data: OracleData, count: int, seed: int, camera: Camera | None = None) -> Mashed:
    """Draw pairs of training frames and mash them: i and j uniform, j among the heads near enough in pose to i.

    Args: `camera` of the footage; when None the one that face.pose found the poses with.
    """
    if count < 1:
        raise ConfigError(f"a synthetic set of {count} pairs is empty; draw at least 1")
    track, train = data.track, data.train
    i, j = np.empty(count, np.int64), np.empty(count, np.int64)
    for k in range(count):
        rng = np.random.default_rng((seed, k))
        i[k] = rng.choice(train)
        fits = train[near(track.pose_rad[i[k]], track.pose_rad[train]) & (train != i[k])]
        j[k] = rng.choice(fits) if len(fits) else i[k]
    return Mashed(i, j, mashed(data, i, j, camera))


def mashed(data: OracleData, i: NDArray[np.int64], j: NDArray[np.int64], camera: Camera | None = None) -> F32:
    """(P, 68, 2) keypoints of heads j with the mouths of i, in the head-crop pixels of j.

    Args: i, j (P,) places in the data; `camera` as in `mashed_pairs`.
    """
    track, camera = data.track, camera or Camera.of_frame(data.track.size)
    known = track[data.train]
    shape = canonical(known.landmarks_px, known.pose_rad, camera, known.dense_px)
    placed = poses(track.landmarks_px, track.pose_rad, shape, camera)
    points = mash(track.landmarks_px[i], placed[i], track.landmarks_px[j], placed[j], camera, shape)
    return apply(data.geometry.head_maps(track.landmarks_px[j]), points)


def picture_pairs(
    draw: Draw,
    data: OracleData,
    count: int,
    seed: int,
    folder: str | os.PathLike[str],
    key: str,
    progress: Progress | None = None,
) -> PicturePairs:
    """`count` pairs with the oracle's pictures, drawn into `folder` or taken from there.

    Args:
        draw: of an oracle (`quality.drawing_of`, or MemoryOracle.pictures).
        key: of that oracle; pictures of another key are drawn again.
    Raises OutputError when the disk is full.
    """
    pairs = mashed_pairs(data, count, seed)
    cache = _Cache(make_folder(folder), {"key": key, "seed": seed, "count": count, "size": data.geometry.size})
    progress = progress or Silent()
    progress.start("synthetic set", count)
    for done in cache.missing(count):
        for start in range(done.start, done.stop, _AT_ONCE):
            part = np.s_[start : min(start + _AT_ONCE, done.stop)]
            heads, mouths = draw(pairs.landmarks[part], pairs.j[part])
            cache.add(heads, np.stack([enlarged(mouth, data.geometry.size) for mouth in mouths]))
            progress.update(part.stop)
        cache.note()
    progress.finish()
    head, mouth = cache.crops()
    return PicturePairs(pairs.i, pairs.j, pairs.landmarks, head, mouth)


class _Cache:
    """Two files of pictures one after the other, and a note of where each ends; only what is noted counts."""

    def __init__(self, folder: Path, about: dict[str, object]) -> None:
        self._folder, self._about = folder, about
        self._ends: dict[str, list[int]] = {part: [0] for part in _PARTS}
        try:
            found = json.loads((folder / "pairs.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            found = {}
        if found.get("about") == about and all(self._holds(part, found["ends"][part][-1]) for part in _PARTS):
            self._ends = {part: [int(end) for end in found["ends"][part]] for part in _PARTS}
        for part in _PARTS:  # what was written after the last note is written again
            with open(self._file(part), "ab") as file:
                file.truncate(self._ends[part][-1])

    def _holds(self, part: str, size: int) -> bool:
        """Whether the file is as long as was noted: a copy that broke off is drawn again."""
        file = self._file(part)
        return file.is_file() and file.stat().st_size >= size

    def missing(self, count: int) -> Iterator[range]:
        """Stretches of pairs that are still to be drawn, in order."""
        while (done := len(self._ends["head"]) - 1) < count:
            yield range(done, min(done + _SHARD, count))

    def add(self, heads: U8, mouths: U8) -> None:
        """Append (B, S, S, 3) pictures of both."""
        for part, pictures in zip(_PARTS, (heads, mouths), strict=True):
            crops = Crops.of(pictures, pictures.shape[1], QUALITY)
            try:
                with open(self._file(part), "ab") as file:
                    file.write(crops.coded.tobytes())
            except OSError as error:
                raise OutputError(f"cannot write {self._file(part)} ({error}); free some space and resume") from error
            self._ends[part] += (self._ends[part][-1] + crops.offsets[1:]).tolist()

    def note(self) -> None:
        """What is there until now is there."""
        write_json(self._folder / "pairs.json", {"about": self._about, "ends": self._ends})

    def crops(self) -> tuple[Crops, Crops]:
        """Heads and mouths, mapped from disk."""
        size = int(str(self._about["size"]))
        head, mouth = (
            Crops(np.memmap(self._file(part), np.uint8, "r"), np.array(self._ends[part], np.int64), size)
            for part in _PARTS
        )
        return head, mouth

    def _file(self, part: str) -> Path:
        return self._folder / f"{part}.jpgs"
