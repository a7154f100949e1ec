"""A performance: what is said, how the face moves, and where everything truly is.

Lips come from speech, head motion from a seed, and `perform` joins any of the one with any of the other:
the same sentence over another head motion has exact truth, which real footage never has.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.signal import find_peaks

from lipwright.core.clock import FPS, n_frames, sample_of
from lipwright.core.contracts import F32
from lipwright.core.errors import SpeechError
from lipwright.core.files import atomic_file, write_json
from lipwright.presenter.lips import lips_from_speech
from lipwright.presenter.motion import HeadMotion, MotionConfig, head_motion
from lipwright.presenter.rig import Rig, studio_camera
from lipwright.speech.tts import Phone, Speech


@dataclass(frozen=True)
class Performance:
    """T frames of speaking, with exact truth."""

    speech: Speech
    """Audio and phones; T frames cover it."""
    names: tuple[str, ...]
    """(E,) expression names."""
    lips: F32
    """(T, E) mouth weights, from the speech alone."""
    motion: HeadMotion
    """Head, gaze, lids and brows, from a seed alone (but for accents)."""
    weights: F32
    """(T, E) lips and upper face together."""
    landmarks_px: F32
    """(T, 68, 2) true positions of the Multi-PIE 68 points."""
    gap_cm: F32
    """(T,) inner-lip gap of the face itself, free of pose and perspective."""
    size: int
    """Pixels of the square picture."""
    fps: Fraction
    """Frames per second."""

    def __len__(self) -> int:
        return len(self.weights)

    @property
    def phones(self) -> tuple[Phone, ...]:
        """Phones with times; empty when the engine gave none."""
        return self.speech.phones or ()

    @property
    def pose_rad(self) -> F32:
        """(T, 3) pitch, yaw, roll, as in `HeadMotion`."""
        return self.motion.pose_rad


def accents(speech: Speech, every_s: float = 1.1) -> list[float]:
    """Times of the loudest moments, at least `every_s` apart: where people nod."""
    step = speech.sample_rate // 100
    blocks = speech.samples[: len(speech.samples) // step * step].reshape(-1, step)
    loudness = gaussian_filter1d(np.sqrt((blocks.astype(np.float64) ** 2).mean(axis=1)), 6)
    if not len(loudness):
        return []
    peaks, _ = find_peaks(loudness, height=0.6 * loudness.max(), distance=int(every_s * 100))
    return [float(p) / 100 for p in peaks]


def perform(
    rig: Rig,
    speech: Speech,
    *,
    seed: int = 0,
    motion: HeadMotion | None = None,
    config: MotionConfig | None = None,
    size: int = 512,
    fps: Fraction = FPS,
) -> Performance:
    """Speak: lips from `speech` over head motion from `seed`, or over the `motion` given.

    SpeechError when the speech has no phone times (the lips follow them) or outlasts the given motion.
    """
    if speech.phones is None:
        raise SpeechError("this speech has no phone times; use espeak-ng (with its library) or flite")
    count = n_frames(len(speech.samples), fps, speech.sample_rate)
    if motion is None:
        motion = head_motion(count, seed, config, accents(speech), fps)
    if len(motion) < count:
        raise SpeechError(f"the speech has {count} frames but the head motion only {len(motion)}; make it longer")
    return combine(rig, speech, lips_from_speech(speech, rig.names, rig.lip_gap(), fps), motion[:count], size, fps)


def combine(
    rig: Rig, speech: Speech, lips: F32, motion: HeadMotion, size: int = 512, fps: Fraction = FPS
) -> Performance:
    """Join (T, E) lips with T frames of any head motion."""
    weights = rig.weights(lips, motion)
    return Performance(
        speech=speech,
        names=rig.names,
        lips=lips,
        motion=motion,
        weights=weights,
        landmarks_px=rig.landmarks_px(weights, motion, studio_camera(size)),
        gap_cm=rig.lip_gap().of(weights).astype(np.float32),
        size=size,
        fps=fps,
    )


def cut(speech: Speech, first_frame: int, end_frame: int, fps: Fraction = FPS) -> Speech:
    """The stretch of whole frames [first, end) of a speech, phones clipped to it."""
    a, b = (sample_of(f, fps, speech.sample_rate) for f in (first_frame, end_frame))
    start, end = a / speech.sample_rate, min(b, len(speech.samples)) / speech.sample_rate
    phones = [
        Phone(p.symbol, max(p.start_s, start) - start, min(p.end_s, end) - start)
        for p in speech.phones or ()
        if p.end_s > start and p.start_s < end
    ]
    return Speech(speech.samples[a:b], speech.sample_rate, tuple(phones))


def crossed(rig: Rig, whole: Performance, seconds: int = 7) -> Performance:
    """The last `seconds` of speech over the first `seconds` of head motion: truth for the cross protocol."""
    count = int(seconds * whole.fps)
    first = len(whole) - count
    if first < count:
        raise SpeechError(f"{len(whole)} frames are too few for two stretches of {seconds} s; speak longer")
    speech = cut(whole.speech, first, len(whole), whole.fps)
    return combine(rig, speech, whole.lips[first:], whole.motion[:count], whole.size, whole.fps)


def save_truth(path: str | os.PathLike[str], performance: Performance) -> None:
    """Landmarks, pose and weights of all frames as a compact npz; `load_truth` reads it."""
    p = performance
    unit = p.size / 8192  # int16 spans four pictures, at 1/16 px for 512
    used = np.flatnonzero(np.abs(p.weights).max(axis=0) > 1e-4)
    with atomic_file(path) as temporary:
        np.savez_compressed(
            temporary,
            landmarks=np.clip(np.round(p.landmarks_px / unit), -32768, 32767).astype(np.int16),
            landmark_unit_px=np.float64(unit),
            pose_rad=p.pose_rad.astype(np.float32),
            gap_cm=p.gap_cm.astype(np.float16),
            weights=p.weights[:, used].astype(np.float16),
            names=np.array([p.names[i] for i in used]),
            size=np.int32(p.size),
            fps=np.array([p.fps.numerator, p.fps.denominator], np.int32),
        )


@dataclass(frozen=True)
class Truth:
    """Ground truth as read back from disk."""

    landmarks_px: F32
    """(T, 68, 2)."""
    pose_rad: F32
    """(T, 3) pitch, yaw, roll."""
    gap_cm: F32
    """(T,) inner-lip gap of the face itself."""
    size: int
    """Pixels of the square picture."""
    fps: Fraction
    """Frames per second."""


def load_truth(path: str | os.PathLike[str]) -> Truth:
    """Read what `save_truth` wrote."""
    with np.load(path, allow_pickle=False) as file:
        return Truth(
            landmarks_px=(file["landmarks"] * file["landmark_unit_px"]).astype(np.float32),
            pose_rad=file["pose_rad"],
            gap_cm=file["gap_cm"].astype(np.float32),
            size=int(file["size"]),
            fps=Fraction(int(file["fps"][0]), int(file["fps"][1])),
        )


def save_phones(path: str | os.PathLike[str], phones: Sequence[Phone], text: str, voice: str) -> None:
    """Phones with times (seconds, to 0.1 ms) as JSON."""
    rows = [[p.symbol, round(p.start_s, 4), round(p.end_s, 4)] for p in phones]
    write_json(path, {"text": text, "voice": voice, "phones": rows})


def load_phones(path: str | os.PathLike[str]) -> tuple[Phone, ...]:
    """Read what `save_phones` wrote."""
    with open(path, encoding="utf-8") as stream:
        return tuple(Phone(str(s), float(a), float(b)) for s, a, b in json.load(stream)["phones"])
