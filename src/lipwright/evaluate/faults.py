"""Known faults planted in a good talking video: what every metric has to catch, and to leave alone.

A metric is worth what it was shown to see. Each fault changes one thing, in a size that can be turned up, and
names the metrics that are its own; all others should stay where they were.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from lipwright.core.clock import SAMPLE_RATE
from lipwright.core.contracts import F32, U8, FaceTrack
from lipwright.core.errors import FootageError
from lipwright.evaluate.boxes import Boxes, mouth_boxes
from lipwright.evaluate.stills import FEATHER, Still, make_stills
from lipwright.metrics.controls import rest_frame

SEED = 7


@dataclass(frozen=True)
class Talk:
    """A few seconds of one face in memory."""

    frames: Sequence[U8]
    """T frames (H, W, 3)."""
    samples: F32
    """(S,) mono 16 kHz."""
    fps: float
    track: FaceTrack
    boxes: Boxes
    """The mouth box of every frame."""
    rest: Still
    """The calmest mouth, to be worn where nothing should move."""
    pause: range
    """Frames in which nobody speaks and the mouth rests; empty until `with_pause`."""
    chatter: Sequence[U8]
    """The frames of the pause with the mouth still talking."""

    @classmethod
    def of(cls, frames: Sequence[U8], samples: F32, fps: float, track: FaceTrack) -> Talk:
        """From decoded frames, their sound and their track; FootageError when a frame shows no face."""
        if not track.present.all() or len(frames) != len(track):
            raise FootageError("faults can be planted only where every frame shows a face; give another stretch")
        boxes = mouth_boxes(track)
        _, rest = make_stills(frames, track, boxes, rest_frame(track.landmarks_px))
        return cls(frames, samples, fps, track, boxes, rest, range(0), ())

    def with_pause(self, first: int, n: int) -> Talk:
        """The same with `n` frames of silence from frame `first`, the mouth at rest in them."""
        pause = range(first, first + n)
        frames = [self.at_rest(t) if t in pause else frame for t, frame in enumerate(self.frames)]
        samples = self.samples.copy()
        samples[int(first / self.fps * SAMPLE_RATE) : int((first + n) / self.fps * SAMPLE_RATE)] = 0
        return replace(self, frames=frames, samples=samples, pause=pause, chatter=self.frames[first : first + n])

    def at_rest(self, t: int) -> U8:
        """Frame `t` with the mouth at rest."""
        outer = self.boxes.grown(FEATHER, self.track.size)
        frame = self.frames[t].copy()
        x, y = outer.corners[t]
        pasted = self.rest.paste(self.frames[t], t, self.boxes, outer)
        frame[y : y + outer.size[1], x : x + outer.size[0]] = pasted
        return frame

    def mask(self, t: int, soft: bool = True) -> F32:
        """(H, W, 1) ellipse around the mouth box in [0, 1], its edge feathered or hard."""
        width, height = self.track.size
        y, x = np.mgrid[:height, :width].astype(np.float32)
        (w, h), corner = self.boxes.size, self.boxes.corners[t]
        radius = np.hypot((x - corner[0] - w / 2) / (0.75 * w), (y - corner[1] - h / 2) / (0.75 * h))
        inside = np.clip((1 - radius) / 0.3, 0, 1) if soft else (radius < 1)
        return np.asarray(inside, dtype=np.float32)[..., None]


Made = tuple[Sequence[U8], F32]
"""Frames and samples."""


@dataclass(frozen=True)
class Fault:
    """One way of being wrong."""

    name: str
    unit: str
    sizes: tuple[float, ...]
    """From slight to gross."""
    own: tuple[str, ...]
    """Rows that must move, further with every size."""
    may: tuple[str, ...]
    """Rows that may move too, because the fault really is wrong in that respect."""
    plant: Callable[[Talk, float], Made]


def _late(talk: Talk, frames: float) -> Made:
    shift = round(frames / talk.fps * SAMPLE_RATE)
    return talk.frames, np.pad(talk.samples, (shift, 0))[: len(talk.samples)]


def _drift(talk: Talk, frames_per_minute: float) -> Made:
    seconds = np.arange(len(talk.samples)) / SAMPLE_RATE
    late = frames_per_minute / talk.fps * seconds / 60
    moved = np.interp(seconds - late, seconds, talk.samples)
    return talk.frames, moved.astype(np.float32)


def _frozen(talk: Talk, share: float) -> Made:
    n = round(share * len(talk.frames))
    return [talk.at_rest(t) if t < n else frame for t, frame in enumerate(talk.frames)], talk.samples


def _blended(talk: Talk, change: Callable[[U8, int], U8], soft: bool = True) -> Made:
    return list(_blend(talk, change, soft)), talk.samples


def _blend(talk: Talk, change: Callable[[U8, int], U8], soft: bool) -> Iterator[U8]:
    for t, frame in enumerate(talk.frames):
        mask = talk.mask(t, soft)
        mixed = mask * change(frame, t) + (1 - mask) * frame
        yield np.clip(np.rint(mixed), 0, 255).astype(np.uint8)


def _blurred(talk: Talk, sigma: float) -> Made:
    return _blended(talk, lambda frame, t: cv2.GaussianBlur(frame, (0, 0), sigma).astype(np.uint8))


def _jittered(talk: Talk, pixels: float) -> Made:
    shifts = np.random.default_rng(SEED).uniform(-pixels, pixels, (len(talk.frames), 2))

    def moved(frame: U8, t: int) -> U8:
        place = np.array([[1, 0, shifts[t, 0]], [0, 1, shifts[t, 1]]], np.float32)
        return np.asarray(cv2.warpAffine(frame, place, talk.track.size, flags=cv2.INTER_CUBIC), dtype=np.uint8)

    return _blended(talk, moved)


def _seam(talk: Talk, levels: float) -> Made:
    return _blended(talk, lambda frame, t: np.clip(frame + levels, 0, 255).astype(np.uint8), soft=False)


def _chatter(talk: Talk, share: float) -> Made:
    frames = list(talk.frames)
    n = round(share * len(talk.pause))
    for i in range(n):
        frames[talk.pause[i]] = talk.chatter[i]
    return frames, talk.samples


def _dropped(talk: Talk, share: float) -> Made:
    n = len(talk.frames)
    lost = np.random.default_rng(SEED).permutation(np.arange(1, n))[: round(share * n)]
    order = np.arange(n)
    for t in sorted(lost):
        order[t] = order[t - 1]
    return [talk.frames[t] for t in order], talk.samples


def _flicker(talk: Talk, levels: float) -> Made:
    gains = levels * np.random.default_rng(SEED).normal(size=len(talk.frames))
    frames = [np.clip(np.rint(f + g), 0, 255).astype(np.uint8) for f, g in zip(talk.frames, gains, strict=True)]
    return frames, talk.samples


def _blocky(talk: Talk, quality: float) -> Made:
    def coded(frame: U8) -> U8:
        done, data = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, int(quality)])
        if not done:
            raise ValueError(f"a picture of shape {frame.shape} cannot be coded")
        return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), dtype=np.uint8)

    return [coded(frame) for frame in talk.frames], talk.samples


_PICTURE = ("mouth.psnr", "mouth.ssim_gaussian", "full.psnr")
_FIT = ("lipmatch.offset", "lipmatch.confidence")
FAULTS = {
    fault.name: fault
    for fault in (
        Fault("sound late", "frames", (1, 3, 6), ("speech.offset", "lipmatch.offset"),
              ("speech.silence_ratio", "lipmatch.confidence"), _late),
        Fault("sound drifts", "frames a minute", (2, 4, 8), ("speech.drift",), ("speech.offset",), _drift),
        Fault(
            "mouth frozen",
            "share of time",
            (0.25, 0.5, 1.0),
            ("lips.correlation", "lips.amplitude"),
            (*_PICTURE, *_FIT, "landmarks.lmd_centred", "mouth.jitter_ratio", "lips.jitter", "mouth.sharpness_ratio",
             "mouth.frechet_pyramid", "speech.offset", "speech.silence_ratio"),
            _frozen,
        ),
        Fault(
            "mouth blurred",
            "px (sigma)",
            (0.5, 1.0, 2.0),
            ("mouth.sharpness_ratio",),
            (*_PICTURE, *_FIT, "mouth.jitter_ratio", "mouth.frechet_pyramid", "landmarks.lmd_centred", "lips.amplitude",
             "lips.jitter", "speech.silence_ratio"),
            _blurred,
        ),
        Fault(
            "mouth jittered",
            "px",
            (0.5, 1.0, 2.0),
            ("mouth.jitter_ratio", "lips.jitter"),
            (*_PICTURE, *_FIT, "landmarks.lmd_centred", "mouth.sharpness_ratio", "mouth.frechet_pyramid",
             "speech.silence_ratio"),
            _jittered,
        ),
        Fault("seam", "grey levels", (4, 8, 16), ("face.seam",), (*_PICTURE, "mouth.frechet_pyramid"), _seam),
        Fault(
            "speech over silence",
            "share of pause",
            (0.15, 0.35, 0.7),
            ("speech.silence_ratio",),
            (*_PICTURE, *_FIT, "landmarks.lmd_centred", "lips.correlation", "lips.amplitude", "mouth.jitter_ratio",
             "lips.jitter", "mouth.frechet_pyramid", "mouth.sharpness_ratio"),
            _chatter,
        ),
        Fault(
            "frames dropped",
            "share",
            (0.05, 0.1, 0.2),
            ("time.frozen",),
            (*_PICTURE, *_FIT, "landmarks.lmd_centred", "mouth.jitter_ratio", "lips.jitter", "speech.silence_ratio"),
            _dropped,
        ),
        Fault(
            "flicker",
            "grey levels",
            (0.75, 1.5, 3.0),
            ("time.flicker",),
            (*_PICTURE, "mouth.jitter_ratio", "mouth.frechet_pyramid"),
            _flicker,
        ),
        Fault(
            "blocks",
            "JPEG quality",
            (40, 20, 10),
            ("time.blockiness",),
            (*_PICTURE, *_FIT, "mouth.sharpness_ratio", "mouth.jitter_ratio", "mouth.frechet_pyramid", "lips.jitter",
             "landmarks.lmd_centred", "time.flicker", "face.seam", "speech.silence_ratio"),
            _blocky,
        ),
    )
}  # fmt: skip
"""By name. Drift needs half a minute of talk, all others a few seconds."""
