"""One video as evaluation sees it: read once, tracked, its sound beside it; frames are never all kept."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lipwright.core.clock import SAMPLE_RATE, sample_of
from lipwright.core.contracts import F32, U8, FaceTrack, FaceTracker
from lipwright.core.errors import FootageError
from lipwright.face.scene import N_SCENE, scene
from lipwright.face.track import TrackBuilder
from lipwright.face.tracker import TRACKERS
from lipwright.media.audio import read_audio
from lipwright.media.probe import MediaInfo, probe
from lipwright.media.video import VideoReader
from lipwright.metrics.blockiness import block_steps
from lipwright.metrics.detail import luma
from lipwright.metrics.flicker import cell_means

BLOCK_EVERY = 5
"""Blockiness is taken of every fifth frame."""
MakeTracker = Callable[[], FaceTracker]


@dataclass(frozen=True)
class Clip:
    """A stretch of a video file."""

    path: Path
    start_s: Fraction = Fraction(0)
    """Seconds after the first picture."""
    end_s: Fraction | None = None
    """None: to the end."""

    @property
    def name(self) -> str:
        """The file's name, with the stretch when it is not the whole file."""
        if self.start_s == 0 and self.end_s is None:
            return self.path.name
        end = "end" if self.end_s is None else f"{float(self.end_s):g}"
        return f"{self.path.name} [{float(self.start_s):g}, {end}) s"

    def frames(self, fps: Fraction, size: tuple[int, int]) -> Iterator[U8]:
        """Frames at `fps`, scaled to `size` (width, height), in order."""
        with VideoReader(self.path, fps=fps, start_s=self.start_s, end_s=self.end_s, size=size) as reader:
            for frame in reader:
                yield frame.rgb8

    def samples(self) -> F32:
        """(S,) mono 16 kHz; empty when the file has no sound."""
        if probe(self.path).audio is None:
            return np.zeros(0, np.float32)
        return read_audio(self.path, SAMPLE_RATE, start_s=self.start_s, end_s=self.end_s)


def as_clip(video: str | os.PathLike[str] | Clip) -> Clip:
    """A path as a whole-file `Clip`; clips pass through."""
    return video if isinstance(video, Clip) else Clip(Path(video))


@dataclass(frozen=True)
class Scan:
    """Everything evaluation keeps of one pass over a video: a few kilobytes per frame."""

    clip: Clip
    info: MediaInfo
    fps: Fraction
    """Rate at which it was read."""
    size: tuple[int, int]
    """(width, height) at which it was read."""
    track: FaceTrack
    noise_px: float
    """RMS distance noise of the raw tracked mouth points, px."""
    changes: NDArray[np.float64]
    """(T - 1,) inter-frame energy of a thinned-out luma, squared grey levels."""
    samples: F32
    """(S,) mono 16 kHz, empty without sound."""
    first: int = 0
    """Frames of the clip that come before the first one kept here."""
    scenes: U8 = field(default_factory=lambda: np.zeros((0, N_SCENE), np.uint8))
    """(T, N_SCENE) tiny pictures in which cuts are found."""
    cells: F32 = field(default_factory=lambda: np.zeros((0, 1, 1), np.float32))
    """(T, rows, columns) brightness of coarse cells in grey levels, in which flicker shows."""
    blocks: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 2)))
    """(ceil(T / block_every), 2) steps across and beside the 8-pixel grid, at the size that was read."""
    block_every: int = BLOCK_EVERY
    """Frames between two rows of `blocks`."""

    def __len__(self) -> int:
        return len(self.track)

    def part(self, first: int, n: int) -> Scan:
        """Frames [first, first + n) and the sound that belongs to them."""
        sound = slice(sample_of(first, self.fps), sample_of(first + n, self.fps))
        return replace(
            self,
            track=self.track[first : first + n],
            changes=self.changes[first : first + n - 1],
            scenes=self.scenes[first : first + n],
            cells=self.cells[first : first + n],
            blocks=self.blocks[-(-first // self.block_every) : -(-(first + n) // self.block_every)],
            samples=self.samples[sound],
            first=self.first + first,
        )

    def frames(self) -> Iterator[U8]:
        """The frames themselves, read again."""
        return islice(self.clip.frames(self.fps, self.size), self.first, self.first + len(self))

    def frame(self, t: int) -> U8:
        """One frame, found by its time."""
        at = self.clip.start_s + Fraction(self.first + t) / self.fps
        return next(replace(self.clip, start_s=at).frames(self.fps, self.size))


def scan_both(
    first: Clip, second: Clip, fps: Fraction, size: tuple[int, int], make_tracker: MakeTracker | None = None
) -> tuple[Scan, Scan]:
    """`scan` of two clips at once: decoders and trackers leave the interpreter to each other."""
    stop = threading.Event()
    with ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(scan, clip, fps, size, make_tracker, stop) for clip in (first, second)]
        try:
            return jobs[0].result(), jobs[1].result()
        finally:
            stop.set()  # an error or an interrupt must not wait for the end of the other clip


def scan(
    clip: Clip,
    fps: Fraction,
    size: tuple[int, int],
    make_tracker: MakeTracker | None = None,
    stop: threading.Event | None = None,
) -> Scan:
    """First pass: track the face and note how much each frame differs from the one before.

    `stop` ends the pass early. FootageError when no frame can be read or no frame shows a face.
    """
    tracker = make_tracker() if make_tracker else TRACKERS.get("mediapipe")(max_faces=1)
    builder = TrackBuilder(size)
    changes: list[float] = []
    scenes: list[U8] = []
    cells: list[NDArray[np.float32]] = []
    blocks: list[tuple[float, float]] = []
    before: NDArray[np.float32] | None = None
    step = max(1, max(size) // 256)  # strided, not averaged: averaging would hide the camera's noise
    try:
        for frame in clip.frames(fps, size):
            if stop is not None and stop.is_set():
                break
            builder.add(tracker.detect(frame))
            now = luma(frame[::step, ::step])
            if before is not None:
                changes.append(float(np.mean((now - before) ** 2)))
            before = now
            scenes.append(scene(frame))
            cells.append(cell_means(now))
            if len(scenes) % BLOCK_EVERY == 1:
                blocks.append(block_steps(frame))
    finally:
        tracker.close()
    track, noise = builder.finish()
    if not track.present.any():
        raise FootageError(f"no face in any of the {len(track)} frames of {clip.name}; give a video of one face")
    return Scan(
        clip,
        probe(clip.path),
        fps,
        size,
        track,
        noise,
        np.asarray(changes),
        clip.samples(),
        scenes=np.stack(scenes),
        cells=np.stack(cells),
        blocks=np.asarray(blocks),
    )
