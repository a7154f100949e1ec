"""Speech over a template, from file to file."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from lipwright.cli.assets import persona_path
from lipwright.cli.bench.measure import Job, Measure, measure

if TYPE_CHECKING:
    from lipwright.persona.template import Template


def run(job: Job) -> list[Measure]:
    """Speech over a template, end to end into a file, beside decoding and encoding the same frames alone."""
    from lipwright.media.picture import Picture
    from lipwright.media.probe import probe
    from lipwright.media.writer import VideoWriter
    from lipwright.synthesis.speaker import Persona

    voice = job.folder / "voice.wav"
    _voice_like(voice, job.seconds)
    loaded = Persona.load(persona_path(job.persona))
    template = loaded.template if job.size is None else _enlarged(loaded.template, job.size, job.folder / "large.mp4")
    n = round(job.seconds * template.fps)
    loaded.running(job.renderer)  # engines are compared before the clock starts

    def copy() -> int:
        from lipwright.compose.walk import TemplateWalk

        walk = TemplateWalk.between(template.first, template.first + len(template.track) - 1)
        with VideoWriter(job.folder / "copy.mp4", template.size, template.fps, audio=voice) as writer:
            for frame in walk.frames(template.store.pictures, template.store.pictures_backward, n, Picture.mixed):
                writer.write(frame)
        return n

    stages: dict[str, float] = {}

    def work() -> int:
        speaking = loaded.speak(voice, template=template, renderer=job.renderer)
        speaking.write(job.folder / "out.mp4")
        stages.update(speaking.profile())
        info = probe(job.folder / "out.mp4")
        assert info.video is not None
        return round((info.duration_s or Fraction(0)) * info.video.fps)

    alone = measure("decode and encode only", copy, job.repeats)
    spoken = measure(f"speak, {job.renderer or loaded.info['renderer']}", work, job.repeats)
    return [alone, replace(spoken, stages={name: round(ms, 2) for name, ms in stages.items()})]


def _enlarged(template: Template, size: tuple[int, int], path: Path) -> Template:
    """The start of a template in larger pictures: scaled to their height, its sides repeated outwards."""
    import cv2
    import numpy as np

    from lipwright.core.contracts import FaceTrack
    from lipwright.media.settings import STORE
    from lipwright.media.writer import VideoWriter
    from lipwright.persona.template import Template

    n, scale = min(len(template.track), 50), size[1] / template.size[1]
    left = (size[0] - round(template.size[0] * scale)) // 2
    to_large = np.array([[scale, 0, left + (scale - 1) / 2], [0, scale, (scale - 1) / 2]])
    with VideoWriter(path, size, template.fps, STORE) as writer:
        for frame in template.store.read(template.first, n):
            large = cv2.warpAffine(frame, to_large, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
            writer.write(np.asarray(large, np.uint8))
    track = template.track[:n]
    points = (track.landmarks_px @ to_large[:, :2].T + to_large[:, 2]).astype(np.float32)
    return Template(path, FaceTrack(points, track.dense_px, track.confidence, track.pose_rad, size))


def _voice_like(path: Path, seconds: float) -> None:
    """Buzzing syllables, twice a second."""
    import numpy as np

    from lipwright.media.audio import write_wav

    t = np.arange(round(seconds * 16_000)) / 16_000
    pulses = np.sin(2 * np.pi * 120 * t + 3 * np.sin(2 * np.pi * 120 * t))
    write_wav(path, (0.3 * pulses * np.clip(np.sin(2 * np.pi * 2 * t), 0, 1)).astype(np.float32))
