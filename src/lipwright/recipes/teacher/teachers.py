"""Who makes the person say it: their own remembered mouths by visemes, Wav2Lip, or nobody (straight to expression)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Protocol, runtime_checkable

import cv2
import numpy as np

from lipwright.compose.walk import TemplateWalk
from lipwright.core import weights
from lipwright.core.clock import FPS, n_frames
from lipwright.core.contracts import F32, U8, MotionModel
from lipwright.core.errors import ConfigError, DependencyError
from lipwright.core.ibug import MOUTH_JAW
from lipwright.core.progress import Progress
from lipwright.face.morphable.fit import Fit
from lipwright.motion.normalise import normalise, production_scale
from lipwright.persona.template import Template
from lipwright.recipes.teacher.portrait import Portrait
from lipwright.recipes.teacher.speech import Utterance
from lipwright.render.memory.bank import build_bank
from lipwright.render.memory.cover import STRETCH_S, cover
from lipwright.render.memory.renderer import MemoryRenderer
from lipwright.render.teacher.faces import face_boxes, redrawn
from lipwright.render.teacher.networks import Wav2Lip, load_teacher
from lipwright.speech.wav2lip_mel import CHUNK, HOP, chunks, mel
from lipwright.synthesis.pipeline import Synthesis
from lipwright.synthesis.setup import Setup
from lipwright.synthesis.voice import voice_of_samples

NAMES = ("memory", "direct", "wav2lip")
"""Teachers that need no more than their name; a file of `lipwright train-teacher` is one too."""
_MOUTHS = 4500
_AHEAD_S = 4.0
"""A stretch that is spoken over begins at least so long before the end of the footage's own."""
_RIDGE = 1.0


class VideoTeacher(Protocol):
    """Draws pseudo video."""

    @property
    def key(self) -> str:
        """Names teacher and settings."""

    def frames(self, said: Utterance, index: int) -> Iterator[U8]:
        """(256, 256, 3) RGB at 25 a second, of the whole utterance, over a stretch of footage chosen by `index`."""


@runtime_checkable
class DirectTeacher(Protocol):
    """Tells expression itself; the ablation without a video."""

    @property
    def key(self) -> str:
        """Names teacher and settings."""

    def expression(self, said: Utterance, index: int) -> F32:
        """(T, E) at 25 a second in the basis of the subject's fitted face."""


Teacher = VideoTeacher | DirectTeacher


def stretch(portrait: Portrait, index: int) -> Template:
    """Footage to speak over: every utterance begins somewhere else and goes back and forth from there."""
    rng = np.random.default_rng([index, 9])
    lengths = np.array([b - a for a, b in portrait.stretches], float)
    start, stop = portrait.stretches[int(rng.choice(len(lengths), p=lengths / lengths.sum()))]
    least = min(round(_AHEAD_S * float(portrait.template.fps)), stop - start)
    return portrait.template.part(start + int(rng.integers(0, stop - start - least + 1)), stop)


def _synthesis(
    portrait: Portrait, motion: MotionModel, memory: MemoryRenderer, said: Utterance, index: int
) -> Synthesis:
    voice = voice_of_samples(said.samples, phones=said.phones)
    return Synthesis(Setup(voice, stretch(portrait, index), motion, memory, FPS, "ping-pong", workers=1))


@dataclass(frozen=True)
class MemoryTeacher:
    """Visemes of any voice move this person's landmarks, and their own remembered mouths are drawn there."""

    portrait: Portrait
    motion: MotionModel
    """Speech to landmarks by features that do not tell voices apart, such as recipe `instant`'s."""
    memory: MemoryRenderer
    key: str = "memory"

    def frames(self, said: Utterance, index: int) -> Iterator[U8]:
        """See `VideoTeacher`."""
        for frame in _synthesis(self.portrait, self.motion, self.memory, said, index):
            yield frame.rgb8


@dataclass(frozen=True)
class Straight:
    """The same landmarks, turned into expression by what landmarks and expression are to each other in the footage."""

    portrait: Portrait
    motion: MotionModel
    memory: MemoryRenderer
    regression: F32
    """(58 + 3 + 1, E): normalised mouth and jaw, pose and a constant to coefficients."""
    key: str = "direct"

    def expression(self, said: Utterance, index: int) -> F32:
        """See `DirectTeacher`."""
        made = _synthesis(self.portrait, self.motion, self.memory, said, index)
        wanted = made.targets(0, made.n_frames)
        centre = made.walk.mixed(made.template.centre_px, 0, made.n_frames)
        pose = made.walk.mixed(made.template.track.pose_rad, 0, made.n_frames)
        points = (wanted - centre[:, None]) / made.template.scale_px
        return np.asarray(_known(points, pose) @ self.regression, np.float32)


def regression(portrait: Portrait, fit: Fit) -> F32:
    """(62, E) ridge regression from what is known of the footage's own frames to their fitted expression."""
    seen, good = portrait.template.track, portrait.template.track.good & (fit.trusted > 0)
    points = normalise(seen.landmarks_px, production_scale(seen.landmarks_px, seen.confidence))[:, MOUTH_JAW]
    known = _known(points, seen.pose_rad)[good].astype(np.float64)
    gram = known.T @ known
    penalty = _RIDGE * np.diag(np.r_[np.full(len(gram) - 1, np.mean(np.diag(gram)) / len(known)), 0])
    return np.linalg.solve(gram + penalty, known.T @ fit.coefficients.expression[good]).astype(np.float32)


def _known(points: F32, pose_rad: F32) -> F32:
    return np.concatenate([points.reshape(len(points), -1), pose_rad, np.ones((len(points), 1), np.float32)], axis=1)


@dataclass(frozen=True)
class Wav2LipTeacher:
    """A network of Wav2Lip's kind, published or trained by `lipwright train-teacher`, over ping-pong frames."""

    portrait: Portrait
    network: Wav2Lip
    mode: str
    """Which columns of the mel spectrogram a frame hears (speech.wav2lip_mel): 'compat' or 'aligned'."""
    key: str = "wav2lip"

    def frames(self, said: Utterance, index: int) -> Iterator[U8]:
        """See `VideoTeacher`."""
        template, n = stretch(self.portrait, index), n_frames(len(said.samples))
        lacking = max(CHUNK * HOP - len(said.samples), 0)
        heard = chunks(mel(np.pad(said.samples, (0, lacking))), n, FPS, self.mode)
        walk = TemplateWalk.through(template.track, n, template.fps, FPS, "ping-pong")
        boxes = face_boxes(walk.mixed(template.track.landmarks_px, 0, n), template.size)
        store = template.store
        pictures = walk.shifted(template.first).frames(store.read, store.backward, n, _blend)
        for frame, box, piece in zip(islice(pictures, n), boxes, heard, strict=True):
            yield redrawn(self.network, frame, box, piece)


def _blend(a: U8, b: U8, share: float) -> U8:
    return np.asarray(cv2.addWeighted(a, 1 - share, b, share, 0), np.uint8)


def remembered(portrait: Portrait, progress: Progress) -> MemoryRenderer:
    """The appearance memory of a portrait."""
    seen, store = portrait.template.track, portrait.template.store
    keep = set(cover(seen, np.flatnonzero(seen.good), _MOUTHS, round(STRETCH_S * portrait.template.fps)).tolist())
    progress.start("remember", len(seen))

    def passing() -> Iterator[tuple[int, U8]]:
        for t, frame in enumerate(store.read()):
            progress.update(t + 1)
            if t in keep:
                yield t, frame

    bank = build_bank(passing(), seen)
    progress.finish()
    return MemoryRenderer(bank)


def make_teacher(name: str, portrait: Portrait, fit: Fit, motion: MotionModel, progress: Progress) -> Teacher:
    """A teacher by name: 'memory', 'direct', 'wav2lip' (weights that the user brought), or a file of train-teacher.

    Args:
        motion: speech to landmarks of the same person, for the first two.
    DependencyError when Wav2Lip's weights were not brought, ConfigError for an unknown name.
    """
    if name == "memory":
        return MemoryTeacher(portrait, motion, remembered(portrait, progress))
    if name == "direct":
        return Straight(portrait, motion, remembered(portrait, progress), regression(portrait, fit))
    if name == "wav2lip":
        path = weights.find("wav2lip")
        if path is None:
            raise DependencyError("Wav2Lip's weights are not here; add them with: lipwright models add wav2lip FILE")
        return Wav2LipTeacher(portrait, load_teacher(path)[0], "compat")
    if Path(name).is_file():
        network, mode = load_teacher(Path(name))
        return Wav2LipTeacher(portrait, network, mode, f"{Path(name).name}-{Path(name).stat().st_size}")
    raise ConfigError(f"unknown teacher '{name}'; available: {', '.join(NAMES)}, or a file of lipwright train-teacher")
