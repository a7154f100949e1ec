"""Another take drives the head: its pose, brows, blinks and outline with other speech, over any background.

Over the template, the take is placed where the template's head is on average. Over a given background the picture
shows what every generated crop of the take holds, so that no cut edge of a shoulder comes into view.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from zipfile import BadZipFile

import cv2
import numpy as np
from numpy.typing import NDArray

from lipwright.compose.walk import TemplateWalk
from lipwright.core.clock import FPS, as_rate
from lipwright.core.contracts import F32, U8, FaceTrack, Renderer
from lipwright.core.errors import ConfigError, FootageError
from lipwright.core.ibug import RIGID
from lipwright.face.align import apply, invert, similarity, zoom
from lipwright.media.picture import Picture
from lipwright.persona.template import Template
from lipwright.render.head import HeadGeometry
from lipwright.subject.store import Subject
from lipwright.synthesis.clip import clip_template
from lipwright.synthesis.heads import CutOutHeads
from lipwright.synthesis.pipeline import Synthesis
from lipwright.synthesis.setup import Setup
from lipwright.synthesis.strength import strength

_LEAST = 0.7
"""Of a head crop's side that a picture over a background shows at least, also when the head moves further than that."""


@dataclass(frozen=True)
class Drive:
    """How a head moves: keypoints and outline of any take."""

    track: FaceTrack
    fps: Fraction

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Drive:
        """From a video, a prepared subject or an .npz file.

        The file holds `landmarks_px` (T, 68, 2), and may hold `contour_px` (T, rays) (face.contour), `pose_rad`
        (T, 3), `confidence` (T,) and `fps` (25 when missing). FootageError for what cannot drive a head.
        """
        path = Path(path)
        if path.is_dir():
            subject = Subject.open(path)
            return cls(_driving(subject.track, path), subject.fps)
        if not path.is_file():
            raise FootageError(f"there is no {path} to drive the head; name a video, a subject or an .npz of keypoints")
        if path.suffix == ".npz":
            return _stored(path)
        clip = clip_template(path)
        return cls(_driving(clip.track, path), clip.fps)

    def moved(self, affine: F32) -> Drive:
        """The same through a similarity (2, 3); pose stays, it shapes nothing of a whole head."""
        t = self.track
        contour = None if t.contour_px is None else (t.contour_px * np.float32(zoom(affine))).astype(np.float32)
        return replace(self, track=replace(t, landmarks_px=apply(affine, t.landmarks_px), contour_px=contour))

    def placed(self, rigid: F32) -> Drive:
        """The same where the mean of its rigid points lies on (19, 2) others."""
        own = self.track.landmarks_px[self.track.good][:, RIGID].mean(0)
        return self.moved(similarity(own[None], rigid)[0])


@dataclass(frozen=True)
class Lead:
    """A head that is driven."""

    heads: CutOutHeads
    """Who draws it."""
    drive: Drive
    """How it moves."""
    background: U8 | None
    """(h, w, 3) what is behind it; None: the template's frames."""

    @classmethod
    def of(
        cls,
        template: Template,
        renderer: Renderer,
        drive: str | os.PathLike[str] | Drive | None,
        background: str | os.PathLike[str] | U8 | None,
    ) -> Lead:
        """From what users give: without a drive the head moves as the template's. See `Drive.load`."""
        heads = CutOutHeads(renderer, covers=background is None)
        if drive is None:
            drive = Drive(template.track, template.fps)
        elif not isinstance(drive, Drive):
            drive = Drive.load(drive)
        shown = read_background(background) if isinstance(background, (str, os.PathLike)) else background
        return cls(heads, drive, shown)


class Driven(Synthesis):
    """One speech on a head that another take drives.

    Args:
        setup: as for `Synthesis`; its frame rate is the drive's when None and there is a background.
        lead: who draws the head, how it moves and over what.
    """

    def __init__(self, setup: Setup, lead: Lead) -> None:
        template, heads, drive, background, fps = setup.template, lead.heads, lead.drive, lead.background, setup.fps
        self._stage: U8 | None = None
        if background is None:
            drive = drive.placed(template.track.landmarks_px[template.track.good][:, RIGID].mean(0))
        else:
            drive = drive.placed(heads.geometry.crop.rigid)  # a pixel of the result is one of the person's footage
            x0, y0, x1, y1 = common_box(heads.geometry, drive.track)
            drive = drive.moved(np.array([[1, 0, -x0], [0, 1, -y0]], np.float32))
            self._stage = covering(background, (x1 - x0, y1 - y0))
            fps = fps or drive.fps
        super().__init__(replace(setup, renderer=heads, fps=fps))
        self._led = drive.track, TemplateWalk.through(drive.track, self.n_frames, drive.fps, self.fps, setup.extend)
        self._strength = strength(drive.track, drive.fps)

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the result."""
        return super().size if self._stage is None else (self._stage.shape[1], self._stage.shape[0])

    def pictures(self) -> Iterator[Picture]:
        """The template's pictures, or the background again and again."""
        if self._stage is None:
            yield from super().pictures()
            return
        picture = Picture.of_rgb8(self._stage, self.template.color, self.template.store.pix_fmt)
        for _ in range(self.n_frames):
            yield picture

    def _own(self, start: int, stop: int) -> NDArray[np.bool_]:
        own = super()._own(start, stop)
        return own if self._stage is None else np.zeros_like(own)


def common_box(geometry: HeadGeometry, track: FaceTrack) -> tuple[int, int, int, int]:
    """x0, y0, x1, y1 of what the head crops of a take all hold, sides even; at least `_LEAST` of the mean crop."""
    side = geometry.size - 0.5
    corners = np.array([[-0.5, -0.5], [side, -0.5], [side, side], [-0.5, side]], np.float32)
    placed = apply(invert(geometry.head_maps(track.landmarks_px[track.good])), corners[None])
    low = np.array([placed[:, [0, 3], 0].max(), placed[:, [0, 1], 1].max()])
    high = np.array([placed[:, [1, 2], 0].min(), placed[:, [2, 3], 1].min()])
    mean = placed.mean(0)
    centre, reach = mean.mean(0), _LEAST / 2 * np.ptp(mean, axis=0)
    low, high = np.minimum(low, centre - reach), np.maximum(high, centre + reach)
    x0, y0 = (int(v) for v in np.ceil(low))
    width, height = (int(v) // 2 * 2 for v in np.floor(high) - np.ceil(low))
    return x0, y0, x0 + max(width, 2), y0 + max(height, 2)


def read_background(given: str | os.PathLike[str]) -> U8:
    """(h, w, 3) of an image file, or a colour such as '#00b140'; ConfigError for anything else."""
    text = os.fspath(given)
    if text.startswith("#"):
        try:
            red, green, blue = bytes.fromhex(text[1:])
        except ValueError:
            raise ConfigError(f"'{text}' is no colour; write one as #rrggbb, such as #00b140") from None
        return np.full((2, 2, 3), (red, green, blue), np.uint8)
    picture = cv2.imread(text, cv2.IMREAD_COLOR) if Path(text).is_file() else None
    if picture is None:
        raise ConfigError(f"{text} is not an image that can be read; name a PNG or JPEG, or a colour such as #00b140")
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), np.uint8)


def covering(picture: U8, size: tuple[int, int]) -> U8:
    """A picture that fills (width, height): scaled evenly, its middle shown."""
    width, height = size
    scale = max(width / picture.shape[1], height / picture.shape[0])
    grown = max(round(picture.shape[1] * scale), width), max(round(picture.shape[0] * scale), height)
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    large = np.asarray(cv2.resize(picture, grown, interpolation=way), np.uint8)
    x, y = (grown[0] - width) // 2, (grown[1] - height) // 2
    return np.ascontiguousarray(large[y : y + height, x : x + width])


def _driving(track: FaceTrack, path: Path) -> FaceTrack:
    """FootageError when no frame of a take shows a face well enough."""
    if not track.good.any():
        raise FootageError(f"{path} shows no face that could drive the head; choose another take")
    return track


def _stored(path: Path) -> Drive:
    try:
        with np.load(path) as data:
            arrays = {name: np.asarray(data[name]) for name in data.files}
        points = arrays["landmarks_px"].astype(np.float32)
        count = len(points)
        pose = arrays.get("pose_rad", np.zeros((count, 3))).astype(np.float32)
        confidence = arrays.get("confidence", np.ones(count)).astype(np.float32)
        contour = arrays["contour_px"].astype(np.float32) if "contour_px" in arrays else None
        fps = as_rate(str(arrays["fps"])) if "fps" in arrays else FPS
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise FootageError(f"{path} cannot drive the head ({error}); store landmarks_px (T, 68, 2) in it") from error
    shapes = {"landmarks_px": (count, 68, 2), "pose_rad": (count, 3), "confidence": (count,)}
    found = {"landmarks_px": points, "pose_rad": pose, "confidence": confidence}
    for name, shape in shapes.items():
        if found[name].shape != shape or not np.isfinite(found[name]).all():
            raise FootageError(
                f"{path} cannot drive the head: {name} is {found[name].shape} and must be {shape} with finite numbers"
            )
    if contour is not None and (contour.ndim != 2 or len(contour) != count):
        raise FootageError(f"{path} cannot drive the head: contour_px is {contour.shape} and must be ({count}, rays)")
    low, high = points.min((0, 1)), points.max((0, 1))
    size = int(np.ceil(high[0] - min(low[0], 0))) + 1, int(np.ceil(high[1] - min(low[1], 0))) + 1
    no_mesh = np.zeros((count, 0, 3), np.float32)
    return Drive(_driving(FaceTrack(points, no_mesh, confidence, pose, size, contour_px=contour), path), fps)
