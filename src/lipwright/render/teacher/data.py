"""What a teacher learns from: stretches of faces as Wav2Lip sees them, with the sound they belong to."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from lipwright.core.clock import FPS, SAMPLE_RATE
from lipwright.core.contracts import F32, U8
from lipwright.core.errors import CheckpointError, ShapeError
from lipwright.core.files import atomic_file
from lipwright.render.teacher.networks import SIDE, WINDOW_FRAMES
from lipwright.speech.wav2lip_mel import CHANNELS, CHUNK, RATE, mel

LEAST_FRAMES = 4 * WINDOW_FRAMES
"""A window, one that is not it, and room between."""


@dataclass(frozen=True)
class TalkingFace:
    """T frames of one person speaking."""

    faces: U8
    """(T, 96, 96, 3) BGR at 25 fps."""
    samples: F32
    """(S,) 16 kHz, from the first frame on."""

    def __post_init__(self) -> None:
        if self.faces.ndim != 4 or self.faces.shape[1:] != (SIDE, SIDE, 3) or len(self.faces) < LEAST_FRAMES:
            raise ShapeError("faces", (f">= {LEAST_FRAMES}", SIDE, SIDE, 3), self.faces.shape)

    def __len__(self) -> int:
        return len(self.faces)

    @cached_property
    def mel(self) -> F32:
        """(80, C) of all frames; silence where the sound ends early."""
        lacking = max(len(self.faces) * SAMPLE_RATE // int(FPS) + CHUNK * 200 - len(self.samples), 0)
        return mel(np.pad(self.samples, (0, lacking)))

    def heard(self, frame: int) -> F32:
        """(80, 16) columns that begin with a frame; before the sound its start is mirrored."""
        columns = np.abs(int(frame * RATE // FPS) + np.arange(CHUNK))
        found = self.mel[:, np.minimum(columns, self.mel.shape[1] - 1)]
        assert found.shape == (CHANNELS, CHUNK)
        return np.ascontiguousarray(found)

    def save(self, path: Path) -> None:
        """As npz, atomically."""
        with atomic_file(path) as temporary, open(temporary, "wb") as stream:
            np.savez_compressed(stream, faces=self.faces, samples=self.samples.astype(np.float16))

    @classmethod
    def load(cls, path: Path) -> TalkingFace:
        """What `save` wrote; CheckpointError when it is missing or damaged."""
        try:
            with np.load(path, allow_pickle=False) as file:
                return cls(file["faces"], file["samples"].astype(np.float32))
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise CheckpointError(f"{path} holds no talking face ({error}); delete it and run again") from error
