"""Talking mouths with their sound: rendered ones, and those of footage the user gives."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter1d

from lipwright.core.clock import FPS, SAMPLE_RATE, n_frames, sample_of
from lipwright.core.contracts import F32, U8, FaceTrack
from lipwright.core.errors import SubjectError
from lipwright.core.files import atomic_file
from lipwright.evaluate.mouths import MouthCutter
from lipwright.evaluate.syncnet import source_frames
from lipwright.face.align import compose, invert
from lipwright.face.ict import IctModel
from lipwright.lipmatch.voices import Voice, speech_of
from lipwright.metrics.lipmatch import SIDE
from lipwright.presenter.lips import lips_from_speech
from lipwright.presenter.look import look_of
from lipwright.presenter.make import mouth_camera
from lipwright.presenter.motion import MotionConfig, head_motion
from lipwright.presenter.render import PresenterRenderer, RenderConfig
from lipwright.presenter.rig import Rig, build_rig, identity_coefficients, studio_camera
from lipwright.presenter.scene import Performance, combine
from lipwright.subject.store import Subject

MARGIN = 1.25
"""More is kept around the mouth than the network sees, for shifts and turns while training."""
KEPT = round(SIDE * MARGIN)
_PIXELS, _SHOWN_CM = 112, 12.0


@dataclass(frozen=True)
class TalkingMouth:
    """One stretch of one person."""

    mouths: U8
    """(T, 60, 60) grey levels at 25 fps."""
    samples: F32
    """(S,) 16 kHz."""

    def save(self, path: Path) -> None:
        """As npz."""
        with atomic_file(path) as temporary:
            np.savez_compressed(temporary, mouths=self.mouths, samples=self.samples.astype(np.float16))

    @classmethod
    def load(cls, path: Path) -> TalkingMouth:
        """What `save` wrote."""
        with np.load(path, allow_pickle=False) as file:
            return cls(file["mouths"], file["samples"].astype(np.float32))


def rendered(model: IctModel, seed: int, voice: Voice, seconds: float) -> TalkingMouth:
    """The identity of a seed says random words in its own style."""
    rng = np.random.default_rng([seed, 41])
    rig = build_rig(model, identity_coefficients(seed))
    speech = speech_of(voice, seconds, rng)
    lips = styled(rig, lips_from_speech(speech, rig.names, rig.lip_gap()), rng)
    turn = float(rng.uniform(4, 22))
    count = n_frames(len(speech.samples), FPS, SAMPLE_RATE)
    motion = head_motion(count, seed, MotionConfig(yaw_deg=turn, pitch_deg=float(rng.uniform(3, 10))))
    performance = combine(rig, speech, lips, motion)
    config = RenderConfig(size=256, supersample=1, seed=seed, skin_only=True)
    renderer = PresenterRenderer(model, rig, look_of(seed), config)
    return TalkingMouth(_mouths(renderer, performance), speech.samples)


def styled(rig: Rig, lips: F32, rng: np.random.Generator) -> F32:
    """(T, E) weights as another person moves: more or less, sluggish or not, with a face that drifts on its own."""
    out = gaussian_filter1d(lips, float(rng.uniform(0.01, 1.3)), axis=0) * np.float32(rng.uniform(0.4, 1.2))
    out *= rng.uniform(0.6, 1.4, lips.shape[1]).astype(np.float32)  # habits: some shapes more than others
    out[:, rig.lip_gap().close] /= np.float32(max(rng.uniform(0.8, 1.2), 0.1))
    for name, most in (("mouthSmile", 0.35), ("mouthFrown", 0.2), ("mouthPress", 0.15), ("mouthUpperUp", 0.15)):
        for side in "LR":
            if f"{name}_{side}" in rig.names:
                slow = gaussian_filter1d(rng.normal(size=len(out)), 20, mode="wrap") * 6
                track = most * np.clip(0.4 * slow + rng.uniform(-0.5, 0.6), 0, 1)
                out[:, rig.names.index(f"{name}_{side}")] += track.astype(np.float32)
    gap, wanted = rig.lip_gap(), np.maximum(rig.lip_gap().of(out), 0.0)  # lips never cut into each other
    return gap.solve(out, wanted)


def _mouths(renderer: PresenterRenderer, p: Performance) -> U8:
    cutter = MouthCutter.on(p.landmarks_px, p.landmarks_px, KEPT, MARGIN)
    studio, kept = studio_camera(p.size), np.zeros((len(p), KEPT, KEPT), np.uint8)
    for f in range(len(p)):
        camera, m = mouth_camera(p, f, _PIXELS, _SHOWN_CM), p.motion
        close = renderer.frame(p.weights[f], m.gaze_rad[f], m.pose_rad[f], m.shift_cm[f], f, camera, _PIXELS)
        scale = camera.focal_px / studio.focal_px
        near_from_frame = np.array(
            [[scale, 0, camera.centre_px[0] - scale * studio.centre_px[0]],
             [0, scale, camera.centre_px[1] - scale * studio.centre_px[1]]], np.float32
        )  # fmt: skip
        cutter.crop_from_frame[f] = compose(cutter.crop_from_frame[f], invert(near_from_frame))
        kept[f] = cutter.cut(close, f)
    return kept


def footage(folder: str | os.PathLike[str], seconds: float = 12.0) -> Iterator[TalkingMouth]:
    """Stretches of a prepared subject in which its face is good; SubjectError when it has none."""
    subject = Subject.open(folder)
    found = 0
    for first, end in good_stretches(subject.track, round(seconds * subject.fps)):
        yield part_of(subject, first, end)
        found += 1
    if not found:
        raise SubjectError(f"{os.fspath(folder)} has no {seconds:g} s of a usable face; give longer footage")


def part_of(subject: Subject, first: int, end: int) -> TalkingMouth:
    """Frames [first, end) of a prepared subject at 25 fps, with their sound."""
    cutter = MouthCutter.of(subject.track[first:end], KEPT, MARGIN)
    for _ in cutter.tap(subject.frames.read(first, end - first)):
        pass
    sound = slice(sample_of(first, subject.fps), sample_of(end, subject.fps))
    return TalkingMouth(cutter.mouths[source_frames(end - first, subject.fps)], subject.samples[sound])


def good_stretches(track: FaceTrack, n: int) -> Iterator[tuple[int, int]]:
    """Stretches of n frames with a good face in all of them, one after the other."""
    first = 0
    while first + n <= len(track):
        bad = np.flatnonzero(~track.good[first : first + n])
        if len(bad):
            first += int(bad[-1]) + 1
            continue
        yield first, first + n
        first += n
