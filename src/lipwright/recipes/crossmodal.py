"""What the stages of `virtual-human` (train.crossmodal) need of a subject: settings, pictures, what is heard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lipwright.core.clock import FPS
from lipwright.core.contracts import F32, Conditions
from lipwright.core.errors import ConfigError
from lipwright.core.progress import Progress
from lipwright.core.resample import linear, positions
from lipwright.face.contour import outline_px
from lipwright.motion.expression import slow_smile
from lipwright.motion.model import CascadeMotion
from lipwright.motion.spoken_lips import SpokenLips
from lipwright.motion.window import SpeechWindow, channels
from lipwright.recipes.parts import RENDER_FRAMES, motion_data, remember_training, spread, watched
from lipwright.render.crossmodal.config import CrossModalConfig, changed_preset
from lipwright.render.oracle.config import OracleConfig, oracle_preset
from lipwright.speech.features import features_of
from lipwright.subject.store import Subject
from lipwright.train.crossmodal import Drawer, Plan, drawn_set, fit_crossmodal, kind_of, left_of
from lipwright.train.loop import Budget, TrainingRecord
from lipwright.train.run import Run

if TYPE_CHECKING:
    from lipwright.render.crossmodal.data import CrossModalData
    from lipwright.render.crossmodal.renderer import CrossModalRenderer
    from lipwright.render.oracle.data import OracleData


def plan_of(preset: str, mode: str, settings: Mapping[str, str]) -> Plan:
    """A preset with some fields set from text; ConfigError for what is no setting."""
    config = changed_preset(preset, settings)
    config = replace(config, speech_dim=channels(config.speech))
    oracle = oracle_preset(preset, kind_of(config.oracle))
    resized = {name: replace(getattr(oracle, name), size=config.size) for name in ("mouth", "head")}
    return Plan(config, replace(oracle, **resized), mode)


def spoken_lips(subject: Subject, config: CrossModalConfig, motion: CascadeMotion | None) -> SpokenLips | None:
    """Who says how this person's lips stand, fitted on training frames; None where the configuration asks for nobody.

    ConfigError when it does and there is no `motion`.
    """
    if not config.lips:
        return None
    if motion is None:
        raise ConfigError("lips beside the speech need a motion model that says them; give one, or set lips=0")
    clip = motion_data(subject, ()).train[0]
    seen = np.flatnonzero(clip.weight > 0)
    held = Conditions(clip.conditions.pose_rad[seen], clip.conditions.cheeks[seen])
    return SpokenLips.fit(motion, clip.landmarks[seen], held, config.lips)


def speech_window(config: CrossModalConfig, lips: SpokenLips | None = None) -> SpeechWindow:
    """The motion model that gives a renderer of this configuration what it hears."""
    return SpeechWindow(config.speech, config.window, (0.0,) * config.expressions, lips)


def heard(subject: Subject, config: CrossModalConfig, lips: SpokenLips | None = None) -> F32:
    """(T, window, k) what is heard around every frame of a subject, with the lips and the smile it is said with.

    Lips are the tracked ones on frames to learn from, and what speech says of them from the validation part on: there
    a renderer is judged by what its users will see.
    """
    model = speech_window(replace(config, expressions=0), lips)
    halo, count = model.info.halo, len(subject)
    rows, share = positions(0, count, subject.fps, FPS)
    total = int(rows[-1]) + 2
    features = features_of(subject.samples, model.info.features, total + 2 * halo, -halo)
    held = Conditions(np.zeros((total + 2 * halo, 3), np.float32), np.zeros((total + 2 * halo, 8, 2), np.float32))
    told = model.predict(features, held)[halo : halo + total]
    if lips is not None:
        _show_lips(told, subject, config, lips)
    windows = linear(told, rows, share)
    if not config.expressions:
        return windows
    track = subject.track
    train = np.asarray(subject.split("train"))
    said = windows[..., : config.speech_dim]
    smile = slow_smile(track.landmarks_px, track.pose_rad, said, track.good, train, float(subject.fps))
    slow = np.broadcast_to(smile[:, None, None], (*windows.shape[:2], config.expressions))
    return np.concatenate([windows, slow], axis=2)


def _show_lips(told: F32, subject: Subject, config: CrossModalConfig, lips: SpokenLips) -> None:
    """In windows `told` of the training part, lips as they were tracked in the place of what speech says of them."""
    clip = motion_data(subject, ()).train[0]
    seen = lips.seen(clip.landmarks, clip.conditions)
    start, stop = subject.split("train").start, subject.split("train").stop
    first = min(int(start * FPS / subject.fps), len(told))
    last = min(first + len(seen), len(told), int(stop * FPS / subject.fps))
    only = SpeechWindow(config.speech, config.window).cut(seen[: last - first])
    told[first:last, :, config.speech_dim :] = only


def chosen_frames(subject: Subject) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Frames to learn from and to validate on, evenly spread over long footage."""
    return spread(subject.usable("train"), RENDER_FRAMES), spread(subject.usable("validation"), RENDER_FRAMES // 10)


def crossmodal_data(
    subject: Subject, config: CrossModalConfig, progress: Progress, lips: SpokenLips | None = None
) -> CrossModalData:
    """Head and mouth pictures of a subject's frames with what is heard in them."""
    from lipwright.render.crossmodal.data import CrossModalData

    progress.start("speech features", None)
    windows = heard(subject, config, lips)
    progress.finish()
    train, validation = chosen_frames(subject)
    frames = np.concatenate([train, validation])
    keep, track = set(frames.tolist()), subject.track[frames]
    outlines = outline_px(subject.contour_px[frames], track.landmarks_px)
    return CrossModalData.from_frames(
        (f for t, f in watched(subject, "pictures", progress) if t in keep),
        track.landmarks_px,
        outlines,
        track.pose_rad,
        windows[frames],
        config.size,
        np.arange(len(train)),
        np.arange(len(train), len(frames)),
    )


def oracle_data(subject: Subject, config: OracleConfig, progress: Progress) -> OracleData:
    """The same frames for the oracle: its places are those of `crossmodal_data`."""
    from lipwright.render.oracle.data import OracleData

    train, validation = chosen_frames(subject)
    frames = np.concatenate([train, validation])
    keep, track = set(frames.tolist()), subject.track[frames]
    return OracleData.from_frames(
        (f for t, f in watched(subject, "oracle pictures", progress) if t in keep),
        track,
        outline_px(subject.contour_px[frames], track.landmarks_px),
        config,
        np.arange(len(train)),
        np.arange(len(train), len(frames)),
    )


def memory_oracle(subject: Subject, data: OracleData, progress: Progress) -> Drawer:
    """The appearance memory of the training frames as oracle: it learns nothing, and remembers."""
    from lipwright.render.oracle.memory import MemoryOracle

    frames = np.concatenate(chosen_frames(subject))
    renderer = remember_training(subject, progress)
    oracle = MemoryOracle(renderer, lambda place: subject.frames.frame(int(frames[place])), data)
    return Drawer(oracle.pictures, f"memory of {subject.info['source']}", "memory")


def train_crossmodal(
    subject: Subject, plan: Plan, limit: Budget, run: Run, lips: SpokenLips | None = None
) -> tuple[CrossModalRenderer, dict[str, TrainingRecord]]:
    """All stages within `limit`: the oracle gets its share, the set is drawn, the renderer takes what is left."""
    records: dict[str, TrainingRecord] = {}
    pairs, spent_s = None, 0.0
    if plan.synthetic:
        pictures = oracle_data(subject, plan.oracle, run.progress)
        memory = None
        if plan.config.oracle in ("best", "memory"):
            memory = memory_oracle(subject, pictures, run.progress)
        pairs, records, spent_s = drawn_set(plan, pictures, limit, run, memory)
        del pictures
    data = crossmodal_data(subject, plan.config, run.progress, lips)
    renderer, records["renderer"] = fit_crossmodal(plan.config, data, pairs, left_of(limit, spent_s), run, plan.mode)
    return renderer, records
