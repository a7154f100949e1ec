"""Encoding, decoding and backward reading."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lipwright.cli.bench.measure import Job, Measure, measure

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lipwright.media.settings import EncoderSettings

SIZES = ((512, 512), (1920, 1080))
"""(width, height) of the media benchmark."""


def run(job: Job) -> list[Measure]:
    """Encoding, decoding and backward reading of moving noise-free pictures at 512 and 1080 lines."""
    from lipwright.media.settings import STORE, EncoderSettings
    from lipwright.media.store import FrameStore
    from lipwright.media.video import VideoReader
    from lipwright.media.writer import VideoWriter

    n, folder, found = round(job.seconds * 25), job.folder, []
    for width, height in SIZES:
        scene = scene_of(width, height)

        def write(path: Path, settings: EncoderSettings, scene: Any = scene) -> int:
            with VideoWriter(path, scene(0).shape[1::-1], Fraction(25), settings) as writer:
                for i in range(n):
                    writer.write(scene(i))
            return n

        def read(path: Path) -> int:
            with VideoReader(path) as reader:
                return sum(1 for _ in reader)

        size, path = f"{width}x{height}", folder / f"{height}.mp4"
        found.append(measure(f"encode veryfast {size}", lambda: write(path, EncoderSettings()), job.repeats))  # noqa: B023
        found.append(measure(f"decode to RGB {size}", lambda: read(path), job.repeats))  # noqa: B023
        write(path, STORE)
        backward = lambda: sum(1 for _ in FrameStore(path).backward(n - 1))  # noqa: B023, E731
        found.append(measure(f"store backward {size}", backward, job.repeats))
    return found


def scene_of(width: int, height: int) -> Callable[[int], NDArray[Any]]:
    """A soft texture that pans by two pixels a frame."""
    import numpy as np

    rng = np.random.default_rng(0)
    coarse = rng.uniform(40, 210, (height // 16 + 2, width // 16 + 34, 3))
    wide = np.repeat(np.repeat(coarse, 16, axis=0), 16, axis=1)
    smooth = (wide + np.roll(wide, 8, axis=0) + np.roll(wide, 8, axis=1) + np.roll(wide, (8, 8), axis=(0, 1))) / 4
    texture = smooth.astype(np.uint8)
    return lambda i: np.ascontiguousarray(texture[:height, 2 * (i % 250) : 2 * (i % 250) + width])
