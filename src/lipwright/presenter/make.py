"""One job from text to files: clip, truth and phones, as the script and other code use it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from lipwright.core.clock import FPS
from lipwright.core.contracts import U8
from lipwright.core.errors import ConfigError
from lipwright.core.progress import Progress, Silent, track
from lipwright.face.ict import IctModel
from lipwright.face.raster import Camera
from lipwright.presenter.look import look_of
from lipwright.presenter.motion import MotionConfig
from lipwright.presenter.render import PresenterRenderer, RenderConfig
from lipwright.presenter.rig import Rig, build_rig, identity_coefficients, studio_camera
from lipwright.presenter.scene import Performance, crossed, perform, save_phones, save_truth
from lipwright.speech.tts import synthesise

_CROP_PX = 512
_CROP_CM = 9.0


@dataclass(frozen=True)
class Job:
    """What to make; ConfigError for values out of range."""

    text: str
    """What to say."""
    output: Path
    """OUT.mp4; OUT_truth.npz and OUT_phones.json go beside it."""
    identity: int = 0
    """Seed of shape and look."""
    engine: str = "auto"
    """Speech engine with phone times."""
    voice: str | None = None
    """A voice of the engine."""
    language: str = "en"
    """Language of the text."""
    rate: float = 1.0
    """Speaking speed."""
    size: int = 512
    """Pixels of the square picture."""
    mouth_crop: bool = False
    """Also render OUT_mouth.mp4: 9 cm around the mouth at 512 px, following it."""
    yaw_deg: float = MotionConfig.yaw_deg
    """Largest turn."""
    pitch_deg: float = MotionConfig.pitch_deg
    """Largest nod."""
    seed: int = 0
    """Seed of head motion."""
    tracks_only: bool = False
    """No pictures."""
    cross_s: int = 0
    """Seconds of the crossed clip; 0 for none."""
    crf: int = 22
    """h264 quality."""
    fps: Fraction = FPS
    """Frames per second."""

    def __post_init__(self) -> None:
        for name, value, low, high in (
            ("size", self.size, 64, 2048),
            ("yaw", self.yaw_deg, 0, 35),
            ("pitch", self.pitch_deg, 0, 20),
            ("crf", self.crf, 0, 51),
            ("cross", self.cross_s, 0, 3600),
        ):
            if not low <= value <= high:
                raise ConfigError(f"--{name} {value:g} is outside [{low}, {high}]; choose a value inside")
        if self.size % 2:
            raise ConfigError(f"--size {self.size} is odd and h264 needs even pictures; take {self.size + 1}")

    @property
    def motion(self) -> MotionConfig:
        """Range of the head motion."""
        roll = min(12.0, MotionConfig.roll_deg * max(1.0, self.yaw_deg / 15))
        return MotionConfig(yaw_deg=self.yaw_deg, pitch_deg=self.pitch_deg, roll_deg=roll)


def make(model: IctModel, job: Job, progress: Progress | None = None) -> list[Path]:
    """Write all files of a job and return their paths."""
    progress = progress or Silent()
    rig = build_rig(model, identity_coefficients(job.identity))
    speech = synthesise(job.text, job.engine, job.voice, job.language, job.rate)
    whole = perform(rig, speech, seed=job.seed, config=job.motion, size=job.size, fps=job.fps)
    clips = [("", whole)]
    if job.cross_s:
        clips.append(("_cross", crossed(rig, whole, job.cross_s)))
    written: list[Path] = []
    renderer = None
    for suffix, performance in clips:
        written += _truth(job, suffix, performance)
        if job.tracks_only:
            continue
        renderer = renderer or renderer_of(model, rig, job)
        written.append(film(renderer, performance, _beside(job.output, f"{suffix}.mp4"), job.crf, progress))
        if job.mouth_crop:
            close = _beside(job.output, f"{suffix}_mouth.mp4")
            shots = track(_mouths(renderer, performance), progress, f"rendering {close.name}", len(performance))
            written.append(_write(close, shots, performance, _CROP_PX, job.crf))
    return written


def renderer_of(model: IctModel, rig: Rig, job: Job) -> PresenterRenderer:
    """Who draws the person of a job."""
    config = RenderConfig(size=job.size, seed=job.identity, texels=2048 if job.mouth_crop else 0)
    return PresenterRenderer(model, rig, look_of(job.identity), config)


def film(renderer: PresenterRenderer, performance: Performance, path: Path, crf: int, progress: Progress) -> Path:
    """A performance with its sound, as a file."""
    frames = track(_frames(renderer, performance), progress, f"rendering {path.name}", len(performance))
    return _write(path, frames, performance, performance.size, crf)


def _beside(output: Path, ending: str) -> Path:
    return output.with_name(output.stem + ending)


def _truth(job: Job, suffix: str, performance: Performance) -> list[Path]:
    truth, phones = _beside(job.output, f"{suffix}_truth.npz"), _beside(job.output, f"{suffix}_phones.json")
    save_truth(truth, performance)
    text = job.text.strip() if not suffix else ""
    save_phones(phones, performance.phones, text, f"{job.engine} {job.voice or 'default'} {job.language}")
    return [truth, phones]


def _frames(renderer: PresenterRenderer, p: Performance) -> Iterator[U8]:
    m = p.motion
    for f in range(len(p)):
        yield renderer.frame(p.weights[f], m.gaze_rad[f], m.pose_rad[f], m.shift_cm[f], f)


def _mouths(renderer: PresenterRenderer, p: Performance) -> Iterator[U8]:
    """The mouth at 512 px for 9 cm, the crop following the true landmarks."""
    m = p.motion
    for f in range(len(p)):
        camera = mouth_camera(p, f)
        yield renderer.frame(p.weights[f], m.gaze_rad[f], m.pose_rad[f], m.shift_cm[f], f, camera, _CROP_PX)


def mouth_camera(p: Performance, frame: int, pixels: int = _CROP_PX, shown_cm: float = _CROP_CM) -> Camera:
    """The studio camera zoomed to the mouth of one frame: `shown_cm` on `pixels`."""
    studio = studio_camera(p.size)
    scale = pixels / shown_cm / (studio.focal_px / studio.distance)
    middle = p.landmarks_px[frame, 48:60].mean(axis=0)
    centre = [(pixels - 1) / 2 + scale * (studio.centre_px[k] - float(middle[k])) for k in range(2)]
    return Camera(studio.focal_px * scale, (centre[0], centre[1]), studio.distance, studio.height)


def _write(path: Path, frames: Iterator[U8], performance: Performance, size: int, crf: int) -> Path:
    from lipwright.media.writer import EncoderSettings, VideoWriter

    speech = performance.speech
    settings = EncoderSettings(crf=crf, preset="slow", audio_bitrate=64_000)
    samples = np.ascontiguousarray(speech.samples, np.float32)
    with VideoWriter(
        path, (size, size), performance.fps, settings, audio=samples, audio_rate=speech.sample_rate
    ) as writer:
        for frame in frames:
            writer.write(frame)
    return path
