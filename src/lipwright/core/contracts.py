"""Where the folders meet: the data that passes between steps and the interfaces of the parts.

Conventions: pixel coordinates x right, y down, pixel centres at integers; images at the edges are RGB
uint8 (H, W, 3); networks use RGB float [-1, 1] NCHW. `T` video frames, `K` landmarks, `S` samples.
Affine maps are 2x3 and read as composition: `crop_from_frame` takes frame pixels to crop pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from lipwright.core.clock import FPS, SAMPLE_RATE
from lipwright.core.errors import PairingError

F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]

LANDMARKS = "landmarks"
"""What most motion models produce and most renderers accept; otherwise `EXPRESSION` or the name of a speech feature."""
EXPRESSION = "expression"
"""Coefficients of the subject's own morphable face (face.morphable), one set per frame."""


@dataclass(frozen=True)
class FaceTrack:
    """One face over T frames of one video."""

    landmarks_px: F32
    """(T, 68, 2) iBUG points; interpolated where `confidence` is 0."""
    dense_px: F32
    """(T, 478, 3) the tracker's own mesh with irises, z in pixels towards the viewer negative."""
    confidence: F32
    """(T,) 0 where no face was found, else (0, 1]."""
    pose_rad: F32
    """(T, 3) pitch, yaw, roll about x, y, z; R = Rz·Ry·Rx."""
    size: tuple[int, int]
    """(width, height) of the frames."""
    usable: NDArray[np.bool_] | None = None
    """(T,) False where the mouth cannot be seen well (covered, turned away, cut ...); None: wherever a face is."""
    contour_px: F32 | None = None
    """(T, rays) how far the head reaches along fixed rays (face.contour), in pixels; None: not known."""

    def __len__(self) -> int:
        return len(self.landmarks_px)

    def __getitem__(self, where: slice | NDArray[Any] | Sequence[int]) -> FaceTrack:
        index = where if isinstance(where, slice) else np.asarray(where)
        return FaceTrack(
            self.landmarks_px[index],
            self.dense_px[index],
            self.confidence[index],
            self.pose_rad[index],
            self.size,
            None if self.usable is None else self.usable[index],
            None if self.contour_px is None else self.contour_px[index],
        )

    @property
    def present(self) -> NDArray[np.bool_]:
        """(T,) whether a face was seen."""
        return self.confidence > 0

    @property
    def good(self) -> NDArray[np.bool_]:
        """(T,) whether the frame can be learnt from and spoken over."""
        return self.present if self.usable is None else self.present & self.usable


class FaceTracker(Protocol):
    """Frames in, one raw face per frame out; smoothing and pose come after (face.track)."""

    name: str

    def detect(self, rgb8: U8) -> list[tuple[F32, float]]:
        """All faces in one frame as (dense (478, 3) pixels, confidence), largest first; may be empty."""

    def close(self) -> None:
        """Release native resources."""


@dataclass(frozen=True)
class MotionInfo:
    """What a motion model says of itself; checked before any weight loads."""

    produces: str
    """'landmarks', 'expression', or the name of a speech feature whose windows it cuts out ('visemes' ...)."""
    features: tuple[str, ...]
    """Names of the speech features it reads."""
    sample_rate: int = SAMPLE_RATE
    fps: Fraction = FPS
    halo: int = 0
    """Frames of context on each side that influence one output frame."""
    lookahead_s: float | None = None
    """Seconds of future audio needed; None for the whole halo (offline)."""


@dataclass(frozen=True)
class Conditions:
    """What the template gives a motion model for each frame: never mouth or jaw."""

    pose_rad: F32
    """(T, 3)."""
    cheeks: F32
    """(T, 8, 2) CHEEK points, normalised (nose centre, production scale)."""


class MotionModel(Protocol):
    """Speech features and template conditions to face motion."""

    @property
    def info(self) -> MotionInfo:
        """What it is; known before any weight is."""

    def predict(self, features: Mapping[str, F32], conditions: Conditions) -> F32:
        """(T, 29, 2) normalised MOUTH_JAW landmarks for `produces == 'landmarks'`, (T, E) coefficients for
        'expression', else (T, W, k) speech windows."""


@runtime_checkable
class Selective(Protocol):
    """A motion model that can tell some frames for less than all."""

    def predict_only(self, features: Mapping[str, F32], conditions: Conditions, start: int, stop: int) -> F32:
        """What `predict` says of frames [start, stop)."""


@dataclass(frozen=True)
class Patch:
    """A rendered face region and where it goes in its template frame."""

    rgb8: U8
    """(h, w, 3)."""
    mask: F32
    """(h, w) in [0, 1]; 0 leaves the template pixel untouched, bit for bit."""
    crop_from_frame: F32
    """(2, 3) affine from template pixels to patch pixels."""


@dataclass(frozen=True)
class RenderWindow:
    """A stretch of consecutive frames for a renderer: what the template shows and what must be said."""

    frames: Sequence[U8]
    """T template frames, RGB uint8 (H, W, 3), each at the template's resolution. Made when asked for: take each
    once. Where the renderer has a `footprint`, only what lies in it is set."""
    track: FaceTrack
    """The template's own track of these frames."""
    target: F32
    """What the motion model says of T + L frames; L <= `lookahead` more. For a renderer that accepts 'landmarks'
    (T + L, 29, 2) wanted MOUTH_JAW points in template pixels, for one that accepts a speech feature its (T + L, W, k)
    windows."""
    lookahead_track: FaceTrack
    """Track of T + L frames (the first T equal `track`)."""


@runtime_checkable
class Renderer(Protocol):
    """Template frames and wanted landmarks, or speech, to patches, in order. May keep state between windows.

    `copy.copy` gives a renderer with a state of its own (define `__copy__` where a shallow copy would share
    it), so that several videos can be made side by side.
    """

    accepts: str
    """What a motion model must produce: 'landmarks' or the name of a speech feature."""
    lookahead: int
    """Frames of future targets it wants; fewer are given at the end."""

    def reset(self) -> None:
        """Forget state: a new video begins."""

    def render(self, window: RenderWindow) -> Iterator[Patch]:
        """T patches for the T frames of the window."""


@runtime_checkable
class Local(Protocol):
    """A renderer that looks at a part of its template frames only: the rest is then never made into RGB."""

    def footprint(self, track: FaceTrack) -> NDArray[np.int64]:
        """(T, 4) x0, y0, x1, y1 in frame pixels: all that `render` reads; may reach beyond the frame."""


@runtime_checkable
class Divided(Protocol):
    """A renderer whose frames are linked by little: once that is decided, they can be drawn side by side."""

    def tasks(self, window: RenderWindow) -> Iterator[Callable[[], Patch]]:
        """T calls that each draw one frame of the window, in any order and any thread; `render` in two steps.

        The iteration itself is sequential and keeps the state. Frames are looked at inside the calls only.
        """


@runtime_checkable
class Independent(Protocol):
    """A renderer that may say its frames do not depend on each other: copies of it then draw side by side."""

    independent: bool
    """Whether a frame alone, with its `lookahead`, is drawn as among others."""


@runtime_checkable
class Planning(Protocol):
    """A renderer that decides from wanted frames ahead, and can be told that they are no longer wanted."""

    def forget_plans(self) -> None:
        """Frames after the last one drawn will be other than they were announced."""


@runtime_checkable
class Shown(Protocol):
    """A picture of the result (media.picture.Picture)."""

    def rgb8(self, box: tuple[int, int, int, int] | None = None) -> U8:
        """(h, w, 3) RGB of the whole or of x0, y0, x1, y1."""


@dataclass(frozen=True)
class Frame:
    """One frame of the result."""

    picture: Shown
    """In the template's own format."""
    pts: Fraction
    """Seconds from the start."""
    template_index: int = -1
    """Which template frame it was composed on."""
    target_px: F32 | None = field(default=None, repr=False)
    """(29, 2) landmarks that were asked for; None where the renderer hears the speech itself."""

    @cached_property
    def rgb8(self) -> U8:
        """(H, W, 3) RGB."""
        return self.picture.rgb8()


def check_pairing(motion: MotionInfo, renderer_accepts: str, recipe: str) -> None:
    """PairingError when a renderer cannot use what a motion model produces."""
    if motion.produces != renderer_accepts:
        raise PairingError(
            f"recipe '{recipe}' pairs a motion model that produces {motion.produces} with a renderer that "
            f"accepts {renderer_accepts}; choose parts that agree"
        )
